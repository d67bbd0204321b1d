"""Scores along each chain, and all chains at a glance."""

import re

import numpy as np
import pytest

from atomsight.report.figure import Strip
from atomsight.report.figures.chains import chain_strip, walk
from atomsight.report.figures.common import chain_rows, file_keys
from tests.support.results import (
    drawn,
    series,
    with_chains,
    with_facts,
    with_residues,
)

COLUMN = {
    "backbone": "q_backbone",
    "side chain": "q_sidechain",
    "phosphate": "q_phosphate",
    "sugar": "q_sugar",
    "base": "q_base",
}
ODD_NAMES = ["<b>", "$x$", "", "ä", "/", "a", "A", "..", "x" * 90]


def chain_figures(found):
    return [one for one in drawn(found).values() if one.group == "chains"]


@pytest.mark.parametrize("which", ["small", "mixed", "bare", "halved"])
def test_values_rows_and_names_are_those_of_the_tables(which, request):
    found = request.getfixturevalue(which)
    assert chain_figures(found)
    for figure in chain_figures(found):
        for part in series(figure):
            there = part.rows >= 0
            rows = part.rows[there]
            column = COLUMN.get(part.name, "q")
            np.testing.assert_array_equal(part.y[there], found.residues[column][rows])
            np.testing.assert_array_equal(np.floor(part.x[there]), found.residues["number"][rows])
            assert np.isnan(part.y[~there]).all()
            assert len(part.labels) == len(part.x)
            for row, label in zip(part.rows.tolist(), part.labels, strict=True):
                assert label == (found.model.residues.label(row) if row >= 0 else "")


@pytest.mark.parametrize("which", ["small", "mixed"])
def test_every_residue_with_a_q_stands_in_the_figures_of_its_chain(which, request):
    found = request.getfixturevalue(which)
    shown = {
        row
        for figure in chain_figures(found)
        for part in series(figure)
        for row in part.rows[np.isfinite(part.y)].tolist()
    }
    assert shown == set(np.flatnonzero(np.isfinite(found.residues["q"])).tolist())


def test_proteins_nucleic_acids_and_single_residues_have_their_own_series(mixed):
    figures = drawn(mixed)
    drawings = {part.name: part.draw for part in series(figures["chain_A"])}
    assert drawings == {
        "side chain": "line",
        "backbone": "line",
        "saccharide": "points",
        "water": "points",
    }
    # these nucleotides have no base
    assert {part.name for part in series(figures["chain_R"])} == {"phosphate", "sugar"}


def test_a_gap_in_the_numbers_ends_the_line(mixed):
    backbone = next(p for p in series(drawn(mixed)["chain_A"]) if p.name == "backbone")
    np.testing.assert_array_equal(backbone.x, [1, 2, np.nan, 9])
    np.testing.assert_array_equal(backbone.rows, [0, 1, -1, 2])


def test_there_is_no_value_in_a_gap(mixed):
    found = with_residues(mixed, q_backbone=np.ones(len(mixed.residues["q"])))
    backbone = next(p for p in series(drawn(found)["chain_A"]) if p.name == "backbone")
    np.testing.assert_array_equal(backbone.y, [1, 1, np.nan, 1])


def test_a_missing_side_chain_ends_the_line(mixed):
    side = next(p for p in series(drawn(mixed)["chain_A"]) if p.name == "side chain")
    assert np.isnan(side.y).tolist() == [False, True, True, False]


def test_insertion_codes_stand_between_their_number_and_the_next(small):
    number = np.array([52, 52, 52, 53, 201, 301, 302, 303])
    found = with_residues(small, number=number)
    x, rows = walk(found, np.arange(4))
    np.testing.assert_allclose(x, [52, 52 + 1 / 3, 52 + 2 / 3, 53])
    np.testing.assert_array_equal(rows, [0, 1, 2, 3])


@pytest.mark.parametrize(
    ("number", "breaks"),
    [([1, 2, 3], 0), ([-1, 0, 1], 0), ([1, 2, 9], 1), ([5, 4, 3], 2), ([9, 1, 2], 1)],
)
def test_lines_break_where_numbers_do_not_follow(small, number, breaks):
    numbers = np.r_[number, small.residues["number"][3:]]
    x, rows = walk(with_residues(small, number=numbers), np.arange(3))
    assert np.isnan(x).sum() == breaks
    np.testing.assert_array_equal(np.isnan(x), rows == -1)
    np.testing.assert_array_equal(x[rows >= 0], number)


def test_another_molecule_of_the_same_chain_begins_a_line(small):
    found = with_residues(small, label_asym=np.array(["A", "A", "B", *"CDEFG"]))
    assert np.isnan(walk(found, np.arange(3))[0]).sum() == 1


def test_what_is_numbered_far_from_the_polymer_has_its_own_figure(small):
    figures = drawn(small)
    assert {part.name for part in series(figures["chain_A"])} == {"backbone"}
    others = figures["chain_A_others"]
    assert {part.name: len(part.x) for part in series(others)} == {
        "ligand": 1,
        "ion": 1,
        "water": 3,
    }
    assert "A line ends" in figures["chain_A"].caption
    assert "A line ends" not in others.caption


def test_a_chain_without_polymer_has_one_figure(small):
    found = with_chains(small, ["A", "A", "A", "B", "B", "B", "B", "B"])
    assert [figure.key for figure in chain_figures(found)] == ["chain_A", "chain_B"]


def test_the_expected_band_is_drawn_where_there_is_one(small, bare):
    expected = small.facts["expected"]["value"]
    rules = drawn(small)["chain_A"].rules
    assert [(rule.value, rule.upper, rule.name) for rule in rules] == [
        (expected["low"], expected["high"], ""),
        (expected["low"], None, "Q_low_95"),
        (expected["peak"], None, "Q_peak"),
        (expected["high"], None, "Q_high_95"),
    ]
    assert drawn(bare)["chain_A"].rules == ()
    assert "no expected q" in drawn(bare)["chain_A"].caption.lower()


def test_the_band_of_another_sigma_is_no_95_per_cent(small):
    expected = small.facts["expected"] | {
        "value": {"peak": 0.6, "low": 0.5, "high": 0.7, "band": "peak ± 0.1", "definition": "x"}
    }
    rules = drawn(with_facts(small, expected=expected))["chain_A"].rules
    assert [rule.name for rule in rules] == ["", "Q_low", "Q_peak", "Q_high"]


def test_all_values_lie_on_the_axis(mixed):
    q = np.where(np.arange(len(mixed.residues["q"])) == 1, -0.9, mixed.residues["q"])
    found = with_residues(mixed, q=q, q_backbone=q)
    for figure in chain_figures(found):
        for part in series(figure):
            known = part.y[np.isfinite(part.y)]
            assert (known >= figure.y.low).all()
            assert (known <= figure.y.high).all()


def test_odd_chain_names_give_keys_that_are_names_of_files(small):
    found = with_chains(small, ODD_NAMES[:8])
    keys = [figure.key for figure in chain_figures(found)]
    assert len(keys) == 8
    assert len({key.lower() for key in keys}) == len(keys)
    assert all(re.fullmatch(r"chain_[A-Za-z0-9_-]+", key) for key in keys)
    titles = [figure.title for figure in chain_figures(found)]
    assert titles[:4] == ["Chain <b>", "Chain $x$", "Chain (no name)", "Chain ä"]


def test_keys_are_plain_short_and_different():
    keys = file_keys([*ODD_NAMES, *ODD_NAMES], "chain")
    assert keys[5:7] == ["chain_a", "chain_A_2"]
    assert len({key.lower() for key in keys}) == 18
    assert max(map(len, keys)) < 60


def test_chains_come_in_the_order_of_the_file(small):
    found = with_chains(small, ["Z", "B", "Z", "A", "B", "A", "A", "Z"])
    rows = {name: at.tolist() for name, at in chain_rows(found)}
    assert list(rows) == ["Z", "B", "A"]
    assert rows == {"Z": [0, 2, 7], "B": [1, 4], "A": [3, 5, 6]}


def strip_of(found) -> Strip:
    (figure,) = chain_strip(found)
    return figure.parts[0]


@pytest.mark.parametrize("which", ["small", "mixed"])
def test_cells_of_the_strip_lead_to_their_residue(which, request):
    found = request.getfixturevalue(which)
    strip = strip_of(found)
    polymer = np.isin(found.residues["class"], ["protein", "nucleic"])
    assert sorted(strip.rows[strip.rows >= 0].tolist()) == np.flatnonzero(polymer).tolist()
    for line, place in np.argwhere(strip.rows >= 0).tolist():
        row = strip.rows[line, place]
        assert strip.value[line, place] == found.residues["q"][row]
        assert strip.x[place] == found.residues["number"][row]
        assert strip.y[line] == found.residues["chain"][row]
    assert np.isnan(strip.value[strip.rows < 0]).all()


def test_gaps_of_the_strip_are_empty_however_long(small):
    found = with_residues(small, number=np.array([-3, 7, 9000, 1, 1, 1, 1, 1]))
    strip = strip_of(found)
    np.testing.assert_array_equal(strip.x, [-3, -2, 6, 7, 8, 8999, 9000])
    assert np.isfinite(strip.value[0]).tolist() == [True, False, False, True, False, False, True]


def test_of_residues_that_share_a_number_the_strip_shows_the_lowest(small):
    found = with_residues(
        small, number=np.full(8, 5), q=np.array([0.5, 0.2, 0.9, 0.1, 0.1, 0.1, 0.1, 0.1])
    )
    (figure,) = chain_strip(found)
    assert figure.parts[0].value.tolist() == [[0.2]]
    assert figure.parts[0].rows.tolist() == [[1]]
    assert "share a number" in figure.caption


def test_without_polymers_there_is_no_strip(small):
    found = with_residues(small, **{"class": np.full(8, "water")})
    assert chain_strip(found) == ()


def test_a_residue_without_q_leaves_its_cell_empty(small):
    q = small.residues["q"].copy()
    q[1] = np.nan
    strip = strip_of(with_residues(small, q=q))
    assert 1 not in strip.rows
    assert np.isfinite(strip.value).sum() == 2


def test_fsc_q_along_the_chains_has_its_limits(halved):
    figures = [one for one in drawn(halved).values() if one.group == "fsc_q_chains"]
    assert [one.key for one in figures] == ["fsc_q_chain_A", "fsc_q_chain_A_others"]
    for figure in figures:
        assert [rule.value for rule in figure.rules] == [-0.5, 0.5]
        for part in series(figure):
            there = part.rows >= 0
            values = halved.residues["fsc_q"][part.rows[there]]
            np.testing.assert_array_equal(part.y[there], values)
