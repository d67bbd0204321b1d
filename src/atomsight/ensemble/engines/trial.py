"""Does a platform of OpenMM work? Asked in a process of its own: a bad driver may end or stop it.

``python -m atomsight.ensemble.engines.trial OpenCL`` prints one line of JSON.
"""

import json
import sys
from typing import Any

import numpy as np

from atomsight.density.map import index_matrix, map_from_array
from atomsight.ensemble.copies import near_copies
from atomsight.ensemble.engines.density_force import Density
from atomsight.ensemble.engines.density_on_card import map_force
from atomsight.ensemble.engines.moving_copies import add_sites
from atomsight.typing import Float_N, Float_Nx3

_NM = 10.0

_SIDE = 3
_POINTS = 24
_STEPS = 50
_TOLERANCE = 1e-3
"""Of the largest force: single precision reaches some 1e-5."""


def trial(name: str) -> dict[str, str]:
    """Energy and forces of a few atoms in a map, compared with those of the Reference platform.

    Parameters
    ----------
    name : str
        Of OpenMM.

    Returns
    -------
    dict
        ``error``: what is wrong, "" where it works; ``device``, ``vendor``: what it runs on.
    """
    system, xyz = _system()
    found = {"error": "", "device": "", "vendor": ""}
    one = _values(name, system, xyz, found)
    other = _values("Reference", system, xyz, {})
    off = float(np.abs(one - other).max() / np.abs(other).max())
    # not "off > _TOLERANCE", which NaN would pass
    if not off <= _TOLERANCE:
        found["error"] = f"its forces are wrong: they are off by {off:.2g} of the largest"
    return found


def _values(name: str, system: Any, xyz: Float_Nx3, found: dict[str, str]) -> Float_N:
    """Forces and energy; what else is done to models is done too, and must not break down."""
    import openmm  # noqa: PLC0415  (optional library)

    integrator = openmm.LangevinMiddleIntegrator(100.0, 5.0, 0.001)
    integrator.setRandomNumberSeed(1)
    platform = openmm.Platform.getPlatformByName(name)
    context = openmm.Context(system, integrator, platform)
    for key, place in (("device", "DeviceName"), ("vendor", "OpenCLPlatformName")):
        if place in platform.getPropertyNames():
            found[key] = str(platform.getPropertyValue(context, place))
    context.setPositions(xyz)
    context.computeVirtualSites()
    state = context.getState(getForces=True, getEnergy=True)
    energy = state.getPotentialEnergy()._value  # noqa: SLF001
    values = np.append(state.getForces(asNumpy=True)._value, energy)  # noqa: SLF001
    integrator.step(_STEPS)
    openmm.LocalEnergyMinimizer.minimize(context, 10.0, _STEPS)
    return values


def _system() -> tuple[Any, Float_Nx3]:
    """Charged atoms on a grid, some of them in a chain, in a map of noise, with copies."""
    import openmm  # noqa: PLC0415  (optional library)

    rng = np.random.default_rng(0)
    xyz = 0.35 * np.indices((_SIDE,) * 3).reshape(3, -1).T + rng.uniform(-0.03, 0.03, (27, 3))
    n = len(xyz)
    system = openmm.System()
    pairs = openmm.NonbondedForce()
    pairs.setNonbondedMethod(openmm.NonbondedForce.CutoffNonPeriodic)
    pairs.setCutoffDistance(0.75)
    for charge in rng.uniform(-0.5, 0.5, n).tolist():
        system.addParticle(12.0)
        pairs.addParticle(charge, 0.3, 0.4)
    chain = openmm.CMAPTorsionForce()
    angle = 2.0 * np.pi * np.arange(_POINTS) / _POINTS
    chain.addMap(_POINTS, (5.0 * np.outer(np.sin(angle), np.cos(angle))).ravel().tolist())
    chain.addTorsion(0, 0, 1, 4, 13, 1, 4, 13, 22)
    values = rng.normal(size=(14, 13, 12)).astype(np.float32)
    map_ = map_from_array(values, 1.0, (-2.0, -2.0, -2.0))
    density = Density(values, values, map_.origin, index_matrix(map_), map_)
    # copies about an axis beside the atoms: sites, and a force of their own
    turns, shifts = np.diag([-1.0, -1.0, 1.0])[None], np.array([[20.0, 7.0, 0.0]])
    copies = near_copies(xyz * _NM, np.arange(n), turns, shifts)
    system.addForce(pairs)
    touch = add_sites(system, pairs, copies)
    for force in (chain, touch, map_force(values, density, np.arange(n), np.full(n, 40.0))):
        system.addForce(force)
    return system, np.concatenate([xyz, copies.positions(xyz * _NM) / _NM])


def main() -> None:
    """Answer for the platform that the command line names."""
    try:
        found = trial(sys.argv[1])
    except Exception as exc:  # noqa: BLE001  (whatever a driver raises is the answer)
        found = {"error": " ".join(str(exc).split()), "device": "", "vendor": ""}
    sys.stdout.write("\n" + json.dumps(found) + "\n")


if __name__ == "__main__":
    main()
