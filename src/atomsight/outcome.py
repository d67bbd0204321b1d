"""What can be chosen about a validation, and what comes out of it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from atomsight.archive.expected import ExpectedQ
from atomsight.archive.percentiles import Definition
from atomsight.density.map import Map
from atomsight.density.overlay import Overlay
from atomsight.errors import ParameterError
from atomsight.evidence.copies import CopyRule
from atomsight.evidence.q_score import QScoreOptions, QScores
from atomsight.findings.finding import Finding
from atomsight.half_maps import HalfMapOptions, HalfMapResult
from atomsight.io.maps import OriginRule
from atomsight.model import Model


@dataclass(frozen=True, slots=True)
class EntrySource:
    """Which entry of EMDB or the PDB the input comes from, and what was taken from its header.

    Attributes
    ----------
    emdb_id, pdb_id : str or None
        Of the map and of the model.
    title : str
    taken : mapping
        Option → who says so: ``resolution``, ``contour``, ``half_maps``, ``mask``.
    files : mapping
        Name of a file → address.
    notes : tuple of str
        What a reader should know.
    """

    emdb_id: str | None
    pdb_id: str | None
    title: str
    taken: Mapping[str, str]
    files: Mapping[str, str]
    notes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Options:
    """Everything that can be chosen about a validation.

    Attributes
    ----------
    model_number : int or None
        MODEL of the file; the first one when None.
    resolution : float or None
        Å; from the model's metadata when None.
    origin : {"auto", "origin", "nstart", "zero"}
        Where the map begins; see `atomsight.read_map`.
    q : QScoreOptions
    selection : str or None
        Atoms to score, in gemmi's syntax; everything when None.
    neighbours : {"none", "assembly", "crystal"}
        Which copies of the model count as neighbours.
    assembly : str or None
        Which assembly.
    orientations, seed : int
        Rotated point sets for the sampling uncertainty.
    threads : int or None
    force : bool
        Go on with a model that does not lie in the map.
    half_maps : HalfMapOptions or None
        For FSC-Q.
    contour : float or None
        Contour level of the map, map units; for atom inclusion.
    archive : Path or None
        Statistics to compare with, made by `build_archive`; EMDB's when None.
    percentile_definition : {"paper", "emdb"}
        Of percentiles; see `percentiles`.
    fit_b : bool
        Fit B factors to the Q-scores.
    convergence : Path or None
        Folder of ``atomsight converge``: what independent models of the map say.
    everything : bool
        False: the Q-score, and FSC-Q where there are half maps, but no other score.
    source : EntrySource or None
        Where the input comes from, if it was fetched; from `entry_options`.
    """

    model_number: int | None = None
    resolution: float | None = None
    origin: OriginRule = "auto"
    q: QScoreOptions = field(default_factory=QScoreOptions)
    selection: str | None = None
    neighbours: CopyRule = "none"
    assembly: str | None = None
    orientations: int = 0
    seed: int = 0
    threads: int | None = None
    force: bool = False
    half_maps: HalfMapOptions | None = None
    contour: float | None = None
    archive: Path | None = None
    percentile_definition: Definition = "paper"
    fit_b: bool = True
    convergence: Path | None = None
    everything: bool = True
    source: EntrySource | None = None

    def __post_init__(self) -> None:
        d = self.resolution
        if d is not None and not (np.isfinite(d) and d > 0):
            raise ParameterError(f"resolution must be a positive number of Å, not {d}")
        if self.contour is not None and not np.isfinite(self.contour):
            raise ParameterError(f"a contour level must be a number, not {self.contour}")
        if self.assembly is not None and self.neighbours != "assembly":
            raise ParameterError(
                "an assembly is named, but neighbours are not taken from assemblies"
            )


@dataclass(frozen=True, slots=True)
class Outcome:
    """What was found of one model in one map.

    Attributes
    ----------
    model : Model
    map : Map
        The box around the model.
    options : Options
    overlay : Overlay
    scores : QScores
    resolution : float or None
        Å.
    resolution_source : str
        Where it comes from, or why there is none.
    expected : ExpectedQ or None
    no_expectation : str
        Why there is none; empty where there is one.
    atoms, residues : mapping
        Columns of measures, beside the keys: name → one value an atom or residue. Hydrogens show
        their parent's values.
    averages : mapping
        From `atomsight.summary.model_averages`.
    notes : tuple of str
        What a reader of the results should know.
    checksums : mapping
        SHA-256 of the input files.
    seconds : mapping
        Wall time of each step.
    half_maps : HalfMapResult or None
        What the half maps gave, where there were any.
    findings : tuple of Finding
        What all evidence but the Q-score adds; its columns are in `atoms` and `residues`.
    """

    model: Model
    map: Map
    options: Options
    overlay: Overlay
    scores: QScores
    resolution: float | None
    resolution_source: str
    expected: ExpectedQ | None
    no_expectation: str
    atoms: Mapping[str, np.ndarray]
    residues: Mapping[str, np.ndarray]
    averages: Mapping[str, object]
    notes: tuple[str, ...]
    checksums: Mapping[str, str]
    seconds: Mapping[str, float]
    half_maps: HalfMapResult | None = None
    findings: tuple[Finding, ...] = ()
