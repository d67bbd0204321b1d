"""One reading a residue: as expected, worse than the map allows, not resolved, or too good.

Pintilie et al. (2025) propose to compare local Q with local resolution: high and high, fitted; low
Q where the map is good, not fitted; high Q where it is not, overfitted; low and low, not resolved.
Here "what the map allows" is the attainable Q of `atomsight.evidence.attainable_q`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import IntEnum

import numpy as np

from atomsight.evidence.attainable_q import AttainableQ
from atomsight.evidence.q_score import QScores
from atomsight.evidence.status import Status
from atomsight.model import AtomClass, Model
from atomsight.summary import Part, atom_parts, group_means
from atomsight.typing import Bool_N, Float_N, FloatArray, Int_N, Status_N


class Reading(IntEnum):
    """What Q and half maps say about a residue."""

    NOT_JUDGED = 0
    AS_EXPECTED = 1
    WORSE = 2
    NOT_RESOLVED = 3
    TOO_GOOD = 4

    @property
    def label(self) -> str:
        """The name as it stands in tables."""
        return _LABELS[self]


_LABELS = {
    Reading.NOT_JUDGED: "not judged",
    Reading.AS_EXPECTED: "as expected",
    Reading.WORSE: "worse than the map allows",
    Reading.NOT_RESOLVED: "not resolved",
    Reading.TOO_GOOD: "better than the data support",
}

_WORST_FIRST = (Reading.WORSE, Reading.TOO_GOOD, Reading.NOT_RESOLVED, Reading.AS_EXPECTED)
"""Which of two parts speaks for its residue."""


@dataclass(frozen=True, slots=True)
class Rules:
    """Every threshold of a verdict.

    Attributes
    ----------
    resolved : float
        A residue is resolved where its attainable Q reaches this share of the model's typical one.
        A part that has such a Q where its residue is not resolved is too good.
    least : float
        Typical attainable Q below which Q tells nothing, and no residue is judged.
    spread, spread_atom : float
        Standard deviation of Q from attainable Q in right parts, besides the noise: what does not
        depend on the number of atoms, and what falls with its root.
    width : float
        Half-width of the band in standard deviations.
    stands_out : float
        Å; where a part's FSC-Q lies above the model's median by more than this, FSC-Q says too
        that it fits worse.
    confirmed : float
        And then this share of the band's lower half is enough.
    """

    resolved: float = 0.8
    least: float = 0.3
    spread: float = 0.05
    spread_atom: float = 0.13
    width: float = 1.5
    stands_out: float = 0.3
    confirmed: float = 0.5


RULES = Rules()
"""The thresholds in use. Found on one set of constructed cases, reported on others."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """One reading a residue, with the numbers behind it.

    Attributes
    ----------
    reading : ndarray of int, shape (m,)
        `Reading` of each residue: the worse of its two parts'.
    part : ndarray of int, shape (m,)
        `Part` that the reading and the numbers are about: BACKBONE (of a nucleotide: phosphate
        and sugar), SIDECHAIN, BASE; NONE: the whole residue.
    q, expected, low, high : ndarray, shape (m,)
        Mean Q of the part's atoms, mean attainable Q, and the band around it.
    local_resolution : ndarray, shape (m,)
        Of the half maps, Å; NaN where they agree on nothing.
    fsc_q : ndarray, shape (m,)
        Å; NaN where it was not given or measured.
    atoms : ndarray of int, shape (m,)
        Atoms behind the numbers.
    reason : list of str
        Why a residue is not judged; empty where it is.
    sentence : list of str
        The reading in plain words.
    typical : float
        Median attainable Q of the model's residues; NaN where nothing was judged.
    rules : Rules
    """

    reading: Int_N
    part: Int_N
    q: Float_N
    expected: Float_N
    low: Float_N
    high: Float_N
    local_resolution: Float_N
    fsc_q: Float_N
    atoms: Int_N
    reason: list[str]
    sentence: list[str]
    typical: float
    rules: Rules

    @property
    def counts(self) -> Mapping[str, int]:
        """Number of residues of each reading, by label."""
        return {r.label: int(np.count_nonzero(self.reading == r)) for r in Reading}


@dataclass(frozen=True, slots=True)
class _Parts:
    """Numbers of one part of every residue."""

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


def judge(
    model: Model,
    scores: QScores,
    attainable: AttainableQ,
    half_resolution: Float_N,
    half_status: Status_N,
    *,
    fsc_q: Float_N | None = None,
    rules: Rules = RULES,
) -> Verdict:
    """Read each residue's Q against what the half maps let a right model have.

    Of each residue of protein the backbone and the side chain are judged, of nucleic acid
    phosphate and sugar together and the base, of everything else the whole. CB counts as backbone:
    turning a side chain does not move it. E is the mean attainable Q of a part's n atoms, s its
    standard deviation over fields of noise, E_r the same mean for the residue, and E_m the median
    of E_r over residues::

        R          resolved · E_m
        w          width · sqrt(spread² + spread_atom²/n)
        low, high  E ∓ width · sqrt(spread² + spread_atom²/n + s²)
        low        E - confirmed · (E - low), where FSC-Q stands out

        where E_r ≥ R                     where E_r < R
        Q > high   too good               Q ≥ max(R, E + w)   too good
        Q < low    worse                  otherwise           not resolved
        otherwise  as expected

    A residue is not resolved either where most of its atoms lie where the half maps agree on
    nothing. The worse of its two parts speaks for it: worse than the map allows, then better than
    the data support, then not resolved.

    Parameters
    ----------
    model : Model
    scores : QScores
        In the full map.
    attainable : AttainableQ
        With the same options.
    half_resolution : ndarray, shape (n,)
        Local resolution of the half maps at the atoms, Å.
    half_status : ndarray of uint8, shape (n,)
        `Status` of each.
    fsc_q : ndarray, shape (n,), optional
        FSC-Q of the atoms, Å. Only its differences count, so both rules of thresholds will do.
    rules : Rules

    Returns
    -------
    Verdict

    References
    ----------
    Pintilie et al. (2025), Discussion.
    """
    known = np.isin(half_status, [Status.OK, Status.NEVER_BELOW, Status.LOW_FREQUENCY])
    used = scores.counted & known & np.isfinite(scores.q) & np.isfinite(attainable.mean)
    slot = _slots(model)
    evidence = _Evidence(model, scores.q, attainable.q, half_resolution, half_status, fsc_q)
    parts = [
        evidence.of(used if chosen is None else used & (slot == chosen), kind, rules)
        for chosen, kind in (
            (None, np.full(len(model.residues), Part.NONE)),
            (1, np.full(len(model.residues), Part.BACKBONE)),
            (2, _side_kind(model)),
        )
    ]
    polymer = np.isin(model.residues.atom_class, (AtomClass.PROTEIN, AtomClass.NUCLEIC))
    everywhere = parts[0].expected
    typical = _median(everywhere[polymer] if polymer.any() else everywhere)
    if typical < rules.least:
        why = f"even a right model would typically have a Q of {typical:.2f} in this map"
        return no_verdict(model, why, rules)
    enough = rules.resolved * typical
    resolved = parts[0].agree & (parts[0].expected >= enough)
    readings = [_reading(part, resolved, enough) for part in parts]
    chosen = _speaker(readings)
    row = np.arange(len(model.residues))

    def of(columns: list[np.ndarray]) -> np.ndarray:
        return np.array(columns)[chosen, row]

    reading = of([r.astype(np.int64) for r in readings])
    reason = _reasons(model, scores, half_status, reading)
    result = Verdict(
        reading, of([p.kind for p in parts]), of([p.q for p in parts]),
        of([p.expected for p in parts]), of([p.low for p in parts]), of([p.high for p in parts]),
        of([p.resolution for p in parts]), of([p.fsc_q for p in parts]), of([p.n for p in parts]),
        reason, [], typical, rules,
    )  # fmt: skip
    result.sentence.extend(_sentence(result, i) for i in range(len(reading)))
    return result


def no_verdict(model: Model, reason: str, rules: Rules = RULES) -> Verdict:
    """Verdict where nothing can be judged.

    Parameters
    ----------
    model : Model
    reason : str
        "there are no half maps", for instance.
    rules : Rules

    Returns
    -------
    Verdict
    """
    m = len(model.residues)
    none, zero = np.full(m, np.nan), np.zeros(m, dtype=np.int64)
    return Verdict(
        zero, zero, none, none, none, none, none, none, zero,
        [reason] * m, [f"Not judged: {reason}."] * m, float("nan"), rules,
    )  # fmt: skip


def _slots(model: Model) -> Int_N:
    """1 for atoms of backbones, 2 for those of side chains and bases, 0 for others."""
    part = atom_parts(model)
    # where CB is follows from the backbone: turning a side chain does not move it
    side = (part == Part.BASE) | ((part == Part.SIDECHAIN) & (model.atom != "CB"))
    return np.where(side, 2, np.where(part == Part.NONE, 0, 1)).astype(np.int64)


def _side_kind(model: Model) -> Int_N:
    nucleic = model.residues.atom_class == AtomClass.NUCLEIC
    return np.where(nucleic, Part.BASE, Part.SIDECHAIN).astype(np.int64)


@dataclass(frozen=True, slots=True)
class _Evidence:
    """Everything known of the atoms."""

    model: Model
    q: Float_N
    fields: FloatArray
    resolution: Float_N
    status: Status_N
    fsc_q: Float_N | None

    def typical_fsc_q(self) -> float:
        """Median FSC-Q of the atoms, Å."""
        return float("nan") if self.fsc_q is None else _median(self.fsc_q)

    def of(self, atoms: Bool_N, kind: Int_N, rules: Rules) -> _Parts:
        """Means over the chosen atoms of each residue."""
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
        stands_out = fsc_q > self.typical_fsc_q() + rules.stands_out
        lower = np.where(stands_out, rules.confirmed * half_width, half_width)
        lost = mean((self.status == Status.LOW_FREQUENCY).astype(float))
        return _Parts(
            kind, n, mean(self.q), expected, expected - lower, expected + half_width,
            rules.width * np.sqrt(own),
            mean(np.where(self.status == Status.OK, self.resolution, np.nan)),
            fsc_q,
            ~(lost > 0.5),
        )  # fmt: skip


def _median(values: Float_N) -> float:
    known = values[np.isfinite(values)]
    return float(np.median(known)) if len(known) else float("nan")


def _reading(part: _Parts, resolved: Bool_N, enough: float) -> Int_N:
    """Reading of one part of every residue."""
    limit = np.where(resolved, part.high, np.maximum(enough, part.expected + part.own))
    return np.select(
        [
            part.n == 0,
            part.q > limit,
            ~resolved,
            part.q < part.low,
        ],
        [Reading.NOT_JUDGED, Reading.TOO_GOOD, Reading.NOT_RESOLVED, Reading.WORSE],
        Reading.AS_EXPECTED,
    ).astype(np.int64)


def _speaker(readings: list[Int_N]) -> Int_N:
    """Which part speaks for each residue: 0 the whole, 1 the backbone, 2 the side chain."""
    rank = np.zeros(len(Reading), dtype=np.int64)
    for place, reading in enumerate(reversed(_WORST_FIRST)):
        rank[reading] = place + 1
    backbone, side = rank[readings[1]], rank[readings[2]]
    worst = np.where(side > backbone, 2, 1)
    # where both say the same, or there are no two, the whole residue says it
    return np.where((backbone == side) | (np.minimum(backbone, side) == 0), 0, worst)


def _reasons(model: Model, scores: QScores, half_status: Status_N, reading: Int_N) -> list[str]:
    """Why residues are not judged, from their first atom other than hydrogen."""
    first = np.zeros(len(model.residues), dtype=np.int64)
    order = np.lexsort((model.hydrogen, model.residue))[::-1]
    first[model.residue[order]] = order
    reasons = []
    for row, code in zip(first.tolist(), reading.tolist(), strict=True):
        if code != Reading.NOT_JUDGED:
            reasons.append("")
        elif not scores.counted[row]:
            reasons.append(f"no Q ({Status(scores.status[row]).label})")
        else:
            why = Status(half_status[row]).label
            reasons.append(f"no local resolution of the half maps ({why})")
    return reasons


_NAMES = {
    Part.NONE: "The residue",
    Part.BACKBONE: "The backbone",
    Part.SIDECHAIN: "The side chain",
    Part.BASE: "The base",
}


def _sentence(v: Verdict, i: int) -> str:
    """One residue's reading in plain words."""
    name = _NAMES[Part(v.part[i])]
    q, expected = f"{v.q[i]:.2f}", f"{v.expected[i]:.2f}"
    band = f"{expected} ({v.low[i]:.2f} to {v.high[i]:.2f})"
    match Reading(v.reading[i]):
        case Reading.AS_EXPECTED:
            return f"{name} fits as expected: Q {q}, a right model would have {band} here."
        case Reading.WORSE:
            return (
                f"{name} fits worse than the map allows: Q {q}, a right model would have {band}; "
                "look at the model. It is misplaced, or has no density of its own."
            )
        case Reading.NOT_RESOLVED:
            d = v.local_resolution[i]
            where = f"agree to {d:.1f} Å" if np.isfinite(d) else "agree on nothing"
            return (
                f"{name} is not resolved: the half maps {where} here, and even a right model "
                f"would have Q {expected}, against {v.typical:.2f} elsewhere."
            )
        case Reading.TOO_GOOD:
            return (
                f"{name} fits better than the data support: Q {q}, a right model would have "
                f"{band}; look for overfitting."
            )
    return f"Not judged: {v.reason[i]}."
