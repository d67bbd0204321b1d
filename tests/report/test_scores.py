"""The scores that a page colours by: what results hold, in colours that say which end is worse."""

import re
from dataclasses import replace

import numpy as np
import pytest

from atomsight.model import AtomClass
from atomsight.report.payload import values
from atomsight.report.scores import PUBLISHED, SAFE, Score, scores
from atomsight.report.table import table_columns
from atomsight.verdict.readings import Reading
from tests.support.pages import page_data
from tests.support.results import with_every_reading, with_residues

WITHOUT_HALVES = ["q", "density", "cc_mean", "b_iso"]
WITH_HALVES = [
    *("q", "verdict", "fsc_q", "fsc_q_r", "local_resolution_half", "inclusion"),
    *("density", "cc_mean", "b_iso"),
]
BLUES = ("#0000ff", "#0072b2")


def by_key(results) -> dict[str, Score]:
    return {score.key: score for score in scores(results)}


def test_only_what_the_results_hold(small, halved, bare):
    assert list(by_key(small)) == WITHOUT_HALVES
    assert list(by_key(with_every_reading(halved))) == WITH_HALVES
    assert list(by_key(bare)) == ["q", "b_iso"]


def test_a_column_without_any_value_is_no_score(small):
    nothing = np.full(len(small.model.residues), np.nan)
    assert "cc_mean" not in by_key(with_residues(small, cc_mean=nothing))
    assert "cc_mean" in by_key(
        with_residues(small, cc_mean=np.where([True] + [False] * 7, 1.0, nothing))
    )


def test_a_verdict_on_nothing_is_no_score(small):
    nothing = np.full(len(small.model.residues), "")
    assert "verdict" not in by_key(with_residues(small, verdict=nothing))


def test_convergence_is_a_score_where_it_is_known(small):
    spread = np.linspace(0.1, 2.5, len(small.model.residues))
    score = by_key(with_residues(small, ca_rmsd=spread))["ca_rmsd"]
    assert score.worse == "high"
    assert score.palettes[SAFE][0][0] == 0.0
    assert score.name == "Cα RMSD"


def test_convergence_names_the_atoms_that_were_compared(small):
    kinds = small.model.residues.atom_class.copy()
    kinds[:2] = AtomClass.NUCLEIC
    table = replace(small.model.residues, atom_class=kinds)
    both = replace(small, model=replace(small.model, residues=table))
    spread = np.full(len(kinds), 0.5)
    assert by_key(with_residues(both, ca_rmsd=spread))["ca_rmsd"].name == "Cα/C1' RMSD"
    spread[2:] = np.nan
    score = by_key(with_residues(both, ca_rmsd=spread))["ca_rmsd"]
    assert score.name == "C1' RMSD"
    assert "residue's C1' over" in score.definition


def test_values_of_palettes_ascend_and_colours_are_colours(small, halved):
    for score in (*scores(with_every_reading(halved)), *scores(small)):
        for palette in score.palettes.values():
            colours = palette if score.labels else [colour for _, colour in palette]
            assert all(re.fullmatch(r"#[0-9a-f]{6}", colour) for colour in colours)
            if not score.labels:
                at = [value for value, _ in palette]
                assert at == sorted(set(at)), score.key
                assert np.isfinite(at).all()


def test_every_score_says_what_it_is(small, halved):
    for score in (*scores(with_every_reading(halved)), *scores(small)):
        assert score.name
        assert score.definition.endswith(".")
        assert next(iter(score.palettes)) == SAFE
        assert score.worse in ("low", "high", "")


def luminance(colour: str) -> float:
    channels = np.array([int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)])
    linear = np.where(channels <= 0.04045, channels / 12.92, ((channels + 0.055) / 1.055) ** 2.4)
    return float(linear @ [0.2126, 0.7152, 0.0722])


@pytest.mark.parametrize(
    ("key", "low", "high"),
    [
        ("q", "#d55e00", "#0072b2"),
        ("inclusion", "#d55e00", "#0072b2"),
        ("cc_mean", "#d55e00", "#0072b2"),
    ],
)
def test_the_worse_end_is_vermillion(halved, key, low, high):
    score = by_key(halved)[key]
    assert score.worse == "low"
    assert [score.palettes[SAFE][i][1] for i in (0, -1)] == [low, high]


def test_sequential_palettes_are_light_at_the_worse_end(small, halved):
    """Viridis runs from dark to light, and what is worse stands out."""
    for results in (small, halved):
        for key in ("density", "local_resolution_half", "b_iso"):
            score = by_key(results).get(key)
            if score is None:
                continue
            light = [luminance(colour) for _, colour in score.palettes[SAFE]]
            assert light == sorted(light, reverse=score.worse == "low"), key


def test_q_as_published_runs_from_red_over_grey_to_blue(small):
    assert by_key(small)["q"].palettes[PUBLISHED] == (
        (0.0, "#ff0000"), (0.5, "#808080"), (1.0, "#0000ff"),
    )  # fmt: skip


def test_fsc_q_has_no_better_end_and_is_white_at_zero(halved):
    score = by_key(halved)["fsc_q"]
    assert score.worse == ""
    stops = dict(score.palettes[SAFE])
    assert luminance(stops[0.0]) > 0.8
    assert stops[3.0] == "#d55e00"
    published = score.palettes[PUBLISHED]
    assert [published[i] for i in (0, -1)] == [(-3.0, "#ff0000"), (3.0, "#0000ff")]


def test_labels_are_the_readings_one_colour_each(halved):
    score = by_key(with_every_reading(halved))["verdict"]
    assert score.labels == tuple(r.label for r in Reading if r is not Reading.NOT_JUDGED)
    colours = score.palettes[SAFE]
    assert len(set(colours)) == len(colours) == len(score.labels)
    assert dict(zip(score.labels, colours, strict=True))[Reading.WORSE.label] == "#d55e00"


def test_a_range_of_equal_values_is_still_a_range(small):
    low, high = (by_key(small)["b_iso"].palettes[SAFE][i][0] for i in (0, -1))
    assert (low, high) == (19.5, 20.5)


def test_values_of_a_page(halved):
    results = with_every_reading(halved)
    data = page_data(results)
    assert [score["key"] for score in data["scores"]] == WITH_HALVES
    for score, of_page in zip(scores(results), data["scores"], strict=True):
        for kind, columns, name in (
            ("atoms", results.atoms, score.atom_column),
            ("residues", results.residues, score.residue_column),
        ):
            if not name:
                continue
            column, shown = columns[name], of_page[kind]
            if score.labels:
                assert shown == column.tolist()
                continue
            assert [one is None for one in shown] == np.isnan(column).tolist()
            known = [one for one in shown if one is not None]
            np.testing.assert_allclose(
                known, column[np.isfinite(column)], atol=0.501 * 10**-score.decimals
            )


def test_residues_have_the_mean_of_their_atoms_where_tables_have_none(mixed):
    """Or a cartoon would have no colours."""
    data = page_data(mixed)
    score = next(one for one in data["scores"] if one["key"] == "b_iso")
    model = mixed.model
    for row, shown in enumerate(score["residues"]):
        assert shown == pytest.approx(model.b_iso[model.residue == row].mean(), abs=0.051)


@pytest.mark.parametrize(
    ("column", "expected"),
    [
        (None, None),
        (np.array([0.12345, np.nan, np.inf, -np.inf, -0.0004]), [0.123, None, None, None, -0.0]),
        (np.array([1, 2]), [1.0, 2.0]),
        (np.array(["ok", ""]), ["ok", None]),
        (np.array([], dtype=float), []),
    ],
)
def test_lists_of_numbers_hold_what_json_knows(column, expected):
    assert values(column, 3) == expected


def test_columns_of_the_table(halved):
    columns = table_columns(with_every_reading(halved))
    keys = [column["key"] for column in columns]
    assert keys[:3] == ["label", "class", "verdict"]
    assert keys.index("q") == keys.index("support") + 1
    assert {"verdict_expected", "fsc_q", "inclusion", "density", "cc_mean"} <= set(keys)
    labels = columns[0]["values"]
    assert labels[0] == "A/ALA 1"
    assert len(set(labels)) == len(labels)
    for column in columns:
        assert len(column["values"]) == len(labels)
        assert column["text"] == (column["decimals"] is None)
        assert column["title"]
        assert column["definition"]


def test_columns_without_values_are_left_out(small, bare):
    assert [one["key"] for one in table_columns(bare)] == [
        "label",
        "class",
        "q",
        "q_backbone",
        "q_worst",
    ]
    assert "verdict" not in [one["key"] for one in table_columns(small)]
