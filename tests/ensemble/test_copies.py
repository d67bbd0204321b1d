"""Copies that move: which they are, and that model and copies feel what explicit copies feel."""

import json
from dataclasses import replace
from importlib.util import find_spec

import numpy as np
import pytest
from scipy.spatial import KDTree

from atomsight.ensemble.copies import independent, near_copies
from atomsight.ensemble.engines import openmm_engine
from atomsight.ensemble.engines.choice import with_copies
from atomsight.ensemble.engines.density_force import make_density
from atomsight.ensemble.engines.engine import hash_of
from atomsight.ensemble.engines.moving_copies import CopiesForce, add_sites, pairwise_of
from atomsight.ensemble.engines.openmm_engine import OpenMMEngine, Run
from atomsight.ensemble.engines.openmm_system import COPIES_GROUP, make_system
from atomsight.ensemble.engines.platforms import registered
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
from tests.ensemble.test_platforms import recorded
from tests.ensemble.test_symmetry import density_of, placed, whole

openmm = pytest.importorskip("openmm")
pytest.importorskip("pdbfixer")

GROUPS = ["C2", "C3", "C4", "D2", "D3", "T", "O"]
OFFSET = np.array([3.0, -2.0, 1.0])
CUTOFF = 0.75
FIELD = 78.5
MOVING = OpenMMProtocol(copies="moving")


def operators(name, centre=OFFSET):
    """Rotations other than the identity, and their shifts, about a point."""
    turns = point_group(name)[0][1:]
    return turns, centre - turns @ centre


def unit(name, seed=0, n=14):
    """Atoms that touch their copies, but neither them nor each other too much; two a residue."""
    rng = np.random.default_rng(seed)
    xyz = rng.uniform(-3.5, 3.5, (400, 3))
    kept = [xyz[0]]
    for point in xyz[1:]:
        if np.linalg.norm(np.array(kept) - point, axis=1).min() > 1.6 and len(kept) < n:
            kept.append(point)
    turns, shifts = operators(name)
    out = 0.0
    apart = 0.0
    while apart < 2.2:
        out += 0.1
        xyz = np.array(kept) + out * np.array([1.0, 0.2, 0.35]) + OFFSET
        images = [xyz @ turn.T + shift for turn, shift in zip(turns, shifts, strict=True)]
        apart = KDTree(np.concatenate(images)).query(xyz)[0].min()
    parameters = [
        (float(q), float(s), float(e))
        for q, s, e in zip(
            rng.uniform(-0.6, 0.6, len(xyz)),
            rng.uniform(0.15, 0.3, len(xyz)),
            rng.uniform(0.1, 0.8, len(xyz)),
            strict=True,
        )
    ]
    return xyz, np.arange(len(xyz)) // 2, parameters


def nonbonded(parameters):
    force = openmm.NonbondedForce()
    force.setNonbondedMethod(openmm.NonbondedForce.CutoffNonPeriodic)
    force.setCutoffDistance(CUTOFF)
    force.setReactionFieldDielectric(FIELD)
    for values in parameters:
        force.addParticle(*values)
    return force


def evaluated(system, xyz, platform="Reference", groups=-1):
    chosen = openmm.Platform.getPlatformByName(platform)
    context = openmm.Context(system, openmm.VerletIntegrator(0.001), chosen)
    places = np.zeros((system.getNumParticles(), 3))
    places[: len(xyz)] = xyz / 10.0
    context.setPositions(places)
    context.computeVirtualSites()
    state = context.getState(getEnergy=True, getForces=True, groups=groups)
    return state.getPotentialEnergy()._value, state.getForces(asNumpy=True)._value[: len(xyz)]


def plain_system(n, force):
    system = openmm.System()
    for _ in range(n):
        system.addParticle(12.0)
    system.addForce(force)
    return system


def symmetric(name, form, seed=0):
    """The unit with copies: its energy and force."""
    xyz, residue, parameters = unit(name, seed)
    copies = near_copies(xyz, residue, *operators(name))
    assert len(copies)
    pairs = nonbonded(parameters)
    system = plain_system(len(xyz), pairs)
    if form == "kernel":
        system.addForce(openmm.PythonForce(CopiesForce(copies, pairwise_of(pairs))))
    else:
        system.addForce(add_sites(system, pairs, copies))
    platform = "Reference" if form == "kernel" else form
    return xyz, evaluated(system, xyz, platform), parameters


@pytest.mark.parametrize("form", ["kernel", "Reference", "CPU", "OpenCL"])
@pytest.mark.parametrize("name", GROUPS)
def test_the_unit_feels_what_it_would_among_explicit_copies(name, form):
    if form != "kernel" and form not in registered():
        pytest.skip(f"this machine has no {form} for OpenMM")
    if form == "OpenCL" and name not in ("C2", "D3"):
        pytest.skip("kernels of OpenCL take long to compile; two groups are enough")
    xyz, (energy, force), parameters = symmetric(name, form)
    turns, shifts = operators(name)
    images = [xyz, *(xyz @ turn.T + shift for turn, shift in zip(turns, shifts, strict=True))]
    whole = np.concatenate(images)
    # nothing is symmetric here but the start: each atom is free
    system = plain_system(len(whole), nonbonded(parameters * len(images)))
    all_energy, all_force = evaluated(system, whole)
    alone, _ = evaluated(plain_system(len(xyz), nonbonded(parameters)), xyz)
    exact = 1e-9 if form in ("kernel", "Reference") else 2e-5
    # the copies matter
    assert abs(energy - alone) > 0.5
    assert energy == pytest.approx(all_energy / len(images), rel=exact, abs=100 * exact)
    expected = all_force[: len(xyz)]
    assert np.abs(force - expected).max() < exact * np.abs(expected).max()
    # and by symmetry the copies' own forces are those, turned
    for k, turn in enumerate(turns, 1):
        theirs = all_force[k * len(xyz) : (k + 1) * len(xyz)] @ turn
        assert theirs == pytest.approx(expected, abs=1e-6 * np.abs(expected).max())


def test_the_force_is_the_slope_of_the_energy():
    xyz, residue, parameters = unit("D3", 1)
    copies = near_copies(xyz, residue, *operators("D3"))
    pairs = nonbonded(parameters)
    force = CopiesForce(copies, pairwise_of(pairs))

    class State:
        def __init__(self, places):
            self._value = places / 10.0

        def getPositions(self, *, asNumpy):  # noqa: N802, N803
            assert asNumpy
            return self

    found = force(State(xyz))[1].copy()
    h = 1e-5
    for i, axis in ((0, 0), (3, 1), (7, 2)):
        step = np.zeros_like(xyz)
        step[i, axis] = 10.0 * h
        one, other = (force(State(xyz + s))[0] for s in (step, -step))
        assert found[i, axis] == pytest.approx((other - one) / (2 * h), rel=1e-5, abs=1e-4)


def test_listed_pairs_are_those_that_come_near_later():
    """The kernel that has followed the atoms gives the bits of one that meets them here."""
    xyz, residue, parameters = unit("C3", 2)
    copies = near_copies(xyz, residue, *operators("C3"))
    pairs = nonbonded(parameters)
    old = CopiesForce(copies, pairwise_of(pairs))
    rng = np.random.default_rng(3)

    class State:
        def __init__(self, places):
            self._value = places / 10.0

        def getPositions(self, *, asNumpy):  # noqa: N802, N803
            assert asNumpy
            return self

    for _ in range(30):
        xyz = xyz + rng.normal(scale=0.4, size=xyz.shape)
        new = CopiesForce(copies, pairwise_of(pairs))
        one, other = old(State(xyz)), new(State(xyz))
        assert one[0] == other[0]
        np.testing.assert_array_equal(one[1], other[1])


@pytest.mark.parametrize("name", GROUPS)
def test_one_of_two_inverse_operators_is_enough(name):
    turns, shifts = operators(name)
    kept, share = independent(turns, shifts)
    assert 2 * share.sum() == len(turns)
    twofold = [np.isclose(np.trace(turns[k]), -1.0) for k in kept]
    assert share.tolist() == [0.5 if two else 1.0 for two in twofold]


def test_an_operator_without_its_inverse_stands_for_both():
    turns, shifts = operators("C3")
    assert independent(turns[:1], shifts[:1])[1].tolist() == [1.0]
    # the same rotation with another shift is another operator: a helix
    kept, share = independent(np.stack([turns[0], turns[0].T]), np.full((2, 3), 5.0))
    assert (kept, share.tolist()) == ([0, 1], [1.0, 1.0])


def test_whole_residues_near_the_model_are_copied_and_no_more():
    xyz, residue, _ = unit("C4")
    xyz = np.concatenate([xyz, xyz + np.array([200.0, 0.0, 0.0])])
    residue = np.concatenate([residue, residue + residue.max() + 1])
    copies = near_copies(xyz, residue, *operators("C4"), reach=4.0)
    sites = copies.positions(xyz)
    apart = KDTree(xyz).query(sites)[0]
    per_residue = {}
    for site, (k, atom) in enumerate(
        zip(copies.operator.tolist(), copies.atom.tolist(), strict=True)
    ):
        per_residue.setdefault((k, residue[atom]), []).append(apart[site])
    assert per_residue
    assert all(len(found) == 2 and min(found) < 4.0 for found in per_residue.values())
    assert copies.atom.max() < len(xyz) // 2
    assert copies.facing.max() < len(xyz) // 2
    theirs = KDTree(sites).query(xyz)[0]
    assert set(np.flatnonzero(theirs < 4.0)) <= set(copies.facing.tolist())


def test_a_mirror_is_refused():
    xyz, residue, _ = unit("C2")
    with pytest.raises(ParameterError, match="no rotation: use --copies masked"):
        near_copies(xyz, residue, np.diag([1.0, 1.0, -1.0])[None], np.zeros((1, 3)))


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
    assert "atoms of 1 copies move" in prepared.notes[-1]
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


def test_the_whole_job_with_a_moving_copy(tmp_path):
    # not imported: gemmi and cctbx do not share a process
    if find_spec("iotbx") is None:
        pytest.skip("cctbx is not installed")
    structure = placed("A", point_group("C2")[0][0])
    both = read_model(write(whole(point_group("C2")[0]), tmp_path / "both.cif"))
    path = write(structure, tmp_path / "model.cif")
    map_ = density_of(both.xyz)
    map_path = write_map(map_.values, map_, tmp_path / "map.mrc")
    options = GenerationOptions(resolution=3.0, models=2, workers=1, protocol=SHORT)
    made = converge(path, map_path, options, tmp_path / "out", keep=2, symmetry="C2")
    prepared = made.made.prepared
    assert made.made.protocol["copies"]["method"] == 1
    # neither the models nor the refined ones hold an atom of the copy
    assert {len(model) for model in made.convergence.models} == {len(prepared)}
    assert len(made.touching) == 2
    write_ensemble(made, tmp_path / "out")
    facts = json.loads((tmp_path / "out" / "summary.json").read_text(encoding="utf-8"))
    assert facts["making"]["kept_clashes_with_copies"] == list(made.touching)
