"""Convergence against resolution."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from atomsight.archive.convergence import fit_convergence
from atomsight.errors import InputError, ParameterError

D = np.array([1.75, 3.0, 4.0, 5.0, 7.0])


@given(a=st.floats(0.01, 1.0), b=st.floats(0.05, 1.0))
def test_points_on_a_line_give_it_back(a, b):
    fit = fit_convergence(D, a * np.exp(b * D))
    assert (fit.a, fit.b) == (pytest.approx(a, rel=1e-4), pytest.approx(b, rel=1e-4))
    assert fit.r2 == pytest.approx(1.0)
    assert fit.residual_sd < 1e-4 * a * np.exp(b * D[-1])


def test_standard_errors_are_those_of_repeated_noise():
    rng = np.random.default_rng(2)
    d = np.linspace(2, 6, 30)
    line = 0.1 * np.exp(0.5 * d)
    fits = [fit_convergence(d, line + rng.normal(0, 0.05, len(d))) for _ in range(300)]
    for name in ("a", "b"):
        scatter = np.std([getattr(fit, name) for fit in fits])
        assert np.mean([getattr(fit, f"{name}_error") for fit in fits]) == pytest.approx(
            scatter, rel=0.15
        )
    assert np.mean([fit.residual_sd for fit in fits]) == pytest.approx(0.05, rel=0.05)
    at = np.std([fit.at(4.0) for fit in fits])
    assert np.mean([fit.error_at(4.0) for fit in fits]) == pytest.approx(at, rel=0.15)


def test_nothing_is_said_beyond_the_entries():
    fit = fit_convergence(D, 0.1 * np.exp(0.4 * D))
    assert np.isnan(fit.at(np.array([1.7, 7.1]))).all()
    assert np.isnan(fit.error_at(np.array([1.7, 7.1]))).all()
    assert np.isfinite(fit.at(D)).all()


def test_entries_without_a_number_are_left_out():
    fit = fit_convergence(np.r_[D, np.nan, 6.0], np.r_[0.1 * np.exp(0.4 * D), 1.0, np.nan])
    assert fit.n == 5


def test_entries_of_several_protocols_make_no_line():
    rmsd = 0.1 * np.exp(0.4 * D)
    assert fit_convergence(D, rmsd, ["abc"] * 5).protocol == "abc"
    with pytest.raises(ParameterError, match=r"2 protocols \('abc', 'rosetta'\)"):
        fit_convergence(D, rmsd, ["abc"] * 4 + ["rosetta"])
    with pytest.raises(ParameterError, match="4 protocols for 5 entries"):
        fit_convergence(D, rmsd, ["abc"] * 4)


@pytest.mark.parametrize(
    ("d", "rmsd", "message"),
    [
        ([3, 4], [0.2, 0.4], "2 entries of 2 resolutions"),
        ([3, 3, 4, 4], [0.2, 0.3, 0.4, 0.5], "4 entries of 2 resolutions"),
        ([3, 4, 5], [0.2, 0.4, 0.0], "above 0 Å"),
        ([3, 4, -5], [0.2, 0.4, 0.5], "above 0 Å"),
        ([3, 4, 5], [0.2, 0.4], "3 resolutions and 2 RMSDs"),
    ],
)
def test_what_is_refused(d, rmsd, message):
    with pytest.raises(InputError, match=message):
        fit_convergence(np.array(d), np.array(rmsd))
