"""Copies that move: which they are, and that model and copies feel what explicit copies feel."""

import numpy as np
import pytest
from scipy.spatial import KDTree

from atomsight.ensemble.copies import independent, near_copies
from atomsight.ensemble.engines.moving_copies import CopiesForce, add_sites, pairwise_of
from atomsight.ensemble.engines.platforms import registered
from atomsight.ensemble.point_groups import point_group
from atomsight.errors import ParameterError

openmm = pytest.importorskip("openmm")
pytest.importorskip("pdbfixer")

GROUPS = ["C2", "C3", "C4", "D2", "D3", "T", "O"]
OFFSET = np.array([3.0, -2.0, 1.0])
CUTOFF = 0.75
FIELD = 78.5


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
