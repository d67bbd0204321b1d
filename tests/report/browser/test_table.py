"""The table of residues: sorts, filters, pages, is saved, and is used by keyboard alone."""

import csv

import numpy as np
import pytest

from atomsight.model import AtomClass
from tests.support.browser import Opened, until
from tests.support.pages import FORMULA

pytestmark = pytest.mark.xdist_group("browser")


def names(opened: Opened) -> list[str]:
    return opened.page.locator("#residue-table tbody th").all_inner_texts()


def heads(opened: Opened) -> list[str]:
    texts = opened.page.locator("#residue-table thead th").all_inner_texts()
    return [text.rstrip(" ▾▴") for text in texts]


def column(opened: Opened, title: str) -> list[str]:
    at = heads(opened).index(title)
    return opened.page.locator(f"#residue-table tbody tr > :nth-child({at + 1})").all_inner_texts()


def count(opened: Opened) -> str:
    return opened.page.inner_text("#residue-table .count")


def sort_by(opened: Opened, title: str) -> str:
    """Press a head; how the column is sorted then."""
    head = opened.page.locator("#residue-table thead th").nth(heads(opened).index(title))
    head.locator("button").click()
    assert opened.page.locator("#residue-table th:not([aria-sort=none])[aria-sort]").count() == 1
    return head.get_attribute("aria-sort")


@pytest.fixture
def table(haemoglobin_page: Opened):
    """The demo's table, lowest Q first."""
    while sort_by(haemoglobin_page, "Q") != "ascending":
        pass
    return haemoglobin_page


def test_the_lowest_q_comes_first(table, haemoglobin):
    q = haemoglobin.residues["q"]
    labels = haemoglobin.model.residues
    order = np.argsort(q, kind="stable")[:15]
    assert names(table) == [labels.label(row) for row in order]
    assert column(table, "Q") == [f"{q[row]:.3f}" for row in order]
    assert count(table) == "1–15 of 602 residues"


@pytest.mark.parametrize("title", ["Q side chain", "density (σ)", "lowest Q"])
def test_a_head_sorts_up_and_down_and_puts_what_is_missing_last(table, title):
    for way, expected in (("ascending", 1), ("descending", -1)):
        assert sort_by(table, title) == way
        first = [float(text) for text in column(table, title)]
        assert [expected * v for v in first] == sorted(expected * v for v in first)
    for _ in range(2):
        table.js("atomsight.table.turn(1000)")
        last = column(table, title)
        known = [text for text in last if text != "–"]
        assert last == [*known, *["–"] * (len(last) - len(known))]
        assert ("–" in last) == (title == "Q side chain")
        sort_by(table, title)


def test_text_columns_sort_too(table):
    assert sort_by(table, "residue") == "ascending"
    assert names(table) == sorted(names(table))


@pytest.mark.parametrize("words", ["A/GLY", "gly c/", "HEM", "ligand", "water b/", " 51"])
def test_words_filter(table, haemoglobin, words):
    residues = haemoglobin.model.residues
    texts = {
        residues.label(row): f"{residues.label(row)} {AtomClass(residues.atom_class[row]).label}"
        for row in range(len(residues))
    }
    table.page.fill("#residue-table input[type=search]", words)
    fit = [
        name
        for name, text in texts.items()
        if all(word in text.lower() for word in words.lower().split())
    ]
    assert 1 < len(fit) < 100
    assert count(table) == f"1–{min(15, len(fit))} of {len(fit)} residues"
    assert set(names(table)) <= set(fit)


def test_nothing_may_fit(table):
    table.page.fill("#residue-table input[type=search]", "no such residue")
    assert count(table) == "no residues fit the filter"
    assert names(table) == []


def test_q_filters(table, haemoglobin):
    page = table.page
    q = haemoglobin.residues["q"]
    page.fill("#residue-table input[type=number]", "0.35")
    n = int((np.round(q, 4) < 0.35).sum())
    assert 15 < n < 100
    assert count(table) == f"1–15 of {n} residues"
    page.fill("#residue-table input[type=search]", "D/")
    both = [row for row in np.flatnonzero(q < 0.35) if haemoglobin.model.residues.chain[row] == "D"]
    assert count(table).endswith(f"of {len(both)} residues")
    page.fill("#residue-table input[type=number]", "")
    page.fill("#residue-table input[type=search]", "")
    assert count(table) == "1–15 of 602 residues"


def test_pages_turn_and_stop_at_the_ends(table):
    back, on = (table.page.get_by_label(f"{way} rows") for way in ("previous", "next"))
    first = names(table)
    back.click()
    assert names(table) == first
    on.click()
    assert count(table) == "16–30 of 602 residues"
    assert not set(names(table)) & set(first)
    back.click()
    assert names(table) == first
    table.js("atomsight.table.turn(40)")
    assert count(table) == "601–602 of 602 residues"
    on.click()
    assert count(table) == "601–602 of 602 residues"


def saved(opened: Opened, tmp_path) -> list[dict[str, str]]:
    with opened.page.expect_download() as waiting:
        opened.page.click("#residue-table .download")
    assert waiting.value.suggested_filename == "residues.csv"
    waiting.value.save_as(tmp_path / "saved.csv")
    with (tmp_path / "saved.csv").open(newline="", encoding="utf-8") as handle:
        return list(csv.DictReader(handle))


def test_what_is_shown_can_be_saved(table, haemoglobin, tmp_path):
    table.page.fill("#residue-table input[type=search]", "B/")
    sort_by(table, "density (σ)")
    rows = saved(table, tmp_path)
    assert list(rows[0])[:4] == ["label", "class", "support", "q"]
    of_b = np.flatnonzero(haemoglobin.model.residues.chain == "B")
    assert len(rows) == len(of_b)
    assert [row["label"] for row in rows[:15]] == names(table)
    density = [float(row["density"]) for row in rows]
    assert density == sorted(density)
    q = {haemoglobin.model.residues.label(row): haemoglobin.residues["q"][row] for row in of_b}
    for row in rows:
        assert float(row["q"]) == pytest.approx(q[row["label"]], abs=5.1e-5)


def test_nothing_that_is_saved_is_a_formula(attacked, tmp_path):
    labels = [row["label"] for row in saved(attacked, tmp_path)]
    assert f"'{FORMULA}/ALA 1" in labels
    assert not [label for label in labels if label.startswith("=")]
    assert any('<b>"&</script>' in label for label in labels)


def test_the_keyboard_alone_reaches_and_chooses_a_residue(table):
    page = table.page
    page.focus("#residue-table input[type=search]")
    focused = "document.activeElement.className + ' ' + document.activeElement.textContent"
    for _ in range(60):
        page.keyboard.press("Tab")
        if table.js(focused).startswith("residue "):
            break
    page.keyboard.press("Tab")
    name = table.js("document.activeElement.textContent")
    assert name == names(table)[1]
    assert table.js("getComputedStyle(document.activeElement).outlineStyle") == "solid"
    page.keyboard.press("Enter")
    until(table.chosen, lambda chosen: chosen == name)
    assert table.marked() == [name]
    # the keyboard stays where it was
    assert table.js("document.activeElement.textContent") == name
    page.keyboard.press("Tab")
    page.keyboard.press("Space")
    until(table.chosen, lambda chosen: chosen == names(table)[2])


def test_the_first_key_leads_past_everything_to_the_table(haemoglobin_page):
    page = haemoglobin_page.page
    haemoglobin_page.js("document.activeElement.blur()")
    haemoglobin_page.js("document.querySelector('.skip').focus()")
    assert page.locator(".skip").bounding_box()["x"] > 0
    page.keyboard.press("Enter")
    until(lambda: haemoglobin_page.js("scrollY"), lambda y: y > 300)
