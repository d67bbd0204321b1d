"""summary.json: everything about a run that is not a table."""

import json
import math
from dataclasses import asdict, is_dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from platform import python_version
from typing import Any

import numpy as np

from atomsight.archive.expected import expected_class_q
from atomsight.evidence.status import Status
from atomsight.io.files import write_text
from atomsight.model import AtomClass
from atomsight.outcome import Outcome
from atomsight.summary import average

_LIBRARIES = ("atomsight", "gemmi", "numpy", "numba", "polars", "scipy")


def versions() -> dict[str, str]:
    """Versions of Python, of atomsight and of the libraries that its numbers depend on.

    Returns
    -------
    dict
    """
    return {"python": python_version()} | {name: version(name) for name in _LIBRARIES}


def write_summary(summary: dict[str, Any], path: Path) -> Path:
    """Write a summary as JSON; NaN and Inf become null.

    Parameters
    ----------
    summary : dict
        May hold dataclasses, paths and numpy values.
    path : Path

    Returns
    -------
    Path
        The file written.

    Raises
    ------
    OutputError
        If the file cannot be written.
    """
    text = json.dumps(plain(summary), indent=2, ensure_ascii=False, allow_nan=False)
    return write_text(path, text + "\n")


def plain(value: Any) -> Any:
    """Bring a value to what JSON knows.

    Parameters
    ----------
    value : object

    Returns
    -------
    object
        Of dicts, lists, strings, numbers, booleans and None.
    """
    if is_dataclass(value) and not isinstance(value, type):
        return plain(asdict(value))
    if isinstance(value, dict):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    if isinstance(value, np.ndarray | np.generic):
        return plain(value.tolist())
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, Path):
        return str(value)
    return value


def summary(result: Outcome, no_pdb: str = "") -> dict[str, Any]:
    """Everything about a validation that is not a table, ready for JSON.

    Parameters
    ----------
    result : Outcome
    no_pdb : str
        Why no PDB file was written; empty if one was.

    Returns
    -------
    dict
    """
    model, map_, options = result.model, result.map, result.options
    counts = np.bincount(result.scores.status, minlength=len(Status))
    bands = result.residues["q_band"]
    return {
        "created": datetime.now(UTC).isoformat(timespec="seconds"),
        "versions": versions(),
        "inputs": {
            "model": {
                "path": model.path,
                "sha256": result.checksums.get(str(model.path)),
                "model_number": model.number,
                "model_numbers": model.model_numbers,
                "atoms": len(model),
                "residues": len(model.residues),
            },
            "map": {
                "path": map_.path,
                "sha256": result.checksums.get(str(map_.path)),
                "shape_xyz": map_.full_shape,
                "voxel_size": map_.voxel_size,
                "origin": map_.full_origin,
                "periodic": map_.periodic,
                "statistics": map_.statistics,
            },
            "half_maps": None if options.half_maps is None else _half_map_inputs(result),
        },
        "parameters": options,
        "resolution": {"value": result.resolution, "source": result.resolution_source},
        "overlay": {
            **{name: getattr(result.overlay, name) for name in result.overlay.__slots__},
            "ok": result.overlay.ok,
            "definition": "(mean density at atoms - mean density at displaced atoms) / sd of both",
        },
        "q_score": {
            "sigma": options.q.sigma,
            "definition": "Pintilie et al. 2020, as computed by MapQ 2.9.7 in one process",
            "mean": _described(result, "mean", "all atoms other than hydrogen (as MapQ)"),
            "mean_without_water": _described(
                result, "mean_without_water", "without hydrogen and water (as EMDB and the wwPDB)"
            ),
            "mean_as_mapq": _mapq_mean(result),
            "classes": _classes(result),
            "chains": result.averages["chains"],
            "entities": result.averages["entities"],
            "parts": result.averages["parts"],
            "orientations": _orientations(result),
            "status_counts": {status.label: int(counts[status]) for status in Status},
        },
        "expected": {
            "value": result.expected,
            "reason_if_none": result.no_expectation,
            "residues": {
                where: int((bands == where).sum()) for where in ("below", "within", "above")
            },
        },
        "fsc_q": None,
        **{finding.key: finding.facts for finding in result.findings},
        "no_pdb_because": no_pdb,
        "notes": result.notes,
        "seconds": result.seconds,
    }


def _half_map_inputs(result: Outcome) -> list[dict[str, Any]]:
    used = result.options.half_maps
    paths = [] if used is None else [used.half_1, used.half_2, used.mask]
    return [
        {"path": path, "sha256": result.checksums.get(str(path))}
        for path in paths
        if path is not None
    ]


def _described(result: Outcome, key: str, definition: str) -> dict[str, Any]:
    average: Any = result.averages[key]
    return {"value": average.mean, "n": average.n, "definition": definition}


def _mapq_mean(result: Outcome) -> dict[str, Any]:
    """The mean that MapQ would print: atoms outside the map, or without contrast, count as 0."""
    scores = result.scores
    silent = np.isin(scores.status, [Status.OUTSIDE, Status.NO_SHELLS, Status.CONSTANT])
    n = int((scores.counted | silent).sum())
    total = float(np.nansum(scores.q[scores.counted]))
    return {
        "value": total / n if n else None,
        "n": n,
        "definition": "as mean, but atoms outside the map or without contrast count as 0 (MapQ)",
    }


def _orientations(result: Outcome) -> dict[str, Any] | None:
    """How much Q depends on where the points lie, over all counted atoms."""
    scores = result.scores
    if scores.orientation_mean is None or scores.orientation_sd is None:
        return None
    return {
        "n": scores.orientations,
        "seed": result.options.seed,
        "mean": average(scores.orientation_mean, scores.counted).mean,
        "mean_sd": average(scores.orientation_sd, scores.counted).mean,
        "definition": "over rotated point sets; sd (n - 1) of each atom, averaged",
    }


def _classes(result: Outcome) -> dict[str, Any]:
    averages: Any = result.averages["classes"]
    classes = {}
    for kind in AtomClass:
        if kind.label not in averages or averages[kind.label].n == 0:
            continue
        value, reason = expected_class_q(result.resolution, result.options.q.sigma, kind)
        classes[kind.label] = {
            "mean": averages[kind.label].mean,
            "n": averages[kind.label].n,
            "expected": value,
            "expected_reason_if_none": reason,
            "expected_definition": "line of MapQ 2.9.7",
        }
    return classes
