"""Does the map pull a group of atoms to one side, and would it find more density nearby?

Where a group stands beside its density, the map that is left when the model's is taken away is
high on one side of it and low on the other. A right one has noise on both.
"""

from dataclasses import dataclass
from itertools import product

import numpy as np

from atomsight.density.map import Map
from atomsight.density.sampling import trilinear_held
from atomsight.evidence.attainable_q import AttainableQ
from atomsight.evidence.local_resolution import check_same_grid
from atomsight.model import Model
from atomsight.typing import Bool_N, Float_N, FloatArray, Int_N, Volume

REACH = 1.5
"""Å; how far from its place each atom looks to both sides."""

STEP = 1.0
"""Å; how far a group moves to find more density."""

_ALL = np.array([d for d in product((-1, 0, 1), repeat=3) if any(d)], dtype=float)
DIRECTIONS = _ALL / np.linalg.norm(_ALL, axis=1)[:, None]
"""To the faces, edges and corners of a cube; the opposite of each is as far from the other end."""


@dataclass(frozen=True, slots=True)
class Displacement:
    """The map around each atom, in 26 directions; NaN where an atom is not looked at.

    Attributes
    ----------
    pull : ndarray, shape (26, n)
        Half of the difference between the two sides, in what the model does not explain.
    climb : ndarray, shape (26, n)
        Density that the atom would gain by a step.
    noise : ndarray, shape (26, n)
        The data's noise there.
    expected : ndarray, shape (n,)
        Density that a right model would have at the atom.
    """

    pull: FloatArray
    climb: FloatArray
    noise: FloatArray
    expected: Float_N

    def of(self, residue: Int_N, m: int, chosen: Bool_N, spread: float) -> tuple[Float_N, Float_N]:
        """How far groups are pulled, and what they would gain by a step, in standard deviations.

        Parameters
        ----------
        residue : ndarray of int, shape (n,)
            Group of each atom.
        m : int
            Groups.
        chosen : ndarray of bool, shape (n,)
            Atoms that count.
        spread : float
            Standard deviation of the pull in right groups, besides the noise, over their density.

        Returns
        -------
        pull, climb : ndarray, shape (m,)
            The most over all directions; NaN where no atom is chosen.
        """
        known = chosen & np.isfinite(self.expected)
        group = residue[known]

        def sums(values: Float_N) -> Float_N:
            found = np.bincount(group, weights=values[known], minlength=m)
            return np.asarray(found, dtype=float)

        noise = np.mean([sums(values) ** 2 for values in self.noise], axis=0)
        # two places at some distance have independent noise, and this is half their difference
        own = np.sqrt(0.5 * noise + (spread * sums(self.expected)) ** 2)
        pull = np.max([sums(values) for values in self.pull], axis=0)
        climb = np.max([sums(values) for values in self.climb], axis=0)
        with np.errstate(divide="ignore", invalid="ignore"):
            return pull / own, climb / np.sqrt(noise)


def displacement(full: Map, attainable: AttainableQ, model: Model) -> Displacement:
    """Look to both sides of each atom.

    With ρ the map, ρ_e the map that the model would give in these data, and δ a step of 1.5 Å in
    one of 26 directions::

        pull  = (Δ(x + δ) - Δ(x - δ)) / 2    Δ = ρ - ρ_e
        climb = ρ(x + 2/3 δ) - ρ(x)

    Differences of two sides cancel what a wrong B factor or a wrong scale leaves of an atom, and
    differences from what is expected cancel the neighbours.

    Parameters
    ----------
    full : Map
    attainable : AttainableQ
        Of the same map and model.
    model : Model

    Returns
    -------
    Displacement

    Raises
    ------
    MapFileError
        If the maps lie on different grids.
    """
    signal, noise = attainable.signal, attainable.noise_map
    for other in (signal, noise):
        check_same_grid(full, other)
    rows = np.flatnonzero(model.heavy)
    xyz = model.xyz[rows]

    def around(values: Volume, reach: float) -> FloatArray:
        found = np.full((len(DIRECTIONS), len(model)), np.nan)
        places = (xyz + reach * DIRECTIONS[:, None]).reshape(-1, 3)
        found[:, rows] = trilinear_held(values, full, places).reshape(len(DIRECTIONS), -1)
        return found

    values = np.nan_to_num(np.asarray(full.values, dtype=np.float32))
    here, expected = np.full((2, len(model)), np.nan)
    here[rows], expected[rows] = (
        trilinear_held(values, full, xyz),
        trilinear_held(signal.values, full, xyz),
    )
    rest = around(values - signal.values, REACH)
    # the last direction is the opposite of the first, and so on
    return Displacement(
        0.5 * (rest - rest[::-1]),
        around(values, STEP) - here,
        around(noise.values, REACH),
        expected,
    )
