"""From a model and a map to an ensemble of models: what the command line calls."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from atomsight.density.map import Map
from atomsight.density.overlay import Overlay
from atomsight.ensemble.engines.choice import describe, with_copies
from atomsight.ensemble.engines.external import ExternalProtocol
from atomsight.ensemble.engines.protocol import OpenMMProtocol
from atomsight.ensemble.generation import FOLDER, GenerationOptions, Progress, generate
from atomsight.ensemble.preparation import Prepared, prepare, write_model
from atomsight.ensemble.records import Generated
from atomsight.ensemble.symmetry import find_symmetry, with_moving_copies, with_neighbours
from atomsight.errors import ParameterError
from atomsight.io.files import make_folder
from atomsight.io.maps import OriginRule, read_map
from atomsight.io.models import read_model
from atomsight.model import Model, select
from atomsight.preflight import require_overlay
from atomsight.typing import PathLikeStr

PREPARED = "prepared.cif"


@dataclass(frozen=True, slots=True)
class Made:
    """Models of one map, and all that led to them.

    Attributes
    ----------
    model : Model
        As it was given.
    map : Map
    overlay : Overlay
        How the model lies in the map.
    prepared : Prepared
    models : list of Generated
        By seed.
    protocol : mapping
        Everything that changes a model; its hash stands in each record.
    """

    model: Model
    map: Map
    overlay: Overlay
    prepared: Prepared
    models: list[Generated]
    protocol: Mapping[str, Any]


def make_ensemble(
    model: PathLikeStr,
    map_: PathLikeStr,
    options: GenerationOptions,
    folder: Path,
    *,
    model_number: int | None = None,
    selection: str | None = None,
    symmetry: str | None = None,
    origin: OriginRule = "auto",
    force: bool = False,
    progress: Progress | None = None,
) -> Made:
    """Prepare a model and make many of it; run again, it goes on where it ended.

    Parameters
    ----------
    model, map_ : path
    options : GenerationOptions
    folder : Path
        Gets ``prepared.cif`` and ``models/``.
    model_number : int, optional
        MODEL of the file.
    selection : str, optional
        Part of the model, in gemmi's syntax; the rest stays as it is, and its density is taken
        out of the map.
    symmetry : str, optional
        ``assembly`` or a point group: density of copies is taken out too, and they move with the
        model if the protocol says so. See `atomsight.ensemble.symmetry.find_symmetry`.
    origin : {"auto", "origin", "nstart", "zero"}
        How to read the map.
    force : bool
        Go on where the model does not lie in the map.
    progress : callable, optional

    Returns
    -------
    Made

    Raises
    ------
    InputError
        If a file, an option or an external program is at fault, or the model does not lie in the
        map.
    OutputError
        If the folder cannot be written.
    """
    options = with_symmetry(options, symmetry, folder)
    # before any work: is the engine there at all?
    protocol = describe(options.protocol)
    make_folder(folder)
    atoms = read_model(model, model=model_number)
    whole = read_map(map_, origin=origin)
    fit = require_overlay(atoms, whole, options.resolution, origin=origin, force=force)
    chosen = None if selection is None else select(atoms, selection)
    copies = None if symmetry is None else find_symmetry(symmetry, atoms, whole, chosen)
    prepared = prepare(atoms, chosen)
    if copies is not None:
        prepared = with_neighbours(prepared, copies, atoms)
        if isinstance(options.protocol, OpenMMProtocol) and options.protocol.copies == "moving":
            prepared = with_moving_copies(prepared, copies, atoms)
    write_model(prepared, prepared.xyz, folder / PREPARED)
    models = generate(prepared, whole, options, folder, progress)
    return Made(atoms, whole, fit, prepared, models, protocol)


def with_symmetry(
    options: GenerationOptions, symmetry: str | None, folder: Path
) -> GenerationOptions:
    """Options that say what copies by symmetry do, if there are any.

    Parameters
    ----------
    options : GenerationOptions
    symmetry : str or None
    folder : Path
        Of results: an earlier run may have begun there.

    Returns
    -------
    GenerationOptions

    Raises
    ------
    ParameterError
        If the engine takes no symmetry, or copies are to move and there is none.
    ResultsError
        If a record in the folder cannot be read.
    """
    protocol = options.protocol
    if isinstance(protocol, ExternalProtocol):
        if symmetry is None:
            return options
        raise ParameterError(
            "--symmetry: an external program gets model and map as they are; tell it of the "
            "symmetry in --command"
        )
    if symmetry is None:
        if protocol.copies is not None:
            raise ParameterError("--copies: of what? give the --symmetry that makes them")
        return options
    return replace(options, protocol=with_copies(protocol, folder / FOLDER))
