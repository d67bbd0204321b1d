"""From two files to models on disk."""

import numpy as np
import pytest

from atomsight.density.map import map_from_array
from atomsight.ensemble.engines.external import ExternalProtocol
from atomsight.ensemble.generation import FOLDER, GenerationOptions
from atomsight.ensemble.making import PREPARED, make_ensemble
from atomsight.errors import ExternalProgramError, MissingLibraryError, OverlayError, ParameterError
from atomsight.io.map_writing import write_map
from atomsight.io.models import read_model
from tests.ensemble.generate_peptide import NAMES, SHORT
from tests.ensemble.peptides import map_around, peptide, write

OPTIONS = GenerationOptions(resolution=3.0, models=1, workers=1, protocol=SHORT)


@pytest.fixture
def files(tmp_path):
    model = write(peptide(NAMES), tmp_path / "model.cif")
    map_ = map_around(read_model(model).xyz)
    return model, write_map(map_.values, map_, tmp_path / "map.mrc")


def test_a_missing_engine_is_told_before_files_are_read(tmp_path, monkeypatch):
    monkeypatch.setattr("atomsight.ensemble.libraries.find_spec", lambda _name: None)
    with pytest.raises(MissingLibraryError, match="openmm and pdbfixer, not installed"):
        make_ensemble("no.cif", "no.mrc", OPTIONS, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_so_is_a_missing_program(tmp_path):
    options = GenerationOptions(3.0, protocol=ExternalProtocol("nowhere {model} {output}"))
    with pytest.raises(ExternalProgramError, match="nowhere: no such program"):
        make_ensemble("no.cif", "no.mrc", options, tmp_path / "out")


class TestWithOpenMM:
    @pytest.fixture(autouse=True)
    def _needs(self):
        pytest.importorskip("openmm")
        pytest.importorskip("pdbfixer")

    def test_models_and_what_they_began_with_are_on_disk(self, files, tmp_path):
        made = make_ensemble(*files, OPTIONS, tmp_path / "out")
        assert made.overlay.ok
        assert len(read_model(tmp_path / "out" / PREPARED)) == len(made.prepared)
        assert [m.path for m in made.models] == [tmp_path / "out" / FOLDER / "seed_0000.cif"]
        assert made.protocol["parameters"]["hot_time"] == SHORT.hot_time
        assert set(made.protocol["versions"]) == {"openmm", "pdbfixer"}

    def test_a_model_outside_the_map_is_refused_before_any_work(self, files, tmp_path):
        model, _ = files
        rng = np.random.default_rng(1)
        elsewhere = map_from_array(rng.normal(size=(20, 20, 20)), 1.0, (100.0, 100.0, 100.0))
        map_path = write_map(elsewhere.values, elsewhere, tmp_path / "elsewhere.mrc")
        with pytest.raises(OverlayError, match="none of its atoms is inside the map"):
            make_ensemble(model, map_path, OPTIONS, tmp_path / "out")
        assert not (tmp_path / "out" / FOLDER).exists()

    def test_a_selection_of_nothing_is_refused(self, files, tmp_path):
        with pytest.raises(ParameterError, match="names no atom"):
            make_ensemble(*files, OPTIONS, tmp_path / "out", selection="//Z")
