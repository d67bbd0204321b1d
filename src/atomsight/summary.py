"""From atoms to residues, chains, classes and the whole model."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import IntEnum

import numpy as np

from atomsight.archive.expected import ExpectedQ
from atomsight.evidence.fsc_q import BEYOND, FscQ
from atomsight.evidence.groups import group_means
from atomsight.model import AtomClass, Model, ResidueTable
from atomsight.typing import Bool_N, Float_N, Int_N, Str_N

SMOOTHING_WINDOWS = (3, 5, 7, 11)
"""Residues; as in MapQ."""

_POLYMERS = (AtomClass.PROTEIN, AtomClass.NUCLEIC)
_BACKBONE = ("N", "CA", "C", "O")
_TERMINAL_OXYGENS = ("OT1", "OT2")
_PHOSPHATE = ("P", "O1P", "O2P", "OP1", "OP2", "O5'", "C5'", "O3'")
_SUGAR = ("C1'", "C2'", "C3'", "C4'", "O4'", "O2'")


class Part(IntEnum):
    """Which part of its residue an atom is, as in MapQ."""

    NONE = 0
    BACKBONE = 1
    SIDECHAIN = 2
    PHOSPHATE = 3
    SUGAR = 4
    BASE = 5

    @property
    def label(self) -> str:
        """The name as it stands in tables."""
        return self.name.lower()


_PART_COLUMNS = {
    # of a nucleotide: phosphate and sugar together, "bb" of Pintilie et al. (2020)
    "q_backbone": (Part.BACKBONE, Part.PHOSPHATE, Part.SUGAR),
    "q_sidechain": (Part.SIDECHAIN,),
    "q_phosphate": (Part.PHOSPHATE,),
    "q_sugar": (Part.SUGAR,),
    "q_base": (Part.BASE,),
}


@dataclass(frozen=True, slots=True)
class Average:
    """A mean over atoms, with the number that entered it.

    Attributes
    ----------
    mean : float
        NaN when `n` is 0.
    n : int
        Number of atoms.
    """

    mean: float
    n: int


def atom_parts(model: Model) -> Int_N:
    """Part of its residue that each atom is.

    Protein: backbone N, CA, C, O; everything else is side chain (OXT too; OT1 and OT2 neither).
    Nucleic acid: phosphate P, OP1, OP2, O5', C5', O3'; sugar C1', C2', C3', C4', O4', O2'; the
    rest is base.

    Parameters
    ----------
    model : Model

    Returns
    -------
    ndarray of int, shape (n,)
        `Part` of each atom; NONE outside polymers and for hydrogens.
    """
    names = np.char.replace(model.atom, "*", "'")
    protein = model.atom_class == AtomClass.PROTEIN
    nucleic = model.atom_class == AtomClass.NUCLEIC
    part = np.zeros(len(model), dtype=np.int64)
    part[protein] = Part.SIDECHAIN
    part[protein & np.isin(names, _BACKBONE)] = Part.BACKBONE
    part[protein & np.isin(names, _TERMINAL_OXYGENS)] = Part.NONE
    part[nucleic] = Part.BASE
    part[nucleic & np.isin(names, _PHOSPHATE)] = Part.PHOSPHATE
    part[nucleic & np.isin(names, _SUGAR)] = Part.SUGAR
    part[model.hydrogen] = Part.NONE
    return part


def average(values: Float_N, chosen: Bool_N) -> Average:
    """Mean of the chosen values that are not NaN.

    Parameters
    ----------
    values : ndarray, shape (n,)
    chosen : ndarray of bool, shape (n,)

    Returns
    -------
    Average
    """
    used = values[chosen & np.isfinite(values)]
    return Average(float(used.mean()) if len(used) else float("nan"), len(used))


def averages_by(values: Float_N, names: Str_N, chosen: Bool_N) -> dict[str, Average]:
    """Mean of the chosen values for each name.

    Parameters
    ----------
    values : ndarray, shape (n,)
    names : ndarray of str, shape (n,)
        Chain or entity or class of each atom.
    chosen : ndarray of bool, shape (n,)

    Returns
    -------
    dict
        In order of first appearance.
    """
    unique, first, group = np.unique(names, return_index=True, return_inverse=True)
    return {str(unique[i]): average(values, chosen & (group == i)) for i in np.argsort(first)}


def smooth(values: Float_N, residues: ResidueTable, window: int) -> Float_N:
    """Running mean over polymer residues that follow each other in number.

    MapQ averages over residues that follow each other in the file, across gaps, and counts a
    missing side chain as 0; here a gap ends the window and what is missing is left out. Between
    gaps the residue means are the same.

    Parameters
    ----------
    values : ndarray, shape (m,)
        One a residue.
    residues : ResidueTable
    window : int
        Odd number of residues; shorter at ends and gaps.

    Returns
    -------
    ndarray, shape (m,)
        NaN outside polymers.
    """
    result = np.full(len(residues), np.nan)
    rows = np.flatnonzero(np.isin(residues.atom_class, _POLYMERS))
    if not len(rows):
        return result
    same = (residues.chain[rows][1:] == residues.chain[rows][:-1]) & (
        residues.label_asym[rows][1:] == residues.label_asym[rows][:-1]
    )
    step = np.diff(residues.number[rows])
    breaks = np.flatnonzero(~(same & (step >= 0) & (step <= 1))) + 1
    starts = np.concatenate([[0], breaks])
    lengths = np.diff(np.concatenate([starts, [len(rows)]]))
    first = np.repeat(starts, lengths)
    last = np.repeat(starts + lengths, lengths)
    here = np.arange(len(rows))
    low = np.maximum(here - window // 2, first)
    high = np.minimum(here + window // 2 + 1, last)
    known = np.isfinite(values[rows])
    sums = np.concatenate([[0.0], np.cumsum(np.where(known, values[rows], 0.0))])
    counts = np.concatenate([[0], np.cumsum(known)])
    count = counts[high] - counts[low]
    mean = np.divide(sums[high] - sums[low], count, out=np.full(len(rows), np.nan), where=count > 0)
    result[rows] = mean
    return result


def residue_columns(
    model: Model, q: Float_N, counted: Bool_N, expected: ExpectedQ | None
) -> dict[str, np.ndarray]:
    """Q of each residue and of its parts, with what to expect.

    Parameters
    ----------
    model : Model
    q : ndarray, shape (n,)
        Q of the atoms.
    counted : ndarray of bool, shape (n,)
        Atoms that enter averages.
    expected : ExpectedQ or None
        For the whole model at its resolution.

    Returns
    -------
    dict
        Name of the column → one value a residue. ``q_band`` is "below", "within" or "above" the
        expected band, or empty.
    """
    count = len(model.residues)
    part = atom_parts(model)
    columns: dict[str, np.ndarray] = {
        "atoms": np.bincount(model.residue[counted], minlength=count),
        "q": group_means(q, model.residue, count, counted),
    }
    for name, kinds in _PART_COLUMNS.items():
        columns[name] = group_means(q, model.residue, count, counted & np.isin(part, kinds))
    worst = np.full(count, np.inf)
    used = counted & np.isfinite(q)
    np.minimum.at(worst, model.residue[used], q[used])
    columns["q_worst"] = np.where(np.isfinite(worst), worst, np.nan)
    for window in SMOOTHING_WINDOWS:
        columns[f"q_mean{window}"] = smooth(columns["q"], model.residues, window)
    columns["q_band"] = np.full(count, "", dtype="U6")
    if expected is not None:
        columns["q_band"] = band(columns["q"], expected)
    return columns


def fsc_q_columns(model: Model, scores: FscQ) -> dict[str, np.ndarray]:
    """FSC-Q of each residue.

    Parameters
    ----------
    model : Model
    scores : FscQ

    Returns
    -------
    dict
        Name of the column → one value a residue: means of FSC-Q, of its absolute value, of
        FSC-Q_R and of the two local resolutions; numbers of atoms beyond ±0.5 Å.
    """
    count, counted = len(model.residues), scores.counted
    means = {
        "fsc_q": scores.fsc_q,
        "fsc_q_abs": np.abs(scores.fsc_q),
        "fsc_q_r": scores.fsc_q_r,
        "local_resolution_half": scores.half,
        "local_resolution_model": scores.model,
    }
    columns: dict[str, np.ndarray] = {
        name: group_means(values, model.residue, count, counted) for name, values in means.items()
    }
    for name, beyond in (
        ("atoms_below", scores.fsc_q < -BEYOND),
        ("atoms_above", scores.fsc_q > BEYOND),
    ):
        columns[f"fsc_q_{name}"] = np.bincount(model.residue[counted & beyond], minlength=count)
    return columns


def fsc_q_averages(model: Model, scores: FscQ) -> dict[str, object]:
    """FSC-Q of the whole model and its chains.

    Parameters
    ----------
    model : Model
    scores : FscQ

    Returns
    -------
    dict
        Signed and absolute mean, median, mean FSC-Q_R, atoms beyond ±0.5 Å (number and per cent),
        and the signed mean of each chain.
    """
    counted = scores.counted
    values = scores.fsc_q[counted]
    n = len(values)
    below, above = int((values < -BEYOND).sum()), int((values > BEYOND).sum())
    return {
        "n": n,
        "mean": average(scores.fsc_q, counted).mean,
        "mean_absolute": average(np.abs(scores.fsc_q), counted).mean,
        "median": float(np.median(values)) if n else float("nan"),
        "mean_r": average(scores.fsc_q_r, counted).mean,
        "atoms_below": {"limit": -BEYOND, "n": below, "percent": 100.0 * below / n if n else None},
        "atoms_above": {"limit": BEYOND, "n": above, "percent": 100.0 * above / n if n else None},
        "chains": averages_by(scores.fsc_q, model.residues.chain[model.residue], counted),
    }


def band(q: Float_N, expected: ExpectedQ) -> Str_N:
    """Where values lie relative to the expected band.

    Parameters
    ----------
    q : ndarray, shape (m,)
    expected : ExpectedQ

    Returns
    -------
    ndarray of str, shape (m,)
        "below", "within", "above"; empty for NaN.
    """
    return np.select(
        [np.isnan(q), q < expected.low, q > expected.high], ["", "below", "above"], "within"
    )


def model_averages(model: Model, q: Float_N, counted: Bool_N) -> Mapping[str, object]:
    """All averages of a model.

    Parameters
    ----------
    model : Model
    q : ndarray, shape (n,)
        Q of the atoms.
    counted : ndarray of bool, shape (n,)
        Atoms that enter averages.

    Returns
    -------
    mapping
        ``mean`` (all atoms other than hydrogen, as MapQ), ``mean_without_water`` (as EMDB and the
        wwPDB), and mappings of averages: ``classes``, ``chains``, ``entities``, ``parts``.
    """
    labels = np.array([kind.label for kind in AtomClass])
    part_labels = np.array([part.label for part in Part])
    water = model.atom_class == AtomClass.WATER
    part = atom_parts(model)
    is_part = part != Part.NONE
    return {
        "mean": average(q, counted),
        "mean_without_water": average(q, counted & ~water),
        "classes": averages_by(q, labels[model.atom_class], ~model.hydrogen & counted),
        "chains": averages_by(q, model.residues.chain[model.residue], counted),
        "entities": averages_by(q, model.residues.entity[model.residue], counted),
        "parts": averages_by(q[is_part], part_labels[part[is_part]], counted[is_part]),
    }
