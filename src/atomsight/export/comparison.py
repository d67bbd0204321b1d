"""Files of a comparison: the ranking, the compared atoms, a summary, and ChimeraX."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np

from atomsight.comparison.difference import LEAST_BLOCKS
from atomsight.comparison.figures import DEFINITIONS, atom_columns
from atomsight.comparison.result import ComparedModel, Comparison
from atomsight.evidence.inclusion import DEFINITION as INCLUSION
from atomsight.evidence.status import Status
from atomsight.export.chimerax import (
    Q_PALETTE,
    residue_spec,
    write_comparison_script,
    write_defattr,
)
from atomsight.export.columns import CLASS_LABELS
from atomsight.export.summary_json import versions, write_summary
from atomsight.export.tables import frame, write_csv
from atomsight.io.files import make_folder, staged
from atomsight.summary import band
from atomsight.typing import PathLikeStr

_MOST_IN_VIEW = 50
"""Residues that ChimeraX is told to look at; more are the whole model."""

_HALF_MAP_COLUMNS = ("fsc_q", "local_resolution_half", "q_half_1", "q_half_2")


def write_comparison(result: Comparison, folder: PathLikeStr) -> list[Path]:
    """Write comparison.csv, compared_atoms.csv, summary.json and files for ChimeraX.

    Parameters
    ----------
    result : Comparison
    folder : path
        Made if it is missing. Files of the same names are replaced, others stay.

    Returns
    -------
    list of Path
        The files written.

    Raises
    ------
    OutputError
        If a file cannot be written; then none is.
    """
    target = make_folder(folder)
    with staged(target) as stage:
        write_csv(frame(model_columns(result)), stage / "comparison.csv")
        write_csv(frame(compared_atom_columns(result)), stage / "compared_atoms.csv")
        write_summary(comparison_summary(result), stage / "summary.json")
        _write_chimerax(result, make_folder(stage / "chimerax"))
        written = sorted(p.relative_to(stage) for p in stage.rglob("*") if p.is_file())
    return [target / path for path in written]


def model_columns(result: Comparison) -> dict[str, np.ndarray]:
    """One row a model, best first.

    Parameters
    ----------
    result : Comparison

    Returns
    -------
    dict
        Name of the column → one value a model.
    """
    rows = [_model_row(result, model) for model in result.models]
    return {name: np.array([row[name] for row in rows]) for name in rows[0]}


def _model_row(result: Comparison, model: ComparedModel) -> dict[str, Any]:
    d = model.below_best
    nan = float("nan")
    where = "" if result.expected is None else band(np.array([model.figures.q]), result.expected)[0]
    return {
        "rank": model.rank,
        "model": model.name,
        "tied": model.tied,
        **{name: getattr(model.figures, name) for name in model.figures.__slots__},
        "below_best": 0.0 if d is None else d.value,
        "below_best_error": nan if d is None else d.standard_error,
        "below_best_half_width": nan if d is None else d.half_width,
        "q_band": str(where),
        "sentence": model.sentence,
    }


def compared_atom_columns(result: Comparison) -> dict[str, np.ndarray]:
    """One row a compared atom and model, models in the order of the ranking.

    Parameters
    ----------
    result : Comparison

    Returns
    -------
    dict
        Name of the column → one value a row.
    """
    parts = [_atom_part(result, model) for model in result.models]
    return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}


def _atom_part(result: Comparison, model: ComparedModel) -> dict[str, np.ndarray]:
    atoms, rows, own = result.atoms, result.atoms.rows[model.place], model.scores
    count = len(atoms)
    labels = np.array([*(status.label for status in Status), "missing"])
    values = atom_columns(own, rows, result.map, result.contour)
    more: dict[str, np.ndarray] = {}
    if own.fsc_q is None:
        values = {name: v for name, v in values.items() if name not in _HALF_MAP_COLUMNS}
    else:
        more["fsc_q_status"] = labels[np.where(rows < 0, len(Status), own.fsc_q.status[rows])]
    return {
        "rank": np.full(count, model.rank),
        "model": np.full(count, model.name),
        "chain": atoms.chain,
        "number": atoms.number,
        "icode": atoms.icode,
        "residue": atoms.residue,
        "atom": atoms.atom,
        "altloc": atoms.altloc,
        "class": np.where(rows < 0, "", CLASS_LABELS[own.model.atom_class[rows]]),
        "moved": atoms.moved,
        "ranked": result.ranked,
        "q_status": labels[np.where(rows < 0, len(Status), own.q.status[rows])],
        **values,
        **more,
    }


def comparison_summary(result: Comparison) -> dict[str, Any]:
    """Everything about a comparison that is not a table of atoms, ready for JSON.

    Parameters
    ----------
    result : Comparison

    Returns
    -------
    dict
    """
    best = result.models[0]
    atoms = result.atoms
    options = result.options
    halves = options.half_maps
    return {
        "created": datetime.now(UTC).isoformat(timespec="seconds"),
        "versions": versions(),
        "inputs": {
            "models": [
                {
                    "path": m.scores.model.path,
                    "sha256": result.checksums.get(str(m.scores.model.path)),
                    "model_number": m.scores.model.number,
                    "atoms": len(m.scores.model),
                }
                for m in result.models
            ],
            "map": {
                "path": result.map.path,
                "sha256": result.checksums.get(str(result.map.path)),
                "shape_xyz": result.map.full_shape,
                "voxel_size": result.map.voxel_size,
                "origin": result.map.full_origin,
            },
            "half_maps": None
            if halves is None
            else [
                {"path": path, "sha256": result.checksums.get(str(path))}
                for path in (halves.half_1, halves.half_2)
            ],
        },
        "parameters": options,
        "resolution": {"value": result.resolution, "source": result.resolution_source},
        "atoms": {
            "which": atoms.scope,
            "matched_by": "chain, number, insertion code, residue, atom name, conformer",
            "compared": len(atoms),
            "ranked": int(result.ranked.sum()),
            "ranked_definition": "compared atoms that have a Q in every model",
            "missing": {m.name: _missing(result, m) for m in result.models},
        },
        "contour": {
            "level": result.contour,
            "source": result.contour_source,
            "definition": INCLUSION,
        },
        "expected": {
            "value": result.expected,
            "reason_if_none": result.no_expectation,
            "classes": {
                name: {"value": value, "reason_if_none": reason}
                for name, (value, reason) in result.expected_class.items()
            },
        },
        "fsc_q": None
        if halves is None
        else {
            "definition": "V_model - V_half in Å (Ramírez-Aportela et al. 2021)",
            "thresholds": halves.rule,
            "box": result.box,
        },
        "definitions": DEFINITIONS,
        "models": [{**_model_row(result, m), "below_best": m.below_best} for m in result.models],
        "differences": {
            "best": best.name,
            "definition": "mean Q of the best minus that of the other, over the same atoms; "
            "interval from resampled cubes of atoms, Student's t, for all comparisons together "
            "(Bonferroni), with the sampling of Q; tied: it includes 0",
            "cube_edge": result.block_edge,
            "least_cubes": LEAST_BLOCKS,
        },
        "not_looked_at": "stereochemistry, clashes, energy: this is about the map alone",
        "notes": result.notes,
    }


def _missing(result: Comparison, model: ComparedModel) -> list[str]:
    rows = result.atoms.rows[model.place]
    return [result.atoms.name(i) for i in np.flatnonzero(rows < 0).tolist()]


def _write_chimerax(result: Comparison, folder: Path) -> None:
    files = []
    for model in result.models:
        name = f"model_{model.rank}.defattr"
        write_defattr(model.scores.model, "qscore", model.scores.q.q, folder / name)
        files.append((model.scores.model.path, name))
    if result.map.path is not None:
        write_comparison_script(
            folder / "compare.cxc",
            map_path=result.map.path,
            models=files,
            attribute="qscore",
            palette=Q_PALETTE,
            focus=_focus(result),
        )


def _focus(result: Comparison) -> str:
    """The compared residues, in the best model's place; empty for a whole model."""
    atoms = result.atoms
    keys = zip(atoms.chain.tolist(), atoms.number.tolist(), atoms.icode.tolist(), strict=True)
    residues = [residue_spec(*key) for key in dict.fromkeys(keys)]
    if not atoms.part or len(residues) > _MOST_IN_VIEW:
        return ""
    return " | ".join(f"#1{residue}" for residue in residues)
