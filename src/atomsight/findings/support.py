"""What the map says of everything outside polymers: ligands, ions, waters, sugars."""

from collections import Counter
from typing import Any

import numpy as np

from atomsight.evidence.atom_density import atom_density
from atomsight.evidence.solvent import (
    QUANTILES,
    Solvent,
    distance_histogram,
    solvent,
)
from atomsight.evidence.support import NonPolymerSupport, Support, non_polymer_support
from atomsight.findings.finding import Columns, Evidence, Finding
from atomsight.model import AtomClass, Model

_LABELS = np.array([support.label for support in Support])
_NAMED = 6


def support_finding(evidence: Evidence) -> Finding | None:
    """Which ligands, ions, waters and sugars the map does not support.

    Parameters
    ----------
    evidence : Evidence

    Returns
    -------
    Finding or None
        None where the model holds nothing outside polymers.
    """
    model, scores = evidence.model, evidence.scores
    density = atom_density(evidence.map, model)
    support = non_polymer_support(model, density, scores.q, scores.counted)
    if not support.atoms.any():
        return None
    waters = solvent(model, scores.q, scores.counted, support)
    return Finding(
        key="support",
        facts=_facts(model, support, waters),
        atoms={"support": _LABELS[support.atom]},
        residues={"support": _LABELS[support.residue]},
        tables=_distances(waters),
        rows=(("ligands, water", _row(model, support)),),
    )


def _facts(model: Model, support: NonPolymerSupport, waters: Solvent) -> dict[str, Any]:
    kind = model.residues.atom_class
    return {
        "definition": support.definition,
        "least_q": support.least_q,
        "least_density": support.least_density,
        "reference_atoms": support.reference_atoms,
        "reason_if_none": support.no_reference,
        "classes": {
            label.label: {
                "residues": int(((kind == label) & (support.atoms > 0)).sum()),
                "supported": int(((kind == label) & (support.residue == Support.SUPPORTED)).sum()),
                "unsupported": int(((kind == label) & support.unsupported).sum()),
            }
            for label in AtomClass
            if ((kind == label) & (support.atoms > 0)).any()
        },
        "unsupported": [
            model.residues.label(row) for row in np.flatnonzero(support.unsupported).tolist()
        ],
        "waters_and_ions": {
            label.label: {
                "n": found.n,
                "n_with_q": found.n_scored,
                "supported": found.n_supported,
                "unsupported": found.n_unsupported,
                "q_quantiles": dict(
                    zip(map(str, QUANTILES), found.q_quantiles.tolist(), strict=True)
                ),
            }
            for label, found in waters.classes.items()
        },
    }


def _distances(waters: Solvent) -> dict[str, Columns]:
    """Histograms of the distances to the nearest water and to the nearest polymer atom."""
    columns: dict[str, np.ndarray] = {}
    for kind in waters.classes:
        for name, other in (("water", AtomClass.WATER), ("polymer", AtomClass.PROTEIN)):
            found = distance_histogram(waters, kind, other)
            columns["from"], columns["to"] = found.edges[:-1], found.edges[1:]
            columns[f"{kind.label}_{name}_supported"] = found.supported
            columns[f"{kind.label}_{name}_unsupported"] = found.unsupported
    return {"solvent_distances": columns} if columns else {}


def _row(model: Model, support: NonPolymerSupport) -> str:
    """The unsupported by name, few of each kind."""
    if support.no_reference:
        return f"not judged: {support.no_reference}"
    asked = int((support.atoms > 0).sum())
    bad = np.flatnonzero(support.unsupported)
    text = f"{len(bad)} of {asked} not supported by the map"
    if not len(bad):
        return text
    counts = Counter(model.residues.name[bad].tolist())
    shown = [f"{count} {name}" for name, count in counts.most_common(_NAMED)]
    more = len(counts) - len(shown)
    return f"{text}: {', '.join(shown)}{f' and {more} kinds more' if more else ''}"
