"""Names of others in a terminal, a log and a spreadsheet: they are shown, and act on nothing."""

import csv
import json
import logging

import pytest
import torch
from made_records import record, store

from bench.artifacts import write_per_image
from bench.leaderboard.beside import table
from bench.leaderboard.command import Request, run
from bench.printable import printable
from bench.report import align
from bench.spreadsheet import as_it_was, spreadsheet_safe
from metrics.metric import Outcome

FORGED = "a\x1b[2J\nwrote everything"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("FID é 中 ± x", "FID é 中 ± x"),
        ("\x1b[2J\x07", r"\x1b[2J\x07"),
        ("a\nb\tc\r", r"a\nb\tc\r"),
        ("\x9b1A\u2028\u202e\udcff", r"\x9b1A\u2028\u202e\udcff"),
    ],
)
def test_what_would_act_on_a_terminal_is_spelt(text, shown):
    assert printable(text) == shown


def test_a_row_of_a_table_is_one_line_whatever_its_cells_hold():
    assert align([("a", FORGED), ("b", "c")]).splitlines() == [
        r"a  a\x1b[2J\nwrote everything",
        "b  c",
    ]


def test_the_leaderboards_log_holds_no_line_of_a_foreign_record(tmp_path, caplog):
    store(tmp_path / "results", record("good"))
    path = tmp_path / "results" / "runs" / f"{FORGED}.json"
    path.write_text(json.dumps({"schema": 2, FORGED: 1}))
    store(tmp_path / "others", record(FORGED))
    request = Request(
        tmp_path / "results", tmp_path / "out", "demo", compare=str(tmp_path / "others")
    )
    with caplog.at_level(logging.INFO):
        run(request)
    told = [one.getMessage() for one in caplog.records]
    assert all(text.isprintable() for text in told)
    assert sum("wrote everything" in text for text in told) == 2  # left out, and not measured
    assert not any(text.startswith("wrote everything") for text in told)


@pytest.mark.parametrize("name", ["=1+1", "+a", "-0001.png", "@a", "'=1", "''=1", "a=", "'a", "NA"])
def test_names_of_images_come_back_from_a_table_that_no_spreadsheet_runs(tmp_path, name):
    outcome = Outcome(
        scores={},
        per_image={"fake": {"rarity": torch.tensor([-0.5])}},
        nearest_real=torch.tensor([0]),
    )
    names = {"real": lambda _: name, "fake": lambda _: name}
    write_per_image(tmp_path / "a.json", outcome, names)
    (path,) = tmp_path.glob("*.csv")
    (row,) = csv.DictReader(path.open())
    assert not row["image"].startswith(("=", "+", "-", "@"))
    assert not row["nearest_real"].startswith(("=", "+", "-", "@"))
    assert row["rarity"] == "-0.5"  # a number stays one
    found = table(path.read_bytes())
    assert found["image"].tolist() == found["nearest_real"].tolist() == [name]
    assert as_it_was(spreadsheet_safe(name)) == name
