"""N models of a map, one a seed: each on disk at once, none made twice, and a run can go on."""

import fcntl
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path

import numpy as np

from atomsight.density.map import Map
from atomsight.ensemble.box import box_around
from atomsight.ensemble.engines.choice import AnyProtocol, describe
from atomsight.ensemble.engines.engine import hash_of
from atomsight.ensemble.engines.protocol import OpenMMProtocol
from atomsight.ensemble.preparation import Prepared
from atomsight.ensemble.records import Generated, read_records
from atomsight.ensemble.workers import Task, make_models
from atomsight.errors import OutputError, ParameterError, ResultsError
from atomsight.io.files import make_folder

Progress = Callable[[str, int, int], None]
"""Called with (what is being done, done, of how many)."""

FOLDER = "models"
"""Below the folder of results: the models and their records."""


@dataclass(frozen=True, slots=True)
class GenerationOptions:
    """How many models are made, and how.

    Attributes
    ----------
    resolution : float
        Å.
    models : int
    seed : int
        Of the first model; the others follow.
    workers : int or None
        Processes; None: one for each processor that this process may use, and one alone on a
        graphics card.
    protocol : OpenMMProtocol or ExternalProtocol
        Chooses the engine too.
    """

    resolution: float
    models: int = 100
    seed: int = 0
    workers: int | None = None
    protocol: AnyProtocol = field(default_factory=OpenMMProtocol)


def generate(
    prepared: Prepared,
    map_: Map,
    options: GenerationOptions,
    folder: Path,
    progress: Progress | None = None,
) -> list[Generated]:
    """Make models that do not know of each other, in worker processes.

    Models that an earlier run finished in the same folder, with the same protocol, inputs and
    seeds, are kept. Each worker starts a Python of its own: in a script, call this below
    ``if __name__ == "__main__":``.

    Parameters
    ----------
    prepared : Prepared
    map_ : Map
    options : GenerationOptions
    folder : Path
        Of the results; models go to ``models/`` in it.
    progress : callable, optional

    Returns
    -------
    list of Generated
        One a seed, by seed.

    Raises
    ------
    InputError
        If an option, the model, the map or an external program is at fault.
    ResultsError
        If the folder holds models of another protocol, or of other inputs.
    OutputError
        If the folder cannot be written, or another run is writing there.
    """
    _check(options)
    protocol = hash_of(describe(options.protocol))
    place = make_folder(folder / FOLDER)
    box = box_around(map_, prepared.xyz)
    inputs = inputs_of(prepared, box, options.resolution)
    wanted = range(options.seed, options.seed + options.models)
    with _alone(place):
        _tidy(place)
        done = {record.seed: record for record in read_records(place)}
        _require_same(list(done.values()), protocol, inputs, place)
        task = Task(prepared, box, options.resolution, options.protocol, place, inputs)
        todo = [seed for seed in wanted if seed not in done]
        tell = progress or _nothing
        tell("models", options.models - len(todo), options.models)
        if todo:
            workers = options.workers or _default_workers(options.protocol)
            for made in make_models(task, todo, workers):
                done[made.seed] = made
                tell("models", sum(seed in done for seed in wanted), options.models)
    return [done[seed] for seed in wanted]


def inputs_of(prepared: Prepared, box: Map, resolution: float) -> str:
    """First 12 hexadecimal digits of the SHA-256 of the prepared model and the map around it.

    The resolution counts too, as correlations that are recorded depend on it, and the symmetry.

    Parameters
    ----------
    prepared : Prepared
    box : Map
        From `box_around`.
    resolution : float
        Å.

    Returns
    -------
    str
    """
    value = sha256(f"{prepared.digest} {resolution:.6g}{prepared.symmetry}".encode())
    value.update(np.round(prepared.others, 3).astype("<f4").tobytes())
    value.update(np.ascontiguousarray(box.values, dtype="<f4").tobytes())
    value.update(np.round([*box.origin, *box.step.ravel()], 5).tobytes())
    return value.hexdigest()[:12]


def _check(options: GenerationOptions) -> None:
    if options.models < 1:
        raise ParameterError(f"--models must be at least 1, not {options.models}")
    if options.seed < 0:
        raise ParameterError(f"--seed must not be negative, not {options.seed}")
    if options.workers is not None and options.workers < 1:
        raise ParameterError(f"--workers must be at least 1, not {options.workers}")
    if not (np.isfinite(options.resolution) and options.resolution > 0):
        raise ParameterError(f"--resolution must be positive, not {options.resolution:g}")


def _default_workers(protocol: AnyProtocol) -> int:
    # processes on one card wait for each other, and each holds its own copy of the maps there
    if isinstance(protocol, OpenMMProtocol) and protocol.platform != "cpu":
        return 1
    return len(os.sched_getaffinity(0))


def _require_same(records: list[Generated], protocol: str, inputs: str, place: Path) -> None:
    """Models of two protocols, or of two maps, say nothing together."""
    other = [r for r in records if r.protocol != protocol]
    if other:
        raise ResultsError(
            f"{place}: holds {len(other)} models of another protocol ({other[0].engine}, "
            f"{other[0].protocol}; this run is {protocol}): choose another folder with -o"
        )
    other = [r for r in records if r.inputs != inputs]
    if other:
        raise ResultsError(
            f"{place}: holds {len(other)} models of another model, map, resolution or symmetry: "
            "choose another folder with -o"
        )


@contextmanager
def _alone(place: Path) -> Iterator[None]:
    """Hold a lock that ends with this process, however it ends."""
    with (place / ".lock").open("w") as handle:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise OutputError(
                f"{place}: another run is writing here; wait for it, or choose another folder "
                "with -o"
            ) from None
        yield


def _tidy(place: Path) -> None:
    """Remove what a killed run was writing."""
    for path in (*place.glob(".*.partial.*"), *place.glob(".seed_*")):
        if path.is_dir():
            shutil.rmtree(path, ignore_errors=True)
        else:
            path.unlink(missing_ok=True)


def _nothing(_step: str, _done: int, _of: int) -> None:
    """Tell nobody."""
