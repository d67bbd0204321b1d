"""Which engine makes the models, and what it is called in records."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal

from atomsight.density.map import Map
from atomsight.ensemble.engines.engine import Engine, hash_of
from atomsight.ensemble.engines.external import (
    ExternalEngine,
    ExternalProtocol,
    external_protocol_of,
    words_of,
)
from atomsight.ensemble.engines.platforms import CARDS, require_platform, tried
from atomsight.ensemble.engines.protocol import OpenMMProtocol, Platform, protocol_of
from atomsight.ensemble.libraries import require_openmm
from atomsight.ensemble.preparation import Prepared
from atomsight.ensemble.records import read_records

AnyProtocol = OpenMMProtocol | ExternalProtocol
"""The type of the protocol chooses the engine."""


def describe(protocol: AnyProtocol) -> Mapping[str, Any]:
    """Everything that changes a model, without building the engine.

    Parameters
    ----------
    protocol : OpenMMProtocol or ExternalProtocol

    Returns
    -------
    mapping
        Ready for JSON.

    Raises
    ------
    MissingLibraryError
        If the engine's library is not installed.
    ParameterError, ExternalProgramError
        If a command template is at fault, or its program is not there; if the platform does not
        work.
    """
    if isinstance(protocol, ExternalProtocol):
        words_of(protocol)
        return external_protocol_of(protocol)
    require_platform(protocol.platform)
    return protocol_of(protocol)


def with_platform(
    protocol: OpenMMProtocol, asked: Platform | Literal["auto"], models: Path
) -> tuple[OpenMMProtocol, str]:
    """The protocol on the platform that was asked for, or the best one that there is.

    ``auto`` goes on with the platform of the models that are in the folder already: others must
    not be mixed with them. Else it is the fastest graphics card that was seen to work, else the
    CPU. A processor that speaks OpenCL is no graphics card.

    Parameters
    ----------
    protocol : OpenMMProtocol
    asked : {"auto", "cpu", "cuda", "opencl"}
    models : Path
        Folder of models and their records; it need not exist.

    Returns
    -------
    protocol : OpenMMProtocol
    reason : str
        Why this platform, in one line; "" where it was asked for by name.

    Raises
    ------
    MissingLibraryError
        If the engine's library is not installed.
    ResultsError
        If a record in the folder cannot be read.
    """
    if asked != "auto":
        return replace(protocol, platform=asked), ""
    require_openmm()
    there = {record.protocol for record in read_records(models)}
    platforms: tuple[Platform, ...] = ("cpu", *CARDS)
    for platform in platforms:
        known = replace(protocol, platform=platform)
        if hash_of(protocol_of(known)) in there:
            return known, f"{platform}, as of the models in {models}"
    reasons = []
    for platform in CARDS:
        found = tried(platform)
        if not found.error and found.card:
            return replace(protocol, platform=platform), f"{platform}: {found.device}"
        reasons.append(f"{platform}: {found.error or f'{found.device} is no graphics card'}")
    return replace(protocol, platform="cpu"), f"cpu ({'; '.join(reasons)})"


def with_copies(protocol: OpenMMProtocol, models: Path) -> OpenMMProtocol:
    """The protocol for a model with copies by symmetry, where it leaves open what they do.

    They move with it, unless models in the folder were made with masked ones.

    Parameters
    ----------
    protocol : OpenMMProtocol
    models : Path
        Folder of models and their records; it need not exist.

    Returns
    -------
    OpenMMProtocol
        Whose `copies` is not None.

    Raises
    ------
    MissingLibraryError
        If the engine's library is not installed.
    ResultsError
        If a record in the folder cannot be read.
    """
    if protocol.copies is not None:
        return protocol
    require_openmm()
    masked = replace(protocol, copies="masked")
    platforms: tuple[Platform, ...] = ("cpu", *CARDS)
    known = {hash_of(protocol_of(replace(masked, platform=name))) for name in platforms}
    there = {record.protocol for record in read_records(models)}
    return masked if known & there else replace(protocol, copies="moving")


def make_engine(protocol: AnyProtocol, prepared: Prepared, map_: Map, resolution: float) -> Engine:
    """Build an engine for one model and map.

    Parameters
    ----------
    protocol : OpenMMProtocol or ExternalProtocol
    prepared : Prepared
    map_ : Map
        Whole, or the box around the model.
    resolution : float
        Å.

    Returns
    -------
    Engine

    Raises
    ------
    InputError
        If the engine cannot work with these.
    """
    if isinstance(protocol, OpenMMProtocol):
        # only workers need it, and it takes half a second to load
        from atomsight.ensemble.engines.openmm_engine import OpenMMEngine  # noqa: PLC0415

        return OpenMMEngine(prepared, map_, resolution, protocol)
    return ExternalEngine(prepared, map_, resolution, protocol)
