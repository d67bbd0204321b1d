"""From two files to everything that they allow to say: the main job."""

import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from atomsight.archive.archives import expected_from
from atomsight.archive.expected import expected_q
from atomsight.archive.storage import read_archive
from atomsight.density.map import Map
from atomsight.density.overlay import Overlay
from atomsight.ensemble.known import place
from atomsight.evidence.copies import copy_positions
from atomsight.evidence.hydrogens import inherit, parents
from atomsight.evidence.q_score import EXCLUSION, QScores, q_score
from atomsight.evidence.status import STATUS_LABELS, Status
from atomsight.export.convergence import read_convergence
from atomsight.findings.collect import collect
from atomsight.findings.finding import Evidence, joined
from atomsight.half_maps import compare_half_maps, named_progress
from atomsight.io.files import sha256
from atomsight.io.maps import DEFAULT_MARGIN, read_map
from atomsight.io.models import read_model
from atomsight.model import Model, select
from atomsight.outcome import Options, Outcome
from atomsight.preflight import require_overlay
from atomsight.summary import model_averages, residue_columns
from atomsight.typing import Float_Nx3, PathLikeStr

if TYPE_CHECKING:
    import plotly.graph_objects

Progress = Callable[[str, int, int], None]
"""Called with (what is being done, done, of how many)."""

_RESOLUTION_STEP = 0.005
"""Å; archives keep two decimals."""


class Validation(Outcome):
    """All results of one model in one map.

    In Jupyter it shows itself as a table; `plot` draws the figures of the page, and
    `atomsight.view` the model in its map.
    """

    __slots__ = ()

    def plot(self, key: str) -> "plotly.graph_objects.Figure":
        """Draw one of the page's figures; see `atomsight.report.notebook.plot`.

        Parameters
        ----------
        key : str
            Its name, e.g. ``archive``.

        Returns
        -------
        plotly.graph_objects.Figure

        Raises
        ------
        ParameterError
            If there is no such figure, or these results do not allow it.
        """
        from atomsight.report.notebook import plot  # noqa: PLC0415  (slow to import)

        return plot(self, key)

    def _repr_html_(self) -> str:
        from atomsight.report.notebook import table  # noqa: PLC0415  (slow to import)

        return table(self)

    def __repr__(self) -> str:
        mean: Any = self.averages["mean_without_water"]
        map_name = "map" if self.map.path is None else self.map.path.name
        return (
            f"<Validation of {self.model.path.name} in {map_name}: {len(self.model)} atoms, mean Q "
            f"{mean.mean:.4f} without water>"
        )


def validate(
    model: PathLikeStr,
    map_: PathLikeStr,
    options: Options | None = None,
    *,
    progress: Progress | None = None,
) -> Validation:
    """Score every atom of a model against a map.

    Parameters
    ----------
    model, map_ : path
    options : Options, optional
    progress : callable, optional

    Returns
    -------
    Validation

    Raises
    ------
    InputError
        If a file or an option is at fault, or the model does not lie in the map.
    """
    options = options or Options()
    clock = _Clock()
    with ThreadPoolExecutor(max_workers=1) as pool:
        with clock("read model"):
            atoms = read_model(model, model=options.model_number)
        if options.resolution is None and atoms.resolution is not None:
            resolution, source = atoms.resolution, f"{atoms.resolution_source} of the model"
        elif options.resolution is not None:
            taken = {} if options.source is None else options.source.taken
            resolution, source = options.resolution, taken.get("resolution", "given")
        else:
            resolution, source = None, "none given and none in the model's metadata (--resolution)"
        selection = None if options.selection is None else select(atoms, options.selection)
        archive = None if options.archive is None else read_archive(options.archive)
        known = options.convergence
        convergence = None if known is None else place(read_convergence(known), atoms)
        margin = max(DEFAULT_MARGIN, options.q.radius + 2.0, (resolution or 0.0) / 2.0 + 2.0)
        with clock("read map"):
            # half maps are compared with the whole map, everything else needs the model's box
            around = None if options.half_maps else atoms.xyz[atoms.heavy]
            density = read_map(map_, around=around, margin=margin, origin=options.origin)
        # hashing runs beside the scoring, once the reader is done with the disk
        sums = {p: pool.submit(sha256, p) for p in _input_files(atoms, Path(map_), options)}
        with clock("check overlay"):
            fit = require_overlay(
                atoms, density, resolution, origin=options.origin, force=options.force
            )
        with clock("Q-score"):
            reach = (1.0 + EXCLUSION) * options.q.radius
            copies = copy_positions(atoms, options.neighbours, reach, assembly=options.assembly)
            scores = _score(atoms, density, selection, copies, options, progress)
        halves = None
        if options.half_maps is not None:
            with clock("FSC-Q"):
                halves = compare_half_maps(
                    density,
                    atoms,
                    options.half_maps,
                    resolution=resolution,
                    q=scores.q,
                    origin=options.origin,
                    threads=options.threads,
                    progress=progress,
                )
        with clock("summary"):
            sigma = options.q.sigma
            expected, reason = (
                expected_q(resolution, sigma)
                if archive is None
                else expected_from(archive, resolution, sigma)
            )
            evidence = Evidence(
                model=atoms,
                parent=parents(atoms),
                map=density,
                scores=scores,
                sigma=sigma,
                resolution=resolution,
                neighbours=copies,
                halves=halves,
                contour=options.contour,
                archive=archive,
                definition=options.percentile_definition,
                convergence=convergence,
            )
            findings = collect(evidence, everything=options.everything, fit_b=options.fit_b)
            result = Validation(
                model=atoms,
                map=density,
                options=options,
                overlay=fit,
                scores=scores,
                resolution=resolution,
                resolution_source=source,
                expected=expected,
                no_expectation=reason,
                atoms=joined(_atom_columns(evidence), *(f.atoms for f in findings)),
                residues=joined(
                    residue_columns(atoms, scores.q, scores.counted, expected),
                    *(f.residues for f in findings),
                ),
                averages=model_averages(atoms, scores.q, scores.counted),
                notes=(
                    *_source_notes(atoms, options),
                    *atoms.notes,
                    *density.notes,
                    *_notes(atoms, density, scores, fit),
                    *(note for finding in findings for note in finding.notes),
                    *_taken_notes(options),
                ),
                checksums={},
                seconds={},
                half_maps=halves,
                findings=findings,
            )
        with clock("checksums"):
            checksums = _results(sums)
    return replace(result, checksums=checksums, seconds=clock.seconds)


def _input_files(model: Model, map_: Path, options: Options) -> list[Path]:
    extra = options.half_maps
    halves = [] if extra is None else [extra.half_1, extra.half_2]
    mask = [] if extra is None or extra.mask is None else [extra.mask]
    return [model.path, map_, *halves, *mask]


def _results(futures: Mapping[Path, Future[str]]) -> dict[str, str]:
    return {str(path): future.result() for path, future in futures.items()}


class _Clock:
    """Wall time of the steps."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}

    @contextmanager
    def __call__(self, step: str) -> Iterator[None]:
        start = time.perf_counter()
        yield
        self.seconds[step] = round(time.perf_counter() - start, 4)


def _score(
    model: Model,
    map_: Map,
    selection: np.ndarray | None,
    copies: Float_Nx3 | None,
    options: Options,
    progress: Progress | None,
) -> QScores:
    q = options.q
    return q_score(
        map_,
        model,
        sigma=q.sigma,
        points=q.points,
        radius=q.radius,
        step=q.step,
        selection=selection,
        neighbours=copies,
        orientations=options.orientations,
        seed=options.seed,
        threads=options.threads,
        progress=named_progress(progress, "Q-score"),
    )


def _atom_columns(evidence: Evidence) -> dict[str, np.ndarray]:
    """Columns of the Q-score; hydrogens show their parent's values."""
    scores, parent = evidence.scores, evidence.parent
    columns = {"q": inherit(scores.q, parent), "q_status": STATUS_LABELS[scores.status]}
    if scores.orientation_mean is not None and scores.orientation_sd is not None:
        columns["q_orientation_mean"] = inherit(scores.orientation_mean, parent)
        columns["q_orientation_sd"] = inherit(scores.orientation_sd, parent)
    return columns


def _source_notes(model: Model, options: Options) -> Iterator[str]:
    """What is to be known of the entry, and where model and header contradict each other."""
    source, wanted = options.source, options.resolution
    if source is None:
        return
    known = model.resolution if "resolution" in source.taken else None
    if known is not None and wanted is not None and abs(known - wanted) > _RESOLUTION_STEP:
        yield f"the model says {known:g} Å ({model.resolution_source}), not {wanted:g} Å"
    yield from source.notes


def _taken_notes(options: Options) -> Iterator[str]:
    """Which values the entry gave, and not the user."""
    if options.source is not None:
        for name, who in options.source.taken.items():
            yield f"{name.replace('_', ' ')} from {who}"


def _notes(model: Model, map_: Map, scores: QScores, fit: Overlay) -> Iterator[str]:
    """What a reader of the numbers should know, worst first."""
    if not fit.ok:
        yield "the model does not lie in the map: scored on request (--force)"
    absent = map_.statistics.n_not_finite
    if absent:
        yield f"the map holds {absent} NaN or Inf voxels; atoms near them have no Q"
    counts = np.bincount(scores.status, minlength=len(Status))
    words = {
        Status.OUTSIDE: "outside the map, without a Q",
        Status.PARTLY_OUTSIDE: "partly outside the map (what is outside counts as 0, as in MapQ)",
        Status.NO_SHELLS: "too close to others for a Q",
        Status.NOT_FINITE: "without a Q because of NaN or Inf in the map",
        Status.CONSTANT: "where the map is constant (masked?), without a Q",
    }
    for status, text in words.items():
        if counts[status]:
            yield f"{counts[status]} of {len(model)} atoms: {text}"
