"""The whole job: models are made and judged, the best are kept and refined, and compared."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from atomsight.ensemble.b_factors import BFactors, require_b_factors, set_b_factors
from atomsight.ensemble.engines.engine import hash_of
from atomsight.ensemble.engines.minimisation import minimiser
from atomsight.ensemble.engines.protocol import OpenMMProtocol
from atomsight.ensemble.ensemble import Convergence, measure_convergence
from atomsight.ensemble.fit import LEAST_COMMON
from atomsight.ensemble.generation import GenerationOptions, Progress
from atomsight.ensemble.geometry.quality import Quality, model_quality
from atomsight.ensemble.making import Made, make_ensemble
from atomsight.ensemble.ranking import KEEP, Ranking, rank_by_quality
from atomsight.ensemble.records import Generated
from atomsight.ensemble.refinement import (
    Refinement,
    refine_coordinates,
)
from atomsight.errors import ParameterError
from atomsight.io.files import make_folder, sha256
from atomsight.io.maps import OriginRule
from atomsight.io.models import read_model
from atomsight.typing import PathLikeStr

REFINED, KEPT = "refined", "kept"
"""Folders below that of the results."""

MOST_WORSE = 0.1
"""Of more models than this share that end with a worse fit than they began with, the sampler
failed, not the map."""


@dataclass(frozen=True, slots=True)
class Health:
    """Whether the models say something about the map, or about how they were made.

    Attributes
    ----------
    perturbation : float
        Å: mean over the models of how far the phase without map moved Cα (C1'); NaN: unknown.
    worse : float
        Share of the models whose correlation with the map ended below that of the prepared one;
        NaN: unknown.
    n : int
        Models with both correlations.
    """

    perturbation: float
    worse: float
    n: int


@dataclass(frozen=True, slots=True)
class Ensemble:
    """Models of one map, from the first to the kept ones.

    Attributes
    ----------
    made : Made
        All models, and what they were made of.
    protocol : str
        Hash of everything that changes a model.
    quality : tuple of Quality
        Of each model that was made.
    ranking : Ranking
    refinements : tuple of Refinement
        Of the kept ones, best first; empty where the engine refines none.
    final : tuple of Quality
        Of the kept ones as they are compared.
    health : Health
    b_factors : {"q", "servalcat", "none"}
        Where the kept ones' B factors come from.
    convergence : Convergence
        Of the kept ones.
    """

    made: Made
    protocol: str
    quality: tuple[Quality, ...]
    ranking: Ranking
    refinements: tuple[Refinement, ...]
    final: tuple[Quality, ...]
    health: Health
    b_factors: BFactors
    convergence: Convergence


def converge(
    model: PathLikeStr,
    map_: PathLikeStr,
    options: GenerationOptions,
    folder: Path,
    *,
    keep: int = KEEP,
    refine: bool = True,
    b_factors: BFactors | None = None,
    model_number: int | None = None,
    selection: str | None = None,
    symmetry: str | None = None,
    origin: OriginRule = "auto",
    force: bool = False,
    progress: Progress | None = None,
) -> Ensemble:
    """Make many models of a map that do not know of each other, and measure how far they agree.

    Parameters
    ----------
    model, map_ : path
    options : GenerationOptions
    folder : Path
        Gets ``prepared.cif``, ``models/``, ``refined/`` and ``kept/``. A run that was cut off goes
        on there.
    keep : int
        How many of the models are compared: those with the best mean of four ranks.
    refine : bool
        Minimise the kept ones in the map.
    b_factors : {"q", "servalcat", "none"}, optional
        Of the kept ones: from their Q-scores, by servalcat, or the prepared model's mean. By
        default "q", and "none" without refinement.
    model_number : int, optional
        MODEL of the file.
    selection : str, optional
        Part of the model, in gemmi's syntax.
    symmetry : str, optional
        ``assembly``, or a point group of the map: neighbours whose density is not the model's.
    origin : {"auto", "origin", "nstart", "zero"}
        Where the map begins.
    force : bool
        Go on where the model does not lie in the map.
    progress : callable, optional

    Returns
    -------
    Ensemble

    Raises
    ------
    InputError
        If a file, an option or an external program is at fault.
    OutputError
        If the folder cannot be written.

    References
    ----------
    Herzik, Fraser & Lander (2019), Structure 27, 344-358, doi:10.1016/j.str.2018.10.003.
    """
    if not 2 <= keep <= options.models:
        raise ParameterError(
            f"--keep must be at least 2 and at most the number of models, {options.models}, not "
            f"{keep}"
        )
    source: BFactors = b_factors or ("q" if refine else "none")
    require_b_factors(source, map_)
    made = make_ensemble(
        model,
        map_,
        options,
        folder,
        model_number=model_number,
        selection=selection,
        symmetry=symmetry,
        origin=origin,
        force=force,
        progress=progress,
    )
    tell = progress or _nothing
    tell("geometry", 0, 1)
    quality = model_quality([read_model(one.path) for one in made.models])
    tell("geometry", 1, 1)
    energy = np.array([one.energy + one.map_energy for one in made.models])
    ranking = rank_by_quality(quality, energy, keep=keep)
    kept = [made.models[row].path for row in ranking.kept.tolist()]
    refinements: list[Refinement] = []
    if refine and isinstance(options.protocol, OpenMMProtocol):
        refinements = _refined(kept, made, options.protocol, folder / REFINED, tell)
        kept = [one.path for one in refinements]
    if source != "none":
        kept = set_b_factors(
            kept,
            made.map,
            made.prepared,
            source,
            options.resolution,
            make_folder(folder / KEPT),
            lambda done: tell("B factors", done, len(kept)),
        )
    final = [read_model(path) for path in kept]
    health = health_of(made.models)
    found = measure_convergence(final, resolution=options.resolution)
    protocol = hash_of(made.protocol)
    return Ensemble(
        made=made,
        protocol=protocol,
        quality=tuple(quality),
        ranking=ranking,
        refinements=tuple(refinements),
        final=tuple(model_quality(final)),
        health=health,
        b_factors=source,
        convergence=replace(
            found,
            protocol=protocol,
            notes=(
                *made.prepared.notes,
                *_notes_on_atoms(made.models),
                *_notes(health, refinements),
                *found.notes,
            ),
            checksums={str(path): sha256(Path(path)) for path in (model, map_, *kept)},
        ),
    )


def _refined(
    kept: list[Path], made: Made, protocol: OpenMMProtocol, folder: Path, tell: Progress
) -> list[Refinement]:
    minimise = _counted(minimiser(made.prepared, protocol), "refinement", len(kept), tell)
    return refine_coordinates(kept, made.map, minimise, folder)


def _counted(step: Callable[..., None], name: str, of: int, tell: Progress) -> Callable[..., None]:
    done = 0

    def counting(*arguments: object) -> None:
        nonlocal done
        step(*arguments)
        done += 1
        tell(name, done, of)

    tell(name, 0, of)
    return counting


def health_of(models: list[Generated]) -> Health:
    """Whether models were moved far enough, and came back to the map.

    Parameters
    ----------
    models : list of Generated

    Returns
    -------
    Health
    """
    moved = np.array([one.perturbation for one in models], dtype=float)
    gain = np.array([one.cc_end - one.cc_start for one in models], dtype=float)
    known = gain[np.isfinite(gain)]
    return Health(
        perturbation=float(np.nanmean(moved)) if np.isfinite(moved).any() else float("nan"),
        worse=float((known < 0).mean()) if len(known) else float("nan"),
        n=len(known),
    )


def _notes_on_atoms(models: list[Generated]) -> list[str]:
    """Where a program made models of other atoms."""
    notes = []
    missing = [one.missing_atoms for one in models if one.missing_atoms]
    if missing:
        unknown = sum(bool(np.isnan(one.cc_end)) for one in models if one.missing_atoms)
        notes.append(
            f"{len(missing)} of {len(models)} models lack heavy atoms of the prepared one, up to "
            f"{max(missing)}: their correlations with the map are over the atoms in common"
            + (
                f"; {unknown} lack more than {1 - LEAST_COMMON:.0%} of them and have none"
                if unknown
                else ""
            )
        )
    other = [one.other_atoms for one in models if one.other_atoms]
    if other:
        notes.append(
            f"{len(other)} of {len(models)} models have heavy atoms that the prepared one does "
            f"not, up to {max(other)}: these do not count in the correlations with the map"
        )
    return notes


def _notes(health: Health, refinements: list[Refinement]) -> list[str]:
    notes = []
    if health.worse > MOST_WORSE:
        notes.append(
            f"{health.worse:.0%} of the models fit the map worse than the model they started from: "
            "the spread may be the sampler's, not the map's"
        )
    refused = sum(not one.accepted for one in refinements)
    if refused:
        notes.append(
            f"{refused} of {len(refinements)} refinements made the model a worse molecule and were "
            "refused; those models are as they were made"
        )
    return notes


def _nothing(_step: str, _done: int, _of: int) -> None:
    """Tell nobody."""
