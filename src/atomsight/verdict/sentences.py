"""Readings in plain words."""

import numpy as np

from atomsight.evidence.q_score import QScores
from atomsight.evidence.status import Status
from atomsight.model import Model
from atomsight.summary import Part
from atomsight.typing import Int_N, Status_N
from atomsight.verdict.readings import Reading, Verdict


def reasons(model: Model, scores: QScores, half_status: Status_N, reading: Int_N) -> list[str]:
    """Why residues are not judged, from their first atom other than hydrogen.

    Parameters
    ----------
    model : Model
    scores : QScores
    half_status : ndarray of uint8, shape (n,)
    reading : ndarray of int, shape (m,)

    Returns
    -------
    list of str
        Empty where a residue is judged.
    """
    first = np.zeros(len(model.residues), dtype=np.int64)
    order = np.lexsort((model.hydrogen, model.residue))[::-1]
    first[model.residue[order]] = order
    found = []
    for row, code in zip(first.tolist(), reading.tolist(), strict=True):
        if code != Reading.NOT_JUDGED:
            found.append("")
        elif not scores.counted[row]:
            found.append(f"no Q ({Status(scores.status[row]).label})")
        else:
            why = Status(half_status[row]).label
            found.append(f"no local resolution of the half maps ({why})")
    return found


_NAMES = {
    Part.NONE: "The residue",
    Part.BACKBONE: "The backbone",
    Part.SIDECHAIN: "The side chain",
    Part.BASE: "The base",
}


def sentence(v: Verdict, i: int) -> str:
    """One residue's reading in plain words.

    Parameters
    ----------
    v : Verdict
    i : int
        Row of the residue.

    Returns
    -------
    str
    """
    name = _NAMES[Part(v.part[i])]
    q, expected = f"{v.q[i]:.2f}", f"{v.expected[i]:.2f}"
    band = f"{expected} ({v.low[i]:.2f} to {v.high[i]:.2f})"
    match Reading(v.reading[i]):
        case Reading.AS_EXPECTED:
            return f"{name} fits as expected: Q {q}, a right model would have {band} here."
        case Reading.WORSE:
            if v.pull[i] >= v.rules.displaced:  # and the band says nothing
                band = f"{expected}, and its density lies to one side ({v.pull[i]:.1f} sd)"
            return (
                f"{name} fits worse than the map allows: Q {q}, a right model would have {band}; "
                "look at the model."
            )
        case Reading.NOT_RESOLVED:
            if v.part[i] == Part.SIDECHAIN:  # alone only if its residue is resolved
                return (
                    f"{name} is not resolved: here and turned about CA-CB the map holds at most "
                    f"{100.0 * max(v.density[i], 0.0):.0f} % of the density that a right one "
                    "would have."
                )
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
