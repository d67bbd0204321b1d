"""Models that somebody already made."""

import gzip
import shutil
from dataclasses import replace

import numpy as np
import pytest

from atomsight.ensemble.importing import converge_models, model_files, read_ensemble
from atomsight.errors import ModelFileError, OverlayError, ParameterError
from tests.support.cases import write_map_of
from tests.support.ensembles import jittered, write_ensemble
from tests.support.models import cif_text, pdb_text, write_model


def test_a_folder_stands_for_its_models_in_the_order_of_their_numbers(tmp_path):
    for name in ("seed_10.cif", "seed_9.pdb", "seed_2.cif.gz", ".seed_1.cif", "seed_9.json"):
        (tmp_path / name).touch()
    (tmp_path / "more.cif").mkdir()
    assert [p.name for p in model_files([tmp_path])] == [
        "seed_2.cif.gz",
        "seed_9.pdb",
        "seed_10.cif",
    ]


def test_every_model_of_a_file_is_one(tmp_path):
    atoms = [replace(a, model=i) for i in (1, 2, 5) for a in jittered(i)]
    for name, text in (("all.pdb", pdb_text(atoms)), ("all.cif", cif_text(atoms))):
        models, _ = read_ensemble([write_model(tmp_path / name, text)])
        assert [model.number for model in models] == [1, 2, 5]
        result = converge_models([tmp_path / name])
        assert [one.name for one in result.members] == [f"{name} MODEL {i}" for i in (1, 2, 5)]
        xyz = np.array([[a.xyz for a in jittered(i) if a.name == "CA"] for i in (1, 2, 5)])
        np.testing.assert_allclose(result.xyz, xyz.mean(axis=0), atol=1e-9)


def test_files_of_one_name_in_two_folders_are_told_apart(tmp_path):
    one, two = (write_ensemble(tmp_path / name, n) for name, n in (("a", 1), ("b", 2)))
    shutil.copy(two[1], two[0])
    two[1].unlink()
    names = [m.name for m in converge_models([one[0], two[0]]).members]
    assert names == [str(one[0]), str(two[0])]


def test_resolution_comes_from_the_models(tmp_path):
    meta = "_em_3d_reconstruction.resolution 2.7\n"
    paths = [
        write_model(tmp_path / f"{i}.cif", cif_text(jittered(i), meta if i else "")) for i in (0, 1)
    ]
    assert converge_models(paths).resolution == 2.7
    assert converge_models(paths, resolution=3.5).resolution == 3.5


@pytest.mark.parametrize(
    ("given", "error", "message"),
    [
        (["model_1.pdb"], ParameterError, "at least two models, not 1"),
        (["model_1.pdb", "model_1.pdb"], ParameterError, "model_1.pdb: this model is given twice"),
        (["", "model_1.pdb"], ParameterError, "model_1.pdb: this model is given twice"),
        (["model_1.pdb", "copy.ent"], ParameterError, "copy.ent: the same file as .*model_1.pdb"),
        (["empty"], ModelFileError, "empty: this folder holds no model file"),
        (["model_1.pdb", "none.cif"], ModelFileError, "none.cif: no such model file"),
    ],
)
def test_what_is_refused(tmp_path, given, error, message):
    paths = write_ensemble(tmp_path, 2)
    (tmp_path / "empty").mkdir()
    if "copy.ent" in given:
        shutil.copy(paths[0], tmp_path / "copy.ent")
    with pytest.raises(error, match=message):
        read_ensemble([tmp_path / name for name in given])


def test_a_packed_copy_is_seen_by_its_coordinates(tmp_path):
    first, _ = write_ensemble(tmp_path, 2)
    packed = tmp_path / "copy.pdb.gz"
    packed.write_bytes(gzip.compress(first.read_bytes()))
    assert "not independent models" in converge_models([first, packed]).notes[0]


def test_each_model_must_lie_in_the_map(tmp_path):
    paths = write_ensemble(tmp_path, 2)
    map_ = write_map_of(tmp_path / "map.mrc", jittered(0, scale=0.0))
    result = converge_models(paths, map_)
    assert str(map_) in result.checksums
    away = [replace(a, xyz=tuple(np.add(a.xyz, (9, 9, 9)).tolist())) for a in jittered(7)]
    paths.append(write_model(tmp_path / "away.pdb", pdb_text(away)))
    with pytest.raises(OverlayError, match=r"away\.pdb"):
        converge_models(paths, map_)
    assert len(converge_models(paths, map_, force=True).models) == 3
