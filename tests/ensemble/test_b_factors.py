"""Which B factors the kept models get, and what stays as it is."""

import json

import gemmi
import numpy as np
import pytest

from atomsight.ensemble import b_factors
from atomsight.ensemble.b_factors import DEFINITIONS, require_b_factors, set_b_factors
from atomsight.ensemble.preparation import write_model
from atomsight.ensemble.refinement import with_columns
from atomsight.errors import MapFileError, MissingLibraryError, ParameterError
from atomsight.io.map_writing import write_map
from atomsight.io.models import read_model
from tests.ensemble.peptides import map_around
from tests.ensemble.test_density_force import prepared

WHICH = "atomsight.ensemble.servalcat.shutil.which"


@pytest.fixture
def scene(tmp_path):
    rng = np.random.default_rng(3)
    beside = np.array([[20.0, 5.0, 5.0]])
    model = prepared(rng.uniform(0.0, 10.0, (12, 3)), others=beside)
    map_ = map_around(np.concatenate([model.xyz, beside]))
    path = write_model(model, model.xyz, tmp_path / "seed_0000.cif")
    out = tmp_path / "kept"
    out.mkdir()
    return model, map_, path, out


def test_servalcat_gets_the_density_of_the_model_alone(scene, monkeypatch):
    model, map_, path, out = scene
    given = []

    def stands_for_servalcat(density, one, *, resolution):
        given.append((density, resolution))
        return with_columns(one, b_iso=np.arange(len(one)) + 1.0)

    monkeypatch.setattr(b_factors, "b_from_servalcat", stands_for_servalcat)
    told = []
    (kept,) = set_b_factors([path], map_, model, "servalcat", 2.5, out, told.append)
    assert told == [1]
    assert kept == out / path.name
    ((density, resolution),) = given
    assert resolution == 2.5
    index = np.round((model.others[0] - density.origin) / density.voxel_size).astype(int)
    assert density.values[tuple(index[::-1])] == 0.0
    assert density.values.max() > 0
    old, new = read_model(path), read_model(kept)
    np.testing.assert_array_equal(new.xyz, old.xyz)
    np.testing.assert_allclose(new.b_iso, np.arange(len(old)) + 1.0)


def test_none_is_none(scene):
    model, map_, path, out = scene
    told = []
    assert set_b_factors([path], map_, model, "none", 2.5, out, told.append) == [path]
    assert (list(out.iterdir()), told) == ([], [])


def test_each_way_says_what_it_is():
    assert set(DEFINITIONS) == {"q", "servalcat", "none"}
    assert json.dumps(DEFINITIONS)


def test_what_cannot_be_had_is_refused_first(tmp_path, monkeypatch):
    monkeypatch.setattr(WHICH, lambda *_, **__: None)
    for source in ("q", "none"):
        require_b_factors(source, tmp_path / "no.mrc")
    with pytest.raises(MissingLibraryError, match=r"atomsight\[ensemble\].*--b-factors q"):
        require_b_factors("servalcat", tmp_path / "no.mrc")
    monkeypatch.setattr(WHICH, lambda program, **_: f"/bin/{program}")
    with pytest.raises(MapFileError, match=r"no\.mrc"):
        require_b_factors("servalcat", tmp_path / "no.mrc")


def test_a_skewed_map_is_refused_before_models_are_made(tmp_path, monkeypatch):
    monkeypatch.setattr(WHICH, lambda program, **_: f"/bin/{program}")
    skewed = gemmi.Ccp4Map()
    skewed.grid = gemmi.FloatGrid(np.ones((8, 8, 8), dtype=np.float32))
    skewed.grid.set_unit_cell(gemmi.UnitCell(8, 8, 8, 90, 100, 90))
    skewed.grid.spacegroup = gemmi.SpaceGroup("P 1")
    skewed.update_ccp4_header()
    path = tmp_path / "skewed.ccp4"
    skewed.write_ccp4_map(str(path))
    with pytest.raises(ParameterError, match="right angles only; take --b-factors q"):
        require_b_factors("servalcat", path)


def test_map_files_at_right_angles_are_taken(scene, tmp_path, monkeypatch):
    monkeypatch.setattr(WHICH, lambda program, **_: f"/bin/{program}")
    _, map_, _, _ = scene
    require_b_factors("servalcat", write_map(map_.values, map_, tmp_path / "map.mrc"))
