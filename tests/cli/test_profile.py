import numpy as np
import polars as pl
import pytest

from atomsight.evidence.profile import atom_profile
from atomsight.io.maps import read_map
from atomsight.io.models import read_model
from tests.support.cases import files_below, moved, small_model, write_case, write_map_of
from tests.support.models import cif_text, write_model


def test_profiles_of_a_selection_are_tables(atomsight, tmp_path):
    model, map_ = write_case(tmp_path)
    out = tmp_path / "out"
    done = atomsight("profile", model, map_, "--select", "//A/2", "--sigma", 0.6, "-o", out)
    assert (done.code, done.err) == (0, "")
    assert files_below(out) == ["profile_fits.csv", "profiles.csv"]
    profiles, fits = (pl.read_csv(out / f"{name}.csv") for name in ("profiles", "profile_fits"))
    atoms = read_model(model)
    rows = np.flatnonzero(atoms.residues.number[atoms.residue] == 2)
    found = atom_profile(read_map(map_), atoms, rows, sigma=0.6)
    assert len(fits) == len(rows) == 4
    assert len(profiles) == found.mean.size == 4 * 21
    np.testing.assert_allclose(profiles["mean"], found.mean.ravel(), atol=1e-6)
    np.testing.assert_allclose(fits["q"], found.q, atol=1e-6)
    known = profiles.drop_nulls(["fit", "mean"])
    assert len(known) > 20
    # the blobs are Gaussians: the fit follows the profile
    spread = known["mean"].max() - known["mean"].min()
    assert (known["fit"] - known["mean"]).abs().mean() < 0.05 * spread
    for name, q in zip(fits["atom"], fits["q"], strict=True):
        assert f"A/GLY 2 {name}: Q {q:.4f}, " in done.out


def test_a_long_selection_is_not_all_shown(atomsight, tmp_path):
    done = atomsight("profile", *write_case(tmp_path), "--select", "//A", "-o", tmp_path / "out")
    assert "and 10 atoms more" in done.out
    assert len(pl.read_csv(tmp_path / "out" / "profile_fits.csv")) == 20


def test_a_selection_of_nothing_is_refused(atomsight, tmp_path):
    model, map_ = write_case(tmp_path)
    done = atomsight("profile", model, map_, "--select", "//Z", "-o", tmp_path / "out")
    assert done.error == f"selection '//Z' names no atom of {model}"
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("force", [False, True])
def test_a_model_in_another_frame_is_refused_unless_forced(atomsight, tmp_path, force):
    atoms = small_model()
    map_ = write_map_of(tmp_path / "map.mrc", atoms)
    model = write_model(tmp_path / "m.cif", cif_text(moved(atoms, (1.2, 1.2, 1.2))))
    command = ["profile", model, map_, "--select", "//A/1", "-o", tmp_path / "out"]
    done = atomsight(*command, *(["--force"] if force else []))
    if force:
        assert done.code == 0
    else:
        assert "does not lie in" in done.error
        assert not (tmp_path / "out").exists()
