"""What the page's scripts work with, ready for JSON."""

from base64 import b64encode
from typing import Any

import numpy as np

from atomsight.evidence.groups import group_means
from atomsight.evidence.profile import atom_profile
from atomsight.report.display_map import DisplayMap
from atomsight.report.results import Results
from atomsight.report.scores import Score, scores
from atomsight.report.table import table_columns

_NO_VALUE = 255
_STEPS = 254

_CAPTION = (
    "Mean map value at distances from the atom, where no other atom is nearer, beside the Gaussian "
    "that Q compares it with: the mean of the map and ten standard deviations at the centre, "
    "sigma {sigma:g} Å (Pintilie et al. 2020)."
)


def payload(
    results: Results,
    figures: list[dict[str, Any]],
    shown: DisplayMap | None,
) -> dict[str, Any]:
    """Everything about atoms and residues that the page shows or colours.

    Parameters
    ----------
    results : Results
    figures : list of dict
        Drawn by `plotly_figure`, with title and caption.
    shown : DisplayMap or None

    Returns
    -------
    dict
    """
    model = results.model
    count = len(model.residues)
    sentences = results.residues.get("verdict_sentence")
    return {
        "residues": {"label": [model.residues.label(row) for row in range(count)]},
        "atoms": {"residue": model.residue.tolist(), "name": _atom_names(results)},
        "sentences": None if sentences is None else sentences.tolist(),
        "scores": [_score(results, score) for score in scores(results)],
        "table": table_columns(results),
        "profiles": _profiles(results),
        "noProfiles": results.no_map,
        "figures": figures,
        "map": None
        if shown is None
        else {
            "scale": shown.scale,
            "offset": shown.offset,
            "mean": shown.mean,
            "sd": shown.sd,
        },
    }


def _atom_names(results: Results) -> list[str]:
    model = results.model
    return [
        f"{atom} ({altloc})" if altloc else atom
        for atom, altloc in zip(model.atom.tolist(), model.altloc.tolist(), strict=True)
    ]


def _score(results: Results, score: Score) -> dict[str, Any]:
    return {
        "key": score.key,
        "name": score.name,
        "unit": score.unit,
        "definition": score.definition,
        "palettes": score.palettes,
        "worse": score.worse,
        "decimals": score.decimals,
        "labels": list(score.labels) or None,
        "atoms": values(results.atoms.get(score.atom_column), score.decimals),
        "residues": values(_of_residues(results, score), score.decimals),
    }


def _of_residues(results: Results, score: Score) -> np.ndarray | None:
    """A score of residues; the mean of their atoms where the tables have none."""
    if score.residue_column:
        return results.residues.get(score.residue_column)
    model = results.model
    atoms = results.atoms[score.atom_column]
    return group_means(atoms, model.residue, len(model.residues), model.heavy)


def values(column: np.ndarray | None, decimals: int) -> list[Any] | None:
    """A column as a list: numbers rounded, None where there is none.

    Parameters
    ----------
    column : ndarray or None
    decimals : int

    Returns
    -------
    list or None
    """
    if column is None:
        return None
    if column.dtype.kind == "U":
        return [text or None for text in column.tolist()]
    rounded = np.round(column.astype(float), decimals)
    return [
        value if ok else None
        for value, ok in zip(rounded.tolist(), np.isfinite(rounded).tolist(), strict=True)
    ]


def _profiles(results: Results) -> dict[str, Any] | None:
    """Profiles of all atoms in 255 steps, enough for a plot."""
    if results.map is None:
        return None
    model, options = results.model, results.facts["parameters"]["q"]
    rows = np.flatnonzero(model.heavy)
    found = atom_profile(results.map, model, rows, fit=False, **options)
    low = float(np.nanmin([np.nanmin(found.reference), _least(found.mean)]))
    high = float(np.nanmax([np.nanmax(found.reference), -_least(-found.mean)]))
    step = (high - low) / _STEPS or 1.0
    steps = np.full((len(model), len(found.radius)), _NO_VALUE, dtype=np.uint8)
    known = np.isfinite(found.mean)
    scaled = np.rint((np.where(known, found.mean, low) - low) / step)
    steps[rows] = np.where(known, scaled, _NO_VALUE).astype(np.uint8)
    return {
        "radius": np.round(found.radius, 4).tolist(),
        "reference": found.reference.tolist(),
        "low": low,
        "high": high if high > low else low + 1.0,
        "bytes": b64encode(steps.tobytes()).decode("ascii"),
        "caption": _CAPTION.format(sigma=found.sigma),
    }


def _least(values: np.ndarray) -> float:
    finite = values[np.isfinite(values)]
    return float(finite.min()) if finite.size else np.nan
