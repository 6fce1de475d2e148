"""The page's rows and columns beyond plain measurements: composites, controls, reported values."""

import pytest
from chromium import assert_quiet, choose, click_header, find, shown_names
from made_page import NASTY, SOURCE

REPORTED = "alpha, reported (AlphaGAN)"


@pytest.fixture
def page(browser, whole_page):
    browser.get(whole_page.as_uri())
    yield browser
    assert_quiet(browser, "file:///")


def test_the_choice_of_rows_shows_one_kind_alone(page):
    everything = shown_names(page)
    assert everything[-2:] == ["blur", REPORTED] and len(everything) == 6
    choose(page, "#kind", "reported")
    assert shown_names(page) == [REPORTED] and find(page, "#count")[0].text == "1 row shown"
    choose(page, "#kind", "controls")
    assert shown_names(page) == ["blur"]
    points = [one for one in find(page, ".board g[data-name]") if one.is_displayed()]
    assert {point.get_attribute("data-name") for point in points} == {"blur"}


def test_the_filter_finds_reported_rows_by_that_word(page):
    find(page, "#filter")[0].send_keys("Reported")
    assert shown_names(page) == [REPORTED]


def test_a_composite_column_sorts_with_the_best_first_and_tells_its_rule(page):
    assert click_header(page, "Borda") == "descending"
    assert shown_names(page) == ["alpha", "beta", NASTY, "gamma", "blur", REPORTED]
    assert click_header(page, "Borda") == "ascending"
    assert shown_names(page)[:4] == ["gamma", NASTY, "beta", "alpha"]
    head = next(one for one in find(page, ".board th") if "Borda" in one.text)
    assert "1/2 for every one of equal value" in head.get_attribute("title")


def test_truncations_are_joined_and_drawn_over_psi_with_whiskers(page):
    lines = find(page, ".board[data-backbone=wide] polyline")
    assert len(lines) == 2  # FID and precision, each against recall
    assert len(lines[0].get_attribute("points").split()) == 3
    assert find(page, ".board[data-backbone=wide] .whiskers")
    titles = [one.text for one in find(page, ".growth h3")]
    assert len(titles) == 3 and all("over psi" in title for title in titles)
    assert len(find(page, ".growth .whiskers")) == 9


def test_choices_hide_the_series_that_they_do_not_mean(page):
    find(page, ".metrics summary")[0].click()
    find(page, "input[value=fid]")[0].click()
    titles = [one.text for one in find(page, ".growth h3") if one.is_displayed()]
    assert [title.split()[0] for title in titles] == [
        "precision_recall.precision",
        "precision_recall.recall",
    ]
    choose(page, "select[data-field=backbone]", "trained")
    assert not any(one.is_displayed() for one in find(page, ".growth"))


def test_sorting_never_mixes_reported_rows_into_the_measured(page):
    click_header(page, "fid ↓")
    assert shown_names(page) == ["alpha", "beta", NASTY, "gamma", "blur", REPORTED]
    (row,) = find(page, ".reported tr[data-name]")
    assert row.find_element("css selector", ".rank").text == "\N{EN DASH}"
    assert "9.90" in row.text
    assert any(SOURCE in one.text for one in find(page, ".board .caption"))
