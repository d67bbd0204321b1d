"""What can be chosen about a comparison, and what comes out of it."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from atomsight.archive.expected import ExpectedQ
from atomsight.comparison.difference import Difference
from atomsight.comparison.figures import ModelFigures
from atomsight.comparison.matching import ComparedAtoms
from atomsight.comparison.scores import ModelScores
from atomsight.density.map import Map
from atomsight.errors import ParameterError
from atomsight.evidence.q_score import QScoreOptions
from atomsight.half_maps import HalfMapOptions
from atomsight.io.maps import OriginRule
from atomsight.typing import Bool_N


@dataclass(frozen=True, slots=True)
class CompareOptions:
    """Everything that can be chosen about a comparison.

    Attributes
    ----------
    selection : str or None
        Atoms to compare, in gemmi's syntax; those that differ when None.
    resolution : float or None
        Å; from the models' metadata when None.
    contour : float or None
        Contour level for atom inclusion, map units; the highest that includes 90 % of the polymer
        of every model when None.
    origin : {"auto", "origin", "nstart", "zero"}
        Where the map begins; see `atomsight.read_map`.
    q : QScoreOptions
    orientations : int
        Rotated point sets for the sampling uncertainty of Q; at least 2.
    seed : int
        Of the rotations and of the resampling.
    threads : int or None
    force : bool
        Go on with a model that does not lie in the map.
    half_maps : HalfMapOptions or None
        For FSC-Q, and Q in each half map.
    """

    selection: str | None = None
    resolution: float | None = None
    contour: float | None = None
    origin: OriginRule = "auto"
    q: QScoreOptions = field(default_factory=QScoreOptions)
    orientations: int = 8
    seed: int = 0
    threads: int | None = None
    force: bool = False
    half_maps: HalfMapOptions | None = None

    def __post_init__(self) -> None:
        d, level = self.resolution, self.contour
        if d is not None and not (np.isfinite(d) and d > 0):
            raise ParameterError(f"resolution must be a positive number of Å, not {d}")
        if level is not None and not np.isfinite(level):
            raise ParameterError(f"a contour level must be a number, not {level}")
        if self.orientations < 2:
            raise ParameterError(
                f"a comparison needs at least 2 orientations, not {self.orientations}"
            )
        if self.seed < 0:
            raise ParameterError(f"a seed must not be negative, as {self.seed} is")


@dataclass(frozen=True, slots=True)
class ComparedModel:
    """One of the models: its place, and its figures over the ranked atoms.

    Attributes
    ----------
    name : str
        The file's name, or its path where two have the same.
    rank : int
        1 for the highest mean Q.
    scores : ModelScores
        All values, in the order of the model's own atoms.
    place : int
        Row of the model in the table of compared atoms, in the order they were given.
    figures : ModelFigures
    below_best : Difference or None
        Mean Q of the best model minus that of this one; None for the best.
    sentence : str
        What the numbers say.
    """

    name: str
    rank: int
    scores: ModelScores
    place: int
    figures: ModelFigures
    below_best: Difference | None
    sentence: str

    @property
    def tied(self) -> bool:
        """Whether Q cannot tell this model from the best."""
        return self.below_best is not None and not self.below_best.told_apart


@dataclass(frozen=True, slots=True)
class Comparison:
    """Several models in one map, best first.

    Attributes
    ----------
    models : tuple of ComparedModel
        By falling mean Q over the ranked atoms.
    atoms : ComparedAtoms
        The compared atoms; its `rows` are in the order in which the models were given.
    ranked : ndarray of bool, shape (m,)
        Compared atoms that have a Q in every model: all figures are over these.
    map : Map
    options : CompareOptions
    resolution : float or None
        Å.
    resolution_source : str
    contour : float
        Contour level of the inclusion, map units; NaN where there is none.
    contour_source : str
    block_edge : float
        Edge of the cubes that are taken as independent, Å.
    expected : ExpectedQ or None
        For a whole model at this resolution.
    no_expectation : str
        Why there is none; empty where there is one.
    expected_class : mapping
        Class of the ranked atoms → expected mean Q and, where there is none, why.
    box : int or None
        Edge of the window of FSC-Q in voxels.
    notes : tuple of str
    checksums : mapping
        SHA-256 of the input files.
    """

    models: tuple[ComparedModel, ...]
    atoms: ComparedAtoms
    ranked: Bool_N
    map: Map
    options: CompareOptions
    resolution: float | None
    resolution_source: str
    contour: float
    contour_source: str
    block_edge: float
    expected: ExpectedQ | None
    no_expectation: str
    expected_class: Mapping[str, tuple[float | None, str]]
    box: int | None
    notes: tuple[str, ...]
    checksums: Mapping[str, str]
