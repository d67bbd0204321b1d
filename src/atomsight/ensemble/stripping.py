"""The part of a model that a force field can move: known residues, one conformer, no gaps."""

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence

import gemmi

from atomsight.model import Model
from atomsight.typing import Bool_N

PROTEIN = frozenset(
    (
        *("ALA", "ARG", "ASN", "ASP", "CYS", "GLN", "GLU", "GLY", "HIS", "ILE"),
        *("LEU", "LYS", "MET", "PHE", "PRO", "SER", "THR", "TRP", "TYR", "VAL"),
    )
)
NUCLEIC = frozenset(("DA", "DC", "DG", "DT", "A", "C", "G", "U"))

_NEEDED = {True: ("N", "CA", "C"), False: ("C1'", "C3'", "O3'")}
_END_PHOSPHATE = frozenset(("P", "OP1", "OP2", "OP3"))
_LONGEST_LINK = 2.5
"""Å between C and N, or O3' and P, of neighbours that are joined."""


def strip(
    model: Model, selection: Bool_N | None = None
) -> tuple[list[tuple[str, gemmi.Residue]], dict[str, int], list[str]]:
    """Known residues with one conformer each and no hydrogens.

    Of several conformers, or of several residues at one place, the one with the highest occupancy
    stays.

    Parameters
    ----------
    model : Model
    selection : ndarray of bool, shape (n,), optional
        Residues without any of these atoms are not looked at.

    Returns
    -------
    residues : list of (str, gemmi.Residue)
        Name of the chain and copy of the residue, in the order of the file.
    left_out : dict
        Residue name → number left out.
    notes : list of str
    """
    kept: list[tuple[str, gemmi.Residue]] = []
    unknown: Counter[str] = Counter()
    broken: Counter[str] = Counter()
    removed = hydrogens = 0
    for chain, whole in _wanted(model, selection):
        if whole.name not in PROTEIN | NUCLEIC:
            unknown[whole.name] += 1
            continue
        residue, others = _one_conformer(whole)
        if not {*_NEEDED[whole.name in PROTEIN]} <= {atom.name for atom in residue}:
            broken[whole.name] += 1
            continue
        hydrogens += sum(atom.is_hydrogen() for atom in whole)
        kept.append((chain, residue))
        removed += others + _remove_the_worse(kept)
    notes = []
    if unknown:
        notes.append(f"left out, without parameters: {named(unknown)}")
    if broken:
        notes.append(f"left out, without a whole backbone: {named(broken)}")
    if removed:
        notes.append(f"{removed} atoms of other conformers removed")
    if hydrogens:
        notes.append(f"{hydrogens} hydrogens of the input are placed anew")
    return kept, dict(unknown + broken), notes


def segments_of(residues: Sequence[tuple[str, gemmi.Residue]]) -> list[int]:
    """Number the stretches of residues that are joined.

    Parameters
    ----------
    residues : sequence of (str, gemmi.Residue)

    Returns
    -------
    list of int
        One a residue, from 0.
    """
    numbers: list[int] = []
    for i, (chain, residue) in enumerate(residues):
        joined = i > 0 and residues[i - 1][0] == chain and _linked(residues[i - 1][1], residue)
        numbers.append(numbers[-1] + (not joined) if numbers else 0)
    return numbers


def remove_end_phosphates(
    residues: Sequence[tuple[str, gemmi.Residue]], segments: Sequence[int]
) -> list[str]:
    """Take away phosphates at 5' ends, which Amber's force fields do not have.

    Parameters
    ----------
    residues : sequence of (str, gemmi.Residue)
        Changed in place.
    segments : sequence of int
        From `segments_of`.

    Returns
    -------
    list of str
        A note, or none.
    """
    count = 0
    for i, (_, residue) in enumerate(residues):
        if i > 0 and segments[i] == segments[i - 1]:
            continue
        if residue.name in NUCLEIC:
            atoms = [atom.name for atom in residue if atom.name in _END_PHOSPHATE]
            for name in atoms:
                residue.remove_atom(name, "\0")
            count += bool(atoms)
    return [f"{count} phosphates at 5' ends removed"] if count else []


def named(counts: Mapping[str, int]) -> str:
    """Names with their numbers, most frequent first.

    Parameters
    ----------
    counts : mapping
        Name → number.

    Returns
    -------
    str
        As in ``229 HOH, 12 MG``.
    """
    return ", ".join(f"{n} {name}" for name, n in sorted(counts.items(), key=lambda x: -x[1]))


def _wanted(model: Model, selection: Bool_N | None) -> Iterator[tuple[str, gemmi.Residue]]:
    """Residues with one of the atoms selected, and the name of their chain."""
    serials = None if selection is None else {*(model.row[selection] + 1).tolist()}
    for chain in next(m for m in model.structure if m.num == model.number):
        for residue in chain:
            if serials is None or any(atom.serial in serials for atom in residue):
                yield chain.name, residue


def _one_conformer(whole: gemmi.Residue) -> tuple[gemmi.Residue, int]:
    """Copy of a residue with one conformer and no hydrogens, and how many atoms that removed."""
    occupancy: dict[str, float] = defaultdict(float)
    for atom in whole:
        if atom.altloc != "\0":
            occupancy[atom.altloc] += atom.occ
    best = max(sorted(occupancy), key=lambda letter: occupancy[letter], default="\0")
    residue = gemmi.Residue()
    residue.name, residue.seqid = whole.name, whole.seqid
    chosen: dict[str, gemmi.Atom] = {}
    heavy = [a for a in whole if not a.is_hydrogen() and a.pos.x == a.pos.x]  # NaN: no position
    for atom in sorted(heavy, key=lambda a: a.altloc not in ("\0", best)):
        chosen.setdefault(atom.name, atom)
    for name in dict.fromkeys(atom.name for atom in heavy):
        added = residue.add_atom(chosen[name])
        added.altloc = "\0"
    return residue, len(heavy) - len(residue)


def _remove_the_worse(kept: list[tuple[str, gemmi.Residue]]) -> int:
    """Of the last two residues, if they stand at one place, keep the one that is there more."""
    if len(kept) < 2:
        return 0
    (chain, one), (other_chain, other) = kept[-2:]
    if chain != other_chain or one.seqid != other.seqid:
        return 0
    worse = -1 if _occupancy(other) <= _occupancy(one) else -2
    return len(kept.pop(worse)[1])


def _occupancy(residue: gemmi.Residue) -> float:
    return max(atom.occ for atom in residue)


def _linked(first: gemmi.Residue, second: gemmi.Residue) -> bool:
    protein = first.name in PROTEIN
    if protein != (second.name in PROTEIN):
        return False
    one, other = ("C", "N") if protein else ("O3'", "P")
    ends = first.find_atom(one, "*"), second.find_atom(other, "*")
    if None in ends:
        return False
    return ends[0].pos.dist(ends[1].pos) <= _LONGEST_LINK
