"use strict";
(() => {
  const tools = document.getElementById("tools");
  const filter = document.getElementById("filter");
  const kind = document.getElementById("kind"); // absent where all rows are of one kind
  const count = document.getElementById("count");
  const selects = [...tools.querySelectorAll("select[data-field]")];
  const boards = [...document.querySelectorAll(".board")];
  const metrics = [...tools.querySelectorAll("input[name=metric]")];
  const figures = [...document.querySelectorAll("figure")];
  const rowsOf = (body) => [...body.rows].filter((row) => row.dataset.name !== undefined);

  // The order of the file, by mean rank and name, settles every tie.
  document.querySelectorAll(".board tr[data-name]").forEach((row, index) => { row.fileOrder = index; });

  function compareRows(first, second, index, sign) {
    if (index === 0) {
      const [a, b] = [first.dataset.name, second.dataset.name];
      return sign * (a < b ? -1 : a > b ? 1 : 0);
    }
    const [a, b] = [first, second].map((row) => row.cells[index].dataset.value);
    if (a === undefined || b === undefined) {
      return (a === undefined) - (b === undefined); // gaps stay last, whichever way
    }
    return sign * (Number(a) - Number(b));
  }

  function sortBy(header) {
    const button = header.querySelector("button");
    const other = { ascending: "descending", descending: "ascending" };
    const now = header.getAttribute("aria-sort");
    const next = other[now] || button.dataset.first;
    header.parentElement.querySelectorAll("th").forEach((one) => one.setAttribute("aria-sort", "none"));
    header.setAttribute("aria-sort", next);
    const sign = next === "ascending" ? 1 : -1;
    for (const body of header.closest("table").tBodies) {
      const sorted = rowsOf(body).sort((first, second) =>
        compareRows(first, second, header.cellIndex, sign) || first.fileOrder - second.fileOrder);
      body.append(...sorted);
    }
  }

  function chosen(element) {
    return selects.every((select) => {
      const found = element.dataset[select.dataset.field];
      return !select.value || found === undefined || found === select.value;
    });
  }

  function showColumns() {
    const hidden = new Set(metrics.filter((box) => !box.checked).map((box) => box.value));
    for (const header of document.querySelectorAll(".board th[data-metric]")) {
      const away = hidden.has(header.dataset.metric);
      for (const row of header.closest("table").rows) {
        const cell = row.cells[header.cellIndex];
        if (cell) { cell.hidden = away; } // the divider above the controls has one cell
      }
    }
  }

  function show() {
    const wanted = filter.value.trim().toLowerCase();
    const named = (element) => element.dataset.name.toLowerCase().includes(wanted);
    const ofKind = (name) => !kind?.value || kind.value === name;
    const isDrawn = (element) => named(element)
      && ofKind(element.classList.contains("control") ? "controls" : "generators");
    let shown = 0;
    for (const board of boards) {
      board.hidden = !chosen(board);
      for (const body of board.querySelectorAll("tbody[class]")) {
        const rows = rowsOf(body);
        rows.forEach((row) => { row.hidden = !(ofKind(body.className) && named(row)); });
        const visible = rows.filter((row) => !row.hidden).length;
        body.hidden = visible === 0;
        shown += board.hidden ? 0 : visible;
      }
    }
    figures.forEach((figure) => { figure.hidden = !(isDrawn(figure) && chosen(figure)); });
    for (const mark of document.querySelectorAll(".board g[data-name]")) {
      mark.toggleAttribute("hidden", !isDrawn(mark));
    }
    showColumns();
    count.textContent = `${shown} ${shown === 1 ? "row" : "rows"} shown`;
  }

  document.querySelectorAll(".board th[aria-sort]").forEach((header) => {
    header.querySelector("button").addEventListener("click", () => sortBy(header));
  });
  filter.addEventListener("input", show);
  [...selects, ...metrics, ...(kind ? [kind] : [])].forEach((select) => select.addEventListener("change", show));
  tools.hidden = false;
  show();
})();
