"""Published numbers: every line has a place or a reason, and is compared only where it fits."""

import csv
import json
from dataclasses import replace
from pathlib import Path

import pytest
import yaml
from made_records import record, score, store

from bench.config_folder import config_folder
from bench.errors import ConfigError, StoreError
from bench.leaderboard.against_published import against_published, published_lines
from bench.leaderboard.command import Request, run
from bench.leaderboard.leaderboard import Options
from bench.leaderboard.load import read_results
from bench.leaderboard.published import read_publication
from bench.leaderboard.write import write_all

FOLDER = Path(__file__).parents[1] / "results" / "published"
TABLE = "README@947b35e image docs/figures/StudioGAN_Benchmark_.png"


@pytest.fixture(scope="module")
def publication():
    return read_publication(FOLDER)


def biggan(value, *, metric="fid", name="fid", error=None, interval=None, **changes):
    """A record of the cell that StudioGAN's table calls CIFAR10, BigGAN: FID 4.16."""
    fields = {
        "dataset": {"name": "cifar10", "config": {"split": "train"}},
        "num_real": 50000,
        "num_fake": 50000,
        "deviations": ["protocol.num_fake: 50000 (studiogan_friendly: None)"],
    } | changes
    content = score(value, standard_error=error, interval=interval)
    return record(
        changes.pop("generator_name", "biggan_cifar10"),
        metric,
        {name: content},
        protocol="studiogan_friendly",
        backbone="inception",
        **{key: item for key, item in fields.items() if key != "generator_name"},
    )


def verdicts(tmp_path, publication, *records):
    found = against_published(read_results(store(tmp_path, *records)).records, publication)
    return [(one.verdict, one.reason) for one in found]


def test_every_line_has_a_place_or_a_reason(publication):
    with (FOLDER / "studiogan.csv").open(newline="") as file:
        lines = list(csv.DictReader(file))
    placed = sum(map(len, publication.values.values()))
    assert len(lines) == 1862 == placed + sum(publication.not_placed.values())
    own = [line for line in lines if line["source"].startswith(TABLE)]
    with_place = [one for one in own if one["dataset"] not in ("AFHQv2", "FFHQ")]
    assert placed == len(with_place)


def test_no_line_names_a_machine():
    text = (FOLDER / "studiogan.csv").read_text()
    assert not any(word in text for word in ("/home/", "/root/", "/tmp/", "http://localhost"))


def test_the_names_are_those_of_the_configs():
    names = yaml.safe_load((FOLDER / "studiogan.yaml").read_text())
    for content in names["datasets"].values():
        if "dataset" in content:
            assert (config_folder() / "dataset" / f"{content['dataset']}.yaml").exists()
    for table in names["tables"]:
        if "protocol" in table:
            assert (config_folder() / "protocol" / f"{table['protocol']}.yaml").exists()
            assert (config_folder() / "backbone" / f"{table['backbone']}.yaml").exists()
    for metric in names["metrics"].values():
        assert (config_folder() / "metrics" / f"{metric.partition('.')[0]}.yaml").exists()


def test_the_value_is_the_tables(publication):
    (found,) = publication.values["biggan_cifar10", "fid", "fid"]
    assert (found.model, found.printed, found.rounding) == ("BigGAN", "4.16", pytest.approx(0.005))


@pytest.mark.parametrize(
    ("value", "known", "verdict"),
    [
        (4.2, {"interval": [4.1, 4.3]}, "inside"),
        (4.2, {"interval": [4.164, 4.3]}, "inside"),  # 4.16 may be 4.1649
        (4.2, {"interval": [4.17, 4.3]}, "outside"),
        (4.2, {"error": 0.03}, "inside"),
        (4.2, {"error": 0.01}, "outside"),
        (4.2, {}, "no interval"),
    ],
)
def test_the_verdict_is_against_the_measured_interval(tmp_path, publication, value, known, verdict):
    assert verdicts(tmp_path, publication, biggan(value, **known)) == [(verdict, "")]


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"num_real": 10000}, "num_real 10000, reported with 50000"),
        ({"num_fake": 10000}, "num_fake 10000, reported with 50000"),
        (
            {"dataset": {"name": "cifar10", "config": {"split": "test"}}},
            "dataset.split test, reported with train",
        ),
        ({"deviations": ["protocol.quantise: none (x: y)"]}, "deviates: protocol.quantise: none"),
        ({"dataset": {"name": "digits", "config": {}}}, "dataset digits, reported with cifar10"),
    ],
)
def test_what_does_not_fit_is_not_compared_and_says_why(tmp_path, publication, change, reason):
    ((verdict, found),) = verdicts(tmp_path, publication, biggan(4.2, error=0.1, **change))
    assert verdict == "not compared" and found.startswith(reason)


def test_no_model_is_guessed_from_a_name(tmp_path, publication):
    assert verdicts(tmp_path, publication, biggan(4.2, generator_name="biggan_cifar10_mine")) == []


def test_the_lines_say_measured_minus_reported_and_what_has_no_place(tmp_path, publication):
    records = read_results(store(tmp_path, biggan(4.2, error=0.1))).records
    lines = published_lines(against_published(records, publication), publication)
    assert lines[1].split()[:2] == ["inside", "biggan_cifar10"] and "+0.04" in lines[1]
    assert lines[2] == "1 inside, 0 outside, 0 no interval, 0 not compared"
    assert any("the table does not name its backbone" in line for line in lines)


def test_the_command_compares_and_fails_on_no_finding(tmp_path):
    store(tmp_path, biggan(9.0, error=0.1))
    request = Request(tmp_path, tmp_path / "out", "x", compare="published", published_folder=FOLDER)
    assert run(request) == 0


def test_reported_values_stand_beside_the_measured_and_are_never_ranked(tmp_path, publication):
    other = biggan(3.0, generator_name="other")
    store(tmp_path, biggan(4.2, error=0.1), other)
    write_all(tmp_path, tmp_path / "plain", "x", True)
    write_all(tmp_path, tmp_path / "out", "x", True, Options(published=publication))
    (before,) = json.loads((tmp_path / "plain" / "x.json").read_text())["boards"]
    (board,) = json.loads((tmp_path / "out" / "x.json").read_text())["boards"]
    assert board["rows"] == before["rows"] and before["reported"] == []
    (reported,) = board["reported"]
    assert (reported["model"], reported["values"]) == ("BigGAN", ["4.16"])
    lines = (tmp_path / "out" / "x.md").read_text().splitlines()
    at = next(n for n, line in enumerate(lines) if line.startswith("| biggan_cifar10 |"))
    assert lines[at + 1] == "| biggan_cifar10, reported (BigGAN) | reported | 4.16 |"
    assert "reported & 4.16" in (tmp_path / "out" / "x.tex").read_text()
    assert ",True," in (tmp_path / "out" / "x.wide.csv").read_text()
    assert "reported" not in (tmp_path / "plain" / "x.md").read_text()


def test_two_publications_of_one_generator_are_both_shown(tmp_path, publication):
    values = dict(publication.values)
    (one,) = values["biggan_cifar10", "fid", "fid"]
    again = replace(one, printed="5.00", source="a later table")
    both = replace(publication, values=values | {("biggan_cifar10", "fid", "fid"): [one, again]})
    store(tmp_path, biggan(4.2, error=0.1))
    write_all(tmp_path, tmp_path / "out", "x", True, Options(published=both))
    for name in ("x.md", "x.tex", "x.html"):
        text = (tmp_path / "out" / name).read_text()
        assert "4.16" in text and "5.00" in text and "a later table" in text


def test_the_page_shows_reported_rows_apart_and_without_a_rank(tmp_path, publication):
    store(tmp_path, biggan(4.2, error=0.1), biggan(3.0, generator_name="other"))
    write_all(tmp_path, tmp_path / "out", "x", True, Options(published=publication))
    page = (tmp_path / "out" / "x.html").read_text()
    measured, _, rest = page.partition('<tbody class="reported">')
    reported = rest.partition("</tbody>")[0]
    assert reported.count("<tr data-name") == 1 and "4.16" in reported
    assert "4.16" not in measured.partition("<tbody")[2]
    assert '<td class="rank">\N{EN DASH}</td>' in reported


def test_an_unknown_table_and_an_absent_folder_are_errors(tmp_path):
    with pytest.raises(StoreError, match="published_folder"):
        read_publication(tmp_path)
    names = {"tables": [{"source": "README", "not_compared": "x"}], "datasets": {}}
    (tmp_path / "a.yaml").write_text(yaml.safe_dump(names))
    heads = "dataset,resolution,model,backbone,metric,value,source"
    (tmp_path / "a.csv").write_text(f"{heads}\nC,32,M,B,FID,1.0,elsewhere\n")
    with pytest.raises(ConfigError, match="lists no table of 'elsewhere'"):
        read_publication(tmp_path)
