from dataclasses import replace

import numpy as np
import pytest

from atomsight.density.map import map_from_array
from atomsight.evidence.b_factor import b_factors_from_q
from atomsight.findings.map_model import b_factor_finding, correlation_finding


def test_correlation_of_the_haemoglobin_with_and_without_its_b_factors(haemoglobin):
    found = correlation_finding(haemoglobin)
    plain, own = found.facts["b_zero"], found.facts["own_b"]
    # measured with atomsight 0.1.0, not published
    assert (plain["cc"], plain["cc_mean"]) == pytest.approx((0.697, 0.714), abs=1e-3)
    assert (own["cc"], own["cc_mean"]) == pytest.approx((0.634, 0.752), abs=1e-3)
    assert list(plain["chains"]) == ["A", "B", "C", "D"]
    assert sum(chain["n"] for chain in plain["chains"].values()) == plain["n"]
    assert np.nanmedian(found.residues["cc_mean"]) > 0.5
    assert found.rows[0][1] == ("CC 0.697, CC-mean 0.714; with the model's B 0.634, 0.752")


def test_a_model_without_b_factors_has_one_correlation(evidence):
    bare = replace(evidence, model=replace(evidence.model, b_iso=np.zeros(len(evidence.model))))
    found = correlation_finding(bare)
    assert found.facts["own_b"] is None
    assert "with the model's B" not in found.rows[0][1]


def test_b_factors_are_those_of_the_best_f(haemoglobin):
    found = b_factor_finding(haemoglobin)
    f = found.facts["f"]
    known = b_factors_from_q(haemoglobin.model, haemoglobin.scores.q, f)
    np.testing.assert_array_equal(found.atoms["b_from_q"], known.b_iso)
    curve = found.tables["b_factor_fit"]
    assert curve["f"][np.argmax(curve["cc_mean"])] == f == pytest.approx(104, abs=2)
    assert found.facts["best"]["cc_mean"] > found.facts["b_zero"]["cc_mean"] + 0.04
    below = int((haemoglobin.scores.q < 0).sum())
    assert found.facts["atoms_above_f"] == below == 50
    assert found.notes == (f"B from Q: {below} atoms have Q below 0, and so a B above f",)


def test_where_no_b_factor_helps_none_is_noted(haemoglobin, monkeypatch):
    import atomsight.findings.map_model as module

    fit = module.fit_b_factors(
        haemoglobin.map, haemoglobin.model, haemoglobin.scores.q, resolution=3.2
    )
    none = replace(fit, b=b_factors_from_q(haemoglobin.model, haemoglobin.scores.q, 0.0))
    monkeypatch.setattr(module, "fit_b_factors", lambda *_, **__: none)
    assert b_factor_finding(haemoglobin).notes == ()


def test_a_best_f_at_the_edge_is_said(haemoglobin, monkeypatch):
    import atomsight.findings.map_model as module

    fit = module.fit_b_factors
    monkeypatch.setattr(module, "fit_b_factors", lambda *a, **k: fit(*a, **k, f_max=20.0))
    found = b_factor_finding(haemoglobin)
    assert found.facts["at_edge"] is True
    assert any("largest that was tried, 20 Å²" in note for note in found.notes)


@pytest.mark.parametrize("make", [correlation_finding, b_factor_finding])
def test_a_map_that_holds_nothing_of_the_model_gives_a_reason(evidence, make):
    far = map_from_array(evidence.map.values, 0.8, (900.0, 0.0, 0.0))
    found = make(replace(evidence, map=far))
    assert found.facts["definition"] is None
    assert "lies in the map" in found.facts["reason_if_none"]
    assert found.rows == ((found.key.replace("_", " "), f"none: {found.facts['reason_if_none']}"),)
