"""How precisely independent models of the map agree on each residue."""

from dataclasses import asdict

import numpy as np

from atomsight.ensemble.convergence import PAIRWISE, POOR, histogram, spread
from atomsight.ensemble.known import PlacedConvergence
from atomsight.ensemble.residues import atoms_shown
from atomsight.evidence.adp import ranks
from atomsight.evidence.groups import group_means
from atomsight.findings.finding import Evidence, Finding
from atomsight.typing import Float_N

_FEWEST = 3


def convergence_finding(evidence: Evidence, placed: PlacedConvergence) -> Finding:
    """RMSD of the residues' Cα or C1' among independent models, and how it goes with Q.

    Parameters
    ----------
    evidence : Evidence
    placed : PlacedConvergence

    Returns
    -------
    Finding
    """
    model, rmsd, known = evidence.model, placed.ca_rmsd, placed.known
    overall = spread(rmsd)
    atoms = atoms_shown(model.residues.atom_class[np.isfinite(rmsd)])
    q = group_means(evidence.scores.q, model.residue, len(model.residues), evidence.scores.counted)
    chains = {
        name: asdict(spread(rmsd[model.residues.chain == name]))
        for name in dict.fromkeys(model.residues.chain[np.isfinite(rmsd)].tolist())
    }
    bad = [model.residues.label(row) for row in np.flatnonzero(rmsd > POOR).tolist()]
    return Finding(
        key="convergence",
        facts={
            "definition": PAIRWISE,
            "folder": known.folder,
            "models": known.models,
            "resolution": known.resolution,
            "protocol": known.protocol,
            "matched_by": placed.matched_by,
            "residues_without": placed.without,
            "overall": asdict(overall),
            "chains": chains,
            "above_3": bad,
            "spearman_with_q": rank_correlation(rmsd, q),
        },
        residues={"ca_rmsd": rmsd, "ca_rmsd_to_mean": placed.ca_rmsd_to_mean},
        tables={"convergence": histogram(rmsd)},
        rows=(
            (
                "convergence",
                f"mean {atoms} RMSD {overall.mean:.2f} Å (pairwise, {known.models} models) over "
                f"{overall.n} residues; {overall.n_above_3} above 3 Å",
            ),
        ),
        notes=tuple(_notes(placed)),
    )


def rank_correlation(a: Float_N, b: Float_N) -> float | None:
    """Spearman's coefficient of two columns.

    Parameters
    ----------
    a, b : ndarray, shape (n,)
        Pairs with a NaN are left out.

    Returns
    -------
    float or None
        None with fewer than 3 pairs, or where a column is constant.
    """
    both = np.isfinite(a) & np.isfinite(b)
    x, y = a[both], b[both]
    if len(x) < _FEWEST or np.ptp(x) == 0 or np.ptp(y) == 0:
        return None
    return float(np.corrcoef(ranks(x), ranks(y))[0, 1])


def _notes(placed: PlacedConvergence) -> list[str]:
    notes = []
    if placed.matched_by != "number":
        notes.append(
            f"{placed.known.folder}: its numbering differs from the model's: residues matched by "
            f"{placed.matched_by}"
        )
    if placed.without:
        notes.append(
            f"{placed.without} residues are not in the models of {placed.known.folder}: no RMSD"
        )
    return notes
