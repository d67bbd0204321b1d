"""Files of an ensemble that was made here: those of its convergence, and how it came about."""

from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from atomsight.ensemble.b_factors import DEFINITIONS
from atomsight.ensemble.pipeline import Ensemble
from atomsight.ensemble.ranking import CRITERIA
from atomsight.ensemble.servalcat import servalcat_version
from atomsight.export.convergence import write_convergence
from atomsight.export.tables import frame, write_csv
from atomsight.typing import PathLikeStr

GENERATED = "generated.csv"


def write_ensemble(result: Ensemble, folder: PathLikeStr) -> list[Path]:
    """Write the files of `write_convergence`, and generated.csv with one row a model made.

    Parameters
    ----------
    result : Ensemble
    folder : path

    Returns
    -------
    list of Path
        The files written.

    Raises
    ------
    OutputError
        If a file cannot be written.
    """
    table = write_csv(frame(generated_columns(result)), Path(folder) / GENERATED)
    written = write_convergence(
        result.convergence, folder, map_path=result.made.map.path, making=making_facts(result)
    )
    return sorted([*written, table])


def generated_columns(result: Ensemble) -> dict[str, np.ndarray]:
    """One row a model that was made.

    Parameters
    ----------
    result : Ensemble

    Returns
    -------
    dict
        Name of the column → one value a model.
    """
    models, ranking = result.made.models, result.ranking
    place = np.empty(len(models), dtype=np.int64)
    place[ranking.order] = np.arange(1, len(models) + 1)
    columns = {
        "seed": np.array([one.seed for one in models]),
        "place": place,
        "kept": np.isin(np.arange(len(models)), ranking.kept).astype(np.int64),
        "mean_rank": ranking.mean_rank,
    }
    rows = [one.row() for one in result.quality]
    columns |= {name: np.array([row[name] for row in rows], dtype=float) for name in rows[0]}
    measured = ("energy", "map_energy", "cc_start", "cc_end", "perturbation", "restarts", "seconds")
    counts = ("missing_atoms", "other_atoms")
    columns |= {
        name: np.array([getattr(one, name) for one in models]) for name in (*measured, *counts)
    }
    return columns


def making_facts(result: Ensemble) -> dict[str, Any]:
    """How the models came about, for summary.json.

    Parameters
    ----------
    result : Ensemble

    Returns
    -------
    dict
    """
    made, ranking = result.made, result.ranking
    return {
        "engine": made.models[0].engine,
        "protocol": made.protocol,
        "model": {"path": made.model.path, "atoms": len(made.model)},
        "prepared": {
            "atoms": len(made.prepared),
            "residues": len(made.prepared.number),
            "left_out": made.prepared.left_out,
            "symmetry": made.prepared.symmetry or None,
            "notes": made.prepared.notes,
        },
        "seeds": [one.seed for one in made.models],
        "kept_seeds": [made.models[row].seed for row in ranking.kept.tolist()],
        "ranked_by": CRITERIA,
        "health": {
            **asdict(result.health),
            "definition": "perturbation: mean over the models of the root mean square "
            "movement of Cα (C1') in the phase without map, Å; worse: share of models "
            "whose CC-mean with the map ended below that of the prepared model; gain: mean "
            "difference of the two; kept_worse, kept_gain: the same of the kept models, refined",
        },
        "b_factors": {
            "source": result.b_factors,
            "definition": DEFINITIONS[result.b_factors],
            "servalcat": servalcat_version() if result.b_factors == "servalcat" else None,
            "mean": [float(one.b_iso[one.heavy].mean()) for one in result.convergence.models],
        },
        "refinements": [
            {"model": one.start.name, "accepted": one.accepted, "reason": one.reason}
            for one in result.refinements
        ],
        "kept": [one.row() for one in result.final],
        "kept_clashes_with_copies": list(result.touching) or None,
    }
