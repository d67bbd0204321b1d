"""The whole job on a small peptide: made, judged, kept, refined, compared, written."""

import csv
import json

import gemmi
import numpy as np
import pytest

from atomsight.ensemble.engines.density_force import own_density
from atomsight.ensemble.fit import fit_to_map
from atomsight.ensemble.generation import FOLDER, GenerationOptions
from atomsight.ensemble.health import MOST_WORSE
from atomsight.ensemble.pipeline import KEPT, REFINED, converge
from atomsight.ensemble.positions import positions_of
from atomsight.errors import ParameterError
from atomsight.export.ensemble import generated_columns, write_ensemble
from atomsight.io.map_writing import write_map
from atomsight.io.models import read_model
from tests.ensemble.generate_peptide import NAMES, SHORT
from tests.ensemble.peptides import map_around, peptide, write

OPTIONS = GenerationOptions(resolution=3.0, models=3, workers=2, protocol=SHORT)


@pytest.mark.parametrize("keep", [0, 1, 4])
def test_as_many_are_kept_as_there_are(tmp_path, keep):
    with pytest.raises(ParameterError, match="--keep must be at least 2 and at most"):
        converge("no.cif", "no.mrc", OPTIONS, tmp_path, keep=keep)


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    for library in ("openmm", "pdbfixer", "iotbx"):
        if library == "iotbx":
            from importlib.util import find_spec

            if find_spec(library) is None:
                pytest.skip("cctbx is not installed")
        else:
            pytest.importorskip(library)
    folder = tmp_path_factory.mktemp("pipeline")
    model = write(peptide(NAMES), folder / "model.cif")
    density = map_around(read_model(model).xyz)
    map_ = write_map(density.values, density, folder / "map.mrc")
    told = []
    result = converge(
        model, map_, OPTIONS, folder / "out", keep=2, progress=lambda *a: told.append(a)
    )
    return result, folder / "out", told


def test_the_best_are_kept_refined_and_compared(run):
    result, folder, told = run
    assert len(result.made.models) == len(result.quality) == 3
    assert len(result.ranking.kept) == len(result.refinements) == len(result.final) == 2
    assert [m.path.parent.name for m in result.convergence.models] == [KEPT, KEPT]
    assert len(list((folder / REFINED).glob("*.cif"))) == 2
    # the mean of four ranks orders them
    assert (np.diff(result.ranking.mean_rank[result.ranking.order]) >= 0).all()
    assert result.convergence.protocol == result.protocol == result.made.models[0].protocol
    assert {step for step, _, _ in told} == {"models", "geometry", "refinement", "B factors"}


def test_compared_are_the_positions_after_refinement(run):
    result, _, _ = run
    for one, final in zip(result.refinements, result.convergence.models, strict=True):
        np.testing.assert_allclose(final.xyz, read_model(one.path).xyz, atol=1.1e-3)
        start = read_model(one.start)
        assert final.atom.tolist() == start.atom.tolist()
    xyz = np.stack([m.xyz[m.atom == "CA"] for m in result.convergence.models])
    expected = np.linalg.norm(xyz[0] - xyz[1], axis=1)
    np.testing.assert_allclose(result.convergence.ca_rmsd, expected, atol=1e-6)


def test_b_factors_come_from_q(run):
    result, _, _ = run
    for model in result.convergence.models:
        assert len(set(np.round(model.b_iso[~model.hydrogen], 2))) > 3


def test_the_same_run_again_gives_the_same(run):
    result, folder, _ = run
    again = converge(result.made.model.path, result.made.map.path, OPTIONS, folder, keep=2)
    np.testing.assert_array_equal(again.convergence.ca_rmsd, result.convergence.ca_rmsd)


def test_without_refinement_models_are_compared_as_made(run):
    result, folder, _ = run
    plain = converge(
        result.made.model.path, result.made.map.path, OPTIONS, folder, keep=2, refine=False
    )
    assert plain.refinements == ()
    assert {m.path.parent.name for m in plain.convergence.models} == {"models"}


def test_without_b_factors_the_refined_models_are_compared(run):
    result, folder, _ = run
    model, map_ = result.made.model.path, result.made.map.path
    plain = converge(model, map_, OPTIONS, folder, keep=2, b_factors="none")
    assert {m.path.parent.name for m in plain.convergence.models} == {REFINED}
    assert all(len(set(m.b_iso.tolist())) == 1 for m in plain.convergence.models)
    assert plain.b_factors == "none"
    np.testing.assert_array_equal(plain.convergence.ca_rmsd, result.convergence.ca_rmsd)


def test_b_factors_leave_the_models_where_they_were_made(run, tmp_path):
    result, folder, _ = run
    model, map_ = result.made.model.path, result.made.map.path
    (folder / FOLDER).rename(tmp_path / FOLDER)
    found = converge(model, map_, OPTIONS, tmp_path, keep=2, refine=False, b_factors="q")
    (tmp_path / FOLDER).rename(folder / FOLDER)
    assert found.refinements == ()
    for one in found.convergence.models:
        assert one.path.parent.name == KEPT
        made = read_model(folder / FOLDER / one.path.name)
        np.testing.assert_array_equal(one.xyz, made.xyz)
        assert len(set(one.b_iso.tolist())) > 3


def test_files_tell_how_models_came_about(run, tmp_path):
    result, _, _ = run
    written = write_ensemble(result, tmp_path)
    assert {path.name for path in written} >= {"generated.csv", "ensemble.cif", "summary.json"}
    facts = json.loads((tmp_path / "summary.json").read_text(encoding="utf-8"))
    making = facts["making"]
    assert making["seeds"] == [0, 1, 2]
    assert len(making["kept_seeds"]) == 2
    assert making["health"]["n"] == 3
    assert making["b_factors"]["source"] == "q"
    expected = [float(m.b_iso[m.heavy].mean()) for m in result.convergence.models]
    assert making["b_factors"]["mean"] == pytest.approx(expected)
    assert making["protocol"]["parameters"]["hot_time"] == SHORT.hot_time
    assert facts["protocol"] == result.protocol
    with (tmp_path / "generated.csv").open(encoding="utf-8", newline="") as handle:
        rows = list(csv.DictReader(handle))
    kept = {int(row["seed"]) for row in rows if row["kept"] == "1"}
    assert kept == set(making["kept_seeds"])
    assert sorted(int(row["place"]) for row in rows) == [1, 2, 3]
    together = gemmi.read_structure(str(tmp_path / "ensemble.cif"))
    assert len(together) == 2


def test_a_sampler_that_leaves_the_map_is_named(run):
    result, _, _ = run
    columns = generated_columns(result)
    worse = columns["cc_end"] < columns["cc_start"]
    assert result.health.worse == pytest.approx(worse.mean())
    said = any("the spread may be the sampler's" in note for note in result.convergence.notes)
    assert said == (worse.mean() > MOST_WORSE)


def test_the_fit_of_the_kept_ones_is_that_of_the_refined(run):
    result, folder, _ = run
    made = result.made
    own = own_density(made.map, made.prepared)
    gains = []
    for model in result.convergence.models:
        xyz = positions_of(made.prepared, read_model(folder / REFINED / model.path.name))
        end = fit_to_map(made.prepared, xyz, own, OPTIONS.resolution)
        gains.append(end - made.models[0].cc_start)
    assert result.health.kept_gain == pytest.approx(np.mean(gains), abs=1e-6)
    assert result.health.kept_worse == np.mean(np.array(gains) < 0)
