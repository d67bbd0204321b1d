"""Waters and ions: how well they are seen, and how far from everything else.

In a good map waters lie about 2.8 Å from each other and from the protein, the length of a hydrogen
bond (Pintilie et al. 2020, Supplementary Fig. 11). Waters put into noise do not.
"""

from dataclasses import dataclass

import numpy as np

from atomsight.errors import ParameterError
from atomsight.evidence.support import NonPolymerSupport, Support
from atomsight.model import AtomClass, Model
from atomsight.typing import Bool_N, Float_N, Int_N, Status_N

QUANTILES = (0.0, 0.05, 0.25, 0.5, 0.75, 0.95, 1.0)

_Q_EDGES = np.linspace(-1.0, 1.0, 41)
_DISTANCE_EDGES = np.linspace(2.0, 5.0, 31)
_SOLVENT = (AtomClass.ION, AtomClass.WATER)
_POLYMERS = (AtomClass.PROTEIN, AtomClass.NUCLEIC)
_CANDIDATES = 4


@dataclass(frozen=True, slots=True)
class SolventClass:
    """Waters or ions of a model, as one group.

    Attributes
    ----------
    n, n_scored : int
        Atoms in the model, and those with a Q.
    n_supported, n_unsupported : int
        See `non_polymer_support`; the rest is not judged.
    q_quantiles : ndarray, shape (7,)
        Minimum, 5, 25, 50, 75, 95 % and maximum of Q; NaN where no atom has one.
    q_histogram : ndarray of int, shape (40,)
        Atoms in each bin of `q_edges`.
    q_edges : ndarray, shape (41,)
        -1 to 1 in steps of 0.05.
    """

    n: int
    n_scored: int
    n_supported: int
    n_unsupported: int
    q_quantiles: Float_N
    q_histogram: Int_N
    q_edges: Float_N


@dataclass(frozen=True, slots=True)
class DistanceHistogram:
    """How far waters or ions are from their nearest neighbour of one kind.

    Attributes
    ----------
    edges : ndarray, shape (31,)
        2 to 5 Å in steps of 0.1.
    supported, unsupported : ndarray of int, shape (30,)
        Atoms in each bin.
    nearer, further : int
        Atoms below 2 Å and beyond 5 Å, of either group.
    """

    edges: Float_N
    supported: Int_N
    unsupported: Int_N
    nearer: int
    further: int


@dataclass(frozen=True, slots=True)
class Solvent:
    """Waters and ions of a model.

    Attributes
    ----------
    atom : ndarray of int, shape (k,)
        Their rows in the model; only those with a position.
    atom_class : ndarray of int, shape (k,)
        `AtomClass` of each.
    q : ndarray, shape (k,)
        Q-score; NaN where none was computed.
    support : ndarray of uint8, shape (k,)
        `Support` of each.
    nearest_water, nearest_polymer : ndarray, shape (k,)
        Distance to the nearest other water, and to the nearest atom of protein or nucleic acid, Å;
        hydrogens do not count. NaN where there is none.
    classes : dict
        `AtomClass` → `SolventClass`, of those that the model has.
    """

    atom: Int_N
    atom_class: Int_N
    q: Float_N
    support: Status_N
    nearest_water: Float_N
    nearest_polymer: Float_N
    classes: dict[AtomClass, SolventClass]


def solvent(model: Model, q: Float_N, counted: Bool_N, support: NonPolymerSupport) -> Solvent:
    """Q-scores and distances of waters and ions.

    Atoms of different alternative conformers are not neighbours. Copies by symmetry are not
    looked at, so a water between two copies may seem to lie alone.

    Parameters
    ----------
    model : Model
    q : ndarray, shape (n,)
        Q-score of each atom.
    counted : ndarray of bool, shape (n,)
        Atoms whose Q was computed: `QScores.counted`.
    support : NonPolymerSupport
        From `non_polymer_support`.

    Returns
    -------
    Solvent

    Raises
    ------
    ParameterError
        If the values do not belong to the model.
    """
    if not len(model) == len(q) == len(counted) == len(support.atom):
        raise ParameterError(f"Q and support must have one value for each of {len(model)} atoms")
    kind = model.atom_class
    rows = np.flatnonzero(np.isin(kind, _SOLVENT) & model.heavy)
    values = np.where(counted, q, np.nan)[rows]
    waters = np.flatnonzero((kind == AtomClass.WATER) & model.heavy)
    polymer = np.flatnonzero(np.isin(kind, _POLYMERS) & model.heavy)
    found = {
        group: _summary(values[kind[rows] == group], support.atom[rows][kind[rows] == group])
        for group in _SOLVENT
        if (kind[rows] == group).any()
    }
    return Solvent(
        atom=rows,
        atom_class=kind[rows],
        q=values,
        support=support.atom[rows],
        nearest_water=_nearest(model, rows, waters),
        nearest_polymer=_nearest(model, rows, polymer),
        classes=found,
    )


def distance_histogram(
    found: Solvent, atom_class: AtomClass, neighbour: AtomClass
) -> DistanceHistogram:
    """Distances of waters or ions to their nearest neighbours, for a radial plot.

    Parameters
    ----------
    found : Solvent
    atom_class : AtomClass
        WATER or ION.
    neighbour : AtomClass
        WATER, or PROTEIN for the nearest atom of any polymer.

    Returns
    -------
    DistanceHistogram
        Atoms that were not judged are in neither group.
    """
    distance = found.nearest_water if neighbour == AtomClass.WATER else found.nearest_polymer
    chosen = (found.atom_class == atom_class) & np.isfinite(distance)
    good = chosen & (found.support == Support.SUPPORTED)
    bad = chosen & ~good & (found.support != Support.NOT_JUDGED)
    edges = _DISTANCE_EDGES.copy()
    judged = distance[good | bad]
    return DistanceHistogram(
        edges=edges,
        supported=np.histogram(distance[good], edges)[0],
        unsupported=np.histogram(distance[bad], edges)[0],
        nearer=int((judged < edges[0]).sum()),
        further=int((judged > edges[-1]).sum()),
    )


def _summary(q: Float_N, support: Status_N) -> SolventClass:
    scored = q[np.isfinite(q)]
    edges = _Q_EDGES.copy()
    supported = int((support == Support.SUPPORTED).sum())
    judged = int((support != Support.NOT_JUDGED).sum())
    return SolventClass(
        n=len(q),
        n_scored=len(scored),
        n_supported=supported,
        n_unsupported=judged - supported,
        q_quantiles=np.quantile(scored, QUANTILES) if len(scored) else np.full(7, np.nan),
        q_histogram=np.histogram(scored, edges)[0],
        q_edges=edges,
    )


def _nearest(model: Model, rows: Int_N, others: Int_N) -> Float_N:
    """Distance from each of `rows` to the nearest of `others` that it can meet."""
    result = np.full(len(rows), np.nan)
    if not len(rows) or not len(others):
        return result
    from scipy.spatial import KDTree  # noqa: PLC0415  (slow to import, and not every model has waters)

    tree = KDTree(model.xyz[others])
    todo = np.arange(len(rows))
    count = _CANDIDATES
    while len(todo):
        tried = min(count, len(others))
        distance, at = tree.query(model.xyz[rows[todo]], k=list(range(1, tried + 1)))
        here, there = rows[todo][:, None], others[at]
        own, other = model.altloc[here], model.altloc[there]
        meets = (here != there) & ((own == other) | (own == "") | (other == ""))
        known = meets.any(axis=1)
        first = meets.argmax(axis=1)
        result[todo[known]] = np.asarray(distance)[np.flatnonzero(known), first[known]]
        # only itself and atoms of other conformers so far: look further
        todo = todo[~known] if tried < len(others) else todo[:0]
        count *= 4
    return result
