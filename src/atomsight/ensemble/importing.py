"""Models that somebody already made: files, folders of them, and files with several MODELs."""

import re
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from atomsight.ensemble.ensemble import Convergence, measure_convergence
from atomsight.errors import ModelFileError, ParameterError
from atomsight.io.files import sha256
from atomsight.io.maps import DEFAULT_MARGIN, OriginRule, read_map
from atomsight.io.models import read_models
from atomsight.model import Model
from atomsight.preflight import require_overlay
from atomsight.typing import PathLikeStr

ENDINGS = (".cif", ".mmcif", ".pdb", ".ent")
"""Of the files that are taken out of a folder, also with .gz behind them."""


def converge_models(
    paths: Sequence[PathLikeStr],
    map_: PathLikeStr | None = None,
    *,
    resolution: float | None = None,
    protocol: str = "",
    origin: OriginRule = "auto",
    force: bool = False,
) -> Convergence:
    """Read independent models of one map, and measure how far they lie apart.

    Parameters
    ----------
    paths : sequence of path
        Files, or folders of them; each MODEL of a file is a model.
    map_ : path, optional
        Their map; each must lie in it.
    resolution : float, optional
        Å; of the map. From the models' metadata when None.
    protocol : str
        What made the models; only results of one protocol can be compared.
    origin : {"auto", "origin", "nstart", "zero"}
        Where the map begins; see `atomsight.read_map`.
    force : bool
        Go on with models that do not lie in the map.

    Returns
    -------
    Convergence

    Raises
    ------
    InputError
        If a file is at fault, there are fewer than two models, one is there twice, they are of
        different molecules, or one does not lie in the map.
    """
    models, checksums = read_ensemble(paths)
    if resolution is None:
        resolution = next((m.resolution for m in models if m.resolution is not None), None)
    result = measure_convergence(models, resolution=resolution)
    if map_ is not None:
        around = np.concatenate([model.xyz[model.heavy] for model in models])
        density = read_map(map_, around=around, margin=DEFAULT_MARGIN, origin=origin)
        for model in models:
            require_overlay(model, density, resolution, origin=origin, force=force)
        checksums[str(Path(map_))] = sha256(Path(map_))
    return replace(result, protocol=protocol, checksums=checksums)


def model_files(paths: Sequence[PathLikeStr]) -> list[Path]:
    """Files of models; a folder stands for all model files in it, by name, numbers by value.

    Parameters
    ----------
    paths : sequence of path

    Returns
    -------
    list of Path

    Raises
    ------
    ModelFileError
        If a folder holds no model file.
    ParameterError
        If a file is given twice.
    """
    files: list[Path] = []
    for path in map(Path, paths):
        if not path.is_dir():
            files.append(path)
            continue
        inside = [p for p in path.iterdir() if _is_model(p)]
        if not inside:
            endings = ", ".join(ENDINGS)
            raise ModelFileError(f"{path}: this folder holds no model file ({endings}, or .gz)")
        files += sorted(inside, key=_natural)
    seen = set()
    for file in files:
        if file.resolve() in seen:
            raise ParameterError(f"{file}: this model is given twice")
        seen.add(file.resolve())
    return files


def _is_model(path: Path) -> bool:
    name = path.name.lower().removesuffix(".gz")
    return path.is_file() and name.endswith(ENDINGS) and not path.name.startswith(".")


def _natural(path: Path) -> list[tuple[int, str]]:
    """seed_9 before seed_10."""
    return [
        (int(part), "") if part.isdecimal() else (-1, part)
        for part in re.split(r"(\d+)", path.name)
    ]


def read_ensemble(paths: Sequence[PathLikeStr]) -> tuple[list[Model], dict[str, str]]:
    """Read all models of an ensemble; each MODEL of a file is one.

    Parameters
    ----------
    paths : sequence of path
        Files, or folders of them.

    Returns
    -------
    models : list of Model
    checksums : dict
        Path → SHA-256 of the file.

    Raises
    ------
    ModelFileError
        If a file cannot be read as a model.
    ParameterError
        If there are fewer than two models, or a file is there twice: it would count as an
        independent model that agrees.
    """
    models: list[Model] = []
    checksums: dict[str, str] = {}
    first: dict[str, Path] = {}
    for file in model_files(paths):
        models += read_models(file)
        checksums[str(file)] = sha256(file)
        other = first.setdefault(checksums[str(file)], file)
        if other is not file:
            raise ParameterError(f"{file}: the same file as {other}, byte by byte")
    if len(models) < 2:
        raise ParameterError(
            f"convergence needs at least two models, not {len(models)}: give more files, a folder "
            "of them, or a file with several MODELs"
        )
    return models, checksums
