"""What the half maps say: FSC-Q and the two local resolutions."""

from typing import Any

import numpy as np

from atomsight.evidence.fsc_q import BEYOND
from atomsight.evidence.hydrogens import inherit
from atomsight.evidence.status import STATUS_LABELS, Status
from atomsight.findings.finding import Evidence, Finding, shown
from atomsight.half_maps import HalfMapResult
from atomsight.model import Model
from atomsight.summary import fsc_q_averages, fsc_q_columns


def fsc_q_finding(evidence: Evidence, halves: HalfMapResult) -> Finding:
    """FSC-Q of atoms, residues and model.

    Parameters
    ----------
    evidence : Evidence
    halves : HalfMapResult

    Returns
    -------
    Finding
    """
    model = evidence.model
    facts = _facts(model, halves)
    return Finding(
        key="fsc_q",
        facts=facts,
        atoms=_atom_columns(evidence, halves),
        residues=fsc_q_columns(model, halves.scores),
        rows=_rows(facts),
        notes=halves.notes,
    )


def _atom_columns(evidence: Evidence, halves: HalfMapResult) -> dict[str, np.ndarray]:
    scores, parent = halves.scores, evidence.parent
    columns = {
        "fsc_q": inherit(scores.fsc_q, parent),
        "fsc_q_r": inherit(scores.fsc_q_r, parent),
        "fsc_q_status": STATUS_LABELS[scores.status],
    }
    for name, values, status in (
        ("half", scores.half, scores.half_status),
        ("model", scores.model, scores.model_status),
    ):
        columns[f"local_resolution_{name}"] = inherit(values, parent)
        columns[f"local_resolution_{name}_status"] = STATUS_LABELS[status]
    return columns


def _facts(model: Model, halves: HalfMapResult) -> dict[str, Any]:
    scores = halves.scores
    return {
        "definition": "V_model - V_half in Å (Ramírez-Aportela et al. 2021)",
        "thresholds": scores.thresholds,
        "box": halves.box,
        "label": scores.label,
        "beyond": BEYOND,
        **fsc_q_averages(model, scores),
        "status_counts": {
            status.label: int(np.count_nonzero(scores.status == status)) for status in Status
        },
        "resolutions": halves.resolutions,
        "full_map": halves.full_map,
    }


def _rows(facts: dict[str, Any]) -> tuple[tuple[str, str], ...]:
    limits, found = facts["thresholds"], facts["resolutions"]
    below, above = facts["atoms_below"], facts["atoms_above"]
    rule = f"{limits.rule}: half maps {limits.half:g}, model {limits.model:.4g}"
    rows = [
        (
            "FSC-Q",
            f"mean {shown(facts['mean'])} Å, absolute {shown(facts['mean_absolute'])} Å, "
            f"median {shown(facts['median'])} Å over {facts['n']} atoms ({rule})",
        )
    ]
    if facts["n"]:
        rows.append(
            (
                "atoms beyond",
                f"{below['n']} ({below['percent']:.1f} %) below {below['limit']:g} Å: better than "
                f"the data support; {above['n']} ({above['percent']:.1f} %) above "
                f"{above['limit']:g} Å: not resolved or misplaced",
            )
        )
    rows.append(
        (
            "half maps",
            f"{found['half_corrected_0.143']:.2f} Å at FSC 0.143 (masked, corrected); "
            f"map against model {found['model_0.5']:.2f} Å at 0.5",
        )
    )
    return tuple(rows)
