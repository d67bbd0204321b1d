"""What the fit of models tells of the sampler."""

from pathlib import Path

import numpy as np
import pytest

from atomsight.ensemble.fit import CommonFit
from atomsight.ensemble.health import Health, health_notes, health_of
from atomsight.ensemble.records import Generated

NAN = float("nan")


def generated(seed, start, end, moved=2.0, missing=0, other=0):
    return Generated(
        Path("x"), seed, "e", "p", start, end, moved, NAN, NAN, 1.0,
        missing_atoms=missing, other_atoms=other,
    )  # fmt: skip


def fit(start, end):
    return CommonFit(start, end, 0, 0)


def test_health_counts_models_that_left_the_map():
    made = [generated(0, 0.5, 0.6), generated(1, 0.5, 0.4), generated(2, 0.5, 0.53)]
    assert health_of(made, [fit(0.5, 0.6), fit(0.5, 0.48)]) == Health(
        perturbation=2.0,
        worse=pytest.approx(1 / 3),
        n=3,
        gain=pytest.approx(0.01),
        kept_worse=0.5,
        kept_gain=pytest.approx(0.04),
    )


def test_models_without_a_fit_do_not_count():
    made = [generated(0, 0.5, 0.6), generated(1, NAN, NAN, NAN)]
    health = health_of(made, [fit(0.5, 0.4), fit(NAN, NAN)])
    assert (health.n, health.worse, health.perturbation) == (1, 0.0, 2.0)
    assert (health.kept_worse, health.kept_gain) == (1.0, pytest.approx(-0.1))


def test_health_of_models_of_which_nothing_is_known():
    health = health_of([generated(0, NAN, NAN, NAN)], [])
    assert health.n == 0
    numbers = [health.perturbation, health.worse, health.gain, health.kept_worse, health.kept_gain]
    assert np.isnan(numbers).all()
    assert health_notes([generated(0, NAN, NAN, NAN)], health) == []


def test_a_sampler_that_fails_is_named_with_both_figures():
    made = [generated(i, 0.5, 0.49) for i in range(8)] + [generated(8, 0.5, 0.6)] * 2
    (note,) = health_notes(made, health_of(made, [fit(0.5, 0.51), fit(0.5, 0.49)]))
    assert note.startswith("80% of the models fit the map worse")
    assert "CC-mean +0.012 in the mean; of the kept ones 50%, +0.000" in note
    fine = [generated(0, 0.5, 0.49)] + [generated(1, 0.5, 0.6)] * 9
    assert health_notes(fine, health_of(fine, [])) == []


def test_models_of_other_atoms_are_named():
    made = [
        generated(0, 0.5, 0.6, missing=3),
        generated(1, NAN, NAN, missing=90, other=90),
        generated(2, 0.5, 0.6),
    ]
    lacking, other = health_notes(made, health_of(made, []))
    assert lacking.startswith("2 of 3 models lack heavy atoms of the prepared one, up to 90")
    assert lacking.endswith("1 lack more than 5% of them and have none")
    assert other.startswith("1 of 3 models have heavy atoms that the prepared one does not, up to")
    (only,) = health_notes(made[:1], health_of(made[:1], []))
    assert only.endswith("over the atoms in common")
