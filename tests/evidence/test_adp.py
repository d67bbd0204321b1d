"""How measures go with B: coefficients against plain formulas, bins, and reasons for none."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import pearsonr, spearmanr

import atomsight as ats
from atomsight.errors import ParameterError
from atomsight.evidence.adp import adp_relations, relation
from atomsight.evidence.groups import group_means
from atomsight.model import AtomClass
from tests.support.scene import make_model, scatter

RESIDUES = tuple(("A", i, "", "ALA", AtomClass.PROTEIN) for i in range(8))


def model_of(b, **columns):
    model = make_model(scatter(1, len(b), 0.0, 20.0), residue=np.arange(len(b)) // 5,
                       residues=RESIDUES[: (len(b) + 4) // 5], **columns)  # fmt: skip
    return replace(model, b_iso=np.asarray(b, dtype=float))


def sample(seed=1, n=40):
    rng = np.random.default_rng(seed)
    b = rng.uniform(10, 90, n).round(1)
    return b, 1.0 - b / 100 + rng.normal(0, 0.1, n)


@given(st.integers(0, 2**32 - 1))
@settings(max_examples=20)
def test_coefficients_are_pearsons_and_spearmans(seed):
    b, q = sample(seed)
    b[:4] = b[4]  # equal values share their rank
    found = relation(b, q)
    assert found.n == 40
    assert found.pearson == pytest.approx(pearsonr(b, q).statistic, abs=1e-12)
    assert found.spearman == pytest.approx(spearmanr(b, q).statistic, abs=1e-12)
    assert found.reason == ""


def test_residues_are_compared_by_their_means():
    b, q = sample()
    found = adp_relations(model_of(b), {"q": q})["q"].residues
    assert found.n == 8
    known = pearsonr(b.reshape(8, 5).mean(axis=1), q.reshape(8, 5).mean(axis=1)).statistic
    assert found.pearson == pytest.approx(known, abs=1e-12)


def test_nan_hydrogens_and_atoms_that_do_not_count_are_left_out_of_both():
    b, q = sample()
    q[3] = np.nan
    counted = np.ones(40, bool)
    counted[7] = False
    model = model_of(b, element=["C"] * 39 + ["H"])
    found = adp_relations(model, {"q": q}, counted=counted)["q"]
    left = np.ones(40, bool)
    left[[3, 7, 39]] = False
    assert found.atoms.n == 37
    assert found.atoms.pearson == pytest.approx(pearsonr(b[left], q[left]).statistic, abs=1e-12)
    means = [group_means(v, model.residue, len(model.residues), left) for v in (b, q)]
    assert means[0][0] == pytest.approx(np.delete(b[:5], 3).mean())
    assert found.residues.pearson == pytest.approx(pearsonr(*means).statistic, abs=1e-12)


@pytest.mark.parametrize("value", [0.0, 20.0, 33.3])
def test_equal_b_factors_give_no_coefficient_but_the_reason(value):
    _, q = sample()
    found = adp_relations(model_of(np.full(40, value)), {"q": q})["q"]
    for one in (found.atoms, found.residues):
        assert np.isnan([one.pearson, one.spearman]).all()
        assert one.reason == f"all B factors are {value:g} Å²"
        assert len(one.b) == 1
    assert found.atoms.median == pytest.approx(np.median(q))


def test_equal_values_and_too_few_give_no_coefficient():
    b, q = sample()
    assert relation(b, np.full(40, 0.5)).reason == "all values are 0.5"
    assert relation(b[:2], q[:2]).reason == "only 2 values have a B factor beside them"
    nothing = relation(b, np.full(40, np.nan))
    assert nothing.reason == "only 0 values have a B factor beside them"
    assert len(nothing.b) == len(nothing.count) == len(nothing.median) == 0


def test_bins_hold_equally_many_and_their_quartiles():
    b, q = sample(n=40)
    found = relation(b, q, bins=4)
    assert list(found.count) == [10, 10, 10, 10]
    order = np.argsort(b).reshape(4, 10)
    np.testing.assert_allclose(found.b, np.median(b[order], axis=1))
    quartiles = np.quantile(q[order], [0.25, 0.5, 0.75], axis=1)
    np.testing.assert_allclose([found.low, found.median, found.high], quartiles)


def test_equal_b_factors_share_a_bin():
    b = np.array([10.0] * 30 + [20.0, 30.0, 40.0, 50.0, 60.0, 70.0, 80.0, 90.0, 95.0, 99.0])
    found = relation(b, np.arange(40.0), bins=10)
    assert found.count.sum() == 40
    assert found.count[0] == 30
    assert (np.diff(found.b) > 0).all()


@given(st.integers(0, 2**32 - 1), st.integers(1, 12))
@settings(max_examples=20)
def test_every_pair_is_in_one_bin(seed, bins):
    b, q = sample(seed, 23)
    found = relation(b.round(-1), q, bins=bins)
    assert found.count.sum() == 23
    assert len(found.b) <= bins
    assert (found.low <= found.median).all()
    assert (found.median <= found.high).all()


def test_bad_input_is_refused():
    b, q = sample()
    with pytest.raises(ParameterError, match="q: needs 40 values"):
        adp_relations(model_of(b), {"q": q[:10]})
    with pytest.raises(ParameterError, match="bins"):
        adp_relations(model_of(b), {"q": q}, bins=0)


def test_q_falls_where_b_rises_in_the_demo(demo_data):
    model = ats.read_model(demo_data / "5ni1.cif")
    q = ats.q_score(ats.read_map(demo_data / "emd_3488.mrc"), model).q
    found = ats.adp_relations(model, {"q": q})["q"]
    assert found.atoms.n == 4579
    assert found.residues.n == 602
    known = (pearsonr(model.b_iso, q).statistic, spearmanr(model.b_iso, q).statistic)
    assert (found.atoms.pearson, found.atoms.spearman) == pytest.approx(known, abs=1e-9)
    assert known == pytest.approx((-0.394, -0.319), abs=2e-3)
    assert found.residues.median[0] > found.residues.median[-1]
