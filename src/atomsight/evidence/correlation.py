"""Correlation of the map with the map of the model (Pintilie et al. 2025, equations 8 and 9)."""

from dataclasses import dataclass
from math import pi

import numpy as np
from scipy.fft import next_fast_len

from atomsight.density.map import Map, map_from_array
from atomsight.density.sampling import trilinear
from atomsight.density.simulate import Form, band_limited_map, molmap_sd, simulate_map
from atomsight.errors import OverlayError, ParameterError
from atomsight.model import Model
from atomsight.typing import Bool_N, Float_N, Float_Nx3, Int_N, Volume

THRESHOLD = 0.01
"""Points of the model's map above it are compared (Pintilie et al. 2025)."""

MIN_POINTS = 10
"""A chain or residue with fewer points has no correlation."""

_SPACING = {"gaussian": 1.0 / 3.0, "electron": 1.0 / 4.0}
"""Grid spacing over resolution: the default of molmap, and of phenix.mtz2map."""

_ELECTRON_MARGIN = 5.0
"""Å around the model, as in phenix.mtz2map."""


@dataclass(frozen=True, slots=True)
class Correlation:
    """How well the map agrees with the map of the model, over one set of points.

    Attributes
    ----------
    cc : float
        <m, c> / (|m| |c|), equation 8; NaN where it cannot be computed.
    cc_mean : float
        The same about the means of m and c, equation 9.
    overlap : float
        <m, c>, in map units times the units of the model's map.
    n : int
        Number of points.
    """

    cc: float
    cc_mean: float
    overlap: float
    n: int


@dataclass(frozen=True, slots=True)
class MapCorrelation:
    """Correlation of the whole model, its chains and its residues.

    Attributes
    ----------
    model : Correlation
    chains : dict
        Author's chain → Correlation, in order of first appearance.
    cc, cc_mean : ndarray, shape (m,)
        One a residue; NaN with fewer than 10 points.
    n : ndarray of int, shape (m,)
        Points of each residue.
    n_outside : int
        Points left out because the map does not reach there, or holds NaN or Inf.
    form : {"gaussian", "electron"}
        How the model's map was made.
    resolution, spacing : float
        Å.
    definition : str
        All of it in one sentence.
    """

    model: Correlation
    chains: dict[str, Correlation]
    cc: Float_N
    cc_mean: Float_N
    n: Int_N
    n_outside: int
    form: Form
    resolution: float
    spacing: float
    definition: str


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


def correlation(
    map_: Map,
    model: Model,
    *,
    resolution: float,
    b_iso: Float_N | float = 0.0,
    form: Form = "gaussian",
) -> MapCorrelation:
    """CC and CC-mean between a map and the map of the model.

    ::

        CC      = <m, c> / (|m| |c|)                          (equation 8)
        CC-mean = <m - m̄, c - c̄> / (|m - m̄| |c - c̄|)          (equation 9)

    m are the values of the model's map at those points of its grid where they are above 0.01, c
    those of the map there, by trilinear interpolation. Each point belongs to the chain and residue
    of its nearest atom.

    Parameters
    ----------
    map_ : Map
        May be only the box around the model.
    model : Model
        Hydrogens count where they are in the file.
    resolution : float
        d in Å.
    b_iso : ndarray, shape (n,), or float
        B factors of the model's map, Å²; 0 as in the paper, ``model.b_iso`` for the model's own.
    form : {"gaussian", "electron"}
        See `model_map`.

    Returns
    -------
    MapCorrelation

    Raises
    ------
    ParameterError
        If the resolution is no positive number, or a B factor is negative.
    OverlayError
        If no point of the model's map lies in the map.

    References
    ----------
    Pintilie et al. (2025), Acta Cryst. D81, 410-422, Appendix A1.4.
    """
    where = comparison_grid(map_, model, resolution, form)
    values = model_map(where, model, b_iso)
    seen = compared_points(where, values)
    if not seen.any():
        raise OverlayError(f"{model.path}: no point of the model's map lies in {_name(map_)}")
    m, c = values[seen].astype(float), where.grid.values[seen].astype(float)
    residue = _nearest_residue(where.grid, seen, model)
    count = len(model.residues)
    cc, cc_mean, _, n = _by_group(m, c, residue, count)
    names, first, chain = np.unique(model.residues.chain, return_index=True, return_inverse=True)
    by_chain = _by_group(m, c, chain[residue], len(names))
    return MapCorrelation(
        model=correlate(m, c),
        chains={
            str(names[i]): Correlation(*(column[i].item() for column in by_chain))
            for i in np.argsort(first)
        },
        cc=cc,
        cc_mean=cc_mean,
        n=n,
        n_outside=int((values[where.box] > THRESHOLD).sum() - seen.sum()),
        form=form,
        resolution=resolution,
        spacing=where.grid.voxel_size[0],
        definition=where.definition,
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
        If the resolution is no positive number.
    OverlayError
        If no atom has a place.
    """
    if not (np.isfinite(resolution) and resolution > 0):
        raise ParameterError(f"resolution must be a positive number of Å, not {resolution}")
    used = model.xyz[_used(model)]
    if not len(used):
        raise OverlayError(f"{model.path}: no atom has coordinates and an occupancy above 0")
    margin = 3.0 * resolution if form == "gaussian" else _ELECTRON_MARGIN
    spacing = resolution * _SPACING[form]
    low, high = used.min(axis=0) - margin, used.max(axis=0) + margin
    sizes = np.ceil((high - low) / spacing).astype(int).tolist()
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
    made = band_limited_map(model, where.grid, resolution=d, b_iso=b_iso)
    mean, sd = np.float32(made.statistics.mean), np.float32(made.statistics.sd)
    values: Volume = (made.values - mean) / sd
    return values


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


def correlate(m: Float_N, c: Float_N) -> Correlation:
    """Correlation of two sets of values.

    Parameters
    ----------
    m, c : ndarray, shape (n,)
        Of the model's map and of the map.

    Returns
    -------
    Correlation
    """
    columns = _by_group(m, c, np.zeros(len(m), dtype=np.int64), 1)
    return Correlation(*(column[0].item() for column in columns))


def _by_group(
    m: Float_N, c: Float_N, group: Int_N, groups: int
) -> tuple[Float_N, Float_N, Float_N, Int_N]:
    """CC, CC-mean, overlap and number of points of each group."""

    def total(values: Float_N) -> Float_N:
        sums: Float_N = np.bincount(group, weights=values, minlength=groups)
        return sums

    n = np.bincount(group, minlength=groups)
    overlap = total(m * c)
    with np.errstate(invalid="ignore", divide="ignore"):
        cc = overlap / np.sqrt(total(m * m) * total(c * c))
        # about the means first: the sums of squares of a map with an offset lose its digits
        m_about, c_about = m - (total(m) / n)[group], c - (total(c) / n)[group]
        cross, m_square = total(m_about * c_about), total(m_about * m_about)
        c_square = total(c_about * c_about)
        cc_mean = cross / np.sqrt(m_square * c_square)
    few = n < MIN_POINTS
    flat = _constant(m_square, total(m * m)) | _constant(c_square, total(c * c))
    cc[few], cc_mean[few | flat], overlap[n == 0] = np.nan, np.nan, np.nan
    return cc, cc_mean, overlap, n


def _constant(about_mean: Float_N, square: Float_N) -> Bool_N:
    """Whether what is left about the mean is only rounding."""
    return np.asarray(about_mean <= 1e-12 * square)


def _nearest_residue(grid: Map, seen: Bool_N, model: Model) -> Int_N:
    """Residue of the atom nearest to each chosen point."""
    from scipy.spatial import KDTree  # noqa: PLC0415  (slow to import)

    rows = np.flatnonzero(_used(model))
    points: Float_Nx3 = np.argwhere(seen)[:, ::-1] @ grid.step.T + grid.origin
    _, nearest = KDTree(model.xyz[rows]).query(points, workers=-1)
    residue: Int_N = model.residue[rows[nearest]]
    return residue


def _used(model: Model) -> Bool_N:
    return np.asarray(model.has_position & (model.occupancy > 0))


def _name(map_: Map) -> str:
    return "the map" if map_.path is None else str(map_.path)
