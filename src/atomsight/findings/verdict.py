"""One reading a residue: what Q and half maps say together."""

from collections import Counter

import numpy as np

from atomsight.errors import InputError
from atomsight.evidence.attainable_q import attainable_q
from atomsight.evidence.displacement import displacement
from atomsight.evidence.hydrogens import inherit
from atomsight.findings.finding import Columns, Evidence, Finding
from atomsight.half_maps import HalfMapResult
from atomsight.summary import Part
from atomsight.typing import Float_N
from atomsight.verdict.readings import Reading, Verdict
from atomsight.verdict.residues import judge, no_verdict

DEFINITION = (
    "Q of each residue, or of one of its parts, against the attainable Q: what a right model would "
    "have with the signal and the noise of these data"
)
MOST_NOISE_GAIN = 2.0
"""Of the full map. In simulated particles, 2.06 left 96 % of right residues as expected, 2.7 91 %
and 3.8 81 %."""

NO_HALF_MAPS = "there are no half maps (--half-maps)"

_NOT_THE_MEAN = (
    "verdict: it takes the full map for the mean of the half maps under one filter; where it was "
    "modified in places, it is judged wrongly"
)

_PARTS = np.array([part.label for part in Part])
_READINGS = np.array([reading.label for reading in Reading])
_TO_LOOK_AT = (Reading.WORSE, Reading.TOO_GOOD)
_NAMED = 5


def verdict_finding(evidence: Evidence) -> Finding:
    """What each residue's Q means in these data, in one word and one sentence.

    Parameters
    ----------
    evidence : Evidence

    Returns
    -------
    Finding
        Only the reason where there are no half maps; where nothing can be judged in spite of them,
        every residue is "not judged", with the reason.
    """
    halves = evidence.halves
    if halves is None:
        return Finding(
            key="verdict",
            facts={"definition": DEFINITION, "reason_if_none": NO_HALF_MAPS},
            rows=(("verdict", f"none: {NO_HALF_MAPS}"),),
        )
    attainable = None
    gain = halves.full_map.noise_gain
    if gain > MOST_NOISE_GAIN:
        found = no_verdict(
            evidence.model,
            f"the full map is sharpened without a filter: beyond the resolution its amplitudes are "
            f"raised {gain:.1f} times as much as below; give one that is filtered",
        )
    else:
        try:
            found, attainable = _judged(evidence, halves)
        except InputError as exc:
            found = no_verdict(evidence.model, str(exc))
    return Finding(
        key="verdict",
        facts={
            "definition": DEFINITION,
            "reason_if_none": _one_reason(found),
            "counts": dict(found.counts),
            "typical_attainable_q": found.typical,
            "rules": found.rules,
            "reasons": dict(Counter(reason for reason in found.reason if reason)),
        },
        atoms={} if attainable is None else {"q_attainable": inherit(attainable, evidence.parent)},
        residues=_columns(found),
        rows=_rows(evidence, found),
        notes=() if attainable is None or halves.full_map.is_mean else (_NOT_THE_MEAN,),
    )


def _judged(evidence: Evidence, halves: HalfMapResult) -> tuple[Verdict, Float_N]:
    from atomsight.evidence.side_chain_density import (  # noqa: PLC0415  (slow to import)
        side_chain_density,
    )

    model, scores = evidence.model, evidence.scores
    half, status = halves.scores.half, halves.scores.half_status
    attainable = attainable_q(
        evidence.map,
        *halves.halves,
        model,
        half,
        status,
        mask=halves.mask,
        options=scores.options,
        neighbours=evidence.neighbours,
    )
    density = side_chain_density(evidence.map, attainable.signal, model)
    found = judge(
        model,
        scores,
        attainable,
        half,
        status,
        fsc_q=halves.scores.fsc_q,
        density=density,
        displacement=displacement(evidence.map, attainable, model),
    )
    return found, attainable.mean


def _columns(found: Verdict) -> Columns:
    return {
        "verdict": _READINGS[found.reading],
        "verdict_part": np.where(found.reading == Reading.NOT_JUDGED, "", _PARTS[found.part]),
        "verdict_q": found.q,
        "verdict_expected": found.expected,
        "verdict_low": found.low,
        "verdict_high": found.high,
        "verdict_atoms": found.atoms,
        "verdict_pull": found.pull,
        "verdict_sentence": np.array(found.sentence, dtype=np.str_),
    }


def _one_reason(found: Verdict) -> str:
    """The reason why nothing is judged, where it is the same everywhere."""
    reasons = set(found.reason)
    return reasons.pop() if len(reasons) == 1 else ""


def _rows(evidence: Evidence, found: Verdict) -> tuple[tuple[str, str], ...]:
    reason = _one_reason(found)
    if reason:
        return (("verdict", f"none: {reason}"),)
    counts = found.counts
    rows = [
        (
            "verdict",
            ", ".join(f"{count} {name}" for name, count in counts.items() if count)
            + f" (of {len(found.reading)} residues)",
        )
    ]
    residues = evidence.model.residues
    for reading in _TO_LOOK_AT:
        at = np.flatnonzero(found.reading == reading)
        if not len(at):
            continue
        gap = np.abs(found.q[at] - found.expected[at])
        worst = at[np.argsort(-gap, kind="stable")][:_NAMED].tolist()
        names = [residues.label(i) for i in worst]
        more = f" and {len(at) - len(names)} more" if len(at) > len(names) else ""
        rows.append((_SHORT[reading], f"{', '.join(names)}{more}"))
    return tuple(rows)


_SHORT = {Reading.WORSE: "worse", Reading.TOO_GOOD: "too good"}
