"""Is each atom of this model seen in this cryo-EM map, and how do you know?

Everything public stands here; what a name needs is loaded when it is first used.
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from atomsight.archive.archives import Archive, build_archive, expected_from
    from atomsight.archive.convergence import ConvergenceFit, fit_convergence
    from atomsight.archive.expected import ExpectedQ, expected_class_q, expected_q
    from atomsight.archive.percentiles import Percentiles, percentiles
    from atomsight.archive.storage import read_archive, write_archive
    from atomsight.comparison.compare import compare
    from atomsight.comparison.difference import Difference
    from atomsight.comparison.figures import ModelFigures
    from atomsight.comparison.matching import ComparedAtoms
    from atomsight.comparison.result import ComparedModel, CompareOptions, Comparison
    from atomsight.density.band_limited import band_limited_map
    from atomsight.density.degrade import Degraded, degrade_half_maps, degrade_map
    from atomsight.density.map import Map, MapStatistics, map_from_array
    from atomsight.density.overlay import Overlay, overlay
    from atomsight.density.simulate import simulate_map
    from atomsight.ensemble.convergence import Spread, mutual_rmsd, pairwise_rmsd, rmsd_to_mean
    from atomsight.ensemble.engines.external import ExternalProtocol
    from atomsight.ensemble.engines.protocol import OpenMMProtocol
    from atomsight.ensemble.ensemble import Convergence, EnsembleModel, measure_convergence
    from atomsight.ensemble.generation import GenerationOptions
    from atomsight.ensemble.geometry.clashes import Clashes, clashes
    from atomsight.ensemble.geometry.covalent import Covalent, covalent_geometry
    from atomsight.ensemble.geometry.quality import Quality, model_quality
    from atomsight.ensemble.geometry.ramachandran import Backbone, backbone_geometry
    from atomsight.ensemble.health import Health
    from atomsight.ensemble.importing import converge_models, read_ensemble
    from atomsight.ensemble.making import Made
    from atomsight.ensemble.pipeline import Ensemble, converge
    from atomsight.ensemble.preparation import Prepared, prepare
    from atomsight.ensemble.ranking import Ranking, rank_models
    from atomsight.ensemble.records import Generated
    from atomsight.ensemble.refinement import Refinement
    from atomsight.entry_source import entry_options
    from atomsight.errors import (
        ArchiveFileError,
        AtomsightError,
        AtomsightWarning,
        ExternalProgramError,
        FetchError,
        InputError,
        MapFileError,
        MissingLibraryError,
        ModelFileError,
        OutputError,
        OverlayError,
        ParameterError,
        ResultsError,
    )
    from atomsight.evidence.adp import AdpRelation, Relation, adp_relations
    from atomsight.evidence.atom_density import (
        AtomDensity,
        NegativeDensity,
        atom_density,
        negative_density,
    )
    from atomsight.evidence.attainable_q import AttainableQ, attainable_q
    from atomsight.evidence.b_factor import (
        BFactorFit,
        BSource,
        QBFactors,
        b_factors_from_q,
        fit_b_factors,
    )
    from atomsight.evidence.components import Components, principal_components
    from atomsight.evidence.copies import copy_positions
    from atomsight.evidence.correlation import Correlation, MapCorrelation, correlation
    from atomsight.evidence.displacement import Displacement, displacement
    from atomsight.evidence.fsc_q import FscQ, fsc_q
    from atomsight.evidence.inclusion import (
        AtomInclusion,
        InclusionCurve,
        atom_inclusion,
        inclusion_curve,
        level_including,
    )
    from atomsight.evidence.local_resolution import LocalResolution, local_resolution
    from atomsight.evidence.profile import AtomProfiles, atom_profile
    from atomsight.evidence.q_score import QScoreOptions, QScores, q_score
    from atomsight.evidence.side_chain_density import SideChainDensity, side_chain_density
    from atomsight.evidence.solvent import (
        DistanceHistogram,
        Solvent,
        SolventClass,
        distance_histogram,
        solvent,
    )
    from atomsight.evidence.status import Status
    from atomsight.evidence.support import NonPolymerSupport, Support, non_polymer_support
    from atomsight.export.comparison import write_comparison
    from atomsight.export.convergence import write_convergence
    from atomsight.export.ensemble import write_ensemble
    from atomsight.findings.finding import Finding
    from atomsight.half_maps import HalfMapOptions
    from atomsight.io.entries import Entry, fetch_entry
    from atomsight.io.file_cache import FetchedFile
    from atomsight.io.map_writing import write_map
    from atomsight.io.maps import read_map
    from atomsight.io.models import read_model
    from atomsight.model import AtomClass, Model, ResidueTable, select
    from atomsight.outcome import EntrySource, Options, Outcome
    from atomsight.output import write_results
    from atomsight.report.notebook import View, view
    from atomsight.report.page import write_report
    from atomsight.validation import Validation, validate
    from atomsight.verdict.readings import Reading, Rules, Verdict
    from atomsight.verdict.residues import judge, no_verdict

_HOME = {
    "archive.archives": ("Archive", "build_archive", "expected_from"),
    "archive.convergence": ("ConvergenceFit", "fit_convergence"),
    "archive.expected": ("ExpectedQ", "expected_class_q", "expected_q"),
    "archive.percentiles": ("Percentiles", "percentiles"),
    "archive.storage": ("read_archive", "write_archive"),
    "density.band_limited": ("band_limited_map",),
    "comparison.compare": ("compare",),
    "comparison.difference": ("Difference",),
    "comparison.figures": ("ModelFigures",),
    "comparison.matching": ("ComparedAtoms",),
    "comparison.result": ("CompareOptions", "ComparedModel", "Comparison"),
    "density.degrade": ("Degraded", "degrade_half_maps", "degrade_map"),
    "density.map": ("Map", "MapStatistics", "map_from_array"),
    "density.overlay": ("Overlay", "overlay"),
    "density.simulate": ("simulate_map",),
    "ensemble.convergence": ("Spread", "mutual_rmsd", "pairwise_rmsd", "rmsd_to_mean"),
    "ensemble.ensemble": ("Convergence", "EnsembleModel", "measure_convergence"),
    "ensemble.importing": ("converge_models", "read_ensemble"),
    "ensemble.engines.external": ("ExternalProtocol",),
    "ensemble.engines.protocol": ("OpenMMProtocol",),
    "ensemble.generation": ("GenerationOptions",),
    "ensemble.geometry.clashes": ("Clashes", "clashes"),
    "ensemble.geometry.covalent": ("Covalent", "covalent_geometry"),
    "ensemble.geometry.quality": ("Quality", "model_quality"),
    "ensemble.geometry.ramachandran": ("Backbone", "backbone_geometry"),
    "ensemble.health": ("Health",),
    "ensemble.making": ("Made",),
    "ensemble.pipeline": ("Ensemble", "converge"),
    "ensemble.preparation": ("Prepared", "prepare"),
    "ensemble.ranking": ("Ranking", "rank_models"),
    "ensemble.records": ("Generated",),
    "ensemble.refinement": ("Refinement",),
    "entry_source": ("entry_options",),
    "export.ensemble": ("write_ensemble",),
    "errors": (
        "ArchiveFileError",
        "AtomsightError",
        "AtomsightWarning",
        "ExternalProgramError",
        "FetchError",
        "InputError",
        "MapFileError",
        "MissingLibraryError",
        "ModelFileError",
        "OutputError",
        "OverlayError",
        "ParameterError",
        "ResultsError",
    ),
    "evidence.atom_density": ("AtomDensity", "NegativeDensity", "atom_density", "negative_density"),
    "evidence.adp": ("AdpRelation", "Relation", "adp_relations"),
    "evidence.b_factor": (
        "BFactorFit",
        "BSource",
        "QBFactors",
        "b_factors_from_q",
        "fit_b_factors",
    ),
    "evidence.components": ("Components", "principal_components"),
    "evidence.correlation": ("Correlation", "MapCorrelation", "correlation"),
    "evidence.profile": ("AtomProfiles", "atom_profile"),
    "evidence.attainable_q": ("AttainableQ", "attainable_q"),
    "evidence.copies": ("copy_positions",),
    "evidence.displacement": ("Displacement", "displacement"),
    "evidence.fsc_q": ("FscQ", "fsc_q"),
    "evidence.inclusion": (
        "AtomInclusion",
        "InclusionCurve",
        "atom_inclusion",
        "inclusion_curve",
        "level_including",
    ),
    "evidence.local_resolution": ("LocalResolution", "local_resolution"),
    "evidence.q_score": ("QScoreOptions", "QScores", "q_score"),
    "evidence.solvent": (
        "DistanceHistogram",
        "Solvent",
        "SolventClass",
        "distance_histogram",
        "solvent",
    ),
    "evidence.side_chain_density": ("SideChainDensity", "side_chain_density"),
    "evidence.status": ("Status",),
    "evidence.support": ("NonPolymerSupport", "Support", "non_polymer_support"),
    "export.comparison": ("write_comparison",),
    "export.convergence": ("write_convergence",),
    "findings.finding": ("Finding",),
    "half_maps": ("HalfMapOptions",),
    "io.entries": ("Entry", "fetch_entry"),
    "io.file_cache": ("FetchedFile",),
    "io.map_writing": ("write_map",),
    "io.maps": ("read_map",),
    "io.models": ("read_model",),
    "model": ("AtomClass", "Model", "ResidueTable", "select"),
    "output": ("write_results",),
    "outcome": ("EntrySource", "Options", "Outcome"),
    "report.notebook": ("View", "view"),
    "report.page": ("write_report",),
    "validation": ("Validation", "validate"),
    "verdict.readings": ("Reading", "Rules", "Verdict"),
    "verdict.residues": ("judge", "no_verdict"),
}
_MODULE_OF = {name: module for module, names in _HOME.items() for name in names}

__all__ = [
    "AdpRelation",
    "Archive",
    "ArchiveFileError",
    "AtomClass",
    "AtomDensity",
    "AtomInclusion",
    "AtomProfiles",
    "AtomsightError",
    "AtomsightWarning",
    "AttainableQ",
    "BFactorFit",
    "BSource",
    "Backbone",
    "Clashes",
    "CompareOptions",
    "ComparedAtoms",
    "ComparedModel",
    "Comparison",
    "Components",
    "Convergence",
    "ConvergenceFit",
    "Correlation",
    "Covalent",
    "Degraded",
    "Difference",
    "Displacement",
    "DistanceHistogram",
    "Ensemble",
    "EnsembleModel",
    "Entry",
    "EntrySource",
    "ExpectedQ",
    "ExternalProgramError",
    "ExternalProtocol",
    "FetchError",
    "FetchedFile",
    "Finding",
    "FscQ",
    "Generated",
    "GenerationOptions",
    "HalfMapOptions",
    "Health",
    "InclusionCurve",
    "InputError",
    "LocalResolution",
    "Made",
    "Map",
    "MapCorrelation",
    "MapFileError",
    "MapStatistics",
    "MissingLibraryError",
    "Model",
    "ModelFigures",
    "ModelFileError",
    "NegativeDensity",
    "NonPolymerSupport",
    "OpenMMProtocol",
    "Options",
    "Outcome",
    "OutputError",
    "Overlay",
    "OverlayError",
    "ParameterError",
    "Percentiles",
    "Prepared",
    "QBFactors",
    "QScoreOptions",
    "QScores",
    "Quality",
    "Ranking",
    "Reading",
    "Refinement",
    "Relation",
    "ResidueTable",
    "ResultsError",
    "Rules",
    "SideChainDensity",
    "Solvent",
    "SolventClass",
    "Spread",
    "Status",
    "Support",
    "Validation",
    "Verdict",
    "View",
    "adp_relations",
    "atom_density",
    "atom_inclusion",
    "atom_profile",
    "attainable_q",
    "b_factors_from_q",
    "backbone_geometry",
    "band_limited_map",
    "build_archive",
    "clashes",
    "compare",
    "converge",
    "converge_models",
    "copy_positions",
    "correlation",
    "covalent_geometry",
    "degrade_half_maps",
    "degrade_map",
    "displacement",
    "distance_histogram",
    "entry_options",
    "expected_class_q",
    "expected_from",
    "expected_q",
    "fetch_entry",
    "fit_b_factors",
    "fit_convergence",
    "fsc_q",
    "inclusion_curve",
    "judge",
    "level_including",
    "local_resolution",
    "map_from_array",
    "measure_convergence",
    "model_quality",
    "mutual_rmsd",
    "negative_density",
    "no_verdict",
    "non_polymer_support",
    "overlay",
    "pairwise_rmsd",
    "percentiles",
    "prepare",
    "principal_components",
    "q_score",
    "rank_models",
    "read_archive",
    "read_ensemble",
    "read_map",
    "read_model",
    "rmsd_to_mean",
    "select",
    "side_chain_density",
    "simulate_map",
    "solvent",
    "validate",
    "view",
    "write_archive",
    "write_comparison",
    "write_convergence",
    "write_ensemble",
    "write_map",
    "write_report",
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
