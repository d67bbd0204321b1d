"""What independent models add to the results."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from atomsight.ensemble.known import KnownConvergence, place
from atomsight.ensemble.residues import polymer_residues
from atomsight.findings.collect import collect
from atomsight.findings.convergence import convergence_finding, rank_correlation


def placed(evidence, rmsd, *, first=None):
    residues = polymer_residues(evidence.model)
    if first is not None:
        residues = replace(residues, number=residues.number + first)
    rows = np.arange(len(rmsd))
    rmsd = np.array(rmsd)
    known = KnownConvergence(Path("DIR"), 10, 3.2, residues.take(rows), rmsd, rmsd / 1.5)
    return place(known, evidence.model)


def test_columns_facts_and_a_row(evidence):
    found = convergence_finding(evidence, placed(evidence, [0.4, 3.2, 0.6]))
    np.testing.assert_allclose(found.residues["ca_rmsd"][:3], [0.4, 3.2, 0.6])
    assert np.isnan(found.residues["ca_rmsd"][3:]).all()
    facts = found.facts
    assert "all pairs" in facts["definition"]
    assert (facts["models"], facts["matched_by"]) == (10, "number")
    assert facts["overall"]["mean"] == pytest.approx(1.4)
    assert facts["above_3"] == [evidence.model.residues.label(1)]
    assert found.rows == (
        (
            "convergence",
            "mean Cα RMSD 1.40 Å (pairwise, 10 models) over 3 residues; 1 above 3 Å",
        ),
    )
    assert found.tables["convergence"]["residues"].sum() == 3
    assert found.notes == ()


def test_other_numbers_and_missing_residues_are_said(evidence):
    notes = convergence_finding(evidence, placed(evidence, [0.4, 3.2, 0.6], first=70)).notes
    assert notes == ("DIR: its numbering differs from the model's: residues matched by sequence",)
    (note,) = convergence_finding(evidence, placed(evidence, [0.4, 3.2])).notes
    assert note == "1 residues are not in the models of DIR: no RMSD"


def test_a_residue_that_q_sees_less_moves_more(haemoglobin):
    q = haemoglobin.scores.q
    model = haemoglobin.model
    residues = polymer_residues(model)
    mean = [
        np.nanmean(q[(model.residue == row) & haemoglobin.scores.counted]) for row in residues.row
    ]
    found = convergence_finding(haemoglobin, placed(haemoglobin, 1.0 - np.array(mean)))
    assert found.facts["spearman_with_q"] == pytest.approx(-1.0)
    assert list(found.facts["chains"]) == ["A", "B", "C", "D"]


def test_rank_correlation():
    a = np.array([1.0, 2.0, 3.0, 4.0, np.nan])
    assert rank_correlation(a, np.array([10.0, 20.0, 40.0, 30.0, 0.0])) == pytest.approx(0.8)
    assert rank_correlation(a, np.full(5, 2.0)) is None
    assert rank_correlation(a, np.array([1.0, 2.0, np.nan, np.nan, 3.0])) is None


def test_it_is_collected_where_it_is_known(evidence):
    known = replace(evidence, convergence=placed(evidence, [0.4, 3.2, 0.6]))
    assert [f.key for f in collect(known, everything=False)] == ["convergence"]
    assert "convergence" not in [f.key for f in collect(evidence, fit_b=False)]
