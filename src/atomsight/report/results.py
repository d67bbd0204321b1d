"""What a page and its figures are made of: from a validation, or from a folder of results."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from atomsight.density.map import Map
from atomsight.ensemble.residues import atoms_shown
from atomsight.errors import MapFileError, ResultsError
from atomsight.export.columns import atom_keys, residue_keys
from atomsight.export.half_maps import fsc_table
from atomsight.export.names import annotated_name
from atomsight.export.summary_json import plain, summary
from atomsight.export.tables import read_csv
from atomsight.io.files import require_file, sha256
from atomsight.io.maps import DEFAULT_MARGIN, read_map
from atomsight.io.models import read_model
from atomsight.model import Model
from atomsight.outcome import Outcome
from atomsight.typing import PathLikeStr

Columns = Mapping[str, np.ndarray]


@dataclass(frozen=True, slots=True)
class Results:
    """Results of one model in one map, wherever they come from.

    Attributes
    ----------
    facts : mapping
        What stands in summary.json.
    atoms, residues : mapping
        Columns of the tables of atoms and residues, keys first; NaN where there is no number.
    curves : mapping
        Name of a curve's file → its columns.
    model : Model
    map : Map or None
        The box around the model, or the whole.
    no_map : str
        Why there is no map; empty where there is one.
    """

    facts: Mapping[str, Any]
    atoms: Columns
    residues: Columns
    curves: Mapping[str, Columns]
    model: Model
    map: Map | None = None
    no_map: str = ""

    @property
    def rmsd_atoms(self) -> str:
        """Atoms whose RMSD among independent models is known: ``Cα``, ``C1'`` or ``Cα/C1'``."""
        table = self.model.residues
        known = np.isfinite(self.residues.get("ca_rmsd", np.full(len(table), np.nan)))
        return atoms_shown(table.atom_class[known])


def results_of(outcome: Outcome) -> Results:
    """Results of a validation that is in memory.

    Parameters
    ----------
    outcome : Outcome

    Returns
    -------
    Results
    """
    curves = {name: table for one in outcome.findings for name, table in one.tables.items()}
    if outcome.half_maps is not None:
        curves["fsc"] = fsc_table(outcome.half_maps)
    return Results(
        facts=plain(summary(outcome)),
        atoms={**atom_keys(outcome.model), **outcome.atoms},
        residues={**residue_keys(outcome.model), **outcome.residues},
        curves=curves,
        model=outcome.model,
        map=outcome.map,
    )


def load_results(folder: PathLikeStr, *, map_: PathLikeStr | None = None) -> Results:
    """Results that `write_results` wrote.

    Parameters
    ----------
    folder : path
    map_ : path, optional
        The map, where it is no longer where summary.json says.

    Returns
    -------
    Results
        Without a map where the file is not found, or is not the one that was scored.

    Raises
    ------
    ResultsError
        If the folder holds no results, or such that do not belong together.
    MapFileError
        If `map_` is given and is not the map that was scored.
    """
    home = Path(folder)
    facts = _facts(home)
    inputs = facts["inputs"]
    map_path = Path(inputs["map"]["path"] or "map")
    name = annotated_name(Path(inputs["model"]["path"]), map_path)
    model = read_model(home / f"{name}.cif", model=inputs["model"]["model_number"])
    # the model that was scored gave the resolution, which may stand in neither file
    atoms = _in_order(read_csv(home / "atoms.csv"), atom_keys(model), home)
    residues = _in_order(read_csv(home / "residues.csv"), residue_keys(model), home)
    found, no_map = _map(facts, model, map_path if map_ is None else Path(map_), map_ is not None)
    return Results(
        facts=facts,
        atoms=atoms,
        residues=residues,
        curves={p.stem: read_csv(p) for p in sorted((home / "curves").glob("*.csv"))},
        model=model,
        map=found,
        no_map=no_map,
    )


_PARTS: Mapping[str, tuple[str, ...]] = {
    "created": (),
    "notes": (),
    "versions": ("atomsight",),
    "inputs": ("model", "map", "half_maps"),
    "parameters": ("q", "origin", "contour", "archive"),
    "resolution": ("value", "source"),
    "q_score": ("sigma", "definition", "mean_without_water"),
    "expected": ("value", "reason_if_none", "residues"),
}
_INPUTS = {
    "model": ("path", "sha256", "model_number", "atoms", "residues"),
    "map": ("path", "sha256", "shape_xyz", "voxel_size"),
}
"""What a page cannot do without."""


def _facts(home: Path) -> dict[str, Any]:
    path = home / "summary.json"
    try:
        facts: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        for part, keys in _PARTS.items():
            held = facts[part]
            _ = [held[key] for key in keys]
        for part, keys in _INPUTS.items():
            _ = [facts["inputs"][part][key] for key in keys]
    except OSError:
        raise ResultsError(
            f"{home}: holds no summary.json; give a folder that atomsight wrote results to"
        ) from None
    except (ValueError, KeyError, TypeError):
        raise ResultsError(
            f"{path}: is no summary that validate, q or fsc-q of this version writes; run again"
        ) from None
    return facts


_KEYS = ("chain", "number", "icode", "residue", "atom", "altloc")


def _in_order(table: Columns, keys: Columns, home: Path) -> Columns:
    """A table in the model's order, which differs where a PDB file's residues were torn apart."""
    names = [name for name in _KEYS if name in keys]
    have = list(zip(*(table.get(name, np.empty(0)).tolist() for name in names), strict=False))
    want = list(zip(*(keys[name].tolist() for name in names), strict=True))
    if have == want:
        return table
    place = {key: row for row, key in enumerate(have)}
    if len(place) != len(want) or set(place) != set(want):
        raise ResultsError(f"{home}: its tables and its model do not belong together; run again")
    rows = np.array([place[key] for key in want], dtype=np.int64)
    return {name: values[rows] for name, values in table.items()}


def _map(
    facts: Mapping[str, Any], model: Model, path: Path, required: bool
) -> tuple[Map | None, str]:
    """The box around the model, or why there is none."""
    inputs = facts["inputs"]["map"]
    if not path.is_file() and not required:
        return None, f"the map is no longer at {path.name}: give it with --map"
    if required:
        require_file(path, "map", MapFileError)
    if inputs["sha256"] is not None and sha256(path) != inputs["sha256"]:
        reason = f"{path.name} is not the map that was scored: its SHA-256 is another one"
        if required:
            raise MapFileError(reason)
        return None, reason
    around = model.xyz[model.heavy]
    origin = facts["parameters"]["origin"]
    return read_map(path, around=around, margin=DEFAULT_MARGIN, origin=origin), ""
