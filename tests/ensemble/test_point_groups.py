"""Point groups: orders, axes, and that they are groups."""

import numpy as np
import pytest

from atomsight.ensemble.point_groups import point_group, rotation
from atomsight.errors import ParameterError

ORDERS = {"C2": 2, "C7": 7, "D2": 4, "D3": 6, "D6": 12, "T": 12, "O": 24, "I": 60}
SETTINGS = {"D3": 2, "T": 2, "I": 2}


@pytest.mark.parametrize(("name", "order"), ORDERS.items())
def test_they_are_groups_of_rotations(name, order):
    settings = point_group(name)
    assert len(settings) == SETTINGS.get(name, 1)
    for turns in settings:
        assert turns.shape == (order, 3, 3)
        assert turns[0].tolist() == np.eye(3).tolist()
        assert np.linalg.det(turns) == pytest.approx(1.0)
        assert turns @ turns.transpose(0, 2, 1) == pytest.approx(np.array([np.eye(3)] * order))
        products = (turns[:, None] @ turns[None]).reshape(-1, 9)
        apart = np.abs(products[:, None] - turns.reshape(1, -1, 9)).max(axis=2)
        assert ((apart < 1e-6).sum(axis=1) == 1).all()


def has(turns, fold, axis):
    return any(np.allclose(turn, rotation(fold, axis), atol=1e-6) for turn in turns)


def test_axes_lie_as_reconstruction_programs_have_them():
    assert has(point_group("C4")[0], 4, (0, 0, 1))
    assert has(point_group("D3")[0], 2, (1, 0, 0))
    assert has(point_group("D3")[1], 2, (0, 1, 0))
    assert all(has(point_group("O")[0], 4, axis) for axis in np.eye(3))
    for setting in (point_group("T")[0], *point_group("I")):
        assert all(has(setting, 2, axis) for axis in np.eye(3))
    assert has(point_group("T")[1], 3, (0, 0, 1))
    golden = (1 + 5**0.5) / 2
    one, other = point_group("I")
    assert has(one, 5, (0, 1, golden))
    assert not has(other, 5, (0, 1, golden))
    assert has(other, 5, (1, 0, golden))


def test_a_quarter_turn_about_z_carries_x_to_y():
    assert rotation(4, (0, 0, 2)) @ [1.0, 0.0, 0.0] == pytest.approx([0.0, 1.0, 0.0])


@pytest.mark.parametrize("name", ["C1", "C0", "C100", "D1", "H", "", "O2", "C-2", "c2"])
def test_other_names_are_refused(name):
    with pytest.raises(ParameterError, match="is no point group: one of C2 to C99"):
        point_group(name)
