"""Writing the results of a validation: all files, or none."""

from contextlib import suppress
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np

from atomsight.archive.expected import expected_class_q
from atomsight.evidence.status import Status
from atomsight.export.chimerax import Q_PALETTE, write_defattr, write_residue_csv, write_script
from atomsight.export.columns import atom_keys, residue_keys
from atomsight.export.half_maps import (
    write_fsc_q_chimerax,
    write_half_map_files,
    write_verdict_chimerax,
)
from atomsight.export.mmcif import write_b_factors, write_mmcif
from atomsight.export.pdb import NO_OCCUPANCY, NOT_COMPUTED, why_not_pdb, write_pdb
from atomsight.export.summary_json import versions, write_summary
from atomsight.export.tables import Table, frame, write_csv, write_parquet
from atomsight.io.files import make_folder, staged
from atomsight.model import AtomClass
from atomsight.summary import average
from atomsight.typing import PathLikeStr
from atomsight.validation import Validation

_CIF_COLUMNS = {
    "Q-score": "q",
    "FSC-Q": "fsc_q",
    "FSC-Q_R": "fsc_q_r",
    "local_resolution_half": "local_resolution_half",
    "local_resolution_model": "local_resolution_model",
}
_ENDINGS = (".gz", ".cif", ".mmcif", ".pdb", ".ent", ".map", ".mrc", ".ccp4")


def write_results(
    result: Validation, folder: PathLikeStr, *, everything: bool = True
) -> list[Path]:
    """Write tables, annotated models, a summary and files for ChimeraX.

    Parameters
    ----------
    result : Validation
    folder : path
        Made if it is missing. Files of the same names are replaced, others stay.
    everything : bool
        False: only atoms.csv, residues.csv, the annotated models and summary.json.

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
    name = f"{stem(result.model.path)}__Q__{_map_stem(result)}"
    with_b = f"{stem(result.model.path)}__B_from_Q__{_map_stem(result)}.cif"
    with staged(target) as stage:
        atoms = frame({**atom_keys(result.model), **result.atoms})
        residues = frame({**residue_keys(result.model), **result.residues})
        write_csv(atoms, stage / "atoms.csv")
        write_csv(residues, stage / "residues.csv")
        measures = {
            tag: result.atoms[key] for tag, key in _CIF_COLUMNS.items() if key in result.atoms
        }
        write_mmcif(result.model, measures, stage / f"{name}.cif")
        no_pdb = why_not_pdb(result.model)
        if not no_pdb:
            write_pdb(
                result.model,
                result.atoms["q"],
                _remarks(result),
                stage / f"{name}.pdb",
                occupancy=result.atoms.get("fsc_q"),
            )
        write_summary(summary(result, no_pdb), stage / "summary.json")
        b_iso = result.atoms.get("b_from_q")
        if b_iso is not None:
            write_b_factors(result.model, b_iso, stage / with_b)
        for finding in result.findings:
            for table, columns in finding.tables.items():
                write_csv(frame(columns), make_folder(stage / "curves") / f"{table}.csv")
        if result.half_maps is not None:
            write_half_map_files(result.half_maps, result.model, residues, stage)
        if everything:
            write_parquet(atoms, stage / "atoms.parquet")
            write_parquet(residues, stage / "residues.parquet")
            _write_chimerax(result, residues, f"../{name}.cif", make_folder(stage / "chimerax"))
        written = sorted(p.relative_to(stage) for p in stage.rglob("*") if p.is_file())
    # one of an earlier run would pass for this one's
    for absent, path in ((no_pdb, f"{name}.pdb"), (b_iso is None, with_b)):
        if absent:
            with suppress(OSError):
                (target / path).unlink(missing_ok=True)
    return [target / path for path in written]


def _write_chimerax(result: Validation, residues: Table, model_path: str, folder: Path) -> None:
    write_defattr(result.model, "qscore", result.atoms["q"], folder / "qscore.defattr")
    write_residue_csv(residues, folder / "residues_chimerax.csv")
    map_path = result.map.path
    if map_path is None:
        return
    write_script(
        folder / "qscore.cxc",
        map_path=map_path,
        model_path=model_path,
        defattr="qscore.defattr",
        attribute="qscore",
        palette=Q_PALETTE,
    )
    if result.half_maps is not None:
        write_fsc_q_chimerax(result.model, result.atoms["fsc_q"], map_path, model_path, folder)
    if "verdict" in result.residues:
        write_verdict_chimerax(
            result.model, result.residues["verdict"], map_path, model_path, folder
        )


def stem(path: Path) -> str:
    """A file's name without the endings of maps, models and gzip, and without control characters.

    Parameters
    ----------
    path : Path

    Returns
    -------
    str
    """
    name = path.name
    while (ending := Path(name).suffix) and ending.lower() in _ENDINGS:
        name = name[: -len(ending)]
    # line ends and terminal codes are allowed in a file's name, but have no place in ours
    return "".join(c if c.isprintable() else "_" for c in name)


def _map_stem(result: Validation) -> str:
    return "map" if result.map.path is None else stem(result.map.path)


def _remarks(result: Validation) -> list[str]:
    sigma = result.options.q.sigma
    occupancy = (
        []
        if result.half_maps is None
        else [f"OCCUPANCY COLUMN HOLDS FSC-Q IN A; {NO_OCCUPANCY} MARKS ATOMS WITHOUT ONE"]
    )
    return [
        f"ATOMSIGHT {version('atomsight')}: B-FACTOR COLUMN HOLDS THE Q-SCORE, SIGMA {sigma:g} A",
        "(PINTILIE ET AL. 2020, COMPUTED AS BY MAPQ 2.9.7), TWO DECIMALS;",
        f"{NOT_COMPUTED} MARKS ATOMS WITHOUT ONE. MAP: {_map_stem(result)}",
        *occupancy,
    ]


def summary(result: Validation, no_pdb: str = "") -> dict[str, Any]:
    """Everything about a validation that is not a table, ready for JSON.

    Parameters
    ----------
    result : Validation
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


def _half_map_inputs(result: Validation) -> list[dict[str, Any]]:
    used = result.options.half_maps
    paths = [] if used is None else [used.half_1, used.half_2, used.mask]
    return [
        {"path": path, "sha256": result.checksums.get(str(path))}
        for path in paths
        if path is not None
    ]


def _described(result: Validation, key: str, definition: str) -> dict[str, Any]:
    average: Any = result.averages[key]
    return {"value": average.mean, "n": average.n, "definition": definition}


def _mapq_mean(result: Validation) -> dict[str, Any]:
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


def _orientations(result: Validation) -> dict[str, Any] | None:
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


def _classes(result: Validation) -> dict[str, Any]:
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
