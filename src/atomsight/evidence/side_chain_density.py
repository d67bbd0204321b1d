"""Does a side chain have density of its own, where it is or where it could turn to?

A side chain that fits badly is either misplaced, and then its density stands somewhere else, or it
has none. What the model explains already is taken away from the map before looking elsewhere.
"""

from dataclasses import dataclass

import numpy as np
from scipy import ndimage
from scipy.spatial.transform import Rotation

from atomsight.density.map import Map
from atomsight.density.sampling import trilinear_held
from atomsight.evidence.local_resolution import check_same_grid
from atomsight.model import AtomClass, Model
from atomsight.typing import Float_N, Float_Nx3, Int_N, Volume

BACKGROUND = 3.0
"""Å; width of the Gaussian average that counts as the background of a place."""

ANGLES = tuple(range(45, 316, 15))
"""Degrees about CA-CB; nearer than 45° a side chain overlaps with itself."""

LEAST_ATOMS = 2
"""Beyond CB; shorter side chains are not looked at."""

_FIXED = ("N", "CA", "C", "O", "OXT", "CB")


@dataclass(frozen=True, slots=True)
class SideChainDensity:
    """Density of side chains over what a right one would have.

    Attributes
    ----------
    here : ndarray, shape (m,)
        At the atoms beyond CB of each residue, above the background: about 1 where the side chain
        is right, about 0 where there is nothing. NaN where fewer than two atoms are beyond CB.
    elsewhere : ndarray, shape (m,)
        The most that it would find turned about CA-CB, in what the model does not explain.
    """

    here: Float_N
    elsewhere: Float_N

    @property
    def most(self) -> Float_N:
        """The larger of the two, shape (m,)."""
        return np.asarray(np.fmax(self.here, self.elsewhere))


def side_chain_density(full: Map, signal: Map, model: Model) -> SideChainDensity:
    """Look for the density of each side chain.

    With ρ the map and ρ_e the map that is expected of the model, both above their Gaussian average
    over 3 Å, and x the atoms beyond CB::

        here      = Σ ρ(x) / Σ ρ_e(x)
        elsewhere = max over angles of Σ (ρ - ρ_e)(x turned about CA-CB) / Σ ρ_e(x)

    Parameters
    ----------
    full : Map
    signal : Map
        `atomsight.AttainableQ.signal`, on the same grid and scale.
    model : Model

    Returns
    -------
    SideChainDensity

    Raises
    ------
    MapFileError
        If the maps lie on different grids.
    """
    check_same_grid(full, signal)
    m = len(model.residues)
    ca, cb = _places(model, "CA"), _places(model, "CB")
    axis = cb - ca
    axis = axis / np.linalg.norm(axis, axis=1)[:, None]
    protein = model.atom_class == AtomClass.PROTEIN
    beyond = protein & model.heavy & ~np.isin(model.atom, _FIXED)
    rows = np.flatnonzero(beyond & np.isfinite(axis).all(axis=1)[model.residue])
    residue = model.residue[rows]
    observed, expected = _above_background(full), _above_background(signal)
    xyz = model.xyz[rows]
    due = _sums(trilinear_held(expected, full, xyz), residue, m)
    # a single atom finds some density anywhere
    due[(due <= 0) | (np.bincount(residue, minlength=m) < LEAST_ATOMS)] = np.nan
    here = _sums(trilinear_held(observed, full, xyz), residue, m) / due
    rest = observed - expected
    elsewhere = np.full(m, -np.inf)
    start = cb[residue]
    for angle in ANGLES:
        turn = Rotation.from_rotvec(np.radians(angle) * axis[residue])
        turned = turn.apply(xyz - start) + start if len(rows) else xyz
        elsewhere = np.fmax(elsewhere, _sums(trilinear_held(rest, full, turned), residue, m) / due)
    return SideChainDensity(here, np.where(np.isfinite(here), elsewhere, np.nan))


def _places(model: Model, name: str) -> Float_Nx3:
    """Place of the first atom of that name in each residue; NaN where there is none."""
    places = np.full((len(model.residues), 3), np.nan)
    rows = np.flatnonzero((model.atom == name) & model.has_position)[::-1]
    places[model.residue[rows]] = model.xyz[rows]
    return places


def _above_background(map_: Map) -> Volume:
    width = BACKGROUND / np.array(map_.voxel_size[::-1])
    values = np.nan_to_num(np.asarray(map_.values, dtype=np.float32))
    return np.asarray(values - ndimage.gaussian_filter(values, width))


def _sums(values: Float_N, residue: Int_N, m: int) -> Float_N:
    return np.asarray(np.bincount(residue, weights=values, minlength=m), dtype=float)
