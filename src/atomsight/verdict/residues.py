"""One reading a residue: as expected, worse than the map allows, not resolved, or too good.

Pintilie et al. (2025) propose to compare local Q with local resolution: high and high, fitted; low
Q where the map is good, not fitted; high Q where it is not, overfitted; low and low, not resolved.
Here "what the map allows" is the attainable Q of `atomsight.evidence.attainable_q`.
"""

import numpy as np

from atomsight.evidence.attainable_q import AttainableQ
from atomsight.evidence.displacement import Displacement
from atomsight.evidence.q_score import QScores
from atomsight.evidence.side_chain_density import SideChainDensity
from atomsight.evidence.status import Status
from atomsight.model import AtomClass, Model
from atomsight.summary import Part
from atomsight.typing import Bool_N, Float_N, Int_N, Status_N
from atomsight.verdict.parts import Evidence, Parts, median, side_kind, slots
from atomsight.verdict.readings import RULES, Reading, Rules, Verdict
from atomsight.verdict.sentences import reasons, sentence

_WORST_FIRST = (Reading.WORSE, Reading.TOO_GOOD, Reading.NOT_RESOLVED, Reading.AS_EXPECTED)
"""Which of two parts speaks for its residue."""


def judge(
    model: Model,
    scores: QScores,
    attainable: AttainableQ,
    half_resolution: Float_N,
    half_status: Status_N,
    *,
    fsc_q: Float_N | None = None,
    density: SideChainDensity | None = None,
    displacement: Displacement | None = None,
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
        low        E - a (E - low), a = displaced - pull, from 0 to widest,
                   and at most confirmed where FSC-Q stands out

        where E_r ≥ R                     where E_r < R
        Q > high   too good               Q ≥ max(R, E + w), climb ≤ climbs   too good
        Q < low    worse                  otherwise                           not resolved
        otherwise  as expected

    A side chain whose Q is below the plain band (a = 1) or below low, but that is not pulled by
    `displaced` and finds less than the share `density` of a right one's density where it is and
    turned about CA-CB, is not resolved. A residue is not resolved either where
    most of its atoms lie where the half maps agree on nothing. The worse of its two parts speaks
    for it: worse than the map allows, then better than the data support, then not resolved.

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
    density : SideChainDensity, optional
        Tells side chains that are misplaced from those that have no density.
    displacement : Displacement, optional
        Tells parts that stand beside their density. Without it a is 1, and no climb is known.
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
    slot = slots(model)
    evidence = Evidence(
        model, scores.q, attainable.q, half_resolution, half_status, fsc_q, displacement
    )
    parts = [
        evidence.of(used if chosen is None else used & (slot == chosen), kind, rules)
        for chosen, kind in (
            (None, np.full(len(model.residues), Part.NONE)),
            (1, np.full(len(model.residues), Part.BACKBONE)),
            (2, side_kind(model)),
        )
    ]
    polymer = np.isin(model.residues.atom_class, (AtomClass.PROTEIN, AtomClass.NUCLEIC))
    everywhere = parts[0].expected
    typical = median(everywhere[polymer] if polymer.any() else everywhere)
    if typical < rules.least:
        why = f"even a right model would typically have a Q of {typical:.2f} in this map"
        return no_verdict(model, why, rules)
    row = np.arange(len(model.residues))
    enough = rules.resolved * typical
    resolved = parts[0].agree & (parts[0].expected >= enough)
    readings = [_reading(part, resolved, enough, rules) for part in parts]
    found = np.full(len(row), np.nan) if density is None else density.most
    readings[2][_bad(parts[2], readings[2], rules) & (found < rules.density)] = Reading.NOT_RESOLVED
    chosen = _speaker(readings)

    def of(columns: list[np.ndarray]) -> np.ndarray:
        return np.array(columns)[chosen, row]

    reading = of([r.astype(np.int64) for r in readings])
    reason = reasons(model, scores, half_status, reading)
    result = Verdict(
        reading, of([p.kind for p in parts]), of([p.q for p in parts]),
        of([p.expected for p in parts]), of([p.low for p in parts]), of([p.high for p in parts]),
        of([p.resolution for p in parts]), of([p.fsc_q for p in parts]), of([p.n for p in parts]),
        of([p.pull for p in parts]), np.where(readings[2] > 0, found, np.nan),
        reason, [], typical, rules,
    )  # fmt: skip
    result.sentence.extend(sentence(result, i) for i in range(len(reading)))
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
        zero, zero, none, none, none, none, none, none, zero, none, none,
        [reason] * m, [f"Not judged: {reason}."] * m, float("nan"), rules,
    )  # fmt: skip


def _reading(part: Parts, resolved: Bool_N, enough: float, rules: Rules) -> Int_N:
    """Reading of one part of every residue."""
    # what was fitted into noise stands on top of it
    fitted = resolved | ~(part.climb > rules.climbs)
    limit = np.where(resolved, part.high, np.maximum(enough, part.expected + part.own))
    return np.select(
        [
            part.n == 0,
            (part.q > limit) & fitted,
            ~resolved,
            part.q < part.low,
        ],
        [Reading.NOT_JUDGED, Reading.TOO_GOOD, Reading.NOT_RESOLVED, Reading.WORSE],
        Reading.AS_EXPECTED,
    ).astype(np.int64)


def _bad(part: Parts, reading: Int_N, rules: Rules) -> Bool_N:
    """Whether a part fits badly enough to ask for its density, and does not stand beside it."""
    plain = (reading == Reading.AS_EXPECTED) & (part.q < 2.0 * part.expected - part.high)
    bad = (reading == Reading.WORSE) | plain
    return np.asarray(bad & ~(part.pull >= rules.displaced))


def _speaker(readings: list[Int_N]) -> Int_N:
    """Which part speaks for each residue: 0 the whole, 1 the backbone, 2 the side chain."""
    rank = np.zeros(len(Reading), dtype=np.int64)
    for place, reading in enumerate(reversed(_WORST_FIRST)):
        rank[reading] = place + 1
    backbone, side = rank[readings[1]], rank[readings[2]]
    worst = np.where(side > backbone, 2, 1)
    # where both say the same, or there are no two, the whole residue says it
    return np.where((backbone == side) | (np.minimum(backbone, side) == 0), 0, worst)
