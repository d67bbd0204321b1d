"""Numbers of the parts of residues: Q, what is attainable, and the band around it."""

from dataclasses import dataclass

import numpy as np

from atomsight.evidence.displacement import Displacement
from atomsight.evidence.groups import group_means
from atomsight.evidence.status import Status
from atomsight.model import AtomClass, Model
from atomsight.summary import Part, atom_parts
from atomsight.typing import Bool_N, Float_N, FloatArray, Int_N, Status_N
from atomsight.verdict.readings import Rules


@dataclass(frozen=True, slots=True)
class Parts:
    """Numbers of one part of every residue, shape (m,).

    Attributes
    ----------
    kind : ndarray of int
        `Part`.
    n : ndarray of int
        Atoms.
    q, expected, low, high : ndarray
        Q, attainable Q, and the band around it.
    own : ndarray
        Half-width of the band without the noise.
    resolution, fsc_q : ndarray
        Å.
    agree : ndarray of bool
        Whether the half maps agree on anything at most of the atoms.
    pull, climb : ndarray
        How far the map pulls the part to one side, and what the part would gain by a step, in
        standard deviations; NaN where that is not known.
    """

    kind: Int_N
    n: Int_N
    q: Float_N
    expected: Float_N
    low: Float_N
    high: Float_N
    own: Float_N
    resolution: Float_N
    fsc_q: Float_N
    agree: Bool_N
    pull: Float_N
    climb: Float_N


def slots(model: Model) -> Int_N:
    """Which part of its residue each atom is judged with.

    Parameters
    ----------
    model : Model

    Returns
    -------
    ndarray of int, shape (n,)
        1 for atoms of backbones, 2 for those of side chains and bases, 0 for others.
    """
    part = atom_parts(model)
    # where CB is follows from the backbone: turning a side chain does not move it
    side = (part == Part.BASE) | ((part == Part.SIDECHAIN) & (model.atom != "CB"))
    return np.where(side, 2, np.where(part == Part.NONE, 0, 1)).astype(np.int64)


def side_kind(model: Model) -> Int_N:
    """What the second part of each residue is called.

    Parameters
    ----------
    model : Model

    Returns
    -------
    ndarray of int, shape (m,)
        `Part.BASE` for nucleotides, `Part.SIDECHAIN` otherwise.
    """
    nucleic = model.residues.atom_class == AtomClass.NUCLEIC
    return np.where(nucleic, Part.BASE, Part.SIDECHAIN).astype(np.int64)


@dataclass(frozen=True, slots=True)
class Evidence:
    """Everything known of the atoms.

    Attributes
    ----------
    model : Model
    q : ndarray, shape (n,)
    fields : ndarray, shape (fields, n)
        Attainable Q with each field of noise.
    resolution : ndarray, shape (n,)
        Å.
    status : ndarray of uint8, shape (n,)
        Of the resolution.
    fsc_q : ndarray, shape (n,), or None
        Å.
    displacement : Displacement or None
    """

    model: Model
    q: Float_N
    fields: FloatArray
    resolution: Float_N
    status: Status_N
    fsc_q: Float_N | None
    displacement: Displacement | None

    def typical_fsc_q(self) -> float:
        """Median FSC-Q of the atoms, Å; NaN where it is not known."""
        return float("nan") if self.fsc_q is None else median(self.fsc_q)

    def of(self, atoms: Bool_N, kind: Int_N, rules: Rules) -> Parts:
        """Means over the chosen atoms of each residue, and the band.

        Parameters
        ----------
        atoms : ndarray of bool, shape (n,)
        kind : ndarray of int, shape (m,)
            `Part` that they are.
        rules : Rules

        Returns
        -------
        Parts
        """
        residue, m = self.model.residue, len(self.model.residues)

        def mean(values: Float_N) -> Float_N:
            return group_means(values, residue, m, atoms)

        n = np.bincount(residue[atoms], minlength=m)
        fields = np.array([mean(q) for q in self.fields])
        expected = fields.mean(axis=0)
        noise = fields.var(axis=0, ddof=1)
        own = rules.spread**2 + rules.spread_atom**2 / np.maximum(n, 1)
        half_width = rules.width * np.sqrt(own + noise)
        fsc_q = np.full(m, np.nan) if self.fsc_q is None else mean(self.fsc_q)
        pull = climb = np.full(m, np.nan)
        if self.displacement is not None:
            pull, climb = self.displacement.of(residue, m, atoms, rules.spread_density)
        share = np.where(np.isfinite(pull), np.clip(rules.displaced - pull, 0.0, rules.widest), 1.0)
        stands_out = fsc_q > self.typical_fsc_q() + rules.stands_out
        share = np.where(stands_out, np.minimum(share, rules.confirmed), share)
        lost = mean((self.status == Status.LOW_FREQUENCY).astype(float))
        return Parts(
            kind, n, mean(self.q), expected, expected - share * half_width, expected + half_width,
            rules.width * np.sqrt(own),
            mean(np.where(self.status == Status.OK, self.resolution, np.nan)),
            fsc_q,
            ~(lost > 0.5), pull, climb,
        )  # fmt: skip


def median(values: Float_N) -> float:
    """Median of what is not NaN.

    Parameters
    ----------
    values : ndarray, shape (n,)

    Returns
    -------
    float
        NaN where there is nothing.
    """
    known = values[np.isfinite(values)]
    return float(np.median(known)) if len(known) else float("nan")
