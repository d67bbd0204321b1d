"""The small map that a page draws: read back with gemmi and compared with the map itself."""

from dataclasses import replace

import gemmi
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from atomsight.density.map import array_statistics, map_from_array
from atomsight.evidence.inclusion import atom_inclusion
from atomsight.report import display_map as module
from atomsight.report.display_map import MARGIN, SHOWN, display_map
from tests.support.scene import gaussian_map, make_model, noise_map, positions, skewed_map


def unpacked(shown, folder):
    """Bytes (z, y, x) of the file and the place of each, as a reader of CCP4 has them."""
    path = folder / "shown.map"
    path.write_bytes(shown.ccp4)
    read = gemmi.read_ccp4_map(str(path))
    grid = read.grid
    steps = np.array(grid.array, dtype=float)  # x, y, z
    cell = grid.unit_cell
    axes = np.array(cell.orth.mat.tolist()) / np.array(steps.shape)
    # ORIGIN lies along the axes of the cell, in Å
    words = np.array([read.header_float(word) for word in (50, 51, 52)])
    corner = (axes / np.linalg.norm(axes, axis=0)) @ words
    index = np.stack(np.meshgrid(*map(np.arange, steps.shape), indexing="ij"), axis=-1)
    place = corner + index @ axes.T
    return steps.transpose(2, 1, 0), place.transpose(2, 1, 0, 3)


def decoded(shown, steps):
    return shown.offset + shown.scale * steps


def original(map_, place):
    """Values of a map at places that have to be voxels of it."""
    index = np.linalg.solve(map_.step, (place.reshape(-1, 3) - map_.origin).T).T
    np.testing.assert_allclose(index, np.rint(index), atol=2e-4)
    x, y, z = np.rint(index).astype(int).T
    return map_.values[z, y, x].reshape(place.shape[:-1])


def assert_same_map(shown, map_, folder):
    """Between lowest and highest level a byte is the map's value, half a step aside at most."""
    steps, place = unpacked(shown, folder)
    values = original(map_, place).astype(float)
    assert np.abs(steps).max() <= 127
    within = (values >= shown.low) & (values <= shown.high)
    assert within.any()
    half = 0.5 * shown.scale * (1 + 1e-3)
    assert np.abs(decoded(shown, steps) - values)[within].max() <= half
    # what lies beyond stays beyond
    assert (decoded(shown, steps)[values > shown.high] >= shown.high - half).all()
    assert (decoded(shown, steps)[values < shown.low] <= shown.low + half).all()
    return place


def model_in(map_, *fractions):
    """Atoms at parts of the way through a map."""
    far = map_.step @ (np.array(map_.values.shape[::-1]) - 1.0)
    return make_model([map_.origin + far * np.array(f) for f in fractions or [(0.5, 0.5, 0.5)]])


@settings(max_examples=40)
@given(
    seed=st.integers(0, 2**32 - 1),
    shape=st.tuples(*[st.integers(3, 14)] * 3),
    height=st.floats(1e-6, 1e6),
    offset=st.floats(-10, 10),
    contour=st.none() | st.floats(-3, 3),
)
def test_bytes_decode_to_the_map(tmp_path_factory, seed, shape, height, offset, contour):
    noise = noise_map(seed, shape)
    map_ = map_from_array(height * (noise.values + offset), 0.9)
    level = None if contour is None else height * (contour + offset)
    shown = display_map(map_, model_in(map_, (0.3, 0.5, 0.6), (0.5, 0.5, 0.5)), level)
    assert shown is not None
    assert shown.low < shown.first < shown.high
    assert_same_map(shown, map_, tmp_path_factory.getbasetemp())


MAPS = {
    "origin": noise_map(1, (20, 22, 24), origin=(-31.5, 7.25, 120.0)),
    "origin with a zero": noise_map(1, (20, 22, 24), origin=(0.0, -4.5, 0.0)),
    "anisotropic": map_from_array(
        noise_map(2, (30, 20, 16)).values, (1.3, 0.8, 0.45), (5.0, -6.0, 7.0)
    ),
    "skewed": skewed_map(
        noise_map(3, (20, 18, 22)).values,
        np.array(gemmi.UnitCell(30, 28, 33, 75, 110, 95).orth.mat.tolist()) / [22, 18, 20],
        (11.0, -12.0, 13.0),
    ),
    "double precision": map_from_array(noise_map(4).values.astype(float), 1.0, (1.0, 2.0, 3.0)),
}


@pytest.mark.parametrize("map_", MAPS.values(), ids=MAPS)
def test_every_voxel_lies_where_it_lay(map_, tmp_path):
    shown = display_map(map_, model_in(map_, (0.4, 0.5, 0.6), (0.6, 0.5, 0.4)), 0.5)
    assert shown.factor == 1
    assert_same_map(shown, map_, tmp_path)


def test_the_crop_holds_the_model_and_a_margin(tmp_path):
    map_ = noise_map(5, (60, 50, 40), voxel=0.9, origin=(3.0, -8.0, 1.0))
    model = model_in(map_, (0.45, 0.4, 0.5), (0.5, 0.6, 0.6))
    place = assert_same_map(display_map(map_, model, None), map_, tmp_path).reshape(-1, 3)
    low, high = place.min(axis=0), place.max(axis=0)
    assert (low <= model.xyz.min(axis=0) - MARGIN).all()
    assert (high >= model.xyz.max(axis=0) + MARGIN).all()
    # and little more
    assert (low >= model.xyz.min(axis=0) - MARGIN - 0.9).all()
    assert (high <= model.xyz.max(axis=0) + MARGIN + 0.9).all()


def test_the_crop_ends_where_the_map_ends(tmp_path):
    map_ = noise_map(5, (20, 20, 20), voxel=0.9)
    everything = positions(map_).reshape(-1, 3)
    model = model_in(map_, (0.1, 0.5, 0.9))
    place = assert_same_map(display_map(map_, model, None), map_, tmp_path).reshape(-1, 3)
    assert place[:, 0].min() == pytest.approx(everything[:, 0].min(), abs=1e-4)
    assert place[:, 2].max() == pytest.approx(everything[:, 2].max(), abs=1e-4)
    assert place[:, 0].max() < everything[:, 0].max()
    assert place[:, 2].min() > everything[:, 2].min()


@pytest.mark.parametrize("far", [(-300.0, 0.0, 0.0), (300.0, 300.0, 300.0), (0.0, 40.0, 0.0)])
def test_a_model_beside_its_map(far):
    """Scored on request: there may be nothing to show, but nothing breaks."""
    map_ = noise_map(6)
    shown = display_map(map_, make_model([far]), None)
    assert shown is None or shown.low < shown.first < shown.high


def test_hydrogens_and_atoms_without_a_position_need_no_room(tmp_path):
    map_ = noise_map(7, (50, 50, 50), voxel=1.0)
    model = make_model([[25, 25, 25], [49, 49, 49], [np.nan] * 3], element=["C", "H", "C"])
    place = assert_same_map(display_map(map_, model, None), map_, tmp_path)
    assert place.reshape(-1, 3).max() <= 25 + MARGIN + 1.0


@pytest.mark.parametrize(("limit", "factor"), [(13_000, 2), (3_000, 3)])
def test_thinning_keeps_means_of_blocks_in_their_middle(tmp_path, monkeypatch, limit, factor):
    monkeypatch.setattr(module, "MOST_VOXELS", limit)
    map_ = map_from_array(noise_map(8, (37, 38, 40)).values, (0.5, 0.6, 0.7), (-4.0, 3.0, 9.0))
    model = model_in(map_, (0.02, 0.02, 0.02), (0.98, 0.98, 0.98))
    shown = display_map(map_, model, 0.1)
    assert shown.factor == factor
    assert f"means of {factor}³ voxels" in shown.note
    steps, place = unpacked(shown, tmp_path)
    assert steps.size <= limit
    assert steps.shape == tuple(n // factor for n in map_.values.shape)
    everywhere = positions(map_)
    for k, j, i in [(0, 0, 0), (3, 2, 1), tuple(n - 1 for n in steps.shape)]:
        block = np.s_[
            k * factor : (k + 1) * factor,
            j * factor : (j + 1) * factor,
            i * factor : (i + 1) * factor,
        ]
        np.testing.assert_allclose(
            place[k, j, i], everywhere[block].reshape(-1, 3).mean(axis=0), atol=1e-4
        )
        mean = map_.values[block].mean()
        if shown.low <= mean <= shown.high:
            assert decoded(shown, steps)[k, j, i] == pytest.approx(mean, abs=0.51 * shown.scale)


def test_the_first_level_is_the_given_one():
    map_ = gaussian_map([[2.4, 2.4, 2.4]], 0.5)
    shown = display_map(map_, make_model([[2.4, 2.4, 2.4]]), 0.25)
    assert shown.first == 0.25
    assert shown.low < 0.25 < shown.high
    assert (shown.mean, shown.sd) == (map_.statistics.mean, map_.statistics.sd)
    assert shown.note == "For display only: cropped to the model, in 255 steps."


def test_without_a_level_most_atoms_are_inside_at_first():
    centres = np.random.default_rng(3).uniform(2, 8, (40, 3))
    map_ = gaussian_map(centres, 0.6, shape=(50, 50, 50), voxel=0.2)
    model = make_model(centres)
    shown = display_map(map_, model, None)
    assert atom_inclusion(map_, model, shown.first).all_atoms == pytest.approx(SHOWN, abs=0.03)


@pytest.mark.parametrize("level", [-1e9, -1.0, 0.0, 1e-3, 0.99, 1.0, 50.0, 1e9])
def test_any_level_leaves_a_range_to_choose_from(level, tmp_path):
    map_ = gaussian_map([[2.4, 2.4, 2.4]], 0.5)
    shown = display_map(map_, make_model([[2.4, 2.4, 2.4]]), level)
    assert np.isfinite([shown.low, shown.first, shown.high, shown.scale, shown.offset]).all()
    assert shown.low < shown.first < shown.high <= 1.0
    if 0.0 < level < 1.0:
        assert shown.first == level
    assert_same_map(shown, map_, tmp_path)


@pytest.mark.parametrize("value", [0.0, -3.5, 1e-30])
def test_a_constant_map_has_no_surface(value):
    flat = map_from_array(np.full((12, 12, 12), value, dtype=np.float32), 1.0)
    model = make_model([[5.0, 5.0, 5.0]])
    assert display_map(flat, model, None) is None
    assert display_map(flat, model, value) is None


def test_a_map_that_is_constant_around_the_model_has_none():
    values = np.zeros((40, 40, 40), dtype=np.float32)
    values[30:, 30:, 30:] = 1.0
    map_ = map_from_array(values, 1.0)
    assert display_map(map_, make_model([[8.0, 8.0, 8.0]]), None) is None
    # one voxel of the box is enough
    shown = display_map(map_, make_model([[24.0, 24.0, 24.0]]), None)
    assert 0.0 < shown.first < 1.0


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_what_is_no_number_is_drawn_as_nothing(bad, tmp_path):
    values = gaussian_map([[2.4, 2.4, 2.4]], 0.5).values.copy()
    values[:2] = bad
    values[20, 20, 20] = bad
    map_ = map_from_array(values, 0.1)
    shown = display_map(map_, make_model([[2.4, 2.4, 2.4]]), 0.3)
    steps, _ = unpacked(shown, tmp_path)
    assert decoded(shown, steps)[0, 0, 0] < shown.first
    finite = replace(map_, values=np.where(np.isfinite(values), values, 0.0))
    assert_same_map(shown, replace(finite, statistics=array_statistics(values)), tmp_path)


def test_the_same_map_gives_the_same_bytes():
    map_ = noise_map(9)
    one, two = (display_map(map_, model_in(map_), 0.2) for _ in range(2))
    assert one == two
