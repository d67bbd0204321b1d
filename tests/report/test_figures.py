"""The other figures, and all of them in the order of the page."""

import re
from dataclasses import replace
from itertools import groupby

import numpy as np
import pytest

from atomsight.archive.expected import expected_q
from atomsight.archive.storage import read_archive
from atomsight.errors import ParameterError
from atomsight.evidence.profile import atom_profile
from atomsight.outcome import Options
from atomsight.report.figure import Absent, Cloud, Figure, Role, in_right_part
from atomsight.report.figures.archive import archive_cloud
from atomsight.report.figures.atoms import profile_figure
from atomsight.report.figures.collect import figures
from atomsight.report.figures.common import residue_points
from tests.support.cases import numbered, placed
from tests.support.models import Atom, residue
from tests.support.results import (
    drawn,
    missing,
    results,
    series,
    with_facts,
    with_residues,
)

EVERYTHING = ("small", "mixed", "bare", "halved")


@pytest.mark.parametrize("which", EVERYTHING)
def test_every_figure_is_whole(which, request):
    made = figures(request.getfixturevalue(which))
    keys = [one.key.lower() for one in made]
    assert len(keys) == len(set(keys))
    for one in made:
        assert one.title
        if isinstance(one, Absent):
            assert one.reason.endswith(".")
            assert one.reason[0].isupper()
            continue
        assert one.caption.endswith(".")
        assert re.search(r" \d{4}, [A-Z]", one.caption), "no paper"
        assert one.parts
        assert "  " not in one.caption
        assert ".." not in one.caption
        for part in series(one):
            assert len(part.x) == len(part.y) > 0
            assert part.rows is None or len(part.rows) == len(part.x)
            assert len(part.labels) in (0, len(part.x))


@pytest.mark.parametrize("which", EVERYTHING)
def test_a_group_stands_together_and_is_named_unlike_any_figure(which, request):
    made = [one for one in figures(request.getfixturevalue(which)) if isinstance(one, Figure)]
    groups = [name for name, _ in groupby(one.group for one in made) if name]
    assert len(groups) == len(set(groups))
    assert not {*groups} & {one.key for one in made}


def test_what_is_missing_is_asked_for(small, bare):
    asked = {key: one.reason for key, one in missing(small).items()}
    assert set(asked) == {
        *("verdict", "fsc_q_chains", "fsc_q_atoms", "fsc_q_resolution", "fsc", "q_b_factor"),
    }
    assert all("--half-maps" in reason for key, reason in asked.items() if key != "q_b_factor")
    assert "all the same" in asked["q_b_factor"]
    more = {key: one.reason for key, one in missing(bare).items()}
    assert "--resolution" in more["archive"]
    for key in ("atom_inclusion", "density_atoms", "b_factor_fit"):
        assert "atomsight validate" in more[key]


def test_with_half_maps_nothing_but_b_factors_is_missing(halved):
    assert set(missing(halved)) == {"q_b_factor"}


def test_the_entry_stands_in_the_cloud_at_its_resolution_and_q(small):
    figure = drawn(small)["archive"]
    entry = figure.parts[-1]
    assert (entry.role, entry.symbol) == (Role.ENTRY, "diamond")
    assert entry.x.tolist() == [3.2]
    assert entry.y.tolist() == [small.facts["q_score"]["mean_without_water"]["value"]]


def test_the_cloud_counts_the_entries_of_the_archive(small):
    figure = drawn(small)["archive"]
    cloud = figure.parts[0]
    assert isinstance(cloud, Cloud)
    entries = read_archive().entries
    d, q = entries.resolution, entries.measures["q"]
    inside = (d >= 1) & (d <= 10) & (q >= -0.2) & (q <= 1)
    assert cloud.count.sum() == inside.sum()
    assert f"{int(inside.sum())} of the {len(entries)} entries" in figure.caption
    assert cloud.count.shape == (len(cloud.y), len(cloud.x))
    # one cell, counted by hand, away from its edges
    x, y = np.searchsorted(cloud.x, 3.225), np.searchsorted(cloud.y, 0.495)
    near = (np.abs(d - cloud.x[x]) < 0.025) & (np.abs(q - cloud.y[y]) < 0.005)
    assert abs(cloud.count[y, x] - near.sum()) <= 10
    assert cloud.count[y, x] > 0


def test_the_lines_in_the_cloud_are_the_expected_q(small):
    lines = {part.name: part for part in series(drawn(small)["archive"])}
    for at, d in enumerate(lines["Q_peak"].x.tolist()):
        expected, _ = expected_q(d, 0.4)
        assert lines["Q_peak"].y[at] == expected.peak
        assert lines["Q_low_95"].y[at] == expected.low
        assert lines["Q_high_95"].y[at] == expected.high


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"resolution": {"value": None}}, "--resolution"),
        ({"resolution": {"value": 12.0}}, "12 Å"),
        ({"q_score": {"sigma": 0.6}}, "sigma 0.4"),
        ({"q_score": {"mean_without_water": {"value": None}}}, "no mean Q"),
        ({"parameters": {"archive": "/none/there.parquet"}}, "there.parquet"),
    ],
)
def test_an_entry_that_cannot_be_compared_says_why(small, changes, words):
    facts = {key: {**small.facts[key], **value} for key, value in changes.items()}
    (absent,) = archive_cloud(with_facts(small, **facts))
    assert isinstance(absent, Absent)
    assert words in absent.reason


def test_inclusion_is_drawn_where_it_falls_with_the_level_in_sight(small, halved):
    for found, level, name in (
        (small, small.facts["inclusion"]["level_including"]["level"], "90 % inside"),
        (halved, 0.3, "given level"),
    ):
        figure = drawn(found)["atom_inclusion"]
        (rule,) = figure.rules
        assert (rule.value, rule.name) == (level, name)
        assert figure.x.low < level < figure.x.high
        table = found.curves["atom_inclusion"]
        beyond = (table["level"] < figure.x.low) | (table["level"] > figure.x.high)
        assert set(table["all_atoms"][beyond].tolist()) <= {0.0, 1.0}
    assert f"n = {halved.facts['inclusion']['at_contour']['n']}" in figure.caption


def test_inclusion_that_is_the_same_everywhere_is_drawn_too(small):
    table = small.curves["atom_inclusion"]
    flat = {**table, "all_atoms": np.ones(len(table["level"])), "backbone": table["level"] * np.nan}
    found = replace(small, curves={**small.curves, "atom_inclusion": flat})
    figure = drawn(found)["atom_inclusion"]
    assert [part.name for part in series(figure)] == ["all atoms"]
    assert figure.x.low < figure.x.high


def test_fsc_curves_are_those_of_the_table(halved):
    figure = drawn(halved)["fsc"]
    table = halved.curves["fsc"]
    assert [rule.value for rule in figure.rules] == [0.143, 0.5]
    for part, name in zip(
        series(figure), ("half", "half_masked", "half_corrected", "model"), strict=True
    ):
        np.testing.assert_array_equal(part.x, table["frequency"])
        np.testing.assert_array_equal(part.y, table[name])
    assert part.labels[0] == ""
    assert part.labels[1].endswith(" Å")


def test_the_best_f_is_marked(small):
    (rule,) = drawn(small)["b_factor_fit"].rules
    assert rule.value == small.facts["b_factors"]["f"]


def test_points_of_residues_lead_back_to_them(mixed, halved):
    for found, key, columns in (
        (mixed, "q_b_factor", ("q",)),
        (halved, "fsc_q_resolution", ("fsc_q", "local_resolution_half")),
    ):
        points = [part for part in series(drawn(found)[key]) if part.draw == "points"]
        rows = np.concatenate([part.rows for part in points])
        assert len(rows) == len(set(rows.tolist())) > 0
        for part in points:
            np.testing.assert_array_equal(part.y, found.residues[columns[0]][part.rows])
            assert list(part.labels) == [found.model.residues.label(r) for r in part.rows]
            if len(columns) > 1:
                np.testing.assert_array_equal(part.x, found.residues[columns[1]][part.rows])


def test_b_factors_are_means_over_the_atoms_of_a_residue(mixed):
    part = series(drawn(mixed)["q_b_factor"])[0]
    for row, b in zip(part.rows.tolist(), part.x.tolist(), strict=True):
        assert b == pytest.approx(mixed.model.b_iso[mixed.model.residue == row].mean())


def test_very_many_points_are_thinned_and_that_is_said(mixed, monkeypatch):
    monkeypatch.setattr("atomsight.report.figures.common._MOST_POINTS", 3)
    n = len(mixed.residues["q"])
    points, words = residue_points(mixed, np.arange(n) * 1.0, mixed.residues["q"])
    assert sum(len(part.x) for part in points) < n
    assert words == f"n = {n} residues, of which one in {-(-n // 3)} is drawn"


def test_readings_are_counted(halved):
    figure = drawn(halved)["verdict"]
    (part,) = series(figure)
    assert part.y.sum() == len(halved.residues["q"])
    assert len(figure.x.names) == len(part.y)
    counted = halved.facts["verdict"]["counts"]
    assert part.y.tolist() == list(counted.values())


def test_a_verdict_of_nothing_gives_its_reason(halved):
    verdict = {**halved.facts["verdict"], "reason_if_none": "the map is odd"}
    assert missing(with_facts(halved, verdict=verdict))["verdict"].reason == "The map is odd."


def test_fsc_q_of_nothing_is_said(halved):
    nothing = np.full(8, np.nan)
    found = with_residues(halved, fsc_q=nothing, local_resolution_half=nothing)
    found = replace(found, atoms={**found.atoms, "fsc_q": np.full(20, np.nan)})
    for key in ("fsc_q_chains", "fsc_q_resolution", "fsc_q_atoms"):
        assert "--half-maps" not in missing(found)[key].reason


def test_one_atom_has_figures(tmp_path):
    lonely = [Atom("ZN", "ZN", "Q", 1, "ZN", (10.0, 10.0, 10.0), record="HETATM")]
    made = drawn(results(tmp_path, numbered(lonely)))
    assert {"chain_Q", "q_atoms", "q_residues", "archive"} <= set(made)
    assert "glance" not in made


def test_a_model_without_polymers_has_figures(tmp_path):
    atoms = [
        *residue("HEM", "FE NA NB CHA", number=201, record="HETATM"),
        *residue("HOH", "O", number=301, record="HETATM"),
    ]
    made = drawn(results(tmp_path, numbered(placed(atoms))))
    assert "glance" not in made
    (ligand, water) = series(made["chain_A"])
    assert (ligand.name, water.name) == ("ligand", "water")


def test_a_profile_is_the_one_of_the_measure(small):
    figure = profile_figure(small, 1)
    found = atom_profile(small.map, small.model, 1)
    parts = {part.name: part for part in series(figure) if part.draw == "line"}
    np.testing.assert_array_equal(parts["mean map value"].y, found.mean[0])
    np.testing.assert_array_equal(parts["reference Gaussian"].y, found.reference)
    # a Gaussian blob of this width was put there
    assert "fitted Gaussian" in parts
    assert figure.title == "Profile of A/ALA 1 CA"
    assert f"Q = {small.atoms['q'][1]:.3f}" in figure.caption


def test_a_profile_has_the_options_of_the_run(tmp_path):
    options = Options(neighbours="crystal")
    cell = (
        "_symmetry.space_group_name_H-M 'P 1'\n"
        "_cell.length_a 8\n_cell.length_b 8\n_cell.length_c 8\n"
        "_cell.angle_alpha 90\n_cell.angle_beta 90\n_cell.angle_gamma 90\n"
    )
    found = results(tmp_path, options=options, before=cell)
    alone = atom_profile(found.map, found.model, np.arange(20)).q
    q = found.atoms["q"]
    assert (np.abs(q - alone) > 0.001).any()
    for atom in range(20):
        words = "no Q" if np.isnan(q[atom]) else f"Q = {q[atom]:.3f}"
        assert words in profile_figure(found, atom).caption


def test_a_profile_that_cannot_be_is_absent(small):
    no_map = replace(small, map=None, no_map="the map is no longer at x.mrc: give it with --map")
    assert profile_figure(no_map, 1) == Absent(
        "profile_1", "Profile of A/ALA 1 CA", "The map is no longer at x.mrc: give it with --map."
    )
    with pytest.raises(ParameterError, match="rows from 0 to 19"):
        profile_figure(small, 20)


def test_names_beside_a_line_stay_in_the_figure(small):
    figure = drawn(small)["archive"]
    assert in_right_part(figure, 9.0)
    assert not in_right_part(figure, 2.0)
    no_ends = drawn(small)["b_factor_fit"]
    assert in_right_part(no_ends, 290.0)
    assert not in_right_part(no_ends, 10.0)
