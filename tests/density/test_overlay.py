"""Whether a model lies in its map, on a real pair: 5NI1 in EMD-3488 at 3.2 Å."""

from dataclasses import replace

import numpy as np
import pytest
from scipy.ndimage import distance_transform_edt

from atomsight.density.map import map_from_array, to_index
from atomsight.density.overlay import LEAST_CONTRAST, Overlay, find_remedies, overlay
from atomsight.io.maps import origin_choices, read_map
from atomsight.io.models import read_model
from tests.support.scene import make_model, noise_map, scatter

X, Y, Z = np.eye(3)
MAPS = ("whole", "low_passed", "cut_out", "masked")
TURN = np.array([[1.0, 0.0, 0.0], [0.0, 0.0, -1.0], [0.0, 1.0, 0.0]])
SLANTED_TURN = np.array([[1.0, -2.0, 2.0], [2.0, -1.0, -2.0], [2.0, 2.0, 1.0]]) / 3.0


def places(path) -> np.ndarray:
    model = read_model(path)
    return model.xyz[model.heavy]


@pytest.fixture(scope="module")
def atoms(demo_data):
    return places(demo_data / "5ni1.cif")


@pytest.fixture(scope="module")
def whole(demo_data):
    return read_map(demo_data / "emd_3488.mrc")


def low_passed(map_, resolution: float):
    """The map with a Gaussian filter whose half maximum lies at the resolution."""
    axes = [np.fft.fftfreq(n, map_.voxel_size[0]) for n in map_.values.shape]
    square = sum(a**2 for a in np.ix_(*axes))
    damping = np.exp(-np.log(2.0) * square * resolution**2)
    values = np.fft.ifftn(np.fft.fftn(map_.values) * damping).real
    return map_from_array(values.astype(np.float32), map_.voxel_size, tuple(map_.origin))


def cut_out(map_, atoms, margin: float):
    """The box around the atoms."""
    index = to_index(map_, atoms)
    reach = margin / np.array(map_.voxel_size)
    low = np.floor(index.min(axis=0) - reach).astype(int)
    high = np.ceil(index.max(axis=0) + reach).astype(int)
    values = map_.values[low[2] : high[2], low[1] : high[1], low[0] : high[0]]
    return map_from_array(values.copy(), map_.voxel_size, tuple(map_.origin + map_.step @ low))


def masked(map_, atoms, radius: float):
    """The map with zeros further than a radius from the atoms."""
    empty = np.ones(map_.values.shape, bool)
    empty[tuple(np.rint(to_index(map_, atoms)).astype(int).T[::-1])] = False
    away = distance_transform_edt(empty, map_.voxel_size[::-1])
    values = np.where(away < radius, map_.values, 0.0).astype(np.float32)
    return map_from_array(values, map_.voxel_size, tuple(map_.origin))


@pytest.fixture(scope="module")
def maps(whole, atoms):
    return {
        "whole": whole,
        "low_passed": low_passed(whole, 6.6),
        "cut_out": cut_out(whole, atoms, 3.0),
        "masked": masked(whole, atoms, 4.0),
    }


def wrong(atoms) -> dict[str, np.ndarray]:
    """The same model where it does not belong."""
    middle = atoms.mean(axis=0)
    return {
        "turned": (atoms - middle) @ TURN.T + middle,
        "turned aslant": (atoms - middle) @ SLANTED_TURN.T + middle,
        "shifted by 6 along x": atoms + 6.0 * X,
        "shifted by 6 along -y": atoms - 6.0 * Y,
        "shifted by 6 aslant": atoms + 6.0 / np.sqrt(3),
        "shifted by 10": atoms + 10.0 * Z,
        "shifted by 15": atoms - 9.0 * X - 12.0 * Y,
        "mirrored": np.column_stack([2 * middle[0] - atoms[:, 0], atoms[:, 1:]]),
    }


@pytest.mark.parametrize("name", MAPS)
def test_the_right_model_lies_in_its_map(maps, atoms, name):
    found = overlay(maps[name], atoms)
    assert found.ok
    assert found.contrast > 0.4
    assert found.density > found.displaced
    assert found.inside == 1.0


@pytest.mark.parametrize("name", MAPS)
def test_wrong_places_are_recognised(maps, atoms, name):
    for place, moved in wrong(atoms).items():
        found = overlay(maps[name], moved)
        assert not found.ok, place
        assert found.contrast < 0.15, place


def test_another_model_of_the_same_map_lies_in_it(whole, demo_data):
    assert overlay(whole, places(demo_data / "5me2.pdb")).contrast > 1.0


def test_a_segmented_map_holds_its_domain(demo_data):
    segment = read_map(demo_data / "emd_21457_seg.mrc")
    assert overlay(segment, places(demo_data / "6vyb_Ndom.pdb")).contrast > 0.4


def test_a_model_in_another_frame_fails_and_the_shift_is_found(whole, demo_data):
    astray = places(demo_data / "modelangelo_5ni1.cif")
    assert not overlay(whole, astray).ok
    first = find_remedies(whole, astray, origin_choices(demo_data / "emd_3488.mrc"))[0]
    assert first.kind == "search"
    assert first.advice == "shift the model by about (-14.70, -14.70, -14.70) Å"
    assert first.overlay.contrast > 1.0
    assert overlay(whole, astray - 14.7).contrast == pytest.approx(first.overlay.contrast, abs=1e-6)


def test_another_origin_of_the_header_is_found(whole, atoms):
    elsewhere = replace(whole, origin=whole.origin + 30.0 * X - 20.0 * Y + 10.0 * Z)
    assert not overlay(elsewhere, atoms).ok
    first = find_remedies(elsewhere, atoms, {"nstart": whole.origin, "zero": np.full(3, 77.0)})[0]
    assert (first.kind, first.advice) == ("origin", "read the map with --origin nstart")


@pytest.mark.parametrize("cells", [(1, 0, 0), (0, -1, 1), (-1, 1, -1)])
def test_a_shift_by_whole_boxes_is_found(whole, atoms, cells):
    edge = 105.0 * np.array(cells)
    first = find_remedies(whole, atoms + edge, {})[0]
    shown = ", ".join(f"{v:g}" for v in -edge + 0.0)
    assert first.advice == f"shift the model by ({shown}) Å"
    assert first.overlay.contrast == pytest.approx(overlay(whole, atoms).contrast, abs=1e-4)


@pytest.mark.parametrize(
    "centre", [np.zeros(3), np.array([80.0, -40.0, 60.0])], ids=["at zero", "elsewhere"]
)
def test_a_model_about_zero_finds_its_way_to_the_middle_of_the_box(whole, atoms, centre):
    moved = replace(whole, origin=whole.origin + centre)
    first = find_remedies(moved, atoms - 52.5, {})[0]
    assert first.kind == "shift"
    shown = ", ".join(f"{v:g}" for v in centre + 52.5)
    assert first.advice == f"shift the model by ({shown}) Å"


@pytest.mark.parametrize("sign", [-1, 1])
def test_a_shift_by_half_a_box_is_found_wherever_the_map_lies(whole, atoms, sign):
    elsewhere = np.array([80.0, -40.0, 60.0])
    moved = replace(whole, origin=whole.origin + elsewhere)
    first = find_remedies(moved, atoms + elsewhere - sign * 52.5, {})[0]
    shown = ", ".join([f"{sign * 52.5:g}"] * 3)
    assert first.advice == f"shift the model by ({shown}) Å"


@pytest.mark.parametrize("axis", "xyz")
def test_a_mirrored_map_is_found(whole, atoms, axis):
    mirrored = replace(whole, values=np.flip(whole.values, axis=2 - "xyz".index(axis)))
    assert not overlay(mirrored, atoms).ok
    first = find_remedies(mirrored, atoms, {})[0]
    assert first.kind == "hand"
    assert f"mirror the map along {axis}" in first.advice


@pytest.mark.parametrize("off", [0.0, 0.3])
def test_of_remedies_about_as_good_the_simplest_comes_first(whole, atoms, off):
    found = find_remedies(whole, atoms + 3.5, {"zero": np.full(3, 3.5 + off)})
    assert [remedy.kind for remedy in found] == ["origin", "search"]
    assert found[0].overlay.contrast == pytest.approx(found[1].overlay.contrast, rel=0.05)


def test_all_remedies_help_and_what_helps_less_comes_later(whole, atoms):
    origins = {"zero": np.full(3, 2.7), "origin": np.full(3, 50.0), "nstart": np.full(3, 2.5)}
    found = find_remedies(whole, atoms + 3.5, origins)
    contrast = [remedy.overlay.contrast for remedy in found]
    assert [remedy.kind for remedy in found] == ["search", "origin", "origin"]
    assert found[1].advice.endswith("zero")
    assert contrast == sorted(contrast, reverse=True)
    assert min(contrast) >= LEAST_CONTRAST


def test_where_nothing_helps_nothing_is_proposed():
    assert find_remedies(noise_map(3, (48, 48, 48), 1.0), scatter(1, 4000, 0.0, 47.0), {}) == []


def test_no_atom_inside(whole, atoms):
    found = overlay(whole, atoms + 1000.0)
    assert found.inside == 0.0
    assert np.isnan([found.density, found.displaced, found.contrast]).all()
    assert not found.ok


def test_the_part_of_the_model_inside_counts(whole, atoms):
    half = overlay(whole, np.concatenate([atoms, atoms + 1000.0]))
    assert half.inside == pytest.approx(0.5, abs=0.01)
    assert half.ok


@pytest.mark.parametrize("value", [0.0, 0.1, -3.0])
def test_a_constant_map_has_no_contrast(value):
    flat = map_from_array(np.full((20, 20, 20), value, np.float32), 1.0)
    found = overlay(flat, scatter(1, 50, 4.0, 15.0))
    assert found.inside == 1.0
    assert np.isnan(found.contrast)
    assert not found.ok
    assert find_remedies(flat, scatter(1, 50, 4.0, 15.0), {}) == []


def test_voxels_that_are_no_numbers_are_left_out(whole, atoms):
    values = whole.values.copy()
    values[:30] = np.nan
    found = overlay(map_from_array(values, whole.voxel_size), atoms)
    assert found.contrast == pytest.approx(overlay(whole, atoms).contrast, abs=0.1)


@pytest.mark.parametrize(("resolution", "displacement"), [(None, 3), (3.2, 3), (6, 3), (9, 4.5)])
def test_beyond_6_angstrom_the_displacement_grows(whole, atoms, resolution, displacement):
    assert overlay(whole, atoms, resolution=resolution).displacement == displacement


def test_the_contrast_of_one_atom_worked_out_by_hand():
    # value 1 where the atom is, 0 at 25 of its 26 neighbours, -2 at the one above it
    values = np.zeros((9, 9, 9))
    values[4, 4, 4], values[7, 4, 4] = 1.0, -2.0
    found = overlay(map_from_array(values, 1.0), np.array([[4.0, 4.0, 4.0]]))
    pairs = np.array([1.0] * 26 + [0.0] * 25 + [-2.0])
    mean, sd = -1 / 729, np.sqrt(5 / 729 - 1 / 729**2)
    assert found.density == pytest.approx((1.0 - mean) / sd)
    assert found.displaced == pytest.approx((-2.0 / 26 - mean) / sd)
    assert found.contrast == pytest.approx((1.0 + 2.0 / 26) / pairs.std())


@pytest.mark.parametrize(("contrast", "ok"), [(0.2, True), (0.199, False), (np.nan, False)])
def test_the_least_contrast(contrast, ok):
    assert Overlay(1.0, 1.0, 0.5, contrast, 3.0).ok is ok


def test_a_large_model_is_looked_at_in_part_but_all_over(whole, atoms):
    many = np.repeat(atoms, 5, axis=0)
    assert overlay(whole, many).contrast == pytest.approx(overlay(whole, atoms).contrast, abs=0.03)
    assert len(make_model(many)) > 20_000
