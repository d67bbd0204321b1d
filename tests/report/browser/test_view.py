"""The 3-D view: drawn, coloured, with its map, and pointed at."""

import re

import numpy as np
import pytest

from atomsight.verdict.readings import Reading
from tests.support.browser import Opened, colours, until

pytestmark = pytest.mark.xdist_group("browser")


def drawn(picture, least=40):
    """Which pixels are not the background."""
    return np.abs(picture - picture[2, 2]).max(axis=2) > least


def test_the_page_opens_from_a_file_without_the_network(haemoglobin_page):
    opened = haemoglobin_page
    assert opened.problems == []
    assert {url.partition(":")[0] for url in opened.requests} <= {"file", "data", "blob"}
    assert len([url for url in opened.requests if url.startswith("file:")]) == 1
    assert opened.page.title() == "5NI1 in EMD-3488: is each atom seen in the map?"
    assert opened.page.inner_text("h1") == "5NI1 in EMD-3488"


def test_the_view_shows_the_whole_model(haemoglobin_page):
    picture = haemoglobin_page.view()
    assert colours(picture) > 500
    shown = drawn(picture)
    assert shown.mean() > 0.1
    for edge in (shown[3:8], shown[-8:-3], shown[:, 3:8], shown[:, -8:-3]):
        assert not edge.any()
    assert haemoglobin_page.page.locator("#view-wait").count() == 0


def test_every_score_can_be_chosen(small_page: Opened):
    page = small_page.page
    names = page.locator("#score option").all_inner_texts()
    assert names[0] == "Q-score"
    assert {"Verdict", "FSC-Q", "Local resolution", "Atom inclusion", "Density"} <= set(names)
    picture = small_page.view()
    for name in [*names[1:], names[0]]:
        if name == "FSC-Q_R":
            continue  # may look like FSC-Q
        picture = small_page.changed(picture, lambda name=name: page.select_option("#score", name))
        assert page.inner_text("#score-definition").endswith(".")
        assert "no value" in page.inner_text("#key")
    assert small_page.problems == []


def test_keys_say_which_end_is_worse(small_page: Opened):
    page = small_page.page
    for name, ends in {
        "Local resolution": ["better", "Å", "worse"],
        "Density": ["worse", "σ", "better"],
        "FSC-Q": ["-3", "Å", "3"],
        "Q-score": ["0 worse", "", "1 better"],
    }.items():
        page.select_option("#score", name)
        shown = page.locator("#key .key-ends span").all_inner_texts()
        assert [one.endswith(end) for one, end in zip(shown, ends, strict=True)] == [True] * 3
    page.select_option("#score", "Verdict")
    labels = [r.label for r in Reading if r is not Reading.NOT_JUDGED]
    assert page.locator("#key li").all_inner_texts() == [*labels, "no value"]
    page.select_option("#score", "Q-score")


def test_palettes_and_styles_change_the_picture(small_page: Opened):
    page = small_page.page
    offered = page.locator("#palette option").all_inner_texts()
    assert offered == ["colour-blind safe", "as published"]
    picture = small_page.view()
    for control, value in (
        ("palette", "as published"),
        ("style", "sticks"),
        ("style", "cartoon"),
        ("palette", "colour-blind safe"),
    ):
        picture = small_page.changed(
            picture, lambda c=control, v=value: page.select_option(f"#{c}", v)
        )


def share_of(picture, colour):
    """Share of the drawn pixels that have a colour, whatever the light on them."""
    target = np.array([int(colour[i : i + 2], 16) for i in (1, 3, 5)], dtype=float)
    seen = picture[drawn(picture)].astype(float)
    shade = (seen @ target) / (target @ target)
    off = np.abs(seen - shade[:, None] * target).max(axis=1)
    return ((off < 14) & (shade > 0.35) & (shade < 1.1)).mean()


def test_readings_have_the_colours_of_the_key(small_page: Opened):
    page = small_page.page
    page.uncheck("#show-map")
    before = small_page.view()
    page.select_option("#style", "sticks")
    picture = small_page.changed(before, lambda: page.select_option("#score", "Verdict"))
    for colour in ("#d55e00", "#e6c33c", "#7b3fa0", "#b8c4cf"):
        until(small_page.view, lambda now, colour=colour: share_of(now, colour) > 0.01)
    assert share_of(picture, "#00ff00") < 0.01
    page.select_option("#style", "cartoon")
    page.select_option("#score", "Q-score")


def test_the_contour_slider_moves_the_surface(small_page: Opened):
    page = small_page.page
    # the level that was given
    first = page.inner_text("#contour-value")
    assert first.startswith("0.300 (")
    picture = small_page.view()
    box = page.locator("#contour").bounding_box()
    x, y = box["x"] + 0.8 * box["width"], box["y"] + box["height"] / 2
    picture = small_page.changed(picture, lambda: page.mouse.click(x, y))
    moved = page.inner_text("#contour-value")
    assert re.fullmatch(r"0\.\d+ \(\d+\.\d\d σ\)", moved)
    assert float(moved.split()[0]) > 0.35
    page.focus("#contour")
    small_page.changed(picture, lambda: [page.keyboard.press("ArrowLeft") for _ in range(40)])
    assert float(page.inner_text("#contour-value").split()[0]) < float(moved.split()[0])


def test_the_map_can_be_hidden(small_page: Opened):
    page = small_page.page
    with_map = small_page.view()
    without = small_page.changed(with_map, lambda: page.uncheck("#show-map"))
    again = small_page.changed(without, lambda: page.check("#show-map"))
    assert drawn(without, 12).sum() < drawn(again, 12).sum()


def test_a_click_on_the_model_chooses_a_residue_that_all_follow(haemoglobin_page, residue_places):
    opened = haemoglobin_page
    opened.choose_at(*opened.on_model())
    until(opened.chosen, bool)
    row = opened.js("atomsight.selection.row")
    name = opened.js("row => atomsight.data.residues.label[row]", row)
    assert opened.chosen() == name
    assert opened.marked() == [name]
    until(
        lambda: np.linalg.norm(residue_places[row] - opened.camera(), axis=1).min(),
        lambda distance: distance < 4.0,
    )


def test_of_an_atom_that_is_clicked_the_profile_is_shown(small_page: Opened):
    page = small_page.page
    page.select_option("#style", "sticks")
    small_page.choose_at(*small_page.on_model())
    atom = until(lambda: small_page.js("atomsight.selection.atom"), lambda one: one is not None)
    row = small_page.js("atom => atomsight.data.atoms.residue[atom]", atom)
    assert small_page.js("atomsight.selection.row") == row
    chosen = page.locator("#chosen select option:checked").inner_text()
    name = small_page.js("atom => atomsight.data.atoms.name[atom]", atom)
    assert chosen.startswith(f"{name}: Q ")
    assert page.locator("#chosen .plot .scatterlayer .trace").count() == 2
    page.select_option("#style", "cartoon")


def shown_number(score, kind, row):
    value = score[kind][row]
    return value if score["labels"] else f"{value:.{score['decimals']}f}"


def test_the_label_of_a_residue_tells_its_numbers(haemoglobin_page):
    first, *lines = haemoglobin_page.label_at(*haemoglobin_page.on_model()).splitlines()
    row = haemoglobin_page.js("line => atomsight.data.residues.label.indexOf(line)", first)
    assert row >= 0
    scores = haemoglobin_page.js("atomsight.data.scores")
    assert lines == [f"{one['name']} {shown_number(one, 'residues', row)}" for one in scores]


def test_the_label_of_an_atom_tells_its_own_numbers_too(small_page: Opened):
    small_page.page.select_option("#style", "sticks")
    first, *lines = small_page.label_at(*small_page.on_model()).splitlines()
    label, atom_name = first.rsplit(" ", 1)
    data = small_page.js("({ labels: atomsight.data.residues.label, ...atomsight.data.atoms })")
    row = data["labels"].index(label)
    atom = next(
        i for i, of in enumerate(data["residue"]) if of == row and data["name"][i] == atom_name
    )
    expected = [
        f"{one['name']} {shown_number(one, 'residues', row)}"
        + (f" (atom {shown_number(one, 'atoms', atom)})" if one["atoms"] else "")
        for one in small_page.js("atomsight.data.scores")
        if one["residues"][row] is not None
    ]
    assert lines == expected
    assert len(lines) > 5
    small_page.page.select_option("#style", "cartoon")
