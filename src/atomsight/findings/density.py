"""What the height of the map says: density at the atoms, and atom inclusion."""

from typing import Any

import numpy as np

from atomsight.evidence.atom_density import AtomDensity, atom_density, negative_density
from atomsight.evidence.groups import group_means
from atomsight.evidence.hydrogens import inherit
from atomsight.evidence.inclusion import (
    BACKBONE_DEFINITION,
    DEFINITION,
    AtomInclusion,
    atom_inclusion,
    inclusion_curve,
    level_including,
)
from atomsight.evidence.status import STATUS_LABELS, Status
from atomsight.findings.finding import NO_CONTOUR, Evidence, Finding, shown
from atomsight.summary import average, averages_by

INCLUDED = 0.9
"""Share of the atoms for the level that is given beside the curve."""

_NOTHING = 1e-9


def density_finding(evidence: Evidence) -> Finding:
    """Density at the atoms in σ, and how many of them lie in negative density.

    Parameters
    ----------
    evidence : Evidence

    Returns
    -------
    Finding
    """
    model, density = evidence.model, atom_density(evidence.map, evidence.model)
    count = len(model.residues)
    facts = _facts(evidence, density)
    negative = facts["negative"]
    mean = facts["mean"]
    row = f"mean {shown(mean.mean, 2)} σ over {mean.n} atoms"
    if mean.n:
        row += f"; {negative['below_zero']} of them in negative density"
    return Finding(
        key="density",
        facts=facts,
        atoms={
            "density": inherit(density.trilinear, evidence.parent),
            "density_nearest": inherit(density.nearest, evidence.parent),
            "density_status": STATUS_LABELS[density.status],
        },
        residues={"density": group_means(density.trilinear, model.residue, count, density.counted)},
        rows=(("density", row),),
    )


def _facts(evidence: Evidence, density: AtomDensity) -> dict[str, Any]:
    model, negative = evidence.model, negative_density(density)
    chains = model.residues.chain[model.residue]
    return {
        "definition": "(map value - mean of the map) / sd of the map, trilinear (Rossmann 2000)",
        "mean": average(density.trilinear, density.counted),
        "mean_nearest": average(density.nearest, density.counted),
        "chains": averages_by(density.trilinear, chains, density.counted),
        "negative": {
            "n": negative.n,
            "below_zero": negative.below_zero,
            "fraction_below_zero": negative.fraction_below_zero,
            "below_mean": negative.below_mean,
            "fraction_below_mean": negative.fraction_below_mean,
            "definition": "atoms whose map value is below 0 (Rossmann 2000), or below the mean",
        },
        "status_counts": {
            status.label: int(np.count_nonzero(density.status == status)) for status in Status
        },
    }


def inclusion_finding(evidence: Evidence) -> Finding:
    """Atom inclusion against the contour level, and at one where it is known.

    Parameters
    ----------
    evidence : Evidence

    Returns
    -------
    Finding
    """
    map_, model = evidence.map, evidence.model
    curve = inclusion_curve(map_, model)
    level = level_including(map_, model, INCLUDED)
    sigmas = (level - map_.statistics.mean) / map_.statistics.sd if map_.statistics.sd else np.nan
    given = None if evidence.contour is None else atom_inclusion(map_, model, evidence.contour)
    inside = {} if given is None else {"inside": inherit(given.inside, evidence.parent)}
    residues = {}
    # the level just below 0, in a map that was masked, is a number that nobody can read
    readable = 0.0 if abs(level) < _NOTHING * map_.statistics.sd else level
    row = f"{100 * INCLUDED:g} % of the atoms at level {readable:.4g} ({sigmas:.2f} σ)"
    if not np.isfinite(level):
        row = f"no level includes {100 * INCLUDED:g} % of the atoms"
    if given is not None:
        everything = np.ones(len(model), dtype=bool)
        count = len(model.residues)
        residues["inclusion"] = group_means(given.inside, model.residue, count, everything)
        row += (
            f"; at {given.level:g} {shown(given.all_atoms, 3)}, backbone {shown(given.backbone, 3)}"
        )
    return Finding(
        key="inclusion",
        facts={
            "definition": DEFINITION,
            "backbone_definition": BACKBONE_DEFINITION,
            "level_including": {"fraction": INCLUDED, "level": level, "level_in_sigma": sigmas},
            "at_contour": None if given is None else _at_level(evidence, given),
            "reason_if_none": "" if given is not None else NO_CONTOUR,
        },
        atoms=inside,
        residues=residues,
        tables={
            "atom_inclusion": {
                "level": curve.level,
                "all_atoms": curve.all_atoms,
                "backbone": curve.backbone,
            }
        },
        rows=(("inclusion", row),),
    )


def _at_level(evidence: Evidence, found: AtomInclusion) -> dict[str, Any]:
    model = evidence.model
    chains = model.residues.chain[model.residue]
    return {
        "level": found.level,
        "all_atoms": found.all_atoms,
        "n": found.n,
        "backbone": found.backbone,
        "n_backbone": found.n_backbone,
        "n_outside_map": found.n_outside,
        "chains": averages_by(found.inside, chains, np.ones(len(model), dtype=bool)),
    }
