"""Which engine makes the models, and what it is called in records."""

from collections.abc import Mapping
from typing import Any

from atomsight.density.map import Map
from atomsight.ensemble.engines.engine import Engine
from atomsight.ensemble.engines.external import (
    ExternalEngine,
    ExternalProtocol,
    external_protocol_of,
    words_of,
)
from atomsight.ensemble.engines.protocol import OpenMMProtocol, protocol_of
from atomsight.ensemble.libraries import require_openmm
from atomsight.ensemble.preparation import Prepared

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
        If a command template is at fault, or its program is not there.
    """
    if isinstance(protocol, ExternalProtocol):
        words_of(protocol)
        return external_protocol_of(protocol)
    require_openmm()
    return protocol_of(protocol)


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
