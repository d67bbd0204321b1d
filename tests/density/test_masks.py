from dataclasses import replace
from math import erf, sqrt
from pathlib import Path

import numpy as np
import pytest

from atomsight.density.map import Map, array_statistics, map_from_array
from atomsight.density.masks import DILATION, EDGE, MODEL_THRESHOLD, chosen_voxels, mask_above
from atomsight.errors import MapFileError
from tests.support.scene import noise_map

SHAPE = (15, 17, 19)


def voxels(*places: tuple[int, int, int], shape=SHAPE) -> Map:
    """A map that is 1 at places (z, y, x) and 0 elsewhere."""
    values = np.zeros(shape, dtype=np.float32)
    values[tuple(np.array(places).T)] = 1.0
    return map_from_array(values, (1.0, 2.0, 0.5), (3.0, 4.0, 5.0))


def balls(places, radius: float, shape=SHAPE) -> np.ndarray:
    """Voxels at most `radius` voxels away from any of the places."""
    index = np.stack(np.indices(shape), axis=-1)
    square = [((index - np.array(place)) ** 2).sum(axis=-1) for place in places]
    return np.min(square, axis=0) <= radius**2


def test_defaults_are_those_of_the_paper():
    assert (MODEL_THRESHOLD, DILATION) == (0.02, 3)
    assert EDGE > 0


def test_only_what_lies_above_the_threshold_is_inside():
    map_ = map_from_array(np.array([[[0.0, 0.5, 0.50001, 0.7, -3.0]]], dtype=np.float32), 1.0)
    mask = mask_above(map_, 0.5, dilation=0, edge=0)
    np.testing.assert_array_equal(mask.values, [[[0, 0, 1, 1, 0]]])


@pytest.mark.parametrize("radius", [1, 2, 3, 6])
@pytest.mark.parametrize(
    "places",
    [[(7, 8, 9)], [(0, 0, 0)], [(14, 16, 18)], [(2, 3, 3), (9, 12, 14)], [(7, 1, 9), (7, 1, 10)]],
)
def test_a_mask_grows_by_a_ball_of_voxels(places, radius):
    mask = mask_above(voxels(*places), 0.5, dilation=radius, edge=0)
    np.testing.assert_array_equal(mask.values, balls(places, radius))


def test_what_fills_the_map_stays_full():
    full = map_from_array(np.ones((4, 5, 6)), 1.0)
    np.testing.assert_allclose(mask_above(full, 0.0).values, 1.0, atol=1e-6)


@pytest.mark.parametrize("edge", [0.7, 1.5, 3.0])
@pytest.mark.parametrize("axis", [0, 1, 2])
def test_the_soft_edge_is_one_half_where_the_hard_one_was(axis, edge):
    wall = np.zeros((40, 40, 40), dtype=np.float32)
    np.moveaxis(wall, axis, 0)[20:] = 1.0
    mask = mask_above(map_from_array(wall, 1.0), 0.5, dilation=0, edge=edge).values
    profile = np.moveaxis(mask, axis, 0)[:, 20, 20]
    assert 0.5 * (profile[19] + profile[20]) == pytest.approx(0.5, abs=1e-6)
    expected = [0.5 * (1 + erf((i - 19.5) / (edge * sqrt(2)))) for i in range(40)]
    np.testing.assert_allclose(profile, expected, atol=0.03)
    np.testing.assert_array_equal(mask >= 0.5, wall == 1)


def test_dilation_comes_before_the_soft_edge():
    wall = np.zeros((40, 8, 8), dtype=np.float32)
    wall[30:] = 1.0
    mask = mask_above(map_from_array(wall, 1.0), 0.5, dilation=4, edge=1.5).values
    np.testing.assert_array_equal(np.flatnonzero(mask[:, 4, 4] >= 0.5), np.arange(26, 40))


def test_values_lie_between_0_and_1():
    mask = mask_above(noise_map(1), 2.5).values
    assert mask.dtype == np.float32
    assert mask.min() >= 0
    assert mask.max() <= 1 + 1e-6
    assert ((mask > 0.01) & (mask < 0.99)).any()


def test_a_mask_lies_where_its_map_lies():
    map_ = replace(voxels((7, 8, 9)), path=Path("some.mrc"))
    mask = mask_above(map_, 0.5)
    np.testing.assert_array_equal(mask.step, map_.step)
    np.testing.assert_array_equal(mask.origin, map_.origin)
    assert mask.statistics == array_statistics(mask.values)
    assert mask.path is None


def test_voxels_that_are_no_numbers_lie_outside():
    map_ = voxels((7, 8, 9))
    map_.values[2, 2, 2] = np.nan
    mask = mask_above(map_, 0.5, dilation=1, edge=0)
    np.testing.assert_array_equal(mask.values, balls([(7, 8, 9)], 1))


@pytest.mark.parametrize("threshold", [1.0, 5.0, float("nan")])
def test_a_threshold_above_everything_leaves_no_mask(threshold):
    with pytest.raises(MapFileError, match=f"the mask is empty: nothing lies above {threshold:g}"):
        mask_above(voxels((7, 8, 9)), threshold)
    with pytest.raises(MapFileError, match=r"^some\.mrc: "):
        mask_above(replace(voxels((7, 8, 9)), path=Path("some.mrc")), threshold)


def test_chosen_voxels_come_as_x_y_z_ordered_by_section_row_and_column():
    mask = voxels((1, 2, 3), (1, 2, 9), (1, 5, 0), (4, 0, 0))
    np.testing.assert_array_equal(chosen_voxels(mask), [[3, 2, 1], [9, 2, 1], [0, 5, 1], [0, 0, 4]])


def test_one_half_is_inside():
    values = np.array([[[0.0, 0.4999, 0.5, 0.75, np.nan, 1.0]]])
    np.testing.assert_array_equal(chosen_voxels(map_from_array(values, 1.0))[:, 0], [2, 3, 5])


@pytest.mark.parametrize("step", [2, 3])
def test_every_kth_voxel_is_one_whose_indices_are_multiples(step):
    mask = map_from_array((noise_map(2, SHAPE).values > 0).astype(np.float32), 1.0)
    every = chosen_voxels(mask)
    chosen = chosen_voxels(mask, step=step)
    np.testing.assert_array_equal(chosen, every[(every % step == 0).all(axis=1)])
    assert len(chosen) > 20


def test_an_empty_mask_chooses_nothing_and_says_so():
    with pytest.raises(MapFileError, match=r"the mask: no voxel reaches 0\.5"):
        chosen_voxels(map_from_array(np.full((4, 4, 4), 0.4), 1.0))
    with pytest.raises(MapFileError, match=r"mask\.mrc: no voxel reaches 0\.5"):
        chosen_voxels(map_from_array(np.zeros((4, 4, 4)), 1.0, path="mask.mrc"))
    with pytest.raises(MapFileError):  # nothing is left of it at this step
        chosen_voxels(voxels((1, 1, 1)), step=2)
