"""B factors of models that are kept: from their Q-scores, by servalcat, or none of their own."""

from collections.abc import Callable
from pathlib import Path
from typing import Literal

from atomsight.density.map import Map
from atomsight.ensemble.engines.density_force import own_density
from atomsight.ensemble.preparation import Prepared
from atomsight.ensemble.refinement import b_from_q, write_mmcif
from atomsight.ensemble.servalcat import SKEWED, b_from_servalcat, require_servalcat
from atomsight.errors import ParameterError
from atomsight.io.maps import read_header
from atomsight.io.models import read_model
from atomsight.model import Model
from atomsight.typing import PathLikeStr

BFactors = Literal["q", "servalcat", "none"]
"""Where B factors come from; none: the mean of the input for all atoms, as prepared."""


DEFINITIONS = {
    "q": "B = f (1 - Q) of each atom, f fitted to the map",
    "servalcat": "servalcat refine_spa_norefmac --fix_xyz, in the map around the model without the "
    "density of what takes no part",
    "none": "the mean of the input for all atoms",
}
"""What each of them is, for people."""


def require_b_factors(source: BFactors, map_: PathLikeStr) -> None:
    """Refuse B factors that cannot be had, before any model is made.

    Parameters
    ----------
    source : {"q", "servalcat", "none"}
    map_ : path

    Raises
    ------
    MapFileError
        If there is no such map.
    MissingLibraryError
        If servalcat is asked for and not installed.
    ParameterError
        If it cannot take the map.
    """
    if source == "servalcat":
        require_servalcat()
        if not read_header(map_).orthogonal:
            raise ParameterError(f"{map_}: {SKEWED}; take --b-factors q")


def set_b_factors(
    models: list[Path],
    map_: Map,
    prepared: Prepared,
    source: BFactors,
    resolution: float,
    folder: Path,
    done: Callable[[int], None],
) -> list[Path]:
    """Write models with new B factors; their coordinates stay.

    Parameters
    ----------
    models : list of Path
    map_ : Map
    prepared : Prepared
        What the models were made of.
    source : {"q", "servalcat", "none"}
    resolution : float
        Å.
    folder : Path
    done : callable
        Called with the number of models that are done.

    Returns
    -------
    list of Path
        Under the same names in the folder; the models themselves with "none".

    Raises
    ------
    ModelFileError
        If servalcat fails, leaves out an atom or moves one.
    """
    if source == "none":
        return models
    # servalcat sees a whole map: density of others would be fitted by the nearest atoms
    own = own_density(map_, prepared) if source == "servalcat" else map_
    written = []
    for number, path in enumerate(models, 1):
        model = read_model(path)
        with_b = _with_b(own, model, source, resolution)
        written.append(write_mmcif(with_b, folder / path.name))
        done(number)
    return written


def _with_b(map_: Map, model: Model, source: BFactors, resolution: float) -> Model:
    if source == "servalcat":
        return b_from_servalcat(map_, model, resolution=resolution)
    return b_from_q(map_, model, resolution=resolution)[0]
