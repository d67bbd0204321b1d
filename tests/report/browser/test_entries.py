"""The page of a batch: its table, its figure, what was chosen, and texts that are no HTML."""

import csv

import pytest

from atomsight.batch import own_archive
from atomsight.batch.summary import summarise
from tests.report.browser.test_looks import hard_to_read
from tests.support.browser import Opened, open_page, until
from tests.support.datasets import add_archive, add_entry, add_failure, expected
from tests.support.pages import ATTACK, FORMULA

pytestmark = pytest.mark.xdist_group("browser")

MESSAGE = f"map.mrc: breaks off {ATTACK}</script>"


@pytest.fixture(scope="module")
def data_set(tmp_path_factory):
    """Sixty usual entries, one with a low Q, two that failed; one has a report."""
    folder = tmp_path_factory.mktemp("batch")
    add_archive(folder, 60)
    add_entry(folder, "z_low", q=0.0, cc=0.5, notes=ATTACK, **expected(4.0))
    add_failure(folder, "y_late", "timeout", "not done after 5 s (--timeout)")
    add_failure(folder, FORMULA, "read maps", MESSAGE)
    report = folder / "reports" / "z_low" / "report.html"
    report.parent.mkdir(parents=True)
    report.write_text("<title>the report</title>", encoding="utf-8")
    return folder


@pytest.fixture(scope="module")
def opened(browser, data_set):
    summarise(data_set)
    return open_page(browser, data_set / "summary" / "index.html")


@pytest.fixture(scope="module")
def in_cells(browser, data_set, tmp_path_factory):
    """The same with the entries drawn as cells."""
    folder = tmp_path_factory.mktemp("cells")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(own_archive, "_MOST_POINTS", 10)
        summarise(data_set, folder)
    return open_page(browser, folder / "index.html")


@pytest.fixture
def page(opened) -> Opened:
    """The page with everything shown."""
    return as_at_first(opened)


def as_at_first(opened):
    opened.js("atomsight.near(null)")
    opened.page.fill("#entry-table input[type=search]", "")
    show(opened, "all")
    return opened


def names(opened):
    return opened.page.locator("#entry-table tbody th").all_inner_texts()


def count(opened):
    return opened.page.inner_text("#entry-table .count")


def show(opened, value):
    opened.page.select_option("#entry-table select", value)


def marks(opened):
    """Rings in the figure: their places."""
    return opened.js(
        "document.querySelector('.plot').layout.shapes"
        ".filter((one) => one.type === 'circle').map((one) => [one.xanchor, one.yanchor])"
    )


def test_nothing_goes_wrong_and_nothing_is_fetched(page):
    assert page.problems == []
    assert len(page.requests) == 1
    assert not page.js("'hacked' in window")


def test_texts_of_the_rows_are_shown_as_they_are(page):
    show(page, "status failed")
    assert names(page) == [FORMULA, "y_late"]
    assert page.page.locator("td.message").first.inner_text() == MESSAGE
    page.page.click("#entry-table tbody tr:first-child")
    assert page.page.inner_text("#chosen h3") == FORMULA
    assert page.page.inner_text("#chosen .absent") == MESSAGE
    show(page, "rule q_below_band")
    page.page.locator("#entry-table tbody tr", has_text="z_low").click()
    assert page.page.inner_text("#chosen .caption") == f"Notes: {ATTACK}"
    assert not page.js("'hacked' in window")


def test_numbers_of_what_failed_are_not_shown(page):
    head = page.page.locator("#entry-table thead th.number").first
    assert head.is_visible()
    show(page, "step timeout")
    assert names(page) == ["y_late"]
    assert not head.is_visible()


def test_words_and_pages(page):
    assert count(page) == "1–25 of 63 entries"
    page.page.click("#entry-table button[aria-label='next rows']")
    assert count(page) == "26–50 of 63 entries"
    page.page.fill("#entry-table input[type=search]", "late TIMEOUT")
    assert (names(page), count(page)) == (["y_late"], "1–1 of 1 entries")
    page.page.fill("#entry-table input[type=search]", "nothing of that kind")
    assert count(page) == "no entries fit the filter"


def test_a_rule_in_the_head_of_the_page_shows_its_entries(page):
    page.page.click("text=low correlation with the model's map")
    assert names(page) == ["z_low"]
    assert page.page.locator("#entry-table select").input_value() == "rule low_cc"


def test_a_row_is_chosen_and_stands_in_a_ring(page):
    page.page.fill("#entry-table input[type=search]", "z_low")
    page.page.click("#entry-table tbody tr")
    assert until(lambda: marks(page), lambda found: found == [[4, 0]])
    assert page.page.inner_text("#chosen h3") == "z_low"
    assert "0.000" in page.page.inner_text("#chosen dl")
    show(page, "status failed")
    page.page.fill("#entry-table input[type=search]", "y_late")
    page.page.click("#entry-table tbody tr")
    until(lambda: marks(page), lambda found: found == [])


def test_a_point_chooses_its_row(page):
    # the entry outside the band stands by itself
    point = page.page.locator(".plot .scatterlayer .trace").nth(1).locator(".points path").first
    page.page.locator(".plot").scroll_into_view_if_needed()
    box = point.bounding_box()
    page.click(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    until(lambda: page.page.locator("#chosen h3").inner_text(), lambda said: said == "z_low")
    marked = page.page.locator("#entry-table tr[aria-current=true] th").all_inner_texts()
    assert marked == ["z_low"]


def test_the_report_opens(page):
    page.page.fill("#entry-table input[type=search]", "z_low")
    link = page.page.locator("#entry-table tbody a")
    link.click()
    page.page.wait_for_url("**/reports/z_low/report.html")
    assert page.page.title() == "the report"
    page.page.go_back()
    page.page.wait_for_selector("html[data-ready=yes]", state="attached")


def test_a_cell_of_the_cloud_shows_its_entries(in_cells):
    in_cells.page.locator(".plot").scroll_into_view_if_needed()
    until(lambda: in_cells.page.locator(".plot .hm image").count(), lambda n: n == 1)
    data = in_cells.js("atomsight.data.figures[0].data[0]")
    i, j = next(
        (i, j) for i, line in enumerate(data["text"]) for j, n in enumerate(line) if n and n >= 1
    )
    x, y, number = data["x"][j], data["y"][i], data["text"][i][j]
    in_cells.js(f"atomsight.plots.clicked([{{ data: {{ type: 'heatmap' }}, x: {x}, y: {y} }}])")
    assert f"of {number:g} entries" in count(in_cells)
    button = in_cells.page.locator("#entry-table .filters button", has_text="around")
    assert button.inner_text() == f"around {x:.2f} Å, Q {y:.2f} ✕"
    button.click()
    assert "of 63 entries" in count(in_cells)
    assert not button.is_visible()


def test_what_is_shown_is_saved(page, tmp_path):
    show(page, "status failed")
    with page.page.expect_download() as waiting:
        page.page.click("text=Download CSV")
    assert waiting.value.suggested_filename == "entries_shown.csv"
    waiting.value.save_as(tmp_path / "saved.csv")
    with (tmp_path / "saved.csv").open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    # a spreadsheet must not take a name for a formula
    assert [row["entry"] for row in rows] == [f"'{FORMULA}", "y_late"]
    assert rows[0]["message"] == MESSAGE


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1400, 400])
def test_it_can_be_read_and_nothing_sticks_out(page, scheme, width):
    page.page.emulate_media(color_scheme=scheme)
    page.page.set_viewport_size({"width": width, "height": 900})
    until(lambda: hard_to_read(page), lambda bad: not bad)
    # the figure takes its new width a little later
    until(lambda: page.js("document.documentElement.scrollWidth"), lambda found: found <= width)
    page.page.set_viewport_size({"width": 1100, "height": 640})
    page.page.emulate_media(color_scheme="light")
