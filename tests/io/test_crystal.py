from itertools import permutations

import gemmi
import numpy as np
import pytest

from atomsight.density.map import array_statistics
from atomsight.density.sampling import trilinear
from atomsight.errors import MapFileError
from atomsight.io.maps import read_map
from tests.support.maps import ramp, write_ccp4

CELLS = {
    "P 1": (18.0, 15.0, 24.0, 80.0, 95.0, 110.0),
    "P 1 21 1": (18.0, 15.0, 24.0, 90.0, 105.0, 90.0),
    "P 21 21 21": (18.0, 15.0, 24.0, 90.0, 90.0, 90.0),
    "P 31 2 1": (18.0, 18.0, 24.0, 90.0, 90.0, 120.0),
}
SIZES = {"P 31 2 1": (12, 12, 18)}
SKEWED = CELLS["P 1"]


def symmetric_grid(name, seed=0):
    """Noise with the symmetry of a space group, over one cell."""
    grid = gemmi.FloatGrid(*SIZES.get(name, (12, 10, 16)))
    grid.spacegroup = gemmi.SpaceGroup(name)
    grid.set_unit_cell(gemmi.UnitCell(*CELLS[name]))
    grid.array[...] = np.random.default_rng(seed).normal(size=grid.shape)
    grid.symmetrize_avg()
    return grid


def asymmetric_unit(grid):
    """Values (z, y, x) of the part of a cell that its symmetry cannot give, and where it starts."""
    part = gemmi.Ccp4Map()
    part.grid = grid.clone()
    part.update_ccp4_header(2, True)
    part.set_extent(gemmi.find_asu_brick(grid.spacegroup).get_extent())
    start = tuple(part.header_i32(number) for number in (5, 6, 7))
    return part.grid.array.transpose(2, 1, 0), start


def crystal(name):
    grid = symmetric_grid(name)
    options = {
        "cell": CELLS[name],
        "sampling": grid.shape,
        "space_group": grid.spacegroup.number,
    }
    return grid, options


def said(map_, words):
    return [note for note in map_.notes if words in note]


@pytest.mark.parametrize("name", CELLS)
def test_values_anywhere_are_those_that_gemmi_finds_in_the_repeated_cell(tmp_path, name):
    grid, options = crystal(name)
    file = write_ccp4(tmp_path / "map.ccp4", grid.array.transpose(2, 1, 0), **options)
    xyz = np.random.default_rng(1).uniform(-40, 60, size=(200, 3))
    map_ = read_map(file, around=xyz, margin=1.0)
    theirs = [grid.interpolate_value(gemmi.Position(*place)) for place in xyz]
    np.testing.assert_allclose(trilinear(map_, xyz), theirs, atol=1e-5)
    assert map_.periodic
    assert said(map_, "continued periodically")


def test_a_value_beyond_the_cell_is_the_value_inside(tmp_path):
    grid, options = crystal("P 1")
    file = write_ccp4(tmp_path / "map.ccp4", grid.array.transpose(2, 1, 0), **options)
    inside = np.random.default_rng(2).uniform(0.1, 0.8, size=(50, 3))
    edges = np.array(gemmi.UnitCell(*SKEWED).orth.mat.tolist())
    first = read_map(file, around=inside @ edges.T)
    for shift in [(1, 0, 0), (0, -1, 0), (2, -3, 1)]:
        beyond = (inside + shift) @ edges.T
        np.testing.assert_allclose(
            trilinear(read_map(file, around=beyond), beyond),
            trilinear(first, inside @ edges.T),
            atol=1e-5,
        )


@pytest.mark.parametrize("name", ["P 1 21 1", "P 21 21 21", "P 31 2 1"])
@pytest.mark.parametrize(
    "form",
    [
        {},
        *({"axes": axes} for axes in permutations((1, 2, 3))),
        {"byte_order": ">"},
        {"compress": True},
        {"stamp": b"\0\0\0\0"},
    ],
    ids=str,
)
def test_an_asymmetric_unit_is_expanded_to_the_cell(tmp_path, name, form):
    grid, options = crystal(name)
    values, start = asymmetric_unit(grid)
    assert values.size < grid.point_count
    map_ = read_map(write_ccp4(tmp_path / "asu.map", values, start=start, **options, **form))
    np.testing.assert_allclose(map_.values, grid.array.transpose(2, 1, 0), atol=1e-6)
    assert map_.full_shape == grid.shape
    np.testing.assert_array_equal(map_.origin, 0.0)


@pytest.mark.parametrize("mode", [1, 12])
def test_an_asymmetric_unit_of_any_mode_is_expanded(tmp_path, mode):
    grid, options = crystal("P 21 21 21")
    grid.array[...] = np.round(grid.array * 100)
    grid.symmetrize_max()
    values, start = asymmetric_unit(grid)
    map_ = read_map(write_ccp4(tmp_path / "asu.map", values, start=start, mode=mode, **options))
    np.testing.assert_array_equal(map_.values, grid.array.transpose(2, 1, 0))


def test_statistics_of_a_crystal_map_are_those_of_its_file(tmp_path):
    grid, options = crystal("P 21 21 21")
    values, start = asymmetric_unit(grid)
    file = write_ccp4(tmp_path / "asu.map", values, start=start, **options)
    expected = array_statistics(values)
    for map_ in (read_map(file), read_map(file, around=np.zeros((1, 3)), margin=2.0)):
        assert map_.statistics.n == values.size
        assert map_.statistics.sd == pytest.approx(expected.sd)


@pytest.mark.parametrize("start", [(5, 0, 0), (-3, 25, 7), (100, -100, 1)])
def test_a_whole_cell_may_start_anywhere(tmp_path, start):
    grid, options = crystal("P 1")
    values = grid.array.transpose(2, 1, 0)
    rolled = np.roll(values, [-n for n in reversed(start)], axis=(0, 1, 2))
    map_ = read_map(write_ccp4(tmp_path / "map.ccp4", rolled, start=start, **options))
    np.testing.assert_array_equal(map_.values, values)
    np.testing.assert_allclose(map_.origin, 0.0, atol=1e-9)


def test_a_cell_written_with_its_first_plane_again_is_a_whole_cell(tmp_path):
    grid, options = crystal("P 1")
    values = grid.array.transpose(2, 1, 0)
    again = np.pad(values, [(0, 1)] * 3, mode="wrap")
    map_ = read_map(write_ccp4(tmp_path / "map.ccp4", again, **options))
    np.testing.assert_array_equal(map_.values, values)
    assert map_.periodic


def test_values_of_the_file_stand_where_symmetry_would_have_others(tmp_path):
    _, options = crystal("P 21 21 21")
    values = np.random.default_rng(3).normal(size=(16, 10, 12)).astype(np.float32)
    map_ = read_map(write_ccp4(tmp_path / "map.ccp4", values, **options))
    np.testing.assert_array_equal(map_.values, values)


def test_origin_words_move_the_whole_crystal(tmp_path):
    grid, options = crystal("P 1")
    values = grid.array.transpose(2, 1, 0)
    shift = np.array([7.0, -8.0, 9.0])
    file = write_ccp4(tmp_path / "map.ccp4", values, origin=shift, **options)
    xyz = np.random.default_rng(4).uniform(-20, 40, size=(50, 3))
    moved = trilinear(read_map(file, around=xyz + shift), xyz + shift)
    fixed = trilinear(read_map(file, around=xyz, origin="zero"), xyz)
    np.testing.assert_allclose(moved, fixed, atol=1e-5)


def test_voxels_that_are_nan_in_the_file_are_no_gaps(tmp_path):
    grid, options = crystal("P 21 21 21")
    values = grid.array.transpose(2, 1, 0).copy()
    values[3, 4, 5] = np.nan
    map_ = read_map(write_ccp4(tmp_path / "map.ccp4", values, **options))
    assert map_.periodic
    assert map_.statistics.n_not_finite == 1
    np.testing.assert_array_equal(map_.values, values)


@pytest.mark.parametrize("compress", [True, False])
def test_a_part_of_a_cell_is_read_as_it_is(tmp_path, compress):
    values = ramp((6, 5, 7))
    options = {"cell": SKEWED, "sampling": (12, 10, 16), "start": (2, -3, 4)}
    file = write_ccp4(tmp_path / "part.map", values, compress=compress, **options)
    map_ = read_map(file)
    np.testing.assert_array_equal(map_.values, values)
    assert not map_.periodic
    assert said(map_, "no whole crystal cell")
    corner = gemmi.UnitCell(*SKEWED).orthogonalize(gemmi.Fractional(2 / 12, -3 / 10, 4 / 16))
    np.testing.assert_allclose(map_.origin, corner.tolist(), atol=1e-6)


def test_nothing_is_known_beyond_a_part_of_a_cell(tmp_path):
    options = {"cell": SKEWED, "sampling": (12, 10, 16)}
    map_ = read_map(write_ccp4(tmp_path / "part.map", ramp((6, 5, 7)), **options))
    beyond = map_.origin + map_.step @ [12.5, 1.5, 1.5]
    within = map_.origin + map_.step @ [0.5, 1.5, 1.5]
    at_beyond, at_within = trilinear(map_, np.array([beyond, within]))
    assert np.isnan(at_beyond)
    assert at_within == pytest.approx(0.5 + 15.0 + 37.5)


def test_a_box_of_a_part_of_a_cell_equals_that_part(tmp_path):
    values = np.random.default_rng(5).normal(size=(30, 28, 26)).astype(np.float32)
    options = {"cell": SKEWED, "sampling": (50, 60, 70), "start": (4, 5, 6)}
    file = write_ccp4(tmp_path / "part.map", values, **options)
    whole = read_map(file)
    around = (whole.origin + whole.step @ [12.0, 13.0, 14.0])[None]
    box = read_map(file, around=around, margin=1.0)
    assert box.values.size < whole.values.size / 10
    x, y, z = box.start
    nz, ny, nx = box.values.shape
    np.testing.assert_array_equal(box.values, whole.values[z : z + nz, y : y + ny, x : x + nx])
    np.testing.assert_allclose(trilinear(box, around), trilinear(whole, around))
    np.testing.assert_allclose(box.full_origin, whole.origin, atol=1e-9)
    assert box.statistics == whole.statistics


def test_a_grid_that_does_not_suit_the_space_group_is_read_as_it_is(tmp_path):
    options = {"cell": (9, 8, 7, 90, 90, 90), "sampling": (9, 8, 7), "space_group": 75}
    map_ = read_map(write_ccp4(tmp_path / "map.ccp4", ramp((7, 8, 5)), **options))
    np.testing.assert_array_equal(map_.values, ramp((7, 8, 5)))
    assert said(map_, "no whole crystal cell")


@pytest.mark.parametrize("origin", [(2e10, 0.0, 0.0), (0.0, 0.0, -2e10)])
def test_a_model_that_lies_beyond_all_counting_of_cells_is_refused(tmp_path, origin):
    grid, options = crystal("P 1")
    values = grid.array.transpose(2, 1, 0)
    file = write_ccp4(tmp_path / "map.ccp4", values, origin=origin, **options)
    with pytest.raises(MapFileError, match="lies too far from this crystal map's cell"):
        read_map(file, around=np.zeros((1, 3)))


def test_a_model_that_spans_too_many_cells_is_refused(tmp_path):
    grid, options = crystal("P 1")
    file = write_ccp4(tmp_path / "map.ccp4", grid.array.transpose(2, 1, 0), **options)
    with pytest.raises(MapFileError, match="or spans too many"):
        read_map(file, around=np.array([[0.0, 0.0, 0.0], [9999.0, 9999.0, 9999.0]]))
