"""Pages that lack something, pages of hostile files, and the view in a notebook."""

import numpy as np
import pytest

from tests.support.browser import Opened, colours, until
from tests.support.pages import ATTACK, CHAIN, FORMULA, MAP_FILE, MODEL_FILE, NAME, RESIDUE

pytestmark = pytest.mark.xdist_group("browser")


def assert_quiet(opened: Opened) -> None:
    """Nothing went wrong, and nothing was fetched."""
    assert opened.problems == []
    assert {url.partition(":")[0] for url in opened.requests} <= {"file", "data", "blob"}


def test_hostile_files_are_shown_and_not_run(attacked: Opened):
    page = attacked.page
    assert page.inner_text("h1") == f"{MODEL_FILE} in {MAP_FILE}"
    assert page.inner_text(".subtitle") == ATTACK
    names = [f"{CHAIN}/{rest}" for rest in ("ALA 1", "GLY 2", "SER 3", f"{RESIDUE} 4<")]
    for row, name in enumerate(names):
        attacked.js("row => atomsight.selection.choose(row)", row)
        assert attacked.chosen() == name
        assert attacked.marked() == [name]
    assert page.locator("#chosen select option").all_inner_texts()[0].startswith(f"{NAME}: Q ")
    attacked.js("atomsight.plots.cards.forEach((card) => atomsight.plots.draw(card))")
    ticks = page.locator('[data-figure="glance"] .ytick text').all_text_contents()
    assert CHAIN in ticks
    assert attacked.js("window.hacked") is None
    assert page.locator("main img, main b img, #chosen i, #chosen b, svg[onload]").count() == 0
    assert_quiet(attacked)


def test_hostile_names_under_the_pointer(attacked: Opened):
    attacked.page.select_option("#style", "sticks")
    label = attacked.label_at(*attacked.on_model())
    assert label.startswith((f"{CHAIN}/", f"{FORMULA}/"))
    assert attacked.page.locator(".msp-highlight-info :not(b, br, div, span)").count() == 0
    assert attacked.js("window.hacked") is None
    # the worst of all, whatever lies under the pointer
    last = attacked.js("atomsight.view.label(atomsight.data.atomsOf(3)[0], true)")
    shown = attacked.js(
        """html => {
          const place = document.createElement("div");
          place.innerHTML = html;
          return [place.firstChild.textContent, [...place.querySelectorAll(":not(b, br)")].length];
        }""",
        last,
    )
    assert shown == [f"{CHAIN}/{RESIDUE} 4<", 0]
    assert NAME in attacked.js(
        "html => new DOMParser().parseFromString(html, 'text/html').body.textContent", last
    )


def test_hostile_names_in_plots_under_the_pointer(attacked: Opened):
    page = attacked.page
    card = page.locator('[data-figure="chains"]')
    card.scroll_into_view_if_needed()
    point = card.locator(".scatterlayer .trace .points path").first
    point.wait_for()
    box = point.bounding_box()
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    label = card.locator(".hoverlayer text")
    until(lambda: "".join(label.all_text_contents()), lambda text: CHAIN in text)
    assert attacked.js("window.hacked") is None
    assert_quiet(attacked)


def test_a_page_without_its_map(mapless: Opened):
    page = mapless.page
    picture = mapless.view()
    assert colours(picture) > 100
    sentence = "the map is no longer at map.mrc: give it with --map"
    assert f"No surface: {sentence}." in page.inner_text(".viewer")
    assert page.locator("#contour, #show-map").count() == 0
    mapless.js("atomsight.selection.choose(0)")
    assert f"No profiles: {sentence}." in page.inner_text("#chosen")
    assert page.locator("#chosen .plot").count() == 0
    assert mapless.marked() == ["A/ALA 1"]
    mapless.changed(picture, mapless.whole)
    assert_quiet(mapless)


def test_half_maps_bring_verdicts_and_fsc_q(small_page: Opened):
    page = small_page.page
    titles = page.locator("[data-figure] h3").all_inner_texts()
    assert {"Fourier shell correlation", "FSC-Q of the atoms"} <= set(titles)
    heads = [text.strip() for text in page.locator("#residue-table thead th").all_inner_texts()]
    assert {"verdict", "Q attainable", "FSC-Q (Å)", "local resolution (Å)"} <= set(heads)
    page.fill("#residue-table input[type=search]", "not resolved")
    assert page.locator("#residue-table tbody tr").count() == 1
    page.locator("#residue-table tbody tr").click()
    assert page.inner_text("#chosen p") == "This one is not resolved."
    found = page.locator("#chosen dl").inner_text()
    assert "Verdict" in found
    assert "not resolved" in found
    assert_quiet(small_page)


def test_a_browser_without_three_dimensions_shows_the_rest(without_gl: Opened):
    page = without_gl.page
    assert page.locator(".viewer [role=alert]").inner_text() == (
        "There is no 3-D view here: this browser has no WebGL, or it is switched off. "
        "All else works."
    )
    assert not page.is_visible("#view")
    assert not page.is_visible("#view-controls")
    page.locator("#residue-table tbody tr").nth(1).click()
    name = page.locator("#residue-table tbody th").nth(1).inner_text()
    assert without_gl.chosen() == name
    assert without_gl.marked() == [name]
    card = page.locator('[data-figure="chains"]')
    card.scroll_into_view_if_needed()
    card.locator(".main-svg").first.wait_for()
    page.click("#theme")
    assert_quiet(without_gl)


def test_the_view_of_a_notebook(in_notebook: Opened):
    page = in_notebook.page
    picture = in_notebook.view()
    assert colours(picture) > 300
    assert page.locator("#residue-table, [data-figure], #chosen").count() == 0
    picture = in_notebook.changed(picture, lambda: page.select_option("#score", "CC-mean"))
    picture = in_notebook.changed(picture, lambda: page.uncheck("#show-map"))
    in_notebook.choose_at(*in_notebook.on_model())
    until(lambda: in_notebook.js("atomsight.selection.row"), lambda row: row is not None)
    assert_quiet(in_notebook)
    assert np.isfinite(in_notebook.camera()).all()
