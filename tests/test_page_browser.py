"""The page in Debian's chromium: it sorts, filters, chooses and opens, and asks for nothing."""

from pathlib import Path

import pytest
from chromium import (
    assert_quiet,
    choose,
    click_header,
    find,
    served,
    shown_names,
)
from made_records import ARTIFACTS, TABLES, beside, record, score, store

from bench.leaderboard.write import write_all

NASTY = "<img src=x onerror=alert(1)>"
GENERATORS = {"beta": 10.5, "alpha": 9.5, "gamma": 100.0, NASTY: 50.0}


@pytest.fixture(scope="module")
def leaderboard(tmp_path_factory):
    """The path of a page over two backbones, with pictures, per-image tables and curves."""
    folder = tmp_path_factory.mktemp("results")
    for backbone in ("trained", "random"):
        store(folder, *(one for name in GENERATORS for one in records(name, backbone)))
    for path in (folder / "runs").rglob("*.json"):
        beside(path.parent, **TABLES)
    write_all(folder, folder / "leaderboards", "demo", False)
    return folder / "leaderboards" / "demo.html"


def records(name, backbone):
    fid = GENERATORS[name] * (2 if backbone == "random" else 1)
    recall = {"precision": score(1 / fid, "higher"), "recall": score(5 / fid, "higher")}
    beside = {"artifacts": ARTIFACTS}
    bar = score(fid, interval=[fid - 1, fid + 1], standard_error=0.5)
    return (
        record(name, "fid", {"fid": bar}, backbone=backbone, **beside),
        record(name, "precision_recall", recall, backbone=backbone),
    )


@pytest.fixture
def page(browser, leaderboard):
    """The page, freshly opened from its file; afterwards: no error, and no request elsewhere."""
    browser.get(leaderboard.as_uri())
    yield browser
    assert_quiet(browser, "file:///")


def test_a_click_sorts_numbers_as_numbers_and_another_turns_them_round(page):
    assert click_header(page, "fid ↓") == "ascending"
    assert shown_names(page) == ["alpha", "beta", NASTY, "gamma"]
    assert click_header(page, "fid ↓") == "descending"
    assert shown_names(page) == ["gamma", NASTY, "beta", "alpha"]


def test_the_keyboard_sorts_too(page):
    button = next(one for one in find(page, ".board th button") if "recall" in one.text)
    button.send_keys("\ue007")  # enter
    assert shown_names(page)[0] == "alpha"
    assert page.switch_to.active_element == button


def test_the_filter_hides_rows_and_points_and_says_how_many_are_left(page):
    find(page, "#filter")[0].send_keys("ALPHA")
    assert shown_names(page) == ["alpha"]
    assert find(page, "#count")[0].text == "2 rows shown"
    points = [one for one in find(page, ".board g[data-name]") if one.is_displayed()]
    assert {point.get_attribute("data-name") for point in points} == {"alpha"}


def test_the_choice_of_a_backbone_shows_its_table_alone(page):
    choose(page, "select[data-field=backbone]", "random")
    titles = [one.text for one in find(page, ".board h2") if one.is_displayed()]
    assert titles == ["digits · random · demo"]
    assert find(page, "#count")[0].text == "4 rows shown"


def test_the_choice_of_metrics_hides_their_columns(page):
    find(page, ".metrics summary")[0].click()
    find(page, "input[value=fid]")[0].click()
    heads = [one.text for one in find(page, ".board th[data-metric]") if one.is_displayed()]
    assert heads and not any("fid" in head for head in heads)
    cells = [one for one in find(page, ".board tbody tr")[0].find_elements("css selector", "td")]
    assert [one.is_displayed() for one in cells] == [True, False, True, True]


def test_a_generator_opens_with_its_images_curves_and_commands(page):
    find(page, ".board a.name")[0].click()
    assert find(page, "h1")[0].text == "alpha"
    assert "Rarest" in find(page, "main")[0].text
    assert find(page, "polyline")
    find(page, "section > details summary")[0].click()
    assert "salon reproduce results/runs/digits/alpha/" in find(page, "code")[0].text
    find(page, "header a")[0].click()
    assert find(page, "h1")[0].text == "demo"


def test_names_are_text_and_never_act(page):
    assert NASTY in shown_names(page)
    assert not find(page, "img[src=x]")
    next(one for one in find(page, ".board a.name") if one.text == NASTY).click()
    assert find(page, "h1")[0].text == NASTY


def test_a_web_server_shows_the_same_page(browser, leaderboard):
    with served(leaderboard.parent) as address:
        browser.get(f"{address}demo.html")
        find(browser, ".board a.name")[0].click()
        assert find(browser, "h1")[0].text == "alpha"
        assert_quiet(browser, address)


def test_the_committed_page_runs_without_a_word(browser):
    browser.get((Path(__file__).parents[1] / "results/leaderboards/demo.html").as_uri())
    assert len(shown_names(browser)) == 10
    find(browser, ".board a.name")[0].click()
    assert find(browser, "img")[0].get_property("naturalWidth") == 48
    assert_quiet(browser, "file:///")
