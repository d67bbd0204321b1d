"""View, plots, table and the chosen residue follow each other."""

import numpy as np
import pytest

from tests.support.browser import Opened, until

pytestmark = pytest.mark.xdist_group("browser")

CHAINS = '[data-figure="chains"]'


@pytest.fixture
def chains(haemoglobin_page: Opened):
    """The card of the chains, drawn, showing the first of them."""
    card = haemoglobin_page.page.locator(CHAINS)
    card.scroll_into_view_if_needed()
    card.locator(".main-svg").first.wait_for()
    card.locator("select").select_option(index=0)
    assert card.locator("select option:checked").inner_text() == "Chain A"
    return card


def assert_chosen(opened: Opened, row: int, places) -> None:
    """Everything shows a residue."""
    name = opened.js("row => atomsight.data.residues.label[row]", row)
    until(opened.chosen, lambda chosen: chosen == name)
    assert opened.marked() == [name]
    until(
        lambda: np.linalg.norm(places[row] - opened.camera(), axis=1).min(),
        lambda distance: distance < 3.0,
    )


def middle(locator) -> tuple[float, float]:
    box = locator.bounding_box()
    return box["x"] + box["width"] / 2, box["y"] + box["height"] / 2


def marks(card) -> int:
    """Lines across a plot that mark the chosen residue."""
    return card.locator(".shapelayer path").count()


def test_a_click_on_a_point_of_a_plot(haemoglobin_page, chains, residue_places, haemoglobin):
    before = marks(chains)
    # the lowest point of the chain: its side chain with the lowest Q
    points = chains.locator(".scatterlayer .trace .points path")
    lowest = max(range(points.count()), key=lambda i: points.nth(i).bounding_box()["y"])
    haemoglobin_page.click(*middle(points.nth(lowest)))
    in_chain = np.flatnonzero(haemoglobin.residues["q"] == haemoglobin.residues["q"])
    chain_a = haemoglobin.model.residues.chain[in_chain] == "A"
    rows = in_chain[chain_a]
    lowest_row = rows[np.nanargmin(haemoglobin.residues["q_sidechain"][rows])]
    assert_chosen(haemoglobin_page, int(lowest_row), residue_places)
    until(lambda: marks(chains), lambda now: now == before + 1)


def test_a_click_on_a_cell_of_the_strip(haemoglobin_page, residue_places):
    page = haemoglobin_page.page
    card = page.locator('[data-figure="glance"]')
    card.scroll_into_view_if_needed()
    image = card.locator(".heatmaplayer image")
    image.wait_for()
    row = haemoglobin_page.js(
        "atomsight.data.residues.label.findIndex((name) => /^C\\/... 98$/.test(name))"
    )

    def click() -> int:
        # plots that are drawn above move the strip: look where it is, as a person does
        box = image.bounding_box()
        # 146 numbers in 4 chains: number 98 of the third
        x, y = box["x"] + box["width"] * 97.5 / 146, box["y"] + box["height"] * 0.625
        haemoglobin_page.click(x, y)
        page.wait_for_timeout(500)
        return haemoglobin_page.js("atomsight.selection.row")

    until(click, lambda chosen: chosen == row)
    assert_chosen(haemoglobin_page, row, residue_places)


def test_a_row_of_the_table(haemoglobin_page, residue_places):
    line = haemoglobin_page.page.locator("#residue-table tbody tr").nth(4)
    name = line.locator("th").inner_text()
    line.locator("td").nth(2).click()
    row = haemoglobin_page.js("name => atomsight.data.residues.label.indexOf(name)", name)
    assert_chosen(haemoglobin_page, row, residue_places)


def test_the_same_row_again_flies_there_again(haemoglobin_page, residue_places):
    line = haemoglobin_page.page.locator("#residue-table tbody tr").nth(2)
    line.click()
    row = int(line.get_attribute("data-row"))
    assert_chosen(haemoglobin_page, row, residue_places)
    chosen = haemoglobin_page.camera()
    haemoglobin_page.whole()
    until(haemoglobin_page.camera, lambda now: np.linalg.norm(now - chosen) > 5)
    line.click()
    assert_chosen(haemoglobin_page, row, residue_places)


def test_choosing_leads_to_the_chain_and_the_page_of_the_table(haemoglobin_page, chains):
    row = haemoglobin_page.js(
        "atomsight.data.residues.label.findIndex((name) => /^D\\/... 100$/.test(name))"
    )
    haemoglobin_page.js("row => atomsight.selection.choose(row)", row)
    name = haemoglobin_page.js("row => atomsight.data.residues.label[row]", row)
    until(haemoglobin_page.marked, lambda marked: marked == [name])
    assert not haemoglobin_page.page.inner_text("#residue-table .count").startswith("1–")
    until(
        lambda: chains.locator("select option:checked").inner_text(),
        lambda shown: shown == "Chain D",
    )


def test_the_chosen_residue_is_told_with_its_numbers(haemoglobin_page, haemoglobin):
    row = 50
    haemoglobin_page.js("row => atomsight.selection.choose(row)", row)
    page = haemoglobin_page.page
    found = dict(
        zip(
            page.locator("#chosen dt").all_inner_texts(),
            page.locator("#chosen dd").all_inner_texts(),
            strict=True,
        )
    )
    residues = haemoglobin.residues
    assert page.inner_text("#chosen h3") == "A/GLY 51"
    assert found["Q-score"].strip() == f"{residues['q'][row]:.3f}"
    assert found["Density"] == f"{residues['density'][row]:.2f} σ"
    # the atom with the lowest Q comes first
    shown = page.locator("#chosen select option:checked").inner_text()
    of_row = haemoglobin.atoms["q"][haemoglobin.model.residue == row]
    assert shown.endswith(f"Q {np.nanmin(of_row):.3f}")
    assert page.locator("#chosen select option").count() == len(of_row)


def test_another_atom_of_it_has_another_profile(haemoglobin_page):
    haemoglobin_page.js("atomsight.selection.choose(50)")
    page = haemoglobin_page.page
    line = page.locator("#chosen .scatterlayer .trace .js-line").nth(1)
    before = line.get_attribute("d")
    page.locator("#chosen select").select_option(index=1)
    until(lambda: line.get_attribute("d"), lambda after: after != before)


def test_a_mark_stays_when_colours_change(haemoglobin_page, chains):
    haemoglobin_page.js("atomsight.selection.choose(50)")
    before = marks(chains)
    line = chains.locator(".shapelayer path").last
    colour = line.evaluate("one => one.style.stroke")
    haemoglobin_page.page.emulate_media(color_scheme="dark")
    until(lambda: line.evaluate("one => one.style.stroke"), lambda now: now != colour)
    assert marks(chains) == before


def test_plots_of_a_group_can_be_turned_over(haemoglobin_page, chains):
    haemoglobin_page.js("atomsight.selection.choose(50)")
    names = chains.locator("select option").all_inner_texts()
    captions = {chains.locator(".caption").inner_text()}
    for expected in names[1:3]:
        chains.locator("button", has_text="›").click()
        assert chains.locator("select option:checked").inner_text() == expected
        captions.add(chains.locator(".caption").inner_text())
    chains.locator("button", has_text="‹").click()
    assert chains.locator("select option:checked").inner_text() == names[1]
    assert len(captions) == 3
    assert haemoglobin_page.problems == []


def test_every_plot_is_drawn_when_it_comes_near(haemoglobin_page):
    page = haemoglobin_page.page
    cards = page.locator(".figure[data-figure]")
    assert cards.count() > 6
    for i in range(cards.count()):
        cards.nth(i).scroll_into_view_if_needed()
        cards.nth(i).locator(".main-svg").first.wait_for()
        assert cards.nth(i).locator(".caption").inner_text()
    assert haemoglobin_page.problems == []
