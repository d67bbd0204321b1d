from dataclasses import replace

import numpy as np
import pytest

from atomsight.findings.relations import relations_finding


def some(evidence, **columns):
    return relations_finding(evidence, {"q": evidence.scores.q, **columns})


def test_q_of_the_haemoglobin_goes_against_its_b_factors(haemoglobin):
    found = some(haemoglobin)
    q = found.facts["b_factors"]["q"]
    # measured with atomsight 0.1.0, not published; both papers found weak correlations
    assert q["atoms"]["pearson"] == pytest.approx(-0.39, abs=0.01)
    assert q["residues"]["pearson"] == pytest.approx(-0.68, abs=0.01)
    assert (q["atoms"]["n"], q["residues"]["n"]) == (4579, 602)
    assert "at least 2 measures" in found.facts["components"]["reason_if_none"]


def test_only_measures_are_looked_at_and_each_is(evidence):
    n = len(evidence.model)
    rng = np.random.default_rng(0)
    found = some(evidence, density=rng.normal(size=n), b_from_q=np.ones(n), inside=np.ones(n))
    assert list(found.facts["b_factors"]) == ["q", "density"]
    components = found.facts["components"]
    assert list(components["loadings"]) == ["q", "density"]
    assert sum(components["explained"]) == pytest.approx(1.0)
    assert components["n"] == n


def test_the_figure_has_a_row_a_bin(evidence):
    model = replace(evidence.model, b_iso=np.arange(float(len(evidence.model))))
    table = some(replace(evidence, model=model)).tables["b_factor_relations"]
    atoms = table["over"] == "atoms"
    assert set(table["measure"]) == {"q"}
    assert table["count"][atoms].sum() == len(model)
    assert (np.diff(table["b"][atoms]) > 0).all()
    assert (table["low"] <= table["median"]).all()
    assert (table["median"] <= table["high"]).all()


def test_equal_b_factors_have_no_coefficient(evidence):
    model = replace(evidence.model, b_iso=np.full(len(evidence.model), 30.0))
    q = some(replace(evidence, model=model)).facts["b_factors"]["q"]["atoms"]
    assert np.isnan(q["pearson"])
    assert q["reason_if_none"] == "all B factors are 30 Å²"
