"""Which φ and ψ proteins have, as an energy: the knowledge that a force field in vacuum lacks.

The same for every residue of a kind, wherever it starts: nothing here holds a model where it was.
"""

from typing import Any

import numpy as np

from atomsight.ensemble.preparation import Prepared
from atomsight.typing import FloatArray

SIZE = 72
"""Points of the map along φ and ψ: 5° apart."""

_FLOOR = 1e-4
_BROAD = 45.0
"""Degrees: around each basin a wide one of 3 % leads to it from afar."""

_GENERAL = (
    # φ, ψ, their standard deviations in degrees, and the share
    (-63.0, -43.0, 10.0, 10.0, 1.00),
    (-85.0, -15.0, 16.0, 20.0, 0.20),
    (-118.0, 132.0, 24.0, 19.0, 0.40),
    (-68.0, 145.0, 14.0, 17.0, 0.35),
    (57.0, 42.0, 8.0, 12.0, 0.06),
)
_PROLINE = (
    (-62.0, -33.0, 9.0, 14.0, 0.70),
    (-68.0, 150.0, 10.0, 15.0, 1.00),
)
_HALF_GLYCINE = (
    (-63.0, -42.0, 11.0, 11.0, 0.60),
    (-85.0, -10.0, 16.0, 20.0, 0.50),
    (-75.0, 165.0, 18.0, 20.0, 0.40),
    (-160.0, 178.0, 30.0, 20.0, 0.30),
)
_GLYCINE = (*_HALF_GLYCINE, *((-p, -s, a, b, w) for p, s, a, b, w in _HALF_GLYCINE))
_BASINS = {"GLY": _GLYCINE, "PRO": _PROLINE}


def backbone_energy(name: str) -> FloatArray:
    """-ln p(φ, ψ) of a residue, 0 at its best place.

    p is a sum of Gaussians on the torus around the known basins (α, its shoulder, β,
    polyproline II, left-handed α; Lovell et al. 2003, Hollingsworth & Karplus 2010), rounded: it
    tells allowed from forbidden, and is not meant to reproduce frequencies.

    Parameters
    ----------
    name : str
        Residue name: glycine and proline have their own.

    Returns
    -------
    ndarray, shape (SIZE, SIZE)
        Rows φ and columns ψ, from 0 in steps of 360/SIZE degrees.

    References
    ----------
    Lovell et al. (2003), Proteins 50, 437-450. Hollingsworth & Karplus (2010), Biomol. Concepts
    1, 271-283.
    """
    angle = 2.0 * np.pi * np.arange(SIZE) / SIZE
    p: FloatArray = np.full((SIZE, SIZE), _FLOOR)
    for phi, psi, phi_sd, psi_sd, share in _BASINS.get(name, _GENERAL):
        for sds, part in (((phi_sd, psi_sd), 1.0), ((_BROAD, _BROAD), 0.03)):
            along, across = (
                np.exp((np.cos(angle - np.radians(centre)) - 1.0) / np.radians(sd) ** 2)
                for centre, sd in zip((phi, psi), sds, strict=True)
            )
            p += part * share * np.outer(along, across)
    energy: FloatArray = -np.log(p / p.max())
    return energy


def backbone_force(prepared: Prepared, weight: float) -> Any:
    """`backbone_energy` of every residue with both neighbours, as a force.

    Parameters
    ----------
    prepared : Prepared
    weight : float
        kJ/mol.

    Returns
    -------
    openmm.CMAPTorsionForce
    """
    import openmm  # noqa: PLC0415  (optional library)

    force = openmm.CMAPTorsionForce()
    kinds: dict[str, int] = {}
    for row, (before, n, ca, c, after) in _backbones(prepared):
        name = str(prepared.name[row])
        kind = name if name in _BASINS else "other"
        if kind not in kinds:
            # OpenMM wants φ to run fastest
            kinds[kind] = force.addMap(SIZE, (weight * backbone_energy(kind)).T.ravel().tolist())
        force.addTorsion(kinds[kind], before, n, ca, c, n, ca, c, after)
    return force


def _backbones(prepared: Prepared) -> list[tuple[int, tuple[int, int, int, int, int]]]:
    """Residues that are joined on both sides: their row, and C, N, CA, C, N."""
    place = {
        key: i
        for i, key in enumerate(zip(prepared.residue.tolist(), prepared.atom.tolist(), strict=True))
    }
    found = []
    for row in range(1, len(prepared.segment) - 1):
        if len({*prepared.segment[row - 1 : row + 2].tolist()}) != 1:
            continue
        keys = ((row - 1, "C"), (row, "N"), (row, "CA"), (row, "C"), (row + 1, "N"))
        if all(key in place for key in keys):
            before, n, ca, c, after = (place[key] for key in keys)
            found.append((row, (before, n, ca, c, after)))
    return found
