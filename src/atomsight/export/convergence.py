"""Files of an ensemble: its models in one file, tables, a summary, and ChimeraX."""

import json
from collections.abc import Mapping
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import gemmi
import numpy as np

from atomsight.ensemble.convergence import BAD, PAIRWISE, POOR, TO_MEAN, WELL, histogram
from atomsight.ensemble.ensemble import Convergence
from atomsight.ensemble.known import KnownConvergence
from atomsight.ensemble.residues import Residues
from atomsight.errors import ResultsError
from atomsight.export.chimerax import residue_spec, write_worm_script
from atomsight.export.columns import CLASS_LABELS
from atomsight.export.summary_json import versions, write_summary
from atomsight.export.tables import frame, read_csv, write_csv
from atomsight.io.files import make_folder, staged, write_text
from atomsight.typing import PathLikeStr

ENSEMBLE = "ensemble.cif"
_KIND = "convergence"


def write_convergence(
    result: Convergence,
    folder: PathLikeStr,
    *,
    map_path: Path | None = None,
    making: Mapping[str, Any] | None = None,
) -> list[Path]:
    """Write ensemble.cif, models.csv, pairs.csv, residues.csv, summary.json, files for ChimeraX.

    Parameters
    ----------
    result : Convergence
    folder : path
        Made if it is missing. Files of the same names are replaced, others stay.
    map_path : Path, optional
        The map, for ChimeraX.
    making : mapping, optional
        How the models came about, for summary.json.

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
        write_csv(frame(convergence_columns(result)), stage / "residues.csv")
        write_csv(frame(_model_columns(result)), stage / "models.csv")
        write_csv(frame(_pair_columns(result)), stage / "pairs.csv")
        write_csv(
            frame(histogram(result.ca_rmsd)), make_folder(stage / "curves") / "convergence.csv"
        )
        facts = convergence_summary(result, map_path)
        write_summary({**facts, "making": making}, stage / "summary.json")
        write_text(stage / ENSEMBLE, ensemble_text(result))
        _write_chimerax(result, map_path, make_folder(stage / "chimerax"))
        written = sorted(p.relative_to(stage) for p in stage.rglob("*") if p.is_file())
    return [target / path for path in written]


def convergence_columns(result: Convergence) -> dict[str, np.ndarray]:
    """One row a residue, under the first model's names.

    Parameters
    ----------
    result : Convergence

    Returns
    -------
    dict
        Name of the column → one value a residue.
    """
    return {
        "chain": result.chain,
        "number": result.number,
        "icode": result.icode,
        "residue": result.name,
        "class": CLASS_LABELS[result.atom_class],
        "models": result.n,
        "ca_rmsd": result.ca_rmsd,
        "ca_rmsd_to_mean": result.ca_rmsd_to_mean,
        "x": result.xyz[:, 0],
        "y": result.xyz[:, 1],
        "z": result.xyz[:, 2],
    }


def _model_columns(result: Convergence) -> dict[str, np.ndarray]:
    kept = (
        *("name", "matched_by", "residues", "missing", "left_out"),
        *("rmsd_to_mean", "rmsd_to_others"),
    )
    columns = {key: np.array([getattr(one, key) for one in result.members]) for key in kept}
    return {"model": np.arange(1, len(result.models) + 1), **columns}


def _pair_columns(result: Convergence) -> dict[str, np.ndarray]:
    first, second = np.triu_indices(len(result.models), 1)
    return {"model_1": first + 1, "model_2": second + 1, "rmsd": result.mutual[first, second]}


def convergence_summary(result: Convergence, map_path: Path | None = None) -> dict[str, Any]:
    """Everything about an ensemble that is not a table, ready for JSON.

    Parameters
    ----------
    result : Convergence
    map_path : Path, optional

    Returns
    -------
    dict
    """
    pairs = result.mutual[np.triu_indices(len(result.models), 1)]
    return {
        "kind": _KIND,
        "created": datetime.now(UTC).isoformat(timespec="seconds"),
        "versions": versions(),
        "inputs": {
            "models": [
                {
                    "name": member.name,
                    "path": model.path,
                    "sha256": result.checksums.get(str(model.path)),
                    "model_number": model.number,
                    "matched_by": member.matched_by,
                    "renamed_chains": member.renamed,
                }
                for model, member in zip(result.models, result.members, strict=True)
            ],
            "map": None
            if map_path is None
            else {"path": map_path, "sha256": result.checksums.get(str(map_path))},
        },
        "resolution": result.resolution,
        "protocol": result.protocol,
        "ca_rmsd": {
            "definition": PAIRWISE,
            "definition_to_mean": TO_MEAN,
            "models": len(result.models),
            "overall": result.overall,
            "chains": {name: asdict(one) for name, one in result.chains.items()},
            "mean_to_mean": _mean(result.ca_rmsd_to_mean),
            "between_models": {
                "definition": "RMSD of two models over the residues that both have",
                "least": float(np.nanmin(pairs)),
                "mean": _mean(pairs),
                "most": float(np.nanmax(pairs)),
            },
            "thresholds": {"well": WELL, "poor": POOR, "consider_not_depositing": BAD},
            "above_3": _labels(result, POOR),
            "above_4": _labels(result, BAD),
        },
        "notes": result.notes,
    }


def _mean(values: np.ndarray) -> float:
    return float(np.nanmean(values))


def _labels(result: Convergence, limit: float) -> list[str]:
    return [
        f"{result.chain[i]}/{result.name[i]} {result.number[i]}{result.icode[i]}"
        for i in np.flatnonzero(result.ca_rmsd > limit).tolist()
    ]


def ensemble_text(result: Convergence) -> str:
    """All models as one mmCIF, MODEL 1, 2, … in their order, each with its own names and numbers.

    Parameters
    ----------
    result : Convergence

    Returns
    -------
    str
    """
    together = gemmi.Structure()
    together.name = "ensemble"
    first = result.models[0].structure
    together.cell, together.spacegroup_hm = first.cell, first.spacegroup_hm
    for number, model in enumerate(result.models, 1):
        copy = next(one for one in model.structure if one.num == model.number).clone()
        copy.num = number
        together.add_model(copy)
    together.setup_entities()
    together.assign_serial_numbers()
    return str(together.make_mmcif_document().as_string())


def _write_chimerax(result: Convergence, map_path: Path | None, folder: Path) -> None:
    lines = ["attribute: ca_rmsd", "match mode: any", "recipient: residues"]
    for number, (model, rows) in enumerate(zip(result.models, result.rows, strict=True), 1):
        residues = model.residues
        for row, value in zip(rows.tolist(), result.ca_rmsd.tolist(), strict=True):
            if row >= 0 and np.isfinite(value):
                spec = residue_spec(residues.chain[row], residues.number[row], residues.icode[row])
                lines.append(f"\t#1.{number}{spec}\t{value:.4f}")
    write_text(folder / "ca_rmsd.defattr", "\n".join(lines) + "\n")
    write_worm_script(
        folder / "convergence.cxc",
        model_path=f"../{ENSEMBLE}",
        defattr="ca_rmsd.defattr",
        attribute="ca_rmsd",
        map_path=map_path,
    )


def read_convergence(folder: PathLikeStr) -> KnownConvergence:
    """Read what `write_convergence` wrote.

    Parameters
    ----------
    folder : path

    Returns
    -------
    KnownConvergence

    Raises
    ------
    ResultsError
        If the folder holds no results of ``atomsight converge``.
    """
    home = Path(folder)
    try:
        facts = json.loads((home / "summary.json").read_text(encoding="utf-8"))
        models = int(facts["ca_rmsd"]["models"]) if facts["kind"] == _KIND else 0
        resolution, protocol = facts["resolution"], str(facts["protocol"])
    except (OSError, ValueError, KeyError, TypeError):
        models = 0
    if models < 2:
        raise ResultsError(
            f"{home}: holds no results of atomsight converge; give --convergence its folder"
        )
    table = read_csv(home / "residues.csv")
    try:
        return KnownConvergence(
            folder=home,
            models=models,
            resolution=None if resolution is None else float(resolution),
            residues=Residues(
                chain=table["chain"],
                number=table["number"],
                icode=table["icode"],
                name=table["residue"],
                xyz=np.stack([table[name] for name in "xyz"], axis=1),
                row=np.full(len(table["number"]), -1, dtype=np.int64),
            ),
            ca_rmsd=table["ca_rmsd"],
            ca_rmsd_to_mean=table["ca_rmsd_to_mean"],
            protocol=protocol,
        )
    except KeyError as exc:
        raise ResultsError(f"{home / 'residues.csv'}: has no column {exc}; run again") from None
