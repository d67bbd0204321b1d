"""The map of the model on a grid of its own, and the map's values there, to be compared."""

from collections.abc import Callable
from dataclasses import dataclass
from math import pi, prod

import numpy as np
from scipy.fft import next_fast_len

from atomsight.density.band_limited import b_family, band_limited_map
from atomsight.density.map import Map, index_matrix, map_from_array, to_index
from atomsight.density.sampling import trilinear
from atomsight.density.simulate import Form, molmap_sd, simulate_map
from atomsight.errors import OverlayError, ParameterError
from atomsight.model import Model
from atomsight.typing import Bool_N, Float_N, Volume

THRESHOLD = 0.01
"""Points of the model's map above it are compared (Pintilie et al. 2025)."""

_SPACING = {"gaussian": 1.0 / 3.0, "electron": 1.0 / 4.0}
"""Grid spacing over resolution: the default of molmap, and of phenix.mtz2map."""

_ELECTRON_MARGIN = 5.0
"""Å around the model, as in phenix.mtz2map."""

_MOST_POINTS = 500_000_000
"""About 12 GB for the electron form."""


@dataclass(frozen=True, slots=True)
class ComparisonGrid:
    """The grid of the model's map, and the map's values there.

    Attributes
    ----------
    grid : Map
        Values of the map, float32; NaN where there is none, and beyond `box`.
    box : tuple of slice
        Along z, y, x: the part of the grid that is compared, see `compared_margin`.
    form : {"gaussian", "electron"}
    resolution : float
        Å.
    """

    grid: Map
    box: tuple[slice, slice, slice]
    form: Form
    resolution: float

    @property
    def definition(self) -> str:
        """What is compared, in one sentence."""
        made = {
            "gaussian": "one Gaussian an atom, integral = atomic number, sd = d/(π√2) (molmap)",
            "electron": "electron scattering up to 1/d, less its mean, over its sd",
        }[self.form]
        return (
            f"map against the map of the model ({made}) at d = {self.resolution:g} Å, over points "
            f"{self.grid.voxel_size[0]:.3g} Å apart where the model's map is above {THRESHOLD:g}"
        )


def compared_margin(resolution: float) -> float:
    """How far around the model's box points are compared, d/2 + 2 Å.

    molmap has no values above 0.01 beyond it. Where B factors carry the model's map further, the
    result does not depend on how much of the map is in memory, as long as it is this much.

    Parameters
    ----------
    resolution : float
        d in Å.

    Returns
    -------
    float
        Å.
    """
    return 0.5 * resolution + 2.0


def comparison_grid(map_: Map, model: Model, resolution: float, form: Form) -> ComparisonGrid:
    """The grid around a model on which maps are compared, and the map's values there.

    Gaussian form: as molmap, points d/3 apart from 3 d below the model on. Electron form: d/4
    apart, in the model's box with 5 Å around it, or a little more for a fast Fourier transform.
    Atoms that lie further than this outside the map do not widen the box.

    Parameters
    ----------
    map_ : Map
    model : Model
    resolution : float
        d in Å.
    form : {"gaussian", "electron"}

    Returns
    -------
    ComparisonGrid

    Raises
    ------
    ParameterError
        If the resolution is no positive number, or the grid would not fit into memory.
    OverlayError
        If no atom lies in the map.
    """
    if not (np.isfinite(resolution) and resolution > 0):
        raise ParameterError(f"resolution must be a positive number of Å, not {resolution}")
    margin = 3.0 * resolution if form == "gaussian" else _ELECTRON_MARGIN
    spacing = resolution * _SPACING[form]
    used = model.xyz[placed(model) & _near(map_, model, margin)]
    if not len(used):
        raise OverlayError(f"{model.path}: no atom with an occupancy above 0 lies in the map")
    low, high = used.min(axis=0) - margin, used.max(axis=0) + margin
    sizes = np.ceil((high - low) / spacing).astype(int).tolist()
    if prod(sizes) > _MOST_POINTS:
        raise ParameterError(
            f"the map of {model.path} to {resolution:g} Å would have {prod(sizes):,} points, more "
            f"than {_MOST_POINTS:,}: check the resolution, or take a part of the model"
        )
    if form == "electron":
        sizes = [next_fast_len(size, real=True) for size in sizes]
    axes = [low[a] + spacing * np.arange(size) for a, size in enumerate(sizes)]
    beyond = max(margin - compared_margin(resolution), 0.0)
    x, y, z = (
        slice(*np.searchsorted(axis, [low[a] + beyond, high[a] - beyond]).tolist())
        for a, axis in enumerate(axes)
    )
    values = np.full([len(axis) for axis in axes[::-1]], np.nan, dtype=np.float32)
    section = np.empty((y.stop - y.start, x.stop - x.start, 3))
    section[:, :, 0], section[:, :, 1] = axes[0][x], axes[1][y, None]
    for k in range(z.start, z.stop):
        section[:, :, 2] = axes[2][k]
        values[k, y, x] = trilinear(map_, section.reshape(-1, 3)).reshape(section.shape[:2])
    grid = map_from_array(values, spacing, (float(low[0]), float(low[1]), float(low[2])))
    return ComparisonGrid(grid, (z, y, x), form, resolution)


def model_map(where: ComparisonGrid, model: Model, b_iso: Float_N | float) -> Volume:
    """The model's map on a comparison grid, in the units in which 0.01 is the threshold.

    Gaussian form: one Gaussian an atom whose integral is its atomic number and whose variance is
    d²/(2π²) + B/(8π²), as molmap's. Electron form: electron scattering up to 1/d, less its mean
    and over its standard deviation, as phenix.fmodel and phenix.mtz2map give it.

    Parameters
    ----------
    where : ComparisonGrid
    model : Model
    b_iso : ndarray, shape (n,), or float
        B factors, Å².

    Returns
    -------
    ndarray, shape (nz, ny, nx)
        float32.
    """
    d = where.resolution
    if where.form == "gaussian":
        made = simulate_map(model, where.grid, b_iso=b_iso, form="gaussian", resolution=d)
        return made.values / np.float32((2.0 * pi) ** 1.5 * molmap_sd(d) ** 3)
    return _in_sigma(band_limited_map(model, where.grid, resolution=d, b_iso=b_iso).values)


def model_maps(
    where: ComparisonGrid, model: Model, w: Float_N, f_max: float
) -> Callable[[float], Volume]:
    """The model's map with the B factors f · w, for any f up to the largest.

    Parameters
    ----------
    where : ComparisonGrid
    model : Model
    w : ndarray, shape (n,)
        Not negative.
    f_max : float
        The largest f, Å².

    Returns
    -------
    callable
        f in Å² → what `model_map` gives; the electron form within 0.005 standard deviations.
    """
    if where.form == "gaussian":
        return lambda f: model_map(where, model, f * w)
    family = b_family(model, where.grid, w, resolution=where.resolution, f_max=f_max)
    return lambda f: _in_sigma(family.map_values(f))


def _in_sigma(values: Volume) -> Volume:
    """Values about their mean and over their standard deviation."""
    about = values - np.float32(values.mean(dtype=np.float64))
    scaled: Volume = about / np.float32(np.sqrt(np.square(about).mean(dtype=np.float64)))
    return scaled


def compared_points(where: ComparisonGrid, values: Volume) -> Bool_N:
    """Points where the model's map is above 0.01 and the map has a value.

    Parameters
    ----------
    where : ComparisonGrid
    values : ndarray, shape (nz, ny, nx)
        From `model_map`.

    Returns
    -------
    ndarray of bool, shape (nz, ny, nx)
    """
    return np.asarray((values > THRESHOLD) & np.isfinite(where.grid.values))


def placed(model: Model) -> Bool_N:
    """Atoms that the model's map shows: with coordinates and an occupancy above 0.

    Parameters
    ----------
    model : Model

    Returns
    -------
    ndarray of bool, shape (n,)
    """
    return np.asarray(model.has_position & (model.occupancy > 0))


def _near(map_: Map, model: Model, margin: float) -> Bool_N:
    """Atoms in the map, or not further than a margin outside it along its axes."""
    size = np.array(map_.values.shape[::-1]) - 1
    reach = margin * np.linalg.norm(index_matrix(map_), axis=1)
    with np.errstate(invalid="ignore"):
        index = to_index(map_, model.xyz)
        return np.asarray(((index >= -reach) & (index <= size + reach)).all(axis=1))
