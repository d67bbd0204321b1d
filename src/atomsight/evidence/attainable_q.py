"""Attainable Q: the Q-score that a right model would have, given what two half maps agree on.

The map that the model would give is made as weak, as blurred and as noisy as the data are around
each atom, and Q is computed there. What the model's own B factors say is not used: they would
excuse a wrong atom.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from math import ceil

import numpy as np
from scipy import ndimage

from atomsight.density.fourier import (
    FscCurve,
    Spectrum,
    correlate,
    filter_shells,
    radial_power,
    shell_numbers,
    transform,
)
from atomsight.density.map import Map, array_statistics
from atomsight.density.sampling import trilinear_held
from atomsight.density.simulate import simulate_map
from atomsight.errors import ParameterError
from atomsight.evidence.local_resolution import check_same_grid
from atomsight.evidence.q_score import QScoreOptions, q_score
from atomsight.evidence.status import Status
from atomsight.model import Model
from atomsight.typing import Float_N, Float_Nx3, FloatArray, Status_N, Volume

COARSEST = 15.0
"""Å; the local resolution of atoms where the half maps agree on nothing."""

BASE_B = 60.0
"""Å²; B factor of an ordinary atom. Only differences count: shells are scaled afterwards."""

BLUR_FROM = (1.1, 1.2)
"""Local resolution over the model's median: from the second on an atom is blurred as much as its
local resolution says, up to the first by the share below, between them by something between."""

MILD = 0.5
"""That share: it minimises the spread of Q about attainable Q in right models."""

NOISE_TELLS = (2.0, 3.0)
"""Noise over the model's median noise: up to the first an atom is blurred, beyond the second not,
because there the noise alone explains a coarse local resolution."""

LEAST_B, MOST_B = 10.0, 500.0
"""Å²; the least B factor that an atom gets, and the strongest blur."""

_NOISE_WIDTH = 3.0
"""Voxels; how far the strength of the noise is averaged."""

_ERRORS = 3.0
"""Standard errors; a correlation below is not told from 0."""

_SURE = (1e-3, 1.0 - 1e-4)
"""Correlations are held between these before they become signal-to-noise ratios."""


@dataclass(frozen=True, slots=True)
class AttainableQ:
    """Q of the atoms of a model in the maps that it would give.

    Attributes
    ----------
    q : ndarray, shape (fields, n)
        In the expected map with each field of noise; NaN where there is no Q.
    b_blur : ndarray, shape (n,)
        B factor in Å² that was added where the half maps agree less than elsewhere.
    noise : ndarray, shape (n,)
        Standard deviation of the noise around the atom over the model's median, at frequencies
        where there is signal.
    signal : Map
        The map that the model would give in these data without noise, on the full map's scale.
    noise_map : Map
        The full map's noise, as it is in these data.
    """

    q: FloatArray
    b_blur: Float_N
    noise: Float_N
    signal: Map
    noise_map: Map

    @property
    def mean(self) -> Float_N:
        """Mean over the fields of noise, shape (n,)."""
        return np.asarray(self.q.mean(axis=0))


@dataclass(frozen=True, slots=True)
class _Data:
    """What the half maps say about signal and noise."""

    noise_spectrum: Spectrum
    level: Float_N
    weight: Volume
    shell: np.ndarray
    width: float


def attainable_q(
    full: Map,
    half_1: Map,
    half_2: Map,
    model: Model,
    half_resolution: Float_N,
    half_status: Status_N,
    *,
    mask: Map,
    options: QScoreOptions | None = None,
    neighbours: Float_Nx3 | None = None,
    fields: int = 8,
    threads: int | None = None,
) -> AttainableQ:
    """Q that each atom would have if the model were right.

    1. Noise of the full map: n = (h1 - h2) / 2, with the full map's own filter. Its strength
       varies from place to place as in the data.
    2. Blur: where the local resolution d is clearly worse than the model's median, the atom's B
       factor grows until signal and noise are equal at 1/d::

           B = 2 d² ln(SNR(1/d) / r²)

       SNR = h / (1 - h), h the correlation of the half maps within the mask, each voxel weighted
       by one over its noise; r the noise around the atom over the median.
    3. Signal: the map of the model with these B factors, its shells scaled to the power that the
       half maps share, P_full · 2h / (1 + h). Where h is not told from 0 it goes on as a
       Gaussian, as far as those shells together bear it out.
    4. Q of the model in signal plus noise, for the noise moved by a few voxels along the
       diagonals, with alternating signs: as strong as around the atom, but not what it was
       fitted into.

    Parameters
    ----------
    full, half_1, half_2 : Map
        On one grid, whole.
    model : Model
    half_resolution : ndarray, shape (n,)
        Local resolution of the half maps at the atoms, Å.
    half_status : ndarray of uint8, shape (n,)
        `Status` of each; only OK goes with a number.
    mask : Map
        Where the molecule is; see `atomsight.density.masks.mask_above`.
    options : QScoreOptions, optional
        As for the Q that it is compared with.
    neighbours : ndarray, shape (m, 3), optional
        As for `q_score`.
    fields : int
        Fields of noise, 2 to 8.
    threads : int, optional

    Returns
    -------
    AttainableQ

    Raises
    ------
    MapFileError
        If the maps lie on different grids.
    ParameterError
        If `fields` means nothing, or no atom has a local resolution.

    References
    ----------
    Rosenthal & Henderson (2003) for 2h / (1 + h).
    """
    if not 2 <= fields <= 8:
        raise ParameterError(f"there are 2 to 8 fields of noise, not {fields}")
    for other in (half_1, half_2, mask):
        check_same_grid(full, other)
    measured = half_status == Status.OK
    if not measured.any():
        raise ParameterError("no atom has a local resolution of the half maps")
    typical = float(np.median(half_resolution[measured]))
    data = _noise(half_1, half_2, model, mask, typical)
    curve, p_sum = _of_halves(half_1, half_2, data)
    blur = _blur(half_resolution, half_status, data, curve, typical)
    signal, noise = _signal_and_noise(full, model, blur, data, curve, p_sum)
    level = data.level
    del data  # a few hundred MB in large maps
    options = options or QScoreOptions()
    q = np.array([
        q_score(
            replace(full, values=np.add(field, signal, out=field), path=None), model,
            sigma=options.sigma, points=options.points, radius=options.radius, step=options.step,
            neighbours=neighbours, threads=threads,
        ).q
        for field in _moved(noise, ceil(typical / min(full.voxel_size)), fields)
    ])  # fmt: skip
    return AttainableQ(q, blur, level, _with_values(full, signal), _with_values(full, noise))


def _signal_and_noise(
    full: Map, model: Model, blur: Float_N, data: _Data, curve: FscCurve, p_sum: FloatArray
) -> tuple[Volume, Volume]:
    """The signal of the model as strong as the half maps share it, and the full map's noise."""
    spectrum, p_model = _of_model(full, model, blur, data)
    # the mean of the half maps, the model and the full map within one mask
    p_full = radial_power(_weighted(full, data.weight), data.shell)
    own_filter = _root_ratio(4.0 * p_full, p_sum)
    amplitude = own_filter * np.sqrt(_shared_power(curve, 0.25 * p_sum, p_model, data.weight))
    shape = full.values.shape
    signal = filter_shells(spectrum, data.shell, amplitude, shape)
    del spectrum
    noise = filter_shells(
        data.noise_spectrum, data.shell, own_filter, shape, corners=float(own_filter[-1])
    )
    return signal, noise


def _of_model(full: Map, model: Model, blur: Float_N, data: _Data) -> tuple[Spectrum, FloatArray]:
    """Transform of the model's map, and its power within the mask."""
    simulated = simulate_map(model, full, b_iso=BASE_B + blur)
    power = radial_power(_weighted(simulated, data.weight), data.shell)
    return transform(simulated.values - np.float32(simulated.statistics.mean)), power


def _noise(half_1: Map, half_2: Map, model: Model, mask: Map, typical: float) -> _Data:
    """Noise of the mean of two half maps, and how strong it is where the model is."""
    noise = np.asarray(0.5 * (half_1.values - half_2.values), dtype=np.float32)
    noise = np.nan_to_num(noise, nan=0.0, posinf=0.0, neginf=0.0)
    shell, width = shell_numbers(half_1)
    spectrum = transform(noise)
    # beyond the resolution noise hardly differs, and hides what differs where there is signal
    within = (np.arange(int(shell.max())) * width < 1.0 / typical).astype(float)
    slow = filter_shells(spectrum, shell, within, noise.shape)
    strength = np.sqrt(ndimage.gaussian_filter(slow * slow, _NOISE_WIDTH))
    rows = model.heavy
    level = np.full(len(model), np.nan)
    level[rows] = trilinear_held(strength, half_1, model.xyz[rows])
    median = max(float(np.median(level[rows])), float(np.finfo(np.float32).tiny))
    weight = mask.values * np.square(median / np.maximum(strength, median))
    level = np.maximum(level / median, _SURE[0])
    return _Data(spectrum, level, weight.astype(np.float32), shell, width)


def _of_halves(half_1: Map, half_2: Map, data: _Data) -> tuple[FscCurve, FloatArray]:
    """Correlation of the half maps, and the power of their sum, within the mask."""
    first, second = (_weighted(half, data.weight) for half in (half_1, half_2))
    curve = correlate(first, second, data.shell, data.width, half_1.values.shape[2])
    first += second
    return curve, radial_power(first, data.shell)


def _shared_power(
    curve: FscCurve, power: FloatArray, p_model: FloatArray, weight: Volume
) -> FloatArray:
    """Power that half maps share, over that of the model's map, in each shell.

    Where the correlation is not told from 0, its chance values would make signal of noise. There
    the ratio goes on as a Gaussian fitted to the outer half of the shells where it is.
    """
    h = np.clip(np.nan_to_num(curve.fsc), 0.0, 1.0)
    ratio = np.divide(
        power * 2.0 * h / (1.0 + h), p_model, out=np.zeros_like(power), where=p_model > 0
    )
    # a mask that leaves a share of the map leaves about that share of independent coefficients
    error = 1.0 / np.sqrt(np.maximum(curve.n * float(np.square(weight).mean()), 1.0))
    certain = (h > _ERRORS * error) & (ratio > 0)
    certain[0] = False
    rows = np.flatnonzero(certain)
    rows = rows[rows >= (int(rows[-1]) // 2 if len(rows) else 0)]
    if len(rows) < 3:
        return np.where(certain, ratio, 0.0)
    square = curve.frequency**2
    slope, start = np.polyfit(square[rows], np.log(ratio[rows]), 1, w=(h / error)[rows])
    # beyond the last of them the ratio does not grow: the maps may be filtered there
    fitted = np.exp(start + slope * np.minimum(square, square[rows[-1]] if slope > 0 else np.inf))
    # all other shells together say how much of the Gaussian is there; a priori all of it, or none
    share = np.clip(
        np.divide(fitted * p_model, power, out=np.zeros_like(power), where=power > 0), 0, 1
    )
    promised = (share / (2.0 - share))[~certain] / error[~certain]
    found = np.nan_to_num(curve.fsc)[~certain] / error[~certain]
    part = (1.0 + promised @ found) / (1.0 + promised @ promised)
    return np.where(certain, ratio, fitted * min(max(float(part), 0.0), 1.0))


def _blur(
    resolution: Float_N, status: Status_N, data: _Data, curve: FscCurve, typical: float
) -> Float_N:
    """B factor that takes each atom's signal to where its half maps stop to agree."""
    d = np.where(status == Status.OK, resolution, typical)
    d[status == Status.LOW_FREQUENCY] = COARSEST
    d = np.minimum(d, COARSEST)
    held = np.clip(np.nan_to_num(curve.fsc), *_SURE)
    snr = np.log(held / (1.0 - held))
    level = np.nan_to_num(data.level, nan=1.0)
    b = 2.0 * d**2 * (np.interp(1.0 / d, curve.frequency, snr) - 2.0 * np.log(level))
    sharp = d <= BLUR_FROM[0] * typical
    coarse = _ramp(d / typical, *BLUR_FROM)
    quiet = 1.0 - _ramp(level, *NOISE_TELLS)
    share = MILD + (1.0 - MILD) * coarse
    return np.asarray(np.clip((b - np.median(b[sharp])) * share * quiet, LEAST_B - BASE_B, MOST_B))


def _ramp(x: Float_N, start: float, end: float) -> Float_N:
    """0 up to the start, 1 from the end on, straight between."""
    return np.asarray(np.clip((x - start) / (end - start), 0.0, 1.0))


def _moved(noise: Volume, step: int, fields: int) -> Iterator[Volume]:
    """The noise moved along the diagonals, with alternating signs."""
    corners = [(i, j, k) for i in (-step, step) for j in (-step, step) for k in (-step, step)]
    signs = [1 if sum(corner) in (3 * step, -step) else -1 for corner in corners]
    # opposite corners first, so that few fields are far from each other
    order = (0, 7, 3, 4, 5, 2, 6, 1)
    for i in order[:fields]:
        moved = np.roll(noise, corners[i], axis=(0, 1, 2))
        yield moved if signs[i] > 0 else np.negative(moved, out=moved)


def _weighted(map_: Map, weight: Volume) -> Spectrum:
    about = np.asarray(map_.values - map_.statistics.mean, dtype=np.float32)
    return transform(np.nan_to_num(about, nan=0.0, posinf=0.0, neginf=0.0) * weight)


def _root_ratio(above: FloatArray, below: FloatArray) -> FloatArray:
    """Square root of a ratio of powers; 0 where there is nothing below."""
    ratio = np.divide(above, below, out=np.zeros_like(above), where=below > 0)
    root: FloatArray = np.sqrt(np.maximum(ratio, 0.0))
    return root


def _with_values(map_: Map, values: Volume) -> Map:
    values = np.asarray(values, dtype=np.float32)
    return replace(map_, values=values, statistics=array_statistics(values), path=None)
