"""Is each atom of this model seen in this cryo-EM map, and how do you know?

Everything public stands here; what a name needs is loaded when it is first used.
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from atomsight.archive.expected import ExpectedQ, expected_class_q, expected_q
    from atomsight.density.map import Map, MapStatistics, map_from_array
    from atomsight.density.overlay import Overlay, overlay
    from atomsight.density.simulate import simulate_map
    from atomsight.errors import (
        AtomsightError,
        AtomsightWarning,
        InputError,
        MapFileError,
        ModelFileError,
        OutputError,
        OverlayError,
        ParameterError,
    )
    from atomsight.evidence.copies import copy_positions
    from atomsight.evidence.fsc_q import FscQ, fsc_q
    from atomsight.evidence.local_resolution import LocalResolution, local_resolution
    from atomsight.evidence.q_score import QScoreOptions, QScores, q_score
    from atomsight.evidence.status import Status
    from atomsight.half_maps import HalfMapOptions
    from atomsight.io.map_writing import write_map
    from atomsight.io.maps import read_map
    from atomsight.io.models import read_model
    from atomsight.model import AtomClass, Model, ResidueTable, select
    from atomsight.output import write_results
    from atomsight.validation import Options, Validation, validate

_HOME = {
    "archive.expected": ("ExpectedQ", "expected_class_q", "expected_q"),
    "density.map": ("Map", "MapStatistics", "map_from_array"),
    "density.overlay": ("Overlay", "overlay"),
    "density.simulate": ("simulate_map",),
    "errors": (
        "AtomsightError",
        "AtomsightWarning",
        "InputError",
        "MapFileError",
        "ModelFileError",
        "OutputError",
        "OverlayError",
        "ParameterError",
    ),
    "evidence.copies": ("copy_positions",),
    "evidence.fsc_q": ("FscQ", "fsc_q"),
    "evidence.local_resolution": ("LocalResolution", "local_resolution"),
    "evidence.q_score": ("QScoreOptions", "QScores", "q_score"),
    "evidence.status": ("Status",),
    "half_maps": ("HalfMapOptions",),
    "io.map_writing": ("write_map",),
    "io.maps": ("read_map",),
    "io.models": ("read_model",),
    "model": ("AtomClass", "Model", "ResidueTable", "select"),
    "output": ("write_results",),
    "validation": ("Options", "Validation", "validate"),
}
_MODULE_OF = {name: module for module, names in _HOME.items() for name in names}

__all__ = [
    "AtomClass",
    "AtomsightError",
    "AtomsightWarning",
    "ExpectedQ",
    "FscQ",
    "HalfMapOptions",
    "InputError",
    "LocalResolution",
    "Map",
    "MapFileError",
    "MapStatistics",
    "Model",
    "ModelFileError",
    "Options",
    "OutputError",
    "Overlay",
    "OverlayError",
    "ParameterError",
    "QScoreOptions",
    "QScores",
    "ResidueTable",
    "Status",
    "Validation",
    "copy_positions",
    "expected_class_q",
    "expected_q",
    "fsc_q",
    "local_resolution",
    "map_from_array",
    "overlay",
    "q_score",
    "read_map",
    "read_model",
    "select",
    "simulate_map",
    "validate",
    "write_map",
    "write_results",
]


def __getattr__(name: str) -> object:
    try:
        module = import_module(f"atomsight.{_MODULE_OF[name]}")
    except KeyError:
        raise AttributeError(f"module 'atomsight' has no attribute {name!r}") from None
    value: object = getattr(module, name)
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
