"""Records: what is written is read back; what is broken is refused."""

import json
from math import isnan, nan

import pytest

from atomsight.ensemble.records import (
    Generated,
    model_path,
    read_record,
    read_records,
    write_record,
)
from atomsight.errors import ResultsError


def record(folder, seed=7, **other):
    path = model_path(folder, seed)
    path.write_text("data_model\n")
    values = {
        "path": path,
        "seed": seed,
        "engine": "openmm",
        "protocol": "0123456789ab",
        "cc_start": 0.7,
        "cc_end": 0.71,
        "perturbation": 2.2,
        "energy": -10.0,
        "map_energy": -20.0,
        "seconds": 20.0,
        "inputs": "ba9876543210",
    }
    return Generated(**values | other)


def test_a_record_comes_back_as_it_was(tmp_path):
    made = record(tmp_path)
    path = write_record(made)
    assert path == tmp_path / "seed_0007.json"
    assert read_record(path) == made
    assert json.loads(path.read_text())["path"] == "seed_0007.cif"


def test_a_folder_can_be_moved(tmp_path):
    (tmp_path / "one").mkdir()
    write_record(record(tmp_path / "one"))
    (tmp_path / "one").rename(tmp_path / "other")
    assert read_records(tmp_path / "other")[0].path == tmp_path / "other" / "seed_0007.cif"


def test_what_is_not_known_is_null(tmp_path):
    path = write_record(record(tmp_path, energy=nan))
    assert json.loads(path.read_text())["energy"] is None
    assert isnan(read_record(path).energy)


def test_models_are_listed_by_seed_and_only_when_both_files_are_there(tmp_path):
    for seed in (12000, 3, 20):
        write_record(record(tmp_path, seed))
    record(tmp_path, 4)
    write_record(record(tmp_path, 5)).with_suffix(".cif").unlink()
    assert [r.seed for r in read_records(tmp_path)] == [3, 20, 12000]


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"seed": 1}'])
def test_a_broken_record_is_refused(tmp_path, text):
    path = tmp_path / "seed_0001.json"
    path.write_text(text)
    with pytest.raises(ResultsError, match="is no record of a model"):
        read_record(path)
