from dataclasses import replace

import numpy as np
import pytest

import atomsight as ats
from atomsight.density.fourier import filter_shells, fsc, shell_numbers, transform
from atomsight.density.map import map_from_array
from atomsight.errors import MapFileError, ParameterError
from atomsight.evidence import attainable_q as module
from atomsight.evidence.groups import group_means
from atomsight.evidence.status import Status
from tests.support.verdicts import SIZE, VOXEL, asparagines, data, everywhere

RESOLUTION = 2.6
NOISE = 0.15


@pytest.fixture(scope="module")
def model():
    return asparagines()


@pytest.fixture(scope="module")
def maps(model):
    return data(model, NOISE)


def attainable(model, maps, resolution=None, **options):
    full, one, two, mask = maps
    d, status = everywhere(model, RESOLUTION) if resolution is None else resolution
    return ats.attainable_q(full, one, two, model, d, status, mask=mask, **options)


def by_residue(model, values):
    chosen = np.ones(len(model), dtype=bool)
    return group_means(values, model.residue, len(model.residues), chosen)


@pytest.mark.parametrize("noise", [0.02, 0.1, 0.15, 0.2])
def test_a_right_model_has_the_q_that_is_attainable(model, noise):
    maps = data(model, noise)
    q = ats.q_score(maps[0], model).q
    found = attainable(model, maps)
    off = by_residue(model, q) - by_residue(model, found.mean)
    assert abs(off.mean()) < 0.03
    # what is left is the noise itself, and the fields say how much that is
    spread = np.std([by_residue(model, field) for field in found.q], axis=0, ddof=1)
    assert off.std() < 1.5 * np.sqrt((spread**2).mean()) + 0.02


def test_more_noise_leaves_less(model):
    means = [attainable(model, data(model, noise)).mean.mean() for noise in (0.02, 0.1, 0.2, 0.3)]
    assert (np.diff(means) < -0.02).all()


def test_nothing_is_promised_where_half_maps_hardly_agree(model):
    maps = data(model, 0.6)
    assert attainable(model, maps).mean.mean() < ats.q_score(maps[0], model).q.mean() - 0.1


def test_b_factors_of_the_model_do_not_count(model, maps):
    rng = np.random.default_rng(3)
    other = replace(model, b_iso=rng.uniform(0.0, 300.0, len(model)))
    assert np.array_equal(attainable(model, maps).q, attainable(other, maps).q)


@pytest.mark.parametrize(("scale", "offset"), [(40.0, 0.0), (1e-3, 7e-3)])
def test_units_of_the_maps_do_not_count(model, maps, scale, offset):
    full, one, two, mask = maps

    def changed(map_):
        return map_from_array(scale * map_.values + np.float32(offset), VOXEL)

    other = (changed(full), changed(one), changed(two), mask)
    assert attainable(model, other).q == pytest.approx(attainable(model, maps).q, abs=2e-3)


def test_a_full_map_in_other_units_than_its_halves_is_the_same(model, maps):
    full, one, two, mask = maps
    scaled = map_from_array(25.0 * full.values, VOXEL)
    other = attainable(model, (scaled, one, two, mask))
    assert other.q == pytest.approx(attainable(model, maps).q, abs=2e-3)


def test_noise_counts_where_it_is(model):
    strength = np.full((SIZE, SIZE, SIZE), 0.05)
    strength[:, :, SIZE // 2 :] = 0.6
    found = attainable(model, data(model, strength))
    noisy, quiet = model.xyz[:, 0] > SIZE / 2 + 3, model.xyz[:, 0] < SIZE / 2 - 3
    assert found.noise[noisy].min() > 4.0 * found.noise[quiet].max()
    assert found.mean[noisy].mean() < found.mean[quiet].mean() - 0.2


def test_worse_local_resolution_blurs(model, maps):
    d, status = everywhere(model, RESOLUTION)
    # noise beyond 4 Å is weak here, so only the blur can tell
    d[model.residue == 4], d[model.residue == 5] = 2.0 * RESOLUTION, 3.0 * RESOLUTION
    found = attainable(model, maps, (d, status))
    blur, mean = by_residue(model, found.b_blur), by_residue(model, found.mean)
    others = np.delete(np.arange(len(blur)), [4, 5])
    assert blur[5] > blur[4] > 30.0
    assert np.abs(blur[others]).max() < 15.0
    assert max(mean[4], mean[5]) < mean[others].min() - 0.1


def test_no_agreement_counts_as_the_coarsest_resolution(model, maps):
    d, status = everywhere(model, RESOLUTION)
    at = model.residue == 13
    d[at], status[at] = np.nan, Status.LOW_FREQUENCY
    lost = attainable(model, maps, (d, status))
    d[at], status[at] = module.COARSEST, Status.OK
    assert np.array_equal(lost.q, attainable(model, maps, (d, status)).q)


def test_agreement_to_the_end_is_no_blur(model, maps):
    d, status = everywhere(model, RESOLUTION)
    status[model.residue == 2] = Status.NEVER_BELOW
    d[model.residue == 2] = np.nan
    assert np.array_equal(attainable(model, maps, (d, status)).q, attainable(model, maps).q)


def test_blur_is_where_signal_meets_noise(model, maps):
    """Equation of the docstring, for one atom that is as noisy as the median."""
    d, status = everywhere(model, RESOLUTION)
    d[0] = 6.0
    found = attainable(model, maps, (d, status))
    level = found.noise
    weight = maps[3].values  # noise is the same everywhere: no weight but the mask
    h = fsc(maps[1], maps[2], weight)

    def b(resolution, noise):
        value = np.interp(1.0 / resolution, h.frequency, h.fsc)
        return 2.0 * resolution**2 * (np.log(value / (1.0 - value)) - 2.0 * np.log(noise))

    expected = b(6.0, level[0]) - np.median([b(RESOLUTION, r) for r in level[1:]])
    assert found.b_blur[0] == pytest.approx(expected, rel=0.15)


def test_a_filter_of_the_full_map_is_seen(model, maps):
    """A full map without its frequencies beyond 3.3 Å leaves less; one without noise, no more."""
    full, one, two, mask = maps
    shell, width = shell_numbers(full)
    keep = (np.arange(int(shell.max())) * width < 0.3).astype(float)
    filtered = map_from_array(
        filter_shells(transform(full.values), shell, keep, full.values.shape), VOXEL
    )
    found = attainable(model, (filtered, one, two, mask))
    q = ats.q_score(filtered, model).q
    assert abs(q.mean() - found.mean.mean()) < 0.05
    assert abs(found.mean.mean() - attainable(model, maps).mean.mean()) > 0.02


def test_half_maps_that_are_filtered_promise_nothing_beyond(model):
    """The Gaussian that continues the signal does not go on where the half maps hold none."""
    full, one, two, mask = data(model, 0.02)
    shell, width = shell_numbers(full)
    keep = (np.arange(int(shell.max())) * width < 0.25).astype(float)
    rng = np.random.default_rng(8)
    halves = [
        map_from_array(
            filter_shells(transform(half.values), shell, keep, full.values.shape)
            + 0.02 * rng.standard_normal(full.values.shape).astype(np.float32),
            VOXEL,
        )
        for half in (one, two)
    ]
    mean = map_from_array((halves[0].values + halves[1].values) / 2, VOXEL)
    found = attainable(model, (mean, *halves, mask))
    assert abs(ats.q_score(mean, model).q.mean() - found.mean.mean()) < 0.05


def test_fields_are_the_noise_of_the_map_moved(model, maps):
    two, all_ = attainable(model, maps, fields=2), attainable(model, maps)
    assert two.q.shape == (2, len(model))
    assert all_.q.shape == (8, len(model))
    assert np.array_equal(two.q, all_.q[:2])
    assert len({round(float(q.mean()), 6) for q in all_.q}) == 8


def test_maps_without_noise_leave_all_to_the_model(model):
    full, one, two, mask = data(model, 1e-6)
    found = attainable(model, (full, one, two, mask))
    assert found.mean == pytest.approx(ats.q_score(full, model).q, abs=0.05)
    assert found.q.std(axis=0).max() < 1e-3


def test_threads_do_not_change_a_bit(model, maps):
    assert np.array_equal(
        attainable(model, maps, threads=1).q, attainable(model, maps, threads=3).q
    )


def test_options_and_neighbours_are_those_of_the_q_score(model, maps):
    wide = attainable(model, maps, options=ats.QScoreOptions(sigma=0.6))
    assert wide.mean.mean() > attainable(model, maps).mean.mean() + 0.02
    crowded = attainable(model, maps, neighbours=model.xyz[:8] + 1.6)
    assert not np.array_equal(crowded.q, attainable(model, maps).q)


def test_holes_in_the_maps_do_no_harm_elsewhere(model, maps):
    full, one, two, mask = maps
    values = one.values.copy()
    values[:3, :3, :3] = np.nan
    holed = map_from_array(values, VOXEL)
    found = attainable(model, (full, holed, two, mask))
    assert found.mean == pytest.approx(attainable(model, maps).mean, abs=0.05)


def test_hydrogens_and_atoms_without_position_have_none(model, maps):
    hydrogen = np.zeros(len(model), dtype=bool)
    hydrogen[3] = True
    found = attainable(replace(model, hydrogen=hydrogen), maps)
    assert np.isnan(found.mean[3])
    assert np.isfinite(np.delete(found.mean, 3)).all()


@pytest.mark.parametrize("fields", [0, 1, 9])
def test_number_of_fields_is_checked(model, maps, fields):
    with pytest.raises(ParameterError, match=f"2 to 8 fields of noise, not {fields}"):
        attainable(model, maps, fields=fields)


def test_some_local_resolution_is_needed(model, maps):
    d, status = everywhere(model, RESOLUTION)
    status[:] = Status.OUTSIDE_MASK
    with pytest.raises(ParameterError, match="no atom has a local resolution"):
        attainable(model, maps, (d, status))


@pytest.mark.parametrize("which", [1, 2, 3])
def test_grids_must_be_the_same(model, maps, which):
    other = list(maps)
    other[which] = map_from_array(np.zeros((20, 20, 20), dtype=np.float32), VOXEL)
    with pytest.raises(MapFileError, match="20 x 20 x 20"):
        attainable(model, other)
