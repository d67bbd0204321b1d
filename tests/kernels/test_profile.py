"""Shell sums against the rules of the Q-score written out slowly."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from atomsight.evidence.profile import atom_profile
from tests.support.naive_q import map_value, own_points
from tests.support.scene import make_model, scatter, skewed_map

STEPS = [np.diag([0.6, 0.8, 0.7]), [[0.6, -0.2, 0.1], [0.0, 0.8, 0.15], [0.0, 0.0, 0.7]]]


@pytest.mark.parametrize("step", STEPS, ids=["right angles", "skewed"])
@given(seed=st.integers(0, 2**32 - 1), spread=st.sampled_from([0.5, 1.5, 3.0, 8.0]))
@settings(max_examples=12)
def test_shells_hold_what_the_rules_say(step, seed, spread):
    rng = np.random.default_rng(seed)
    map_ = skewed_map(rng.standard_normal((14, 15, 16)).astype(np.float32), step, (3.0, -8.0, 1.0))
    middle = map_.origin + map_.step @ np.array([8.0, 7.5, 7.0])
    atoms = (middle + rng.uniform(-spread, spread, (15, 3))).round(3)
    found = atom_profile(map_, make_model(atoms), np.arange(3), radius=2.0, step=0.25)
    for row in range(3):
        others = np.delete(atoms, row, axis=0)
        for s, r in enumerate(found.radius):
            points = np.tile(atoms[row], (8, 1)) if s == 0 else own_points(atoms[row], others, r, 8)
            if points is None:
                assert found.n_points[row, s] == 0
                assert np.isnan(found.mean[row, s])
                continue
            index = np.linalg.solve(map_.step, (points - map_.origin).T).T
            values = [map_value(map_.values, at) for at in index]
            assert found.n_points[row, s] == len(points)
            assert found.n_outside[row, s] == sum(not inside for _, inside in values)
            numbers = np.array([value for value, _ in values])
            assert found.mean[row, s] == pytest.approx(numbers.mean(), abs=1e-9)
            assert found.sd[row, s] == pytest.approx(numbers.std(ddof=1), abs=1e-7)


def test_the_centre_counts_as_often_as_a_shell_has_points():
    map_ = skewed_map(np.random.default_rng(1).standard_normal((9, 9, 9)), STEPS[0])
    found = atom_profile(map_, make_model(scatter(1, 1, 2.0, 4.0)), 0, points=12)
    assert found.n_points[0, 0] == 12
    assert (found.n_points[0] == 12).all()
    assert found.sd[0, 0] == 0
