"""Clashes of a model with hydrogens, by MolProbity's definition."""

from dataclasses import dataclass
from functools import cache

import numpy as np
from scipy.spatial import KDTree

from atomsight.ensemble.geometry.radii import Contacts, contacts
from atomsight.ensemble.geometry.topology import bonds, compatible, near_in_bonds
from atomsight.errors import ModelFileError
from atomsight.kernels.overlap import deepest_dots
from atomsight.model import AtomClass, Model
from atomsight.typing import Bool_N, Float_N, Float_Nx3, Int_N

CLASH = 0.4
"""Å of overlap."""

HYDROGEN_BOND = 0.6
CHARGED_HYDROGEN_BOND = 0.8
"""Å that a hydrogen may overlap with its acceptor, before the 0.4 Å of a clash begin."""

LEAST_OCCUPANCY = 0.1

DOTS = 16
"""Dots for each Å² of an atom's surface, as in MolProbity's runs of Probe."""

_LEAST_HYDROGENS = 0.35


@dataclass(frozen=True, slots=True)
class Clashes:
    """The clashes of one model.

    Attributes
    ----------
    pairs : ndarray of int, shape (k, 2)
        Rows of the atoms that clash, the smaller first; worst clash first.
    overlap : ndarray, shape (k,)
        Å, without what a hydrogen bond allows.
    per_residue : ndarray of int, shape (m,)
        Number of clashes that atoms of each residue take part in.
    worst : ndarray, shape (m,)
        Largest overlap of each residue, Å; NaN where it has no clash.
    n_atoms : int
        Atoms that count: not water, occupancy above 0.1.
    nuclear : bool
        Hydrogens stand at the nuclei, and the radii are those for it.
    """

    pairs: Int_N
    overlap: Float_N
    per_residue: Int_N
    worst: Float_N
    n_atoms: int
    nuclear: bool

    @property
    def clashscore(self) -> float:
        """Clashes per 1000 atoms."""
        return 1000.0 * len(self.pairs) / self.n_atoms

    @property
    def definition(self) -> str:
        """All of it in one sentence."""
        where = "nuclear" if self.nuclear else "electron-cloud"
        return (
            f"MolProbity-style clashscore: pairs with dots at least {CLASH} Å deep in the "
            f"other atom, per 1000 atoms; Probe's radii for {where} hydrogens; "
            "3 bonds apart (4 with a hydrogen at an end) left out; hydrogen bonds may overlap "
            f"{HYDROGEN_BOND} Å more ({CHARGED_HYDROGEN_BOND} Å between charges)"
        )


def clashes(model: Model) -> Clashes:
    """Find the clashes of a model that has its hydrogens.

    Two atoms more than 3 bonds apart (4, if either is a hydrogen) clash when the spheres of their
    radii overlap by 0.4 Å or more. A hydrogen on N, O or S and an acceptor may overlap by 0.6 Å
    (0.8 Å if both belong to charged groups) before that. As with Probe, the overlap is the depth
    of dots on the surface of either atom (16 an Å²): a dot counts if it lies in no atom near in
    bonds, and deeper in the other atom than in any third one. Clashes between waters do not
    count.

    Parameters
    ----------
    model : Model

    Returns
    -------
    Clashes

    Raises
    ------
    ModelFileError
        If the model lacks its hydrogens: without them the score means nothing.

    References
    ----------
    Word et al. (1999), J. Mol. Biol. 285, 1711-1733; Chen et al. (2010), Acta Cryst. D66, 12-21.
    """
    water = model.atom_class == AtomClass.WATER
    counted = model.has_position & (model.occupancy > LEAST_OCCUPANCY)
    _require_hydrogens(model)
    kinds = contacts(model)
    near = near_in_bonds(bonds(model), model.hydrogen)
    pairs, overlap = _overlaps(model, kinds, near, counted)
    allowed = _allowance(kinds, pairs)
    clash = (overlap - allowed >= CLASH) & ~(water[pairs[:, 0]] & water[pairs[:, 1]])
    at = np.flatnonzero(clash)
    depth = _seen_overlap(model.xyz, kinds.radius, pairs, at, near) - allowed[at]
    seen = depth >= CLASH
    pairs, overlap = pairs[at[seen]], depth[seen]
    worst_first = np.lexsort((pairs[:, 1], pairs[:, 0], -overlap))
    pairs, overlap = pairs[worst_first], overlap[worst_first]
    per_residue, worst = _by_residue(model, pairs, overlap)
    n_atoms = int(np.count_nonzero(counted & ~water))
    return Clashes(pairs, overlap, per_residue, worst, n_atoms, kinds.nuclear)


def copy_clashes(model: Model, moved: Float_Nx3, atom: Int_N, share: Float_N) -> float:
    """How many clashes a model has with its copies.

    Pairs of an atom of the model and one of a copy that overlap by 0.4 Å or more, beside what a
    hydrogen bond allows; dots are not asked, so that an atom between the two hides nothing.

    Parameters
    ----------
    model : Model
    moved : ndarray, shape (s, 3)
        Å: atoms of copies.
    atom : ndarray of int, shape (s,)
        Row of the model's atom that each copies.
    share : ndarray, shape (s,)
        What a clash of each counts.

    Returns
    -------
    float
        Of one copy of the model: what two share is counted once for both.
    """
    kinds = contacts(model)
    reach = 2.0 * float(kinds.radius.max(initial=0.0)) - CLASH
    near = KDTree(model.xyz).sparse_distance_matrix(KDTree(moved), reach, output_type="ndarray")
    pairs = np.stack([near["i"], atom[near["j"]]], axis=1)
    overlap = kinds.radius[pairs].sum(axis=1) - near["v"] - _allowance(kinds, pairs)
    return float(share[near["j"]][overlap >= CLASH].sum())


def _require_hydrogens(model: Model) -> None:
    polymer = np.isin(model.atom_class, [AtomClass.PROTEIN, AtomClass.NUCLEIC])
    part = polymer if polymer.any() else model.atom_class != AtomClass.WATER
    hydrogens = np.count_nonzero(model.hydrogen & model.has_position & part)
    heavy = np.count_nonzero(model.heavy & part)
    if hydrogens < _LEAST_HYDROGENS * heavy:
        raise ModelFileError(
            f"{model.path}: {hydrogens} hydrogens beside {heavy} other atoms; a clashscore needs "
            "all hydrogens: add them first (reduce, PDBFixer or your refinement program)"
        )


def _overlaps(
    model: Model, kinds: Contacts, near: tuple[Int_N, Int_N], counted: Bool_N
) -> tuple[Int_N, Float_N]:
    """Pairs that are not near in bonds and overlap by 0.4 Å or more, hydrogen bonds too."""
    rows = np.flatnonzero(counted)
    radius = kinds.radius
    reach = 2.0 * float(radius[rows].max()) - CLASH
    pairs = rows[KDTree(model.xyz[rows]).query_pairs(reach, output_type="ndarray")]
    apart = np.linalg.norm(model.xyz[pairs[:, 0]] - model.xyz[pairs[:, 1]], axis=1)
    overlap = radius[pairs].sum(axis=1) - apart
    deep = (overlap >= CLASH) & compatible(model, pairs)
    pairs, overlap = np.sort(pairs[deep], axis=1), overlap[deep]
    start, atoms = near
    n = len(model)
    key = np.repeat(np.arange(n), np.diff(start)) * n + atoms
    wanted = pairs[:, 0] * n + pairs[:, 1]
    place = np.minimum(np.searchsorted(key, wanted), len(key) - 1)
    free = key[place] != wanted
    return pairs[free], overlap[free]


def _allowance(kinds: Contacts, pairs: Int_N) -> Float_N:
    """Overlap that a hydrogen bond explains, Å."""
    one, two = pairs.T
    bond = kinds.donor[one] & kinds.acceptor[two] | kinds.donor[two] & kinds.acceptor[one]
    charged = kinds.charged[one] & kinds.charged[two]
    return np.where(bond, np.where(charged, CHARGED_HYDROGEN_BOND, HYDROGEN_BOND), 0.0)


def _seen_overlap(
    xyz: Float_Nx3, radius: Float_N, pairs: Int_N, at: Int_N, near: tuple[Int_N, Int_N]
) -> Float_N:
    """Deepest dot of each clashing pair that shows on the surface of either atom, Å."""
    both = np.concatenate([pairs, pairs[:, ::-1]])
    by_source = both[np.argsort(both[:, 0], kind="stable")]
    rivals_start = np.searchsorted(by_source[:, 0], np.arange(len(xyz) + 1))
    sizes, dots_of = np.unique(radius, return_inverse=True)
    sets = [sphere_dots(size) for size in sizes.tolist()]
    dots_start = np.cumsum([0, *(len(one) for one in sets)])
    hiding_start, hiding = near
    deepest = np.empty((2, len(at)))
    for way, order in enumerate((pairs[at], pairs[at][:, ::-1])):
        deepest_dots(
            order[:, 0].copy(),
            order[:, 1].copy(),
            np.ascontiguousarray(xyz),
            radius,
            np.concatenate(sets),
            dots_start,
            dots_of.reshape(-1),
            hiding,
            hiding_start,
            by_source[:, 1].copy(),
            rivals_start,
            CLASH,
            deepest[way],
        )
    return np.asarray(deepest.max(axis=0))


@cache
def sphere_dots(radius: float) -> Float_Nx3:
    """Evenly spread directions, 16 dots for each Å² of a sphere, on a Fibonacci spiral.

    Parameters
    ----------
    radius : float
        Å.

    Returns
    -------
    ndarray, shape (k, 3)
        Unit vectors.
    """
    count = round(4.0 * np.pi * radius**2 * DOTS)
    k = np.arange(count) + 0.5
    z = 1.0 - 2.0 * k / count
    turn = np.pi * (1.0 + np.sqrt(5.0)) * k
    flat = np.sqrt(1.0 - z * z)
    return np.stack([flat * np.cos(turn), flat * np.sin(turn), z], axis=1)


def _by_residue(model: Model, pairs: Int_N, overlap: Float_N) -> tuple[Int_N, Float_N]:
    """Number of clashes and worst overlap of each residue."""
    count = len(model.residues)
    touched = np.sort(model.residue[pairs], axis=1)
    other = touched[:, 0] != touched[:, 1]
    rows = np.concatenate([touched[:, 0], touched[other, 1]])
    values = np.concatenate([overlap, overlap[other]])
    worst = np.full(count, -np.inf)
    np.maximum.at(worst, rows, values)
    return (
        np.bincount(rows, minlength=count).astype(np.int64),
        np.where(np.isfinite(worst), worst, np.nan),
    )
