"""What is known of each model that was made; a model without its record is not finished."""

import json
import re
from dataclasses import MISSING, asdict, dataclass, fields
from math import isnan
from pathlib import Path
from typing import Any

from atomsight.errors import ResultsError
from atomsight.io.files import write_text

_NAME = re.compile(r"seed_(\d{4,})\.json")


@dataclass(frozen=True, slots=True)
class Generated:
    """One model, and how it was made.

    Attributes
    ----------
    path : Path
        The model, mmCIF.
    seed : int
    engine : str
    protocol : str
        First 12 hexadecimal digits of the SHA-256 of all parameters and versions.
    cc_start, cc_end : float
        Correlation of the map with the map of the prepared model, and of this one, over the heavy
        atoms of both; NaN: unknown.
    perturbation : float
        Å: root mean square movement of Cα (C1') in the phase without map; NaN: unknown.
    energy, map_energy : float
        kJ/mol: force field and map; NaN: unknown.
    seconds : float
        CPU time; of an external program, time by the clock.
    restarts : int
        How often it was begun again in shorter steps because the simulation broke down.
    missing_atoms, other_atoms : int
        Heavy atoms of the prepared model that this one lacks, and those that it has beside them.
    inputs : str
        First 12 hexadecimal digits of the SHA-256 of the prepared model and the map.
    """

    path: Path
    seed: int
    engine: str
    protocol: str
    cc_start: float
    cc_end: float
    perturbation: float
    energy: float
    map_energy: float
    seconds: float
    restarts: int = 0
    missing_atoms: int = 0
    other_atoms: int = 0
    inputs: str = ""


def model_path(folder: Path, seed: int) -> Path:
    """Where the model of a seed lies.

    Parameters
    ----------
    folder : Path
    seed : int

    Returns
    -------
    Path
    """
    return folder / f"seed_{seed:04d}.cif"


def write_record(record: Generated) -> Path:
    """Write a record beside its model, whole or not at all.

    Parameters
    ----------
    record : Generated
        Its model must be there already.

    Returns
    -------
    Path
        The file written.

    Raises
    ------
    OutputError
        If the file cannot be written.
    """
    values = asdict(record) | {"path": record.path.name}
    # JSON has no NaN
    known = {
        key: None if isinstance(value, float) and isnan(value) else value
        for key, value in values.items()
    }
    text = json.dumps(known, indent=1, sort_keys=True) + "\n"
    return write_text(record.path.with_suffix(".json"), text)


def read_record(path: Path) -> Generated:
    """Read a record; its model lies beside it.

    Parameters
    ----------
    path : Path
        ``seed_0007.json``.

    Returns
    -------
    Generated

    Raises
    ------
    ResultsError
        If it is no record.
    """
    try:
        values: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        given = {
            field.name: values[field.name]
            for field in fields(Generated)
            if field.default is MISSING or field.name in values
        }
        for key in ("cc_start", "cc_end", "perturbation", "energy", "map_energy", "seconds"):
            given[key] = float("nan") if given[key] is None else float(given[key])
        return Generated(**given | {"path": path.with_name(str(given["path"]))})
    except (OSError, ValueError, KeyError, TypeError) as exc:
        raise ResultsError(f"{path}: is no record of a model ({exc})") from None


def read_records(folder: Path) -> list[Generated]:
    """All finished models of a folder.

    Parameters
    ----------
    folder : Path

    Returns
    -------
    list of Generated
        By seed; those whose model is missing are left out.

    Raises
    ------
    ResultsError
        If a record cannot be read.
    """
    paths = (path for path in folder.glob("seed_*.json") if _NAME.fullmatch(path.name))
    found = (read_record(path) for path in paths)
    return sorted((r for r in found if r.path.is_file()), key=lambda record: record.seed)
