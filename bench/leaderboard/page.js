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

  function turned(header) {
    const other = { ascending: "descending", descending: "ascending" };
    return other[header.getAttribute("aria-sort")] || header.querySelector("button").dataset.first;
  }

  function sortBy(header, next) {
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

  const unwanted = () => new Set(metrics.filter((box) => !box.checked).map((box) => box.value));

  function showColumns() {
    const hidden = unwanted();
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
    for (const card of document.querySelectorAll(".growth")) {
      card.hidden = !chosen(card) || unwanted().has(card.dataset.metric);
    }
    showColumns();
    count.textContent = `${shown} ${shown === 1 ? "row" : "rows"} shown`;
  }

  // The view lives in the address, so that it can be shared and Back works:
  // #q=TEXT&backbone=NAME&rows=KIND&without=METRIC&sort=TABLE:COLUMN:ORDER&open=PAGE
  let opened = ""; // the generator's page that was visited last
  let typing = false; // one entry of the history for all letters of a filter

  const links = [...document.querySelectorAll("a.name")];
  const pageOf = (link) => link.getAttribute("href").split("/").pop();

  function sortedBy(board) {
    const header = board.querySelector("th[aria-sort]:not([aria-sort=none])");
    return [board.dataset.key, header.dataset.column, header.getAttribute("aria-sort")].join(":");
  }

  const unsorted = new Map(boards.map((board) => [board, sortedBy(board)]));

  function sortAs(board, text) {
    const [, column, order] = /^[^:]*:(.*):(ascending|descending)$/.exec(text) ?? [];
    const header = [...board.querySelectorAll("th[aria-sort]")].find((one) => one.dataset.column === column);
    if (header) { sortBy(header, order); }
  }

  function view() {
    const found = new URLSearchParams();
    const set = (name, value) => { if (value) { found.set(name, value); } };
    set("q", filter.value.trim());
    selects.forEach((one) => set(one.dataset.field, one.value));
    set("rows", kind?.value);
    metrics.filter((box) => !box.checked).forEach((box) => found.append("without", box.value));
    for (const board of boards) {
      if (sortedBy(board) !== unsorted.get(board)) { found.append("sort", sortedBy(board)); }
    }
    set("open", opened);
    return found.toString();
  }

  function remember(how) {
    if (view() !== location.hash.slice(1)) { history[how](null, "", `#${view()}`); }
  }

  function changed(how = "pushState") {
    opened = "";
    remember(how);
  }

  function select(element, value) {
    element.value = [...element.options].some((one) => one.value === value) ? value : "";
  }

  function restore() {
    const text = location.hash.slice(1);
    if (text && !text.includes("=")) { return; } // a place on this page
    const wanted = new URLSearchParams(text);
    filter.value = wanted.get("q") ?? "";
    selects.forEach((one) => select(one, wanted.get(one.dataset.field)));
    if (kind) { select(kind, wanted.get("rows")); }
    const without = new Set(wanted.getAll("without"));
    metrics.forEach((box) => { box.checked = !without.has(box.value); });
    for (const board of boards) {
      sortAs(board, unsorted.get(board)); // also where the address names no column of today
      sortAs(board, wanted.getAll("sort").find((one) => one.startsWith(`${board.dataset.key}:`)));
    }
    opened = wanted.get("open") ?? "";
    show();
    links.find((link) => pageOf(link) === opened && link.getClientRects().length)?.focus();
  }

  document.querySelectorAll(".board th[aria-sort]").forEach((header) => {
    header.querySelector("button").addEventListener("click", () => {
      sortBy(header, turned(header));
      changed();
    });
  });
  filter.addEventListener("input", () => {
    show();
    changed(typing ? "replaceState" : "pushState");
    typing = true;
  });
  filter.addEventListener("blur", () => { typing = false; });
  [...selects, ...metrics, ...(kind ? [kind] : [])].forEach((one) => one.addEventListener("change", () => {
    show();
    changed();
  }));
  links.forEach((link) => link.addEventListener("click", () => {
    opened = pageOf(link);
    remember("replaceState"); // Back from that page leads to this link
  }));
  addEventListener("popstate", restore);
  addEventListener("pageshow", (event) => { if (event.persisted) { restore(); } }); // kept by the browser
  tools.hidden = false;
  show();
  restore();
})();
