"""The map as OpenMM computes it itself: the same energy and force as the kernel of the CPU."""

import numpy as np
import pytest

from atomsight.density.map import index_matrix, map_from_array
from atomsight.ensemble.engines import openmm_engine
from atomsight.ensemble.engines.density_force import Density
from atomsight.ensemble.engines.density_on_card import map_force
from atomsight.ensemble.engines.openmm_engine import OpenMMEngine, Run
from atomsight.ensemble.engines.openmm_system import BACKBONE_GROUP, COARSE_GROUP, MAP_GROUP
from atomsight.ensemble.engines.platforms import registered
from atomsight.ensemble.engines.protocol import OpenMMProtocol
from atomsight.ensemble.positions import positions_of
from atomsight.ensemble.preparation import prepare
from atomsight.io.models import read_model
from atomsight.kernels.density_force import density_force
from tests.ensemble.peptides import map_around, peptide, write

openmm = pytest.importorskip("openmm")
pytest.importorskip("pdbfixer")

NAMES = ["ALA", "THR", "GLY", "ILE", "LEU", "ALA"]
SLOPE = {"Reference": 1e-6, "CPU": 1e-6, "OpenCL": 1e-4}
"""Of the largest force: single precision on the last, as on a card."""


@pytest.fixture(params=sorted(SLOPE))
def platform(request):
    """OpenCL runs on a processor where pocl is installed."""
    if request.param not in registered():
        pytest.skip(f"this machine has no {request.param} for OpenMM")
    return request.param


def skewed_map():
    values = np.random.default_rng(1).normal(size=(9, 8, 7)).astype(np.float32)
    map_ = map_from_array(values, (1.0, 1.2, 0.9), (5, -3, 2))
    step = map_.step + np.array([[0.0, -0.4, 0.2], [0.0, 0.0, 0.3], [0.0, 0.0, 0.0]])
    return type(map_)(**{name: getattr(map_, name) for name in map_.__slots__} | {"step": step})


def on_platform(map_, xyz, weight, platform):
    system = openmm.System()
    for _ in xyz:
        system.addParticle(12.0)
    density = Density(map_.values, map_.values, map_.origin, index_matrix(map_), map_)
    system.addForce(map_force(map_.values, density, np.arange(len(xyz)), weight))
    integrator = openmm.VerletIntegrator(0.001)
    chosen = openmm.Platform.getPlatformByName(platform)
    context = openmm.Context(system, integrator, chosen)
    context.setPositions(xyz / 10.0)
    state = context.getState(getEnergy=True, getForces=True)
    return state.getPotentialEnergy()._value, state.getForces(asNumpy=True)._value


def test_energy_and_force_are_those_of_the_kernel(platform):
    map_ = skewed_map()
    rng = np.random.default_rng(2)
    # a quarter of them outside the grid
    index = rng.uniform(-0.1, 1.1, (300, 3)) * (np.array(map_.values.shape[::-1]) - 1)
    xyz, weight = map_.origin + index @ map_.step.T, rng.uniform(1.0, 60.0, 300)
    expected = np.zeros_like(xyz)
    matrix = np.ascontiguousarray(index_matrix(map_) * 10.0)
    energy = density_force(xyz / 10.0, weight, map_.values, map_.origin / 10.0, matrix, expected)
    found, force = on_platform(map_, xyz, weight, platform)
    outside = ~expected.any(axis=1)
    assert 50 < outside.sum() < 200
    assert not force[outside].any()
    largest = np.abs(expected).max()
    assert np.abs(force - expected).max() < SLOPE[platform] * largest
    assert found == pytest.approx(energy, abs=1e-5 * weight.sum())


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    folder = tmp_path_factory.mktemp("model")
    made = prepare(read_model(write(peptide(NAMES), folder / "in.cif")))
    return made, map_around(made.xyz[made.heavy], spacing=0.7, sd=0.8)


def simulate_on(monkeypatch, platform):
    """Contexts for a card are made on this platform."""

    def context(system, integrator, _asked):
        return openmm.Context(system, integrator, openmm.Platform.getPlatformByName(platform))

    monkeypatch.setattr(openmm_engine, "context_of", context)


def test_every_term_of_a_model_has_the_energy_it_has_on_the_cpu(model, platform, monkeypatch):
    prepared, map_ = model
    known = Run(OpenMMEngine(prepared, map_, 2.0)._simulated, OpenMMProtocol(), seed=1)
    simulate_on(monkeypatch, platform)
    protocol = OpenMMProtocol(platform="opencl")
    run = Run(OpenMMEngine(prepared, map_, 2.0, protocol)._simulated, protocol, seed=1)
    for one in (known, run):
        one._place(prepared.xyz)
    for group in (0, BACKBONE_GROUP, MAP_GROUP):
        assert run.energy(group) == pytest.approx(known.energy(group), rel=1e-4)
    assert known._simulated.map_group("coarse") == MAP_GROUP
    assert run._simulated.map_group("coarse") == COARSE_GROUP
    assert run.energy(COARSE_GROUP) == pytest.approx(known.energy(MAP_GROUP), rel=1e-4)
    assert run.energy(COARSE_GROUP) != pytest.approx(run.energy(MAP_GROUP), rel=1e-2)


def test_annealing_brings_atoms_back_into_the_map(model, platform, monkeypatch):
    prepared, map_ = model
    simulate_on(monkeypatch, platform)
    protocol = OpenMMProtocol(platform="opencl", anneal_time=2.0)
    run = Run(OpenMMEngine(prepared, map_, 2.0, protocol)._simulated, protocol, seed=1)
    moved = prepared.xyz + np.array([0.8, -0.5, 0.4])
    run._place(moved)
    run.anneal()
    away = np.linalg.norm((run.xyz() - prepared.xyz)[prepared.trace], axis=1)
    assert np.sqrt(np.square(away).mean()) < 0.5


def test_a_whole_model_is_made_of_the_forces_of_a_card(model, tmp_path, monkeypatch):
    prepared, map_ = model
    simulate_on(monkeypatch, "Reference")
    protocol = OpenMMProtocol(platform="cuda", hot_time=0.3, anneal_time=3.0)
    record = OpenMMEngine(prepared, map_, 2.0, protocol).generate(2, tmp_path)
    away = positions_of(prepared, read_model(record.path)) - prepared.xyz
    away = np.linalg.norm(away[prepared.trace], axis=1)
    assert np.sqrt(np.square(away).mean()) < 0.4 < record.perturbation
