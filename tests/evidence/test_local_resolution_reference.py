"""Local resolution against blocres 2.1.3 of Bsoft (Hann taper, pad factor 1).

What the program itself printed, with 6 decimals, on synthetic half maps (no
particles): at every voxel it evaluated, and in a crop that stands beside the tests. And an
implementation of its rules by padded transforms, on maps that nobody chose.
"""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import atomsight as ats
from atomsight.density.map import Map, MapStatistics, map_from_array
from atomsight.evidence.local_resolution import local_resolution
from atomsight.evidence.status import Status
from tests.support import blocres
from tests.support.halves import all_inside, half_maps

CROP = Path(__file__).resolve().parents[1] / "reference" / "blocres_2.1.3_crop.npz"
SMALL = [("box12_t05", 12, 0.5), ("box12_t067", 12, 0.67), ("box15_t05", 15, 0.5)]
CLOSE = 1e-4
SIZES = st.sampled_from([0.8, 1.0, 1.25, 1.6, 2.0])


def compare(first: Map, second: Map, voxels, values, box: int, threshold: float) -> np.ndarray:
    """Every voxel within 1e-4 Å, and none evaluated where the program has 0; the statuses."""
    found = local_resolution(first, second, voxels, box=box, threshold=threshold)
    evaluated = values > 0
    np.testing.assert_array_equal(np.isfinite(found.value), evaluated)
    np.testing.assert_array_equal(found.status == Status.OUTSIDE, ~evaluated)
    assert np.abs(found.value - values)[evaluated].max() < CLOSE
    return found.status


@pytest.mark.parametrize(("column", "box", "threshold"), SMALL)
def test_a_crop_agrees_with_the_program(column, box, threshold):
    known = np.load(CROP)
    maps = []
    for name, mean in zip(("half_1", "half_2"), known["mean"], strict=True):
        map_ = map_from_array(known[name], float(known["voxel_size"]))
        # the mean that is taken off is that of the whole map, not of the crop
        whole = MapStatistics(84480, 0, -8.9, 8.7, float(mean), 1.5)
        maps.append(replace(map_, statistics=whole))
    rows = known[column] > 0
    assert rows.sum() == (10 if box == 15 else 31)
    voxels = known["voxels"][rows].astype(np.int64)
    compare(*maps, voxels, known[column][rows], box, threshold)


def read_table(path: Path) -> tuple[np.ndarray, np.ndarray]:
    """Voxels (x, y, z) and the table with all its columns."""
    table = np.genfromtxt(path, delimiter=",", names=True)
    return np.stack([table[axis] for axis in "xyz"], axis=1).astype(np.int64), table


@pytest.mark.parametrize(("column", "box", "threshold"), SMALL)
def test_every_voxel_of_a_small_map_agrees_with_the_program(extra_data, column, box, threshold):
    folder = extra_data / "blocres_reference"
    voxels, table = read_table(folder / "small_blocres_2.1.3.csv")
    assert len(voxels) == 5059
    first, second = (ats.read_map(folder / f"small_half{i}.mrc") for i in (1, 2))
    status = compare(first, second, voxels, table[column], box, threshold)
    np.testing.assert_array_equal(status == Status.LOW_FREQUENCY, table[column] > 2 * box * 1.1)


@pytest.mark.parametrize(
    ("first", "second", "column", "threshold"),
    [("half1", "half2", "half_t05", 0.5), ("full", "model", "model_t067", 0.67)],
)
def test_haemoglobin_agrees_with_the_program(extra_data, first, second, column, threshold):
    folder = extra_data / "blocres_reference"
    voxels, table = read_table(folder / "5ni1_blocres_2.1.3_box20.csv")
    assert len(voxels) == 2365
    maps = [ats.read_map(folder / f"5ni1_{name}.mrc.gz") for name in (first, second)]
    status = compare(*maps, voxels, table[column], 20, threshold)
    assert (status == Status.OK).all()


@pytest.mark.parametrize(("column", "box", "threshold"), SMALL)
def test_the_rules_written_out_agree_with_the_program(extra_data, column, box, threshold):
    folder = extra_data / "blocres_reference"
    voxels, table = read_table(folder / "small_blocres_2.1.3.csv")
    first, second = (ats.read_map(folder / f"small_half{i}.mrc").values for i in (1, 2))
    rows = np.flatnonzero(table[column] > 0)[::97]
    for row in rows:
        found = blocres.local_resolution(first, second, voxels[row], box, (1.1,) * 3, threshold)
        assert found == pytest.approx(table[column][row], abs=CLOSE)


@given(
    seed=st.integers(0, 2**20),
    box=st.integers(6, 20),
    voxel_size=SIZES.map(lambda size: (size,) * 3) | st.tuples(SIZES, SIZES, SIZES),
    threshold=st.sampled_from([0.143, 0.5, 2 / 3, 0.8165]),
)
@settings(max_examples=60, deadline=None)
def test_maps_that_nobody_chose_agree_with_the_rules(seed, box, voxel_size, threshold):
    first, second = half_maps(seed, voxel=voxel_size)
    voxels = np.random.default_rng(seed).choice(all_inside(first, box), 3)
    found = local_resolution(first, second, voxels, box=box, threshold=threshold, threads=1)
    for value, voxel in zip(found.value, voxels, strict=True):
        known = blocres.local_resolution(
            first.values, second.values, voxel, box, voxel_size, threshold
        )
        assert value == pytest.approx(known, abs=CLOSE)


@pytest.mark.parametrize("box", [6, 7, 13, 20])
def test_the_windows_at_the_edges_agree_with_the_rules(box):
    first, second = half_maps(4)
    inside = all_inside(first, box)
    corners = inside[np.isin(inside, [inside.min(axis=0), inside.max(axis=0)]).all(axis=1)]
    found = local_resolution(first, second, corners, box=box)
    assert len(corners) >= 8
    for value, voxel in zip(found.value, corners, strict=True):
        known = blocres.local_resolution(first.values, second.values, voxel, box, (1.1,) * 3, 0.5)
        assert value == pytest.approx(known, abs=CLOSE)
