import json

import gemmi
import numpy as np
import polars as pl
import pytest

from atomsight import read_map, write_map
from tests.support.cases import files_below, write_case

FEW = [
    *("atoms.csv", "curves", "curves/fsc.csv", "low_resolvability.csv", "model__Q__map.cif"),
    *("model__Q__map.pdb", "possible_overfitting.csv", "residues.csv", "summary.json"),
    *("volumes", "volumes/mask.mrc", "volumes/model_map.mrc"),
]
EXTRA = {
    *("fsc_q", "fsc_q_r", "fsc_q_status"),
    *("local_resolution_half", "local_resolution_half_status"),
    *("local_resolution_model", "local_resolution_model_status"),
}


@pytest.fixture
def case(tmp_path):
    """Model, and a map that is the mean of two halves with independent noise."""
    model, clean = write_case(tmp_path)
    signal = read_map(clean)
    rng = np.random.default_rng(1)
    noise = rng.normal(0.0, 2.0 * signal.statistics.sd, (2, *signal.values.shape))
    first, second = (signal.values + one.astype(np.float32) for one in noise)
    halves = [
        write_map(values, signal, tmp_path / f"half{i}.mrc")
        for i, values in enumerate((first, second))
    ]
    return model, write_map((first + second) / 2, signal, clean), *halves


def test_fsc_q_writes_tables_curves_volumes_and_models(atomsight, case, tmp_path):
    done = atomsight("fsc-q", *case, "--box", 8, "-o", tmp_path / "out")
    assert (done.code, done.err) == (0, "")
    assert files_below(tmp_path / "out") == sorted(FEW)
    assert "FSC-Q" in done.out
    atoms = pl.read_csv(tmp_path / "out" / "atoms.csv")
    assert set(atoms.columns) >= EXTRA
    measured = atoms.filter(pl.col("fsc_q_status") == "ok")
    assert len(measured) > 0
    difference = measured["local_resolution_model"] - measured["local_resolution_half"]
    np.testing.assert_allclose(measured["fsc_q"], difference, atol=2e-6)
    facts = json.loads((tmp_path / "out" / "summary.json").read_text())["fsc_q"]
    assert (facts["box"], facts["thresholds"]["rule"]) == (8, "paper")
    assert facts["n"] == len(measured)
    assert facts["mean"] == pytest.approx(measured["fsc_q"].mean(), abs=1e-6)
    assert facts["full_map"]["is_mean"] is True
    block = gemmi.cif.read(str(tmp_path / "out" / "model__Q__map.cif")).sole_block()
    column = [gemmi.cif.as_number(v) for v in block.find_values("_atom_site.FSC-Q")]
    np.testing.assert_allclose(column, atoms["fsc_q"].to_numpy(), atol=6e-5)
    pdb = gemmi.read_structure(str(tmp_path / "out" / "model__Q__map.pdb"))
    occupancy = [atom.atom.occ for atom in pdb[0].all()]
    np.testing.assert_allclose(occupancy, atoms["fsc_q"].fill_null(-99.99), atol=6e-3)


def test_volumes_lie_where_the_map_lies(atomsight, case, tmp_path):
    assert atomsight("fsc-q", *case, "--box", 8, "-o", tmp_path / "out").code == 0
    full = read_map(case[1])
    for name in ("mask", "model_map"):
        volume = read_map(tmp_path / "out" / "volumes" / f"{name}.mrc")
        np.testing.assert_allclose(volume.origin, full.origin, atol=1e-4)
        np.testing.assert_allclose(volume.step, full.step, atol=1e-6)
        assert volume.values.shape == full.values.shape


def test_validate_with_half_maps_adds_files_for_chimerax(atomsight, case, tmp_path):
    out = tmp_path / "out"
    done = atomsight(
        "validate", *case[:2], "--half-maps", *case[2:], "--box", 8, "--thresholds", "cref",
        "-o", out,
    )  # fmt: skip
    assert (done.code, done.err) == (0, "")
    assert {"chimerax/fsc_q.cxc", "chimerax/fsc_q.defattr", *FEW} <= set(files_below(out))
    assert "palette -3,red:" in (out / "chimerax" / "fsc_q.cxc").read_text()
    facts = json.loads((out / "summary.json").read_text())["fsc_q"]
    assert facts["thresholds"]["model"] == pytest.approx(0.8165, abs=1e-4)


def test_volumes_are_what_the_atoms_see(atomsight, case, tmp_path):
    out = tmp_path / "out"
    assert atomsight("fsc-q", *case, "--box", 9, "--volumes", 1, "-o", out).code == 0
    names = ("local_resolution_half", "local_resolution_model", "fsc_q")
    half, against, difference = (read_map(out / "volumes" / f"{name}.mrc") for name in names)
    mask = read_map(out / "volumes" / "mask.mrc").values
    for volume in (half, against, difference):
        assert np.isnan(volume.values[mask < 0.5]).all()
        np.testing.assert_allclose(volume.origin, read_map(case[1]).origin, atol=1e-4)
    np.testing.assert_allclose(difference.values, against.values - half.values, atol=1e-5)
    atoms = pl.read_csv(out / "atoms.csv").filter(pl.col("fsc_q_status") == "ok")
    place = atoms.select("x", "y", "z").to_numpy()
    nearest = np.rint((place - half.origin) / half.voxel_size).astype(int)
    x, y, z = nearest.T
    there = half.values[z, y, x]
    # an atom is the mean of up to eight voxels, of which this is one
    assert np.nanmedian(np.abs(there - atoms["local_resolution_half"].to_numpy())) < 0.2
    assert np.isfinite(there).sum() > 0.8 * len(there)


def test_the_window_may_be_a_multiple_of_the_resolution(atomsight, case, tmp_path):
    for name, option in (("voxels", ("--box", 10)), ("multiple", ("--window", 2.6))):
        done = atomsight("fsc-q", *case, *option, "--resolution", 3.0, "-o", tmp_path / name)
        assert done.code == 0
    one, two = (tmp_path / name / "atoms.csv" for name in ("voxels", "multiple"))
    assert one.read_bytes() == two.read_bytes()


def test_a_model_may_be_compared_with_sharp_and_with_blurred_maps_of_its_own(
    atomsight, case, tmp_path
):
    for b in (0, 200):
        out = tmp_path / str(b)
        assert atomsight("fsc-q", *case, "--box", 8, "--b", b, "-o", out).code == 0
    sharp, blurred = (read_map(tmp_path / b / "volumes" / "model_map.mrc") for b in ("0", "200"))
    assert sharp.statistics.maximum > 3 * blurred.statistics.maximum


def test_b_factors_may_come_from_q(atomsight, case, tmp_path):
    out = tmp_path / "out"
    assert atomsight("fsc-q", *case, "--box", 8, "--b-from-q", 90, "-o", out).code == 0
    command = ("simulate", case[0], "--like", case[1])
    assert atomsight(*command, "--b-from-q", 90, "-o", tmp_path / "one.mrc").code == 0
    assert atomsight(*command, "--b", 90, "-o", tmp_path / "other.mrc").code == 0
    used, same, other = (
        read_map(path).values
        for path in (
            out / "volumes" / "model_map.mrc",
            tmp_path / "one.mrc",
            tmp_path / "other.mrc",
        )
    )
    np.testing.assert_array_equal(used, same)
    assert np.abs(used - other).max() > 0.1 * np.abs(used).max()


@pytest.mark.parametrize("command", ["fsc-q", "simulate"])
def test_b_factors_have_one_source(atomsight, case, tmp_path, command):
    files = case if command == "fsc-q" else (case[0], "--like", case[1])
    done = atomsight(command, *files, "--b", 20, "--b-from-q", 90, "-o", tmp_path / "out")
    assert done.error == "--b and --b-from-q: give one of them"


def test_number_of_threads_changes_nothing(atomsight, case, tmp_path):
    for threads in (1, 2):
        out = tmp_path / str(threads)
        assert atomsight("fsc-q", *case, "--box", 8, "--threads", threads, "-o", out).code == 0
    one, two = (tmp_path / t / "atoms.csv" for t in ("1", "2"))
    assert one.read_bytes() == two.read_bytes()


def test_local_resolution_is_a_map_on_the_grid_of_the_halves(atomsight, case, tmp_path):
    for step in (1, 2):
        done = atomsight(
            "local-resolution", *case[2:], "--box", 8, "--step", step,
            "-o", tmp_path / f"{step}.mrc",
        )  # fmt: skip
        assert (done.code, done.err) == (0, "")
        assert "voxels measured" in done.out
    every, second = (read_map(tmp_path / f"{step}.mrc").values for step in (1, 2))
    full = read_map(case[1])
    assert every.shape == full.values.shape
    assert np.isnan(every[:4]).all()
    np.testing.assert_array_equal(second[::2, ::2, ::2], every[::2, ::2, ::2])


def test_simulate_makes_the_map_of_the_model(atomsight, tmp_path):
    model, clean = write_case(tmp_path)
    done = atomsight("simulate", model, "--like", clean, "-o", tmp_path / "m.mrc")
    assert (done.code, done.err) == (0, "")
    made, full = read_map(tmp_path / "m.mrc"), read_map(clean)
    assert np.corrcoef(made.values.ravel(), full.values.ravel())[0, 1] > 0.5


@pytest.mark.parametrize("command", ["fsc-q", "local-resolution"])
def test_identical_halves_are_refused(atomsight, case, tmp_path, command):
    files = [*case[:2]] if command == "fsc-q" else []
    output = tmp_path / "new" / "out"
    done = atomsight(command, *files, case[2], case[2], "--box", 8, "-o", output)
    assert "identical to" in done.error
    assert not output.exists()


@pytest.mark.parametrize("scale", [1.0, -0.37])
def test_a_half_that_is_the_full_map_is_refused(atomsight, case, tmp_path, scale):
    full = read_map(case[1])
    copy = write_map(np.float32(scale) * full.values, full, tmp_path / "copy.mrc")
    done = atomsight("fsc-q", *case[:3], copy, "--box", 8, "-o", tmp_path / "out")
    assert done.error == f"{copy}: this is the full map {case[1]}, not one of its half maps"


def test_masked_halves_are_named(atomsight, case, tmp_path):
    halves = []
    for path in case[2:]:
        half = read_map(path)
        values = half.values.copy()
        values[:4] = 0.0
        halves.append(write_map(values, half, tmp_path / f"masked_{path.name}"))
    share = 100 * 4 / len(half.values)
    done = atomsight("fsc-q", *case[:2], *halves, "--box", 8, "-o", tmp_path / "out")
    assert done.code == 0
    notes = json.loads((tmp_path / "out" / "summary.json").read_text())["notes"]
    for path in halves:
        assert any(f"{path}: {share:.0f} % of its voxels hold one value" in note for note in notes)


def test_a_nan_in_a_half_spoils_only_what_is_near(atomsight, case, tmp_path):
    half = read_map(case[2])
    values = half.values.copy()
    values[2, 2, 2] = np.nan
    broken = write_map(values, half, tmp_path / "nan.mrc")
    outs = []
    for name, first in (("known", case[2]), ("broken", broken)):
        outs.append(tmp_path / name)
        done = atomsight("fsc-q", *case[:2], first, case[3], "--box", 8, "-o", outs[-1])
        assert done.code == 0
    known, result = (json.loads((out / "summary.json").read_text()) for out in outs)
    # one voxel in the corner of the map: the same map and the same molecule
    assert result["fsc_q"]["full_map"]["correlation"] == pytest.approx(1.0, abs=1e-3)
    assert result["fsc_q"]["mean"] == pytest.approx(known["fsc_q"]["mean"], abs=0.02)


def test_a_constant_half_is_refused(atomsight, case, tmp_path):
    full = read_map(case[1])
    flat = write_map(np.ones_like(full.values), full, tmp_path / "flat.mrc")
    done = atomsight("fsc-q", *case[:3], flat, "--box", 8, "-o", tmp_path / "out")
    assert done.error == f"{flat}: this half map is constant"


@pytest.mark.parametrize("which", ["half", "mask"])
def test_another_grid_is_refused(atomsight, case, tmp_path, which):
    full = read_map(case[1])
    small = write_map(full.values[:-1], full, tmp_path / "small.mrc")
    files = [*case[:3], small] if which == "half" else [*case, "--mask", small]
    done = atomsight("fsc-q", *files, "--box", 8, "-o", tmp_path / "out")
    assert done.error.startswith(f"{small}: ")
    assert "voxels, but" in done.error


def test_an_empty_mask_is_refused(atomsight, case, tmp_path):
    full = read_map(case[1])
    empty = write_map(np.zeros_like(full.values), full, tmp_path / "empty.mrc")
    done = atomsight("fsc-q", *case, "--mask", empty, "--box", 8, "-o", tmp_path / "out")
    assert "the mask is empty" in done.error


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--box", 100), "larger than the map"),
        (("--box", 2), "a window has"),
        (("--box", 8, "--window", 5), "--box and --window: give one of them"),
        (("--window", -5, "--resolution", 3), "a window is a positive multiple"),
        (("--box", 8, "--volumes", 0), "every k-th voxel"),
        (("--mask", "m.mrc", "--mask-level", 0.1, "--box", 8), "--mask and --mask-level"),
        (("--mask-level", 1e9, "--box", 8), "the mask is empty"),
        (("--b", -5, "--box", 8), "B factors must not be negative"),
    ],
)
def test_options_that_mean_nothing_are_refused(atomsight, case, tmp_path, options, message):
    done = atomsight("fsc-q", *case, *options, "-o", tmp_path / "out")
    assert message in done.error


def test_half_map_options_need_half_maps(atomsight, case, tmp_path):
    done = atomsight("validate", *case[:2], "--box", 8, "-o", tmp_path / "out")
    assert done.error == "--box: means nothing without --half-maps"


def test_a_mask_leaves_atoms_out(atomsight, case, tmp_path):
    full = read_map(case[1])
    left = np.zeros_like(full.values)
    left[:, :, : left.shape[2] // 2] = 1.0
    mask = write_map(left, full, tmp_path / "left.mrc")
    assert atomsight("fsc-q", *case, "--mask", mask, "--box", 8, "-o", tmp_path / "out").code == 0
    atoms = pl.read_csv(tmp_path / "out" / "atoms.csv")
    outside = atoms.filter(pl.col("fsc_q_status") == "outside_mask")
    assert 0 < len(outside) < len(atoms)
    assert outside["fsc_q"].null_count() == len(outside)
