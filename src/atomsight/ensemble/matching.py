"""The same residues in several models: by their numbers, else by sequence; never by their place."""

from collections.abc import Sequence
from dataclasses import dataclass

import gemmi
import numpy as np

from atomsight.ensemble.residues import Residues
from atomsight.errors import ParameterError
from atomsight.typing import Float_N, Int_N

SAME = 0.9
"""Chains are of one numbering if at least this share of the numbers that they share bear the same
residue; of one sequence if so many of the aligned residues are the same."""

COVERED = 0.5
"""Numbers must be shared by at least this share of the shorter chain to be believed at once."""

ALIGNED = 0.7
"""Chains are of one sequence if at least this share of the shorter one is found in the other."""

FEWEST = 10
"""Residues that must agree where the numbers of two chains share less than half of them."""

FAR = 10.0
"""Å; a chain farther away in the median than this may be another one of the same sequence."""

_MATCH, _MISMATCH, _GAP = 1, -3, -2
_NEVER = 1e9

Pairs = tuple[Int_N, Int_N]


@dataclass(frozen=True, slots=True)
class Match:
    """Where the residues of a reference stand in another model.

    Attributes
    ----------
    rows : ndarray of int, shape (m,)
        Row in the other's residues; -1 where it has none.
    chains : dict
        Name of a chain of the other → its name in the reference.
    by_sequence : tuple of str
        Chains of the reference that were matched by sequence.
    other_names : int
        Matched residues whose names differ.
    left_out : int
        Residues of the other that the reference does not know.
    """

    rows: Int_N
    chains: dict[str, str]
    by_sequence: tuple[str, ...]
    other_names: int
    left_out: int

    @property
    def renamed(self) -> dict[str, str]:
        """Chains that have another name in the reference."""
        return {a: b for a, b in self.chains.items() if a != b}

    @property
    def by(self) -> str:
        """``number``, ``sequence``, or ``number and sequence`` where chains differ."""
        if not self.by_sequence:
            return "number"
        every = len(self.by_sequence) == len(self.chains)
        return "sequence" if every else "number and sequence"


def match(reference: Residues, other: Residues) -> Match:
    """Find the residues of a reference in another model.

    Chains of the same name are compared first: by number and insertion code where the same numbers
    bear the same residues, else by an alignment of their sequences. Chains that find no partner so
    are compared with all that are left, and of several partners the nearest in space is taken.

    Parameters
    ----------
    reference, other : Residues

    Returns
    -------
    Match
    """
    own, foreign = reference.chains(), other.chains()
    codes, other_codes = reference.codes, other.codes
    aligned: dict[tuple[tuple[str, ...], tuple[str, ...]], Pairs | None] = {}

    def pairs(mine: str, yours: str) -> tuple[Pairs, bool] | None:
        rows, others = own[mine], foreign[yours]
        first, second = [codes[i] for i in rows], [other_codes[j] for j in others]
        found, believed = _by_number(reference, other, rows, others, first, second)
        if found is not None and believed:
            return found, False
        key = tuple(first), tuple(second)
        if key not in aligned:
            aligned[key] = _by_sequence(first, second)
        same = aligned[key]
        if same is not None:
            return (rows[same[0]], others[same[1]]), True
        return None if found is None else (found, False)

    chosen: dict[str, tuple[str, Pairs, bool]] = {}
    for name in foreign:
        if name in own and (found := pairs(name, name)) is not None:
            chosen[name] = (name, *found)
    taken = {mine for mine, _, _ in chosen.values()}
    free = [name for name in own if name not in taken]
    lost = [name for name in foreign if name not in chosen]
    possible = {(a, b): pairs(a, b) for a in free for b in lost}
    for mine, yours in _nearest(reference, other, free, lost, possible):
        kept = possible[mine, yours]
        if kept is not None:
            chosen[yours] = (mine, *kept)
    return _collected(reference, other, chosen, codes, other_codes)


def _by_number(
    reference: Residues,
    other: Residues,
    rows: Int_N,
    others: Int_N,
    codes: Sequence[str],
    other_codes: Sequence[str],
) -> tuple[Pairs | None, bool]:
    """Pairs of the same number, if most bear the same residue; and whether they are enough."""
    place = {_key(other, j): at for at, j in enumerate(others.tolist())}
    both = [(at, place.get(_key(reference, i), -1)) for at, i in enumerate(rows.tolist())]
    shared = [(a, b) for a, b in both if b >= 0]
    same = sum(codes[a] == other_codes[b] for a, b in shared)
    if not shared or same < SAME * len(shared):
        return None, False
    believed = len(shared) >= COVERED * min(len(rows), len(others))
    if not believed and len(shared) < FEWEST:
        return None, False
    first, second = np.array(shared, dtype=np.int64).T
    return (rows[first], others[second]), believed


def _key(residues: Residues, i: int) -> tuple[int, str]:
    return int(residues.number[i]), str(residues.icode[i])


def _by_sequence(codes: list[str], other_codes: list[str]) -> Pairs | None:
    """Places of the same residues in an alignment, if the sequences are the same but for gaps."""
    scoring = gemmi.AlignmentScoring()
    # long gaps cost no more than short ones: parts of the chain may not be built
    scoring.match, scoring.mismatch, scoring.gapo, scoring.gape = _MATCH, _MISMATCH, _GAP, 0
    found = gemmi.align_string_sequences(codes, other_codes, [], scoring)
    first, second = [], []
    a = b = length = together = 0
    for letter in found.cigar_str():
        if letter.isdigit():
            length = 10 * length + int(letter)
            continue
        if letter == "M":
            together += length
            same = [k for k in range(length) if codes[a + k] == other_codes[b + k]]
            first += [a + k for k in same]
            second += [b + k for k in same]
        a += length if letter in "MI" else 0
        b += length if letter in "MD" else 0
        length = 0
    if len(first) < max(ALIGNED * min(len(codes), len(other_codes)), SAME * together, 1):
        return None
    return np.array(first, dtype=np.int64), np.array(second, dtype=np.int64)


def _nearest(
    reference: Residues,
    other: Residues,
    free: list[str],
    lost: list[str],
    possible: dict[tuple[str, str], tuple[Pairs, bool] | None],
) -> list[tuple[str, str]]:
    """Partners among chains of one sequence, so that all of them are as near as can be."""
    if not free or not lost:
        return []
    from scipy.optimize import linear_sum_assignment  # noqa: PLC0415  (slow to import)

    cost = np.full((len(free), len(lost)), _NEVER)
    for i, mine in enumerate(free):
        for j, yours in enumerate(lost):
            found = possible[mine, yours]
            if found is not None:
                cost[i, j] = np.median(_distance(reference, other, found[0]))
    at, to = linear_sum_assignment(cost)
    return [(free[i], lost[j]) for i, j in zip(at.tolist(), to.tolist(), strict=True)]


def _distance(reference: Residues, other: Residues, pairs: Pairs) -> Float_N:
    return np.asarray(np.linalg.norm(reference.xyz[pairs[0]] - other.xyz[pairs[1]], axis=1))


def _collected(
    reference: Residues,
    other: Residues,
    chosen: dict[str, tuple[str, Pairs, bool]],
    codes: list[str],
    other_codes: list[str],
) -> Match:
    rows = np.full(len(reference), -1, dtype=np.int64)
    for _, (mine, yours), _ in chosen.values():
        rows[mine] = yours
    known = np.flatnonzero(rows >= 0)
    return Match(
        rows=rows,
        chains={yours: mine for yours, (mine, _, _) in chosen.items()},
        by_sequence=tuple(mine for mine, _, sequence in chosen.values() if sequence),
        other_names=sum(codes[i] != other_codes[rows[i]] for i in known.tolist()),
        left_out=len(other) - len(known),
    )


def far_chains(reference: Residues, other: Residues, found: Match) -> dict[str, float]:
    """Matched chains that lie far from each other, and how far in the median.

    Parameters
    ----------
    reference, other : Residues
    found : Match

    Returns
    -------
    dict
        Name of the chain in the reference → Å.
    """
    far = {}
    for name, rows in reference.chains().items():
        known = rows[found.rows[rows] >= 0]
        if len(known):
            middle = float(np.median(_distance(reference, other, (known, found.rows[known]))))
            if middle > FAR:
                far[name] = middle
    return far


def union(models: Sequence[Residues], names: Sequence[str]) -> tuple[Residues, list[Match]]:
    """All residues that the models hold, under the first model's names, and where each has them.

    Residues that the first model lacks come from the others, as far as their chain is matched by
    number, or is not in the first model at all.

    Parameters
    ----------
    models : sequence of Residues
    names : sequence of str
        What the models are called in messages.

    Returns
    -------
    residues : Residues
    matches : list of Match
        One a model.

    Raises
    ------
    ParameterError
        If a model holds no polymer, or has no chain of the same sequence.
    """
    for one, name in zip(models, names, strict=True):
        if not len(one):
            raise ParameterError(f"{name}: holds no residue of protein or nucleic acid")
    every = models[0]
    for one, name in zip(models[1:], names[1:], strict=True):
        found = match(every, one)
        if not found.chains:
            raise ParameterError(
                f"{name}: none of its chains has the sequence of a chain of {names[0]}; give "
                "models of the same molecule"
            )
        every = _extended(every, one, found)
    return every, [match(every, one) for one in models]


def _extended(reference: Residues, other: Residues, found: Match) -> Residues:
    """The reference with the residues that only the other has, in their places."""
    chains = dict(found.chains)
    for name in other.chains():
        if name not in chains and name not in set(reference.chain.tolist()):
            chains[name] = name
    known = {(str(chain), *_key(reference, i)) for i, chain in enumerate(reference.chain.tolist())}
    used = set(found.rows.tolist())
    extra: dict[str, list[int]] = {}
    for j, chain in enumerate(other.chain.tolist()):
        mine = chains.get(chain)
        new = mine is not None and j not in used and mine not in found.by_sequence
        if new and (mine, *_key(other, j)) not in known:
            extra.setdefault(str(mine), []).append(j)
    if not extra:
        return reference
    order: list[tuple[bool, int, str]] = []
    own = reference.chains()
    for name in [*own, *(name for name in extra if name not in own)]:
        line = [(True, i, name) for i in own.get(name, np.empty(0, dtype=np.int64)).tolist()]
        for j in extra.get(name, []):
            key = _key(other, j)
            at = max(
                (
                    place + 1
                    for place, (mine, i, _) in enumerate(line)
                    if _key(reference if mine else other, i) < key
                ),
                default=0,
            )
            line.insert(at, (False, j, name))
        order += line
    sources = [(reference if mine else other, i, name) for mine, i, name in order]
    return Residues(
        chain=np.array([name for _, _, name in sources]),
        number=np.array([one.number[i] for one, i, _ in sources], dtype=np.int64),
        icode=np.array([one.icode[i] for one, i, _ in sources]),
        name=np.array([one.name[i] for one, i, _ in sources]),
        xyz=np.array([one.xyz[i] for one, i, _ in sources]),
        row=np.full(len(sources), -1, dtype=np.int64),
        notes=reference.notes,
    )
