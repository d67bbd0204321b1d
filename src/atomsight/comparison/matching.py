"""The same atoms in several models: matched by their names, never by their place in the file."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from atomsight.errors import ParameterError
from atomsight.model import AtomClass, Model, select
from atomsight.typing import Bool_N, Float_N, Int_N, Str_N

MOVED = 0.1
"""Å; an atom that moved less is the same in both models."""

LEAST_MOVED = 0.005
"""Å; where none moved more than 0.1 Å, atoms that moved more than this: less is rounding."""

PART = 0.5
"""If at most this share of the atoms differs, the models differ in a part."""

_Key = tuple[str, int, str, str, str, str]


@dataclass(frozen=True, slots=True)
class ComparedAtoms:
    """The atoms that are compared, under the names that they have in all models.

    Attributes
    ----------
    chain, icode, residue, atom, altloc : ndarray of str, shape (m,)
        Author's chain, insertion code, residue name, atom name and conformer.
    number : ndarray of int, shape (m,)
        Author's residue number.
    rows : ndarray of int, shape (k, m)
        Row of each atom in each of the k models; -1 where a model lacks it.
    moved : ndarray, shape (m,)
        Largest distance between two models' atoms, Å; NaN where fewer than two have it.
    scope : str
        Which atoms these are, in words.
    part : bool
        Whether they are a part of the models.
    notes : tuple of str
    """

    chain: Str_N
    number: Int_N
    icode: Str_N
    residue: Str_N
    atom: Str_N
    altloc: Str_N
    rows: Int_N
    moved: Float_N
    scope: str
    part: bool
    notes: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(self.moved)

    @property
    def in_all(self) -> Bool_N:
        """Atoms that every model has, shape (m,)."""
        return np.asarray((self.rows >= 0).all(axis=0))

    def name(self, i: int) -> str:
        """What an atom is called in messages.

        Parameters
        ----------
        i : int
            Its row.

        Returns
        -------
        str
        """
        conformer = f".{self.altloc[i]}" if self.altloc[i] else ""
        return f"{self.residue_name(i)} {self.atom[i]}{conformer}"

    def residue_name(self, i: int) -> str:
        """What the residue of an atom is called in messages.

        Parameters
        ----------
        i : int
            Row of the atom.

        Returns
        -------
        str
        """
        return f"{self.chain[i]}/{self.residue[i]} {self.number[i]}{self.icode[i]}"


def compared_atoms(models: Sequence[Model], selection: str | None = None) -> ComparedAtoms:
    """Find the atoms to compare: a selection, or what differs, or everything.

    Atoms are the same if chain, number, insertion code, residue, atom name and conformer are.
    Hydrogens, atoms without coordinates and, unless a selection names nothing else, waters are
    left out. Without a selection the atoms are those that differ (moved by more than 0.1 Å, or in
    some models only; where there are none, moved at all), if they are at most half of all; else
    all.

    Parameters
    ----------
    models : sequence of Model
        At least two.
    selection : str, optional
        gemmi's syntax; applied to each model.

    Returns
    -------
    ComparedAtoms
        In the order of the first model; what it lacks follows.

    Raises
    ------
    ParameterError
        If the selection names nothing in a model, no atom is in all models, or nothing differs.
    """
    chosen, kinds = _chosen(models, selection)
    keys, rows, notes = _match(models, chosen)
    moved = _moved(models, rows)
    everything = rows.shape[1]
    used, scope = np.ones(everything, dtype=bool), f"the selection {selection!r}"
    if selection is None:
        used, scope = _different(moved, np.asarray((rows < 0).any(axis=0)))
        if not used.any():
            raise ParameterError(
                f"{', '.join(str(model.path) for model in models)}: the same atoms in the same "
                "places; there is nothing to compare"
            )
    part = selection is not None or not used.all()
    count = "" if used.all() else f"{np.count_nonzero(used)} of "
    scope = f"{count}{everything} atoms{kinds}: {scope}"
    chain, number, icode, residue, atom, altloc = (
        np.array([key[i] for key in keys])[used] for i in range(6)
    )
    found = ComparedAtoms(
        chain, number, icode, residue, atom, altloc, rows[:, used], moved[used], scope, part, notes
    )
    if not found.in_all.any():
        raise ParameterError(_nothing_in_common(models, found))
    return found


def _different(moved: Float_N, missing: Bool_N) -> tuple[Bool_N, str]:
    """The atoms that differ, if they are a part; else all."""
    limit = MOVED if missing.any() or (moved > MOVED).any() else LEAST_MOVED
    differs = (moved > limit) | missing
    what = f"differ by more than {limit:g} Å or are in some models only"
    if limit == LEAST_MOVED:
        what = f"differ at all, by less than {MOVED:g} Å"
    if np.count_nonzero(differs) <= PART * len(differs):
        return differs, f"those that {what}"
    return np.ones(len(differs), dtype=bool), f"all; {np.count_nonzero(differs)} {what}"


def _chosen(models: Sequence[Model], selection: str | None) -> tuple[list[Bool_N], str]:
    """Atoms of each model that may be compared, and what is left out."""
    dry = [model.heavy & (model.atom_class != AtomClass.WATER) for model in models]
    kinds = " other than hydrogen and water"
    if selection is None:
        for model, some in zip(models, dry, strict=True):
            if not some.any():
                raise ParameterError(f"{model.path}: holds nothing but water; name it (--select)")
        return dry, kinds
    named = [select(model, selection) & model.heavy for model in models]
    for model, some in zip(models, named, strict=True):
        if not some.any():
            raise ParameterError(f"selection {selection!r} names only hydrogens of {model.path}")
    without = [a & b for a, b in zip(named, dry, strict=True)]
    if any(some.any() for some in without):
        return without, kinds
    return named, " other than hydrogen"


def _match(
    models: Sequence[Model], chosen: Sequence[Bool_N]
) -> tuple[list[_Key], Int_N, tuple[str, ...]]:
    """Keys of all atoms, and the row that each has in each model."""
    place: dict[_Key, int] = {}
    found: list[dict[_Key, int]] = []
    twice: set[_Key] = set()
    notes = []
    for model, some in zip(models, chosen, strict=True):
        rows: dict[_Key, int] = {}
        again = set()
        for row, key in zip(np.flatnonzero(some).tolist(), _keys(model, some), strict=True):
            if key in rows:
                again.add(key)
            rows[key] = row
            place.setdefault(key, len(place))
        if again:
            notes.append(f"{model.path}: {len(again)} atoms bear a name twice; they are left out")
        twice |= again
        found.append(rows)
    keys = [key for key in place if key not in twice]
    table = np.array([[rows.get(key, -1) for key in keys] for rows in found], dtype=np.int64)
    return keys, table.reshape(len(models), len(keys)), tuple(notes)


def _keys(model: Model, some: Bool_N) -> list[_Key]:
    residues, residue = model.residues, model.residue[some]
    return list(
        zip(
            residues.chain[residue].tolist(),
            residues.number[residue].tolist(),
            residues.icode[residue].tolist(),
            residues.name[residue].tolist(),
            model.atom[some].tolist(),
            model.altloc[some].tolist(),
            strict=True,
        )
    )


def _moved(models: Sequence[Model], rows: Int_N) -> Float_N:
    """Largest distance between two models' atoms."""
    far = np.full(rows.shape[1], np.nan)
    for i in range(len(models)):
        for j in range(i):
            both = (rows[i] >= 0) & (rows[j] >= 0)
            step = models[i].xyz[rows[i, both]] - models[j].xyz[rows[j, both]]
            far[both] = np.fmax(far[both], np.linalg.norm(step, axis=1))
    return far


def _nothing_in_common(models: Sequence[Model], found: ComparedAtoms) -> str:
    if len(found):
        where = [str(m.path) for m, row in zip(models, found.rows[:, 0], strict=True) if row >= 0]
        example = f" ({found.name(0)} is in {', '.join(where)} only)"
    else:
        example = ""
    return (
        f"no compared atom is in all {len(models)} models{example}: give the atoms the same chain, "
        "number, residue and atom names in all of them, or choose others with --select"
    )
