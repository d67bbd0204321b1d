"""Verdicts in the results: a haemoglobin under noise of our own, one side chain moved."""

from dataclasses import replace

import numpy as np
import pytest

from atomsight.density.simulate import simulate_map
from atomsight.evidence.hydrogens import parents
from atomsight.evidence.q_score import q_score
from atomsight.findings.collect import collect
from atomsight.findings.finding import Evidence
from atomsight.findings.verdict import verdict_finding
from atomsight.half_maps import HalfMapOptions, compare_half_maps
from atomsight.io.map_writing import write_map
from atomsight.io.maps import read_map
from atomsight.io.models import read_model
from atomsight.verdict.readings import RULES

MOVED = 41


@pytest.fixture(scope="module")
def judged(demo_data, tmp_path_factory) -> Evidence:
    folder = tmp_path_factory.mktemp("halves")
    grid, model = read_map(demo_data / "emd_3488.mrc"), read_model(demo_data / "5ni1.cif")
    perfect = simulate_map(model, grid, b_iso=80.0).values
    rng = np.random.default_rng(0)
    one, two = (perfect + rng.normal(0.0, 0.05, perfect.shape).astype(np.float32) for _ in range(2))
    paths = [
        write_map(values, grid, folder / f"{name}.mrc")
        for name, values in (("half1", one), ("half2", two), ("full", (one + two) / 2))
    ]
    side_chain = (model.residue == MOVED) & ~np.isin(model.atom, ["N", "CA", "C", "O", "CB"])
    xyz = model.xyz.copy()
    xyz[side_chain] += [1.0, -1.0, 0.5]
    moved, full = replace(model, xyz=xyz), read_map(paths[2])
    options = HalfMapOptions(*paths[:2], box=16, b_iso=80.0)
    halves = compare_half_maps(full, moved, options, resolution=3.2)
    return Evidence(moved, parents(moved), full, q_score(full, moved), 0.4, 3.2, halves=halves)


def test_the_side_chain_that_was_moved_is_named_with_its_numbers(judged):
    found = verdict_finding(judged)
    columns = found.residues
    assert columns["verdict"][MOVED] == "worse than the map allows"
    assert columns["verdict_part"][MOVED] == "sidechain"
    assert columns["verdict_q"][MOVED] < columns["verdict_low"][MOVED]
    assert columns["verdict_low"][MOVED] <= columns["verdict_expected"][MOVED]
    assert columns["verdict_expected"][MOVED] < columns["verdict_high"][MOVED]
    assert columns["verdict_sentence"][MOVED].startswith(
        f"The side chain fits worse than the map allows: Q {columns['verdict_q'][MOVED]:.2f}, "
    )
    assert found.facts["counts"]["as expected"] > 0.95 * len(judged.model.residues)
    rows = dict(found.rows)
    assert f"{found.facts['counts']['as expected']} as expected" in rows["verdict"]
    residues = judged.model.residues
    name = f"{residues.chain[MOVED]}/{residues.name[MOVED]} {residues.number[MOVED]}"
    assert name in rows["worse"]


def test_counts_are_of_all_residues_and_the_rules_stand_beside(judged):
    found = verdict_finding(judged)
    labels, counts = np.unique(found.residues["verdict"], return_counts=True)
    told = {label: n for label, n in found.facts["counts"].items() if n}
    assert told == dict(zip(labels.tolist(), counts.tolist(), strict=True))
    assert sum(told.values()) == len(judged.model.residues)
    assert found.facts["rules"] == RULES
    assert found.notes == ()


def test_the_attainable_q_of_the_atoms_is_a_column(judged):
    found = verdict_finding(judged)
    attainable = found.atoms["q_attainable"]
    assert np.isfinite(attainable).sum() > 4500
    right = judged.model.residue != MOVED
    gap = judged.scores.q[right] - attainable[right]
    assert abs(np.nanmedian(gap)) < 0.05


def test_a_full_map_that_is_not_the_mean_is_noted(judged):
    check = replace(judged.halves.full_map, is_mean=False)
    other = replace(judged, halves=replace(judged.halves, full_map=check))
    assert "takes the full map for the mean" in verdict_finding(other).notes[0]


@pytest.mark.parametrize(("gain", "judges"), [(1.9, True), (2.1, False), (float("nan"), True)])
def test_a_map_sharpened_without_a_filter_is_not_judged(judged, gain, judges):
    check = replace(judged.halves.full_map, noise_gain=gain)
    found = verdict_finding(replace(judged, halves=replace(judged.halves, full_map=check)))
    if judges:
        assert found.facts["counts"]["as expected"] > 500
    else:
        assert set(found.residues["verdict"]) == {"not judged"}
        assert "sharpened without a filter" in found.facts["reason_if_none"]
        assert "raised 2.1 times as much" in found.rows[0][1]


def test_without_half_maps_there_is_no_verdict_and_that_is_said(judged):
    found = verdict_finding(replace(judged, halves=None))
    assert found.facts["reason_if_none"] == "there are no half maps (--half-maps)"
    assert found.rows == (("verdict", "none: there are no half maps (--half-maps)"),)
    assert (found.atoms, found.residues) == ({}, {})


def test_where_no_atom_has_a_local_resolution_every_residue_says_so(judged):
    scores = judged.halves.scores
    lost = replace(
        scores,
        half=np.full(len(judged.model), np.nan),
        half_status=np.full(len(judged.model), 11, dtype=np.uint8),
    )
    found = verdict_finding(replace(judged, halves=replace(judged.halves, scores=lost)))
    assert set(found.residues["verdict"]) == {"not judged"}
    assert "no atom has a local resolution" in found.facts["reason_if_none"]
    assert found.rows[0][1].startswith("none: no atom has a local resolution")


def test_it_is_among_the_findings(judged):
    keys = [finding.key for finding in collect(judged, fit_b=False)]
    assert keys[0] == "fsc_q"
    assert "verdict" in keys
