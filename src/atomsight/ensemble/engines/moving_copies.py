"""Copies of the model by symmetry that move with it, and what acts between it and them.

The energy of N units that are copies of each other, with φ(x, y) between two of them, is

    N [E(x) + 1/2 Σ_g φ(x, g x)],        the sum over all operators but the identity

and a unit of it moves under the force -∂E - Σ_g ∂₁φ(x, g x), ∂₁ the derivative by the atoms of
that unit alone. The force on a copy is carried back to the atom that it copies, which takes the
derivative by both places of φ. By symmetry the second is the first for the inverse operator,
φ(x, g x) = φ(g⁻¹ x, x); so the sum over all g would count each force twice, and the factor 1/2 of
the energy above is also the right one for forces. Of g and g⁻¹ one with factor 1 gives the same and
needs half the copies; a two-fold, which is its own inverse, keeps 1/2. See `Copies.share`.

There are two forms, as of the map. On a graphics card copies are virtual sites, whose pairs with
the model a CustomNonbondedForce computes. On the CPU that takes 16 ms a step for apoferritin's
2,949 sites with a list of neighbours, and 170 ms with an interaction group, beside 4 ms for all
else; a kernel of ours takes 2.5 ms.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np

from atomsight.ensemble.copies import Copies
from atomsight.kernels.copies_force import move, near_pairs, pair_force
from atomsight.typing import Float_N, Float_Nx3

_NM = 10.0

_COULOMB = 138.93545764438198
"""kJ/mol nm/e²: 1 / (4 π ε0), as in OpenMM's NonbondedForce."""

_SKIN = 0.3
"""nm: how far beyond the cutoff pairs are listed."""

_ENERGY = """share1*share2*(4*sqrt(epsilon1*epsilon2)*(q^12-q^6) + charge1*charge2*({field}));
q=0.5*(sigma1+sigma2)/r"""


@dataclass(frozen=True, slots=True)
class Pairwise:
    """What acts between two atoms that are not bonded.

    Attributes
    ----------
    charge : ndarray, shape (n,)
        Times the root of Coulomb's constant.
    sigma, epsilon : ndarray, shape (n,)
        nm and kJ/mol.
    cutoff : float
        nm.
    rise, fall : float
        Of the reaction field: 1/r + rise r² - fall.
    """

    charge: Float_N
    sigma: Float_N
    epsilon: Float_N
    cutoff: float
    rise: float
    fall: float


def pairwise_of(pairs: Any) -> Pairwise:
    """Parameters of a model's NonbondedForce with its cutoff and reaction field.

    Parameters
    ----------
    pairs : openmm.NonbondedForce

    Returns
    -------
    Pairwise
    """
    values = np.array(
        [
            [value._value for value in pairs.getParticleParameters(i)]  # noqa: SLF001
            for i in range(pairs.getNumParticles())
        ]
    )
    cutoff, field = pairs.getCutoffDistance()._value, pairs.getReactionFieldDielectric()  # noqa: SLF001
    return Pairwise(
        charge=values[:, 0] * np.sqrt(_COULOMB),
        sigma=values[:, 1].copy(),
        epsilon=values[:, 2].copy(),
        cutoff=cutoff,
        rise=(field - 1.0) / (2.0 * field + 1.0) / cutoff**3,
        fall=3.0 * field / (2.0 * field + 1.0) / cutoff,
    )


class CopiesForce:
    """Computes energy and forces for OpenMM's PythonForce.

    Parameters
    ----------
    copies : Copies
    pairwise : Pairwise
        Of the model.
    """

    def __init__(self, copies: Copies, pairwise: Pairwise) -> None:
        self._copies = copies
        self._shift = copies.shift / _NM
        self._pairwise = pairwise
        n = len(pairwise.charge)
        self._moved, self._pull = np.zeros((2, len(copies), 3))
        self._force = np.zeros((n, 3))
        self._listed = np.full((n, 3), np.nan)
        self._pairs = np.zeros((0, 2), dtype=np.int64)

    def __call__(self, state: Any) -> tuple[float, Float_Nx3]:
        """Energy in kJ/mol and forces in kJ/mol/nm."""
        xyz = state.getPositions(asNumpy=True)._value  # noqa: SLF001
        c, p = self._copies, self._pairwise
        move(xyz, c.rotation, self._shift, c.operator, c.atom, self._moved)
        # both atoms of a pair move; not ">", which NaN would pass
        if not np.square(xyz - self._listed).sum(axis=1).max() <= (_SKIN / 2.0) ** 2:
            self._list(xyz)
        energy = pair_force(
            xyz,
            self._moved,
            self._pairs,
            p.charge,
            p.sigma,
            p.epsilon,
            c.share,
            c.rotation,
            c.operator,
            c.atom,
            p.cutoff,
            p.rise,
            p.fall,
            self._force,
            self._pull,
        )
        return energy, self._force

    def _list(self, xyz: Float_Nx3) -> None:
        reach = self._pairwise.cutoff + _SKIN
        count = near_pairs(xyz, self._copies.facing, self._moved, reach, self._pairs)
        found = np.zeros((count, 2), dtype=np.int64)
        near_pairs(xyz, self._copies.facing, self._moved, reach, found)
        self._pairs, self._listed = found, xyz.copy()


def add_sites(system: Any, pairs: Any, copies: Copies) -> Any:
    """Add the atoms of copies as sites, and what acts between them and the model.

    Lennard-Jones and Coulomb with a reaction field, as between atoms of the model. Copies feel
    nothing of each other.

    Parameters
    ----------
    system : openmm.System
        Of the model; gets the sites, after its own particles.
    pairs : openmm.NonbondedForce
        Of the model, with its final charges; its sites have none.
    copies : Copies

    Returns
    -------
    openmm.CustomNonbondedForce
        To be added to the system.
    """
    import openmm  # noqa: PLC0415  (optional library)

    p = pairwise_of(pairs)
    field = f"1/r+{p.rise:.12g}*r^2-{p.fall:.12g}"
    force = openmm.CustomNonbondedForce(_ENERGY.format(field=field))
    for name in ("charge", "sigma", "epsilon", "share"):
        force.addPerParticleParameter(name)
    force.setNonbondedMethod(openmm.CustomNonbondedForce.CutoffNonPeriodic)
    force.setCutoffDistance(p.cutoff)
    known = np.stack([p.charge, p.sigma, p.epsilon], axis=1).tolist()
    for values in known:
        force.addParticle([*values, 1.0])
    frames = [
        ([openmm.Vec3(*row) for row in turn.tolist()], openmm.Vec3(*(shift / _NM).tolist()))
        for turn, shift in zip(copies.rotation, copies.shift, strict=True)
    ]
    for operator, atom in zip(copies.operator.tolist(), copies.atom.tolist(), strict=True):
        turn, shift = frames[operator]
        site = system.addParticle(0.0)
        system.setVirtualSite(site, openmm.SymmetrySite(atom, *turn, shift, False))
        pairs.addParticle(0.0, 1.0, 0.0)
        force.addParticle([*known[atom], float(copies.share[operator])])
    # OpenMM wants one list of exclusions for all forces
    for i in range(pairs.getNumExceptions()):
        force.addExclusion(*pairs.getExceptionParameters(i)[:2])
    n = len(known)
    force.addInteractionGroup(copies.facing.tolist(), np.arange(n, n + len(copies)).tolist())
    return force
