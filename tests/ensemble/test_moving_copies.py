"""Models that are made among copies which move with them."""

import json
from dataclasses import replace
from importlib.util import find_spec

import numpy as np
import pytest
from scipy.spatial import KDTree

from atomsight.ensemble import pipeline
from atomsight.ensemble.engines import openmm_engine
from atomsight.ensemble.engines.choice import with_copies
from atomsight.ensemble.engines.density_force import make_density
from atomsight.ensemble.engines.engine import hash_of
from atomsight.ensemble.engines.openmm_engine import OpenMMEngine, Run
from atomsight.ensemble.engines.openmm_system import COPIES_GROUP, make_system
from atomsight.ensemble.engines.protocol import OpenMMProtocol, protocol_of
from atomsight.ensemble.generation import GenerationOptions
from atomsight.ensemble.geometry.clashes import copy_clashes
from atomsight.ensemble.geometry.radii import contacts as kinds_of
from atomsight.ensemble.making import make_ensemble
from atomsight.ensemble.pipeline import converge
from atomsight.ensemble.point_groups import point_group
from atomsight.ensemble.positions import positions_of, rows_of
from atomsight.ensemble.preparation import prepare, write_model
from atomsight.ensemble.symmetry import Symmetry, with_moving_copies
from atomsight.errors import ParameterError
from atomsight.export.ensemble import write_ensemble
from atomsight.io.map_writing import write_map
from atomsight.io.models import read_model
from tests.ensemble.generate_peptide import SHORT
from tests.ensemble.peptides import map_around, peptide, write
from tests.ensemble.test_copies import evaluated, operators
from tests.ensemble.test_platforms import recorded
from tests.ensemble.test_symmetry import density_of, placed, whole

openmm = pytest.importorskip("openmm")
pytest.importorskip("pdbfixer")

MOVING = OpenMMProtocol(copies="moving")


@pytest.fixture(scope="module")
def scene(tmp_path_factory):
    """A short strand beside a two-fold axis, in contact with its copy."""
    folder = tmp_path_factory.mktemp("copies")
    model = read_model(write(peptide(["ALA", "SER", "LEU", "ALA", "ALA"]), folder / "in.cif"))
    prepared = prepare(model)
    turns, _ = operators("C2")
    # the axis runs along z, so near the outermost heavy atom that it clashes with its copy
    heavy = prepared.xyz[prepared.heavy]
    centre = heavy[heavy[:, 0].argmax()] + np.array([0.9, 0.0, 0.0])
    shifts = centre - turns @ centre
    everything = np.ones((1, len(model)), dtype=bool)
    symmetry = Symmetry("C2", turns, shifts, everything)
    return model, with_moving_copies(prepared, symmetry, model), symmetry, map_around(heavy)


def contacts(prepared, xyz):
    """Smallest distance of heavy atoms to those of copies, Å."""
    copies = prepared.copies
    sites = copies.positions(xyz)[prepared.heavy[copies.atom]]
    return KDTree(sites).query(xyz[prepared.heavy])[0].min()


def test_a_model_keeps_away_from_its_copy_and_has_its_own_atoms_alone(scene, tmp_path):
    model, prepared, _, map_ = scene
    assert "copies move with the model: " in prepared.notes[-1]
    protocol = replace(MOVING, hot_time=0.3, anneal_time=2.0)
    nearest = {}
    for rule in ("masked", "moving"):
        folder = tmp_path / rule
        folder.mkdir()
        engine = OpenMMEngine(prepared, map_, 3.0, replace(protocol, copies=rule))
        made = read_model(engine.generate(1, folder).path)
        assert len(made) == len(prepared)
        nearest[rule] = contacts(prepared, positions_of(prepared, made))
    assert nearest["moving"] > 2.5 > nearest["masked"]
    # with the same seed once more, by an engine that has made others
    engine.generate(5, tmp_path)
    again = engine.generate(1, tmp_path)
    assert again.path.read_bytes() == (tmp_path / "moving" / again.path.name).read_bytes()
    assert len(model) < len(prepared)


def test_the_energy_of_the_record_is_the_models_own(scene, tmp_path):
    _, prepared, _, map_ = scene
    engine = OpenMMEngine(prepared, map_, 3.0, replace(MOVING, hot_time=0.1, anneal_time=0.4))
    made = engine.generate(1, tmp_path)
    xyz = positions_of(prepared, read_model(made.path))
    plain = Run(OpenMMEngine(prepared, map_, 3.0)._simulated, OpenMMProtocol(), seed=1)
    plain._place(xyz)
    assert made.energy == pytest.approx(plain.energy(0), abs=1.0)
    assert plain.energy(COPIES_GROUP) == 0.0


def test_the_form_for_cards_makes_models_too(scene, tmp_path, monkeypatch):
    _, prepared, _, map_ = scene

    def context(system, integrator, _asked):
        return openmm.Context(system, integrator, openmm.Platform.getPlatformByName("CPU"))

    monkeypatch.setattr(openmm_engine, "context_of", context)
    protocol = replace(MOVING, platform="cuda", hot_time=0.3, anneal_time=2.0)
    made = read_model(OpenMMEngine(prepared, map_, 3.0, protocol).generate(1, tmp_path).path)
    assert len(made) == len(prepared)
    assert contacts(prepared, positions_of(prepared, made)) > 2.5


def test_both_forms_give_one_energy(scene):
    _, prepared, _, map_ = scene
    density = make_density(map_, prepared, blur=1.5, lowest=-0.2, highest=2.0)
    energies = []
    for platform in ("cpu", "cuda"):
        system = make_system(prepared, density, replace(MOVING, platform=platform)).system
        energies.append(evaluated(system, prepared.xyz, groups={COPIES_GROUP}))
    assert energies[0][0] != 0.0
    assert energies[0][0] == pytest.approx(energies[1][0], rel=1e-9)
    assert energies[0][1] == pytest.approx(energies[1][1], rel=1e-7, abs=1e-6)


@pytest.mark.parametrize("platform", ["cpu", "opencl"])
def test_copies_move_unless_the_folder_began_with_masked_ones(tmp_path, platform):
    plain = OpenMMProtocol(platform=platform)
    assert with_copies(plain, tmp_path / "none").copies == "moving"
    recorded(tmp_path, plain)
    assert with_copies(plain, tmp_path).copies == "masked"
    # the platform is chosen after
    assert with_copies(OpenMMProtocol(), tmp_path).copies == "masked"
    assert with_copies(replace(plain, map_weight=1.0), tmp_path).copies == "moving"
    assert with_copies(replace(plain, copies="moving"), tmp_path).copies == "moving"


def test_the_protocol_tells():
    hashes = {hash_of(protocol_of(one)) for one in (OpenMMProtocol(), MOVING)}
    assert len(hashes) == 2
    assert protocol_of(MOVING)["copies"]["reach"] == 10.0
    assert "copies" not in protocol_of(OpenMMProtocol())
    assert "copies" not in protocol_of(OpenMMProtocol())["parameters"]


def test_copies_of_what_must_be_said(scene, tmp_path):
    model, *_ = scene
    options = GenerationOptions(3.0, protocol=MOVING)
    with pytest.raises(ParameterError, match="--copies: of what"):
        make_ensemble(model.path, model.path, options, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_an_operator_of_a_part_of_the_model_is_refused(scene):
    model, prepared, symmetry, _ = scene
    part = symmetry.atoms.copy()
    part[:, :8] = False
    with pytest.raises(ParameterError, match="does not copy all of the model"):
        with_moving_copies(prepared, replace(symmetry, atoms=part), model)
    nothing = replace(symmetry, atoms=np.zeros_like(part))
    assert len(with_moving_copies(prepared, nothing, model).copies) == 0


def test_clashes_with_copies_count_what_two_units_share_once(scene, tmp_path):
    _, prepared, _, _ = scene
    model = read_model(write_model(prepared, prepared.xyz, tmp_path / "model.cif"))
    rows = rows_of(prepared, model)
    copies = prepared.copies
    share = copies.share[copies.operator]
    assert set(share) == {0.5}
    # deeper than any hydrogen bond
    moved = copies.positions(model.xyz[rows]) - np.array([1.5, 0.0, 0.0])
    atom = rows[copies.atom]
    radius = kinds_of(model).radius
    apart = np.linalg.norm(model.xyz[:, None] - moved[None], axis=2)
    overlap = radius[:, None] + radius[None, atom] - apart
    # 0.8 Å is what a hydrogen bond may add at most
    least, most = (np.count_nonzero(overlap >= limit) / 2 for limit in (1.2, 0.4))
    found = copy_clashes(model, moved, atom, share)
    assert 0 < least <= found <= most
    assert copy_clashes(model, moved, atom, 2.0 * share) == 2.0 * found
    assert copy_clashes(model, moved + 100.0, atom, share) == 0.0


def test_the_whole_job_with_a_moving_copy(tmp_path, monkeypatch):
    # not imported: gemmi and cctbx do not share a process
    if find_spec("iotbx") is None:
        pytest.skip("cctbx is not installed")
    structure = placed("A", point_group("C2")[0][0])
    both = read_model(write(whole(point_group("C2")[0]), tmp_path / "both.cif"))
    path = write(structure, tmp_path / "model.cif")
    map_ = density_of(both.xyz)
    map_path = write_map(map_.values, map_, tmp_path / "map.mrc")
    options = GenerationOptions(resolution=3.0, models=2, workers=1, protocol=SHORT)
    refining, refined_with = pipeline.minimiser, []

    def refine(prepared, protocol):
        refined_with.append((protocol.copies, prepared.copies is not None))
        return refining(prepared, protocol)

    monkeypatch.setattr(pipeline, "minimiser", refine)
    made = converge(path, map_path, options, tmp_path / "out", keep=2, symmetry="C2")
    assert refined_with == [("moving", True)]
    prepared = made.made.prepared
    assert made.made.protocol["copies"]["method"] == 1
    # neither the models nor the refined ones hold an atom of the copy
    assert {len(model) for model in made.convergence.models} == {len(prepared)}
    assert len(made.touching) == 2
    write_ensemble(made, tmp_path / "out")
    facts = json.loads((tmp_path / "out" / "summary.json").read_text(encoding="utf-8"))
    assert facts["making"]["kept_clashes_with_copies"] == list(made.touching)
