"""summary.json: everything about a run that is not a table."""

import json
import math
from dataclasses import asdict, is_dataclass
from importlib.metadata import version
from pathlib import Path
from platform import python_version
from typing import Any

import numpy as np

from atomsight.io.files import write_text

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
