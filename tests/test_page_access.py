"""The page and a generator's page for everybody: by keyboard, by ear, on a phone, in the dark."""

import itertools
import re
import time
from pathlib import Path

import pytest
from chromium import assert_quiet, click_header, find, show_as, window_of

STYLE = (Path(__file__).parents[1] / "bench/leaderboard/page.css").read_text()
CONTROLS = "a[href], button, input, select, summary, [tabindex='0']"
ENOUGH = 4.5  # WCAG AA
TAB = "\ue004"


@pytest.fixture(params=["table", "generator"])
def page(request, browser, whole_page):
    """Either page, with all that can be unfolded unfolded."""
    browser.get(whole_page.as_uri())
    if request.param == "generator":
        find(browser, ".board a.name")[0].click()
    unfold(browser)
    yield browser
    assert_quiet(browser, "file:///")


@pytest.fixture
def tables(browser, whole_page):
    browser.get(whole_page.as_uri())
    return browser


def unfold(page):
    page.execute_script("document.querySelectorAll('details').forEach(one => { one.open = true })")


def test_every_head_that_sorts_is_a_button_and_says_the_order(tables):
    heads = find(tables, ".board > .scroll thead th")
    assert all(one.find_elements("css selector", "button[type=button]") for one in heads)
    assert {one.get_attribute("aria-sort") for one in heads} == {"none", "ascending"}
    click_header(tables, "recall ↑")
    for board in find(tables, ".board"):
        orders = [
            one.get_attribute("aria-sort")
            for one in board.find_elements("css selector", "thead th[aria-sort]")
        ]
        assert sum(order != "none" for order in orders) == 1


def unnamed_of(controls):
    return [one.get_attribute("outerHTML") for one in controls if not one.accessible_name.strip()]


def test_every_control_has_a_name(page):
    controls = find(page, CONTROLS)
    deadline = time.monotonic() + 20
    while (unnamed := unnamed_of(controls)) and time.monotonic() < deadline:
        time.sleep(0.1)  # a busy browser may not have named them yet
    assert len(controls) > 4 and unnamed == []


def test_every_control_is_reached_by_tab(page):
    page.execute_script("window.reached = new Set(); document.activeElement.blur()")
    wanted = page.execute_script(
        "return [...document.querySelectorAll(arguments[0])].filter(one => one.checkVisibility())"
        ".length",
        CONTROLS,
    )
    for _ in range(2 * wanted):
        page.switch_to.active_element.send_keys(TAB)
        page.execute_script("reached.add(document.activeElement)")
    missed = page.execute_script(
        "return [...document.querySelectorAll(arguments[0])]"
        ".filter(one => one.checkVisibility() && !reached.has(one)).map(one => one.outerHTML)",
        CONTROLS,
    )
    assert wanted > 4 and missed == []


def test_every_drawing_has_words(page):
    drawings = find(page, "svg:not([aria-hidden=true])")
    assert drawings
    for one in drawings:
        assert one.get_attribute("role") == "img" and len(one.get_attribute("aria-label")) > 10
    assert all(one.get_attribute("alt") for one in find(page, "img"))


def test_headings_leave_no_level_out(page):
    levels = page.execute_script(
        "return [...document.querySelectorAll('h1, h2, h3, h4, h5, h6')]"
        ".filter(one => one.checkVisibility()).map(one => Number(one.tagName[1]))"
    )
    assert levels[0] == 1 and levels.count(1) == 1 and len(levels) > 3
    assert all(after <= before + 1 for before, after in itertools.pairwise(levels))


def test_the_language_and_the_title_are_said_and_the_main_part_is_marked(page):
    assert find(page, "html")[0].get_attribute("lang") == "en"
    assert page.title and len(find(page, "main")) == 1


def test_a_table_names_its_rows_and_columns(page):
    for table in find(page, "table"):
        heads = table.find_elements("css selector", "thead th")
        assert heads and all(one.get_attribute("scope") == "col" for one in heads)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_all_text_stands_out_from_its_ground(page, scheme):
    show_as(page, scheme)
    found = page.execute_script(CONTRASTS)
    show_as(page, "light")
    assert len(found) > 30
    assert [one for one in found if one[0] < ENOUGH] == []


def test_the_ground_is_dark_in_the_dark(page):
    grounds = []
    for scheme in ("light", "dark"):
        show_as(page, scheme)
        grounds.append(
            page.execute_script("return getComputedStyle(document.body).backgroundColor")
        )
    show_as(page, "light")
    assert grounds[0] != grounds[1]


@pytest.mark.parametrize("width", [390, 1400])
def test_nothing_but_a_table_scrolls_sideways(page, width):
    with window_of(page, width):
        wide = page.execute_script("return document.documentElement.scrollWidth")
    assert wide <= width


# contrast of each element that has text of its own: [ratio, tag, text]
CONTRASTS = """
const colour = (text) => text.match(/[\\d.]+/g).map(Number);
const light = (text) => colour(text).slice(0, 3).map((value) => value / 255)
  .map((v) => (v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4))
  .reduce((sum, v, at) => sum + v * [0.2126, 0.7152, 0.0722][at], 0);
const ground = (one) => {
  const found = getComputedStyle(one).backgroundColor;
  return (colour(found)[3] ?? 1) === 0 && one.parentElement ? ground(one.parentElement) : found;
};
const own = (one) => [...one.childNodes].some((n) => n.nodeType === 3 && n.data.trim());
const shown = [...document.querySelectorAll("body *")]
  .filter((one) => (own(one) || one.matches("input, select")) && one.checkVisibility())
  .filter((one) => !one.closest("script, style, option, title"));
return shown.map((one) => {
  const style = getComputedStyle(one);
  const ink = one.closest("svg") ? style.fill : style.color;
  const [a, b] = [light(ink), light(ground(one))].sort((x, y) => y - x);
  return [(a + 0.05) / (b + 0.05), one.tagName, one.textContent.slice(0, 40)];
});
"""


@pytest.mark.parametrize("scheme", [0, 1], ids=["light", "dark"])
@pytest.mark.parametrize("ink", ["ink", "muted", "accent"])
@pytest.mark.parametrize("ground", ["ground", "paper", "quiet", "hover"])
def test_every_ink_may_stand_on_every_ground(scheme, ink, ground):
    colours = dict(re.findall(r"--(\w+): (#\w{6})", STYLE.split("@media")[scheme]))
    lights = sorted((light(colours[name]) for name in (ink, ground)), reverse=True)
    assert (lights[0] + 0.05) / (lights[1] + 0.05) >= ENOUGH


def light(colour):
    """Relative luminance of #rrggbb, after WCAG 2."""
    shares = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    linear = [s / 12.92 if s <= 0.04045 else ((s + 0.055) / 1.055) ** 2.4 for s in shares]
    return sum(
        share * weight for share, weight in zip(linear, (0.2126, 0.7152, 0.0722), strict=True)
    )
