"""Maps of models up to a resolution, and none beyond: one, or a whole family of B factors."""

from dataclasses import dataclass
from math import ceil
from typing import Any

import gemmi
import numpy as np
import numpy.typing as npt

from atomsight.density.fourier import Spectrum, inverse_transform, square_frequencies, transform
from atomsight.density.map import Map
from atomsight.density.simulate import (
    EIGHT_PI_SQUARE,
    by_element,
    checked_b,
    map_of_model,
    sum_of_gaussians,
)
from atomsight.errors import ParameterError
from atomsight.model import Model
from atomsight.typing import Float_N, Volume

_EXPONENT = 0.5
"""Most that exp(-f w s²/4) changes in the exponent from layer to layer, at the largest f and s."""


def band_limited_map(
    model: Model, like: Map, *, resolution: float, b_iso: Float_N | float | None = None
) -> Map:
    """Electron scattering of a model up to a resolution, and none beyond.

    The Fourier terms of the density of `simulate_map`, electron form, up to 1/d; the grid's box is
    the crystal's cell. Atoms are put on the grid with an additional B factor, which makes them wide
    enough for it and is taken off again in Fourier space.

    Parameters
    ----------
    model : Model
        Hydrogens count where they are in the file.
    like : Map
        Gives grid and origin; its voxels must not be larger than d/2.5. Density that reaches beyond
        its edges is lost.
    resolution : float
        d in Å.
    b_iso : ndarray, shape (n,), or float, optional
        B factors in Å² instead of the model's own.

    Returns
    -------
    Map
        Values in e/Å³-like units of the scattering factors, float32. The sharp edge in Fourier
        space makes ripples around atoms, and negative values.

    Raises
    ------
    ParameterError
        If the grid is too coarse for the resolution, or a B factor is negative.
    """
    b = checked_b(model.b_iso if b_iso is None else b_iso, model)
    band = _band(like, resolution)
    terms = np.zeros(band.shape, dtype=np.complex64)
    terms.ravel()[band.inside] = _terms(model, like, b, np.ones(len(model)), band)
    return map_of_model(model, like, inverse_transform(terms, like.values.shape))


@dataclass(frozen=True, slots=True)
class BFamily:
    """Maps of a model with the B factors f · w: w is fixed, one an atom.

    Atoms of equal w share a factor exp(-f w s²/4) in Fourier space. Their terms are kept in layers
    of evenly spaced w, an atom between two of them spread over the four nearest by cubic
    interpolation, so that a map takes one sum over the layers and one transform.

    Attributes
    ----------
    like : Map
        Grid and origin.
    layers : ndarray, shape (k, terms), complex64
        Terms up to the resolution, w = 0 first.
    step : float
        Of w from layer to layer.
    """

    like: Map
    layers: npt.NDArray[np.complex64]
    step: float
    _band: "_Band"

    def map_values(self, f: float) -> Volume:
        """Values of the map with B = f · w.

        Parameters
        ----------
        f : float
            Å²; up to the largest that the family was made for.

        Returns
        -------
        ndarray, shape (nz, ny, nx)
            float32, as of `band_limited_map`.
        """
        factor = np.exp(np.float32(-0.25 * f * self.step) * self._band.square)
        total = self.layers[-1].copy()
        for layer in self.layers[-2::-1]:
            total *= factor
            total += layer
        terms = np.zeros(self._band.shape, dtype=np.complex64)
        terms.ravel()[self._band.inside] = total
        return inverse_transform(terms, self.like.values.shape)


def b_family(model: Model, like: Map, w: Float_N, *, resolution: float, f_max: float) -> BFamily:
    """Prepare the maps of a model with the B factors f · w.

    Parameters
    ----------
    model : Model
    like : Map
        As of `band_limited_map`.
    w : ndarray, shape (n,)
        Not negative.
    resolution : float
        d in Å.
    f_max : float
        The largest f, Å².

    Returns
    -------
    BFamily

    Raises
    ------
    ParameterError
        If the grid is too coarse for the resolution, or a w is negative.
    """
    w = checked_b(w, model)
    band = _band(like, resolution)
    widest = max(float(w.max(initial=0.0)), 1e-6)
    count = max(4, 1 + ceil(0.25 * f_max * widest / resolution**2 / _EXPONENT))
    step = widest / (count - 1)
    place = w / step
    # of four layers in a row, the two in the middle are those around the atom's w
    first = np.clip(np.floor(place).astype(int) - 1, 0, count - 4)
    x = place - first
    shares = (
        -(x - 1) * (x - 2) * (x - 3) / 6,
        x * (x - 2) * (x - 3) / 2,
        -x * (x - 1) * (x - 3) / 2,
        x * (x - 1) * (x - 2) / 6,
    )
    layers = np.zeros((count, len(band.square)), dtype=np.complex64)
    b = np.zeros(len(model))
    for k in range(count):
        share = np.zeros(len(model))
        for offset, part in enumerate(shares):
            share += np.where(first + offset == k, part, 0.0)
        if share.any():
            layers[k] = _terms(model, like, b, share, band)
    return BFamily(like, layers, step, band)


@dataclass(frozen=True, slots=True)
class _Band:
    """The Fourier terms up to a resolution.

    Attributes
    ----------
    shape : tuple of int
        Of the whole transform.
    inside : ndarray of int, shape (terms,)
        Which of its terms, counted in one row.
    square : ndarray, shape (terms,), float32
        Square of their spatial frequency, 1/Å².
    blur : float
        B factor (Å²) that is added on the grid and taken off again.
    """

    shape: tuple[int, ...]
    inside: npt.NDArray[np.int64]
    square: npt.NDArray[np.float32]
    blur: float


def _band(like: Map, resolution: float) -> _Band:
    spacing = max(like.voxel_size)
    if not resolution >= 2.5 * spacing:
        raise ParameterError(
            f"a map to {resolution:g} Å needs voxels of {resolution / 2.5:g} Å at most, "
            f"not of {spacing:g} Å"
        )
    square = square_frequencies(like)
    inside = np.flatnonzero(square <= np.float32(resolution**-2))
    # terms around 1/voxel fold back onto those below 1/d: this B holds them below 1/500
    blur = 4.0 * np.log(500.0) * spacing**2 / (1.0 - 2.0 * spacing / resolution)
    return _Band(square.shape, inside, square.ravel()[inside], float(blur))


def _terms(model: Model, like: Map, b_iso: Float_N, share: Float_N, band: _Band) -> Spectrum:
    """Fourier terms of the atoms, each times its share."""
    used = np.flatnonzero(model.has_position & (model.occupancy > 0) & (share != 0))
    amplitudes = by_element(model, lambda element: _scattering(element).a)[used]
    b_all = by_element(model, lambda element: _scattering(element).b)[used]
    b_all += (b_iso[used] + band.blur)[:, None]
    weight = (model.occupancy * share)[used, None]
    height = weight * amplitudes * (4.0 * np.pi / b_all) ** 1.5
    sd = np.sqrt(b_all / EIGHT_PI_SQUARE)
    xyz = np.repeat(model.xyz[used], sd.shape[1], axis=0)
    terms = transform(sum_of_gaussians(like, xyz, height.ravel(), sd.ravel()))
    sharpened: Spectrum = terms.ravel()[band.inside] * np.exp(
        np.float32(0.25 * band.blur) * band.square
    )
    return sharpened


def _scattering(element: gemmi.Element) -> Any:
    """Electron scattering factors; for elements beyond the tables, those that gemmi takes too."""
    return element.c4322 or gemmi.Element("X").c4322
