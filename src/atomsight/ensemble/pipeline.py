"""The whole job: models are made and judged, the best are kept and refined, and compared."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from atomsight.ensemble.b_factors import BFactors, require_b_factors, set_b_factors
from atomsight.ensemble.engines.density_force import own_density
from atomsight.ensemble.engines.engine import hash_of
from atomsight.ensemble.engines.minimisation import minimiser
from atomsight.ensemble.engines.protocol import OpenMMProtocol
from atomsight.ensemble.ensemble import Convergence, measure_convergence
from atomsight.ensemble.fit import fit_of_model
from atomsight.ensemble.generation import GenerationOptions, Progress
from atomsight.ensemble.geometry.clashes import copy_clashes
from atomsight.ensemble.geometry.quality import Quality, model_quality
from atomsight.ensemble.health import Health, health_notes, health_of
from atomsight.ensemble.making import Made, make_ensemble, with_symmetry
from atomsight.ensemble.positions import rows_of
from atomsight.ensemble.preparation import Prepared
from atomsight.ensemble.ranking import KEEP, Ranking, rank_by_quality
from atomsight.ensemble.refinement import (
    Refinement,
    refine_coordinates,
)
from atomsight.errors import ParameterError
from atomsight.io.files import make_folder, sha256
from atomsight.io.maps import OriginRule
from atomsight.io.models import read_model
from atomsight.model import Model
from atomsight.typing import PathLikeStr

REFINED, KEPT = "refined", "kept"
"""Folders below that of the results."""


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
    touching : tuple of float
        Clashes of each of `final` with its copies, where they move with it; else empty.
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
    touching: tuple[float, ...]
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
        ``assembly``, or a point group of the map: copies that move with the model, and whose
        density is not its own; ``protocol.copies`` tells.
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
    # also for the refinement
    options = with_symmetry(options, symmetry, folder)
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
    own = own_density(made.map, made.prepared)
    fits = [fit_of_model(made.prepared, one, own, options.resolution) for one in final]
    health = health_of(made.models, fits)
    found = measure_convergence(final, resolution=options.resolution)
    protocol = hash_of(made.protocol)
    return Ensemble(
        made=made,
        protocol=protocol,
        quality=tuple(quality),
        ranking=ranking,
        refinements=tuple(refinements),
        final=tuple(model_quality(final)),
        touching=_touching(made.prepared, final),
        health=health,
        b_factors=source,
        convergence=replace(
            found,
            protocol=protocol,
            notes=(
                *made.prepared.notes,
                *health_notes(made.models, health),
                *_notes(refinements),
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


def _touching(prepared: Prepared, models: list[Model]) -> tuple[float, ...]:
    copies = prepared.copies
    if copies is None:
        return ()
    found = []
    for model in models:
        rows = rows_of(prepared, model)
        moved = copies.positions(model.xyz[rows])
        share = copies.share[copies.operator]
        found.append(copy_clashes(model, moved, rows[copies.atom], share))
    return tuple(found)


def _counted(step: Callable[..., None], name: str, of: int, tell: Progress) -> Callable[..., None]:
    done = 0

    def counting(*arguments: object) -> None:
        nonlocal done
        step(*arguments)
        done += 1
        tell(name, done, of)

    tell(name, 0, of)
    return counting


def _notes(refinements: list[Refinement]) -> list[str]:
    notes = []
    refused = sum(not one.accepted for one in refinements)
    if refused:
        notes.append(
            f"{refused} of {len(refinements)} refinements made the model a worse molecule and were "
            "refused; those models are as they were made"
        )
    return notes


def _nothing(_step: str, _done: int, _of: int) -> None:
    """Tell nobody."""
