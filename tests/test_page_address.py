"""The view of the page lives in its address: it can be shared, and Back works."""

from urllib.parse import parse_qs, urlsplit

import pytest
from chromium import assert_quiet, choose, click_header, find, served, shown_names
from made_page import NASTY

ui = pytest.importorskip("selenium.webdriver.support.ui", reason="selenium is not installed")
exceptions = pytest.importorskip("selenium.common.exceptions")
SECONDS = 20
SEEN = """
const all = (selector) => [...document.querySelectorAll(selector)];
const heads = all(".board thead th").filter((one) => one.getClientRects().length);
const told = (one) => one.type === "checkbox" ? one.checked : one.value;
return [heads.map((one) => one.textContent), all(".tools input, .tools select").map(told)];
"""


@pytest.fixture(params=["file", "server"])
def address(request, whole_page):
    if request.param == "file":
        yield whole_page.as_uri()
        return
    with served(whole_page.parent) as root:
        yield f"{root}{whole_page.name}"


@pytest.fixture
def page(browser, address):
    """With no past: a full history (50) loses pages that no user has touched, which ours are."""
    browser.get("about:blank")
    browser.get(address)
    browser.execute_cdp_cmd("Page.resetNavigationHistory", {})
    yield browser
    assert_quiet(browser, address.rpartition("/")[0], "about:blank")


def fragment(page):
    return parse_qs(urlsplit(page.current_url).fragment)


def reopened(page):
    """What somebody sees who was sent the address."""
    address = page.current_url
    page.get("about:blank")
    page.get(address)
    return page


def wait(page, until):
    """A page that is loading has no tables yet, or others than a moment ago: no answer."""
    loading = [exceptions.JavascriptException, exceptions.StaleElementReferenceException]
    ui.WebDriverWait(page, SECONDS, ignored_exceptions=loading).until(lambda _: until())


def back(page, until):
    page.back()
    wait(page, until)


def everything(page):
    """Rows of each table in order, visible heads, and what the controls say."""
    heads, controls = page.execute_script(SEEN)
    return [shown_names(page, 0), shown_names(page, 1), [head.split() for head in heads], controls]


def settled(page):
    """The same once it stays: the browser tells a page of a new address when it finds the time."""
    seen = [everything(page)]

    def stays(_):
        seen.append(everything(page))
        return seen[-1] == seen[-2]

    ui.WebDriverWait(page, SECONDS, poll_frequency=0.3).until(stays)
    return seen[-1]


def test_the_whole_view_can_be_shared(page):
    plain = everything(page)
    find(page, ".metrics summary")[0].click()
    find(page, "input[value=precision_recall]")[0].click()
    choose(page, "select[data-field=backbone]", "trained")
    choose(page, "#kind", "generators")
    click_header(page, "fid ↓")
    click_header(page, "fid ↓")
    find(page, "#filter")[0].send_keys("a")
    seen = everything(page)
    assert seen[0] == ["gamma", NASTY, "beta", "alpha"] and seen[1] == [] and seen != plain
    found = fragment(page)
    assert (found["q"], found["backbone"], found["rows"]) == (["a"], ["trained"], ["generators"])
    assert found["without"] == ["precision_recall"]
    (sort,) = found["sort"]
    assert sort.endswith(":fid.fid:descending")
    assert everything(reopened(page)) == seen


def test_back_undoes_the_last_choice(page):
    choose(page, "#kind", "controls")
    choose(page, "select[data-field=backbone]", "trained")
    back(page, lambda: shown_names(page, 1) == ["blur"])
    back(page, lambda: len(shown_names(page)) == 6)
    page.forward()
    wait(page, lambda: shown_names(page) == ["blur"])


def test_back_undoes_a_sort(page):
    def sorted_by():
        return find(page, ".board th[aria-sort=ascending]")[0].text.split()[0]

    before = shown_names(page)
    click_header(page, "fid ↓")
    click_header(page, "fid ↓")
    assert shown_names(page) != before
    back(page, lambda: sorted_by() == "fid.")
    back(page, lambda: sorted_by() == "Mean")
    assert shown_names(page) == before


def test_a_typed_filter_is_one_step_back(page):
    choose(page, "#kind", "generators")
    find(page, "#filter")[0].send_keys("alpha")
    assert shown_names(page) == ["alpha"]
    back(page, lambda: len(shown_names(page)) == 4)
    assert find(page, "#kind")[0].get_property("value") == "generators"


def test_back_from_a_generator_finds_the_view_and_the_link_again(page):
    choose(page, "select[data-field=backbone]", "untrained")
    (link,) = [
        one for one in find(page, ".board a.name") if one.text == "beta" and one.is_displayed()
    ]
    link.click()
    assert find(page, "h1")[0].text == "beta"
    (part,) = find(page, f"#{urlsplit(page.current_url).fragment}")
    assert part.text.startswith("untrained")
    back(page, lambda: page.switch_to.active_element.text == "beta")
    assert shown_names(page, 0) == [] and len(shown_names(page, 1)) == 5
    assert everything(reopened(page))[1] == shown_names(page, 1)


@pytest.mark.parametrize(
    "text", ["sort=nonsense", "sort=:::&backbone=gone&rows=x", "without=gone&open=gone", "left-out"]
)
def test_an_address_that_means_nothing_shows_the_plain_page(page, text):
    plain = settled(page)
    page.get(f"{page.current_url.partition('#')[0]}#{text}")
    assert settled(page) == plain
    assert settled(reopened(page)) == plain


def test_a_name_in_the_address_is_text(page):
    find(page, "#filter")[0].send_keys(NASTY)
    assert shown_names(reopened(page)) == [NASTY]
    assert find(page, "#filter")[0].get_property("value") == NASTY
