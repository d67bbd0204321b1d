"""The map that a model would give: electron scattering of its atoms, on the grid of another map."""

from dataclasses import replace
from typing import Literal

import gemmi
import numpy as np

from atomsight.density.map import Map, array_statistics, box_cell, index_matrix, to_index
from atomsight.errors import ParameterError
from atomsight.model import Model
from atomsight.typing import Bool_N, Float_N, Volume

Form = Literal["electron", "gaussian"]


def simulate_map(
    model: Model,
    like: Map,
    *,
    b_iso: Float_N | float | None = None,
    form: Form = "electron",
    resolution: float | None = None,
) -> Map:
    """Density of a model on the grid of a map.

    "electron": the five-Gaussian electron scattering factors of the International Tables C,
    4.3.2.2, each broadened by the atom's B factor and weighted by its occupancy, by gemmi. The
    density is not low-passed and never moved: it shows the model where the model is.

    "gaussian": one Gaussian an atom, sd = d / (π √2), height = atomic number (the ``molmap`` of
    UCSF Chimera, as in Pintilie et al. 2025).

    Parameters
    ----------
    model : Model
        Hydrogens count where they are in the file.
    like : Map
        Whole; gives grid and origin.
    b_iso : ndarray, shape (n,), or float, optional
        B factors in Å² instead of the model's own; electron form only.
    form : {"electron", "gaussian"}
    resolution : float, optional
        d in Å; for the Gaussian form.

    Returns
    -------
    Map
        Values in e/Å³-like units of the scattering factors, float32.

    Raises
    ------
    ParameterError
        If the Gaussian form has no resolution, or a B factor is negative.
    """
    b = model.b_iso if b_iso is None else np.broadcast_to(np.asarray(b_iso, float), len(model))
    if form == "gaussian":
        if resolution is None or not resolution > 0:
            raise ParameterError("the Gaussian form of a model's map needs a resolution")
        values = _gaussians(model, like, resolution)
    else:
        if not (np.isfinite(b) & (b >= 0)).all():
            raise ParameterError("B factors must not be negative to make a map of the model")
        values = _electron_density(model, like, b)
    return replace(
        like,
        values=values,
        statistics=array_statistics(values),
        path=None,
        notes=(f"map of {model.path.name}",),
    )


def _electron_density(model: Model, like: Map, b_iso: Float_N) -> Volume:
    """Density by gemmi, on a grid with a margin so that nothing wraps round."""
    shape = np.array(like.values.shape[::-1])
    calculator = gemmi.DensityCalculatorE()
    used = model.has_position & (model.occupancy > 0)
    reach = _reach(calculator, model, b_iso, used)
    pad = np.ceil(reach * np.linalg.norm(index_matrix(like), axis=1)).astype(int) + 1
    size = shape + 2 * pad
    calculator.grid.set_size(*size.tolist())
    calculator.grid.spacegroup = gemmi.SpaceGroup("P1")
    calculator.grid.set_unit_cell(gemmi.UnitCell(*box_cell(like.step, size)))
    corner = like.origin - like.step @ pad.astype(float)
    # gemmi's cell has its own axes: positions go there through voxel indices
    orthogonal = np.array(calculator.grid.unit_cell.orth.mat.tolist()) / size
    index = (model.xyz - corner) @ index_matrix(like).T
    used &= ((index > 0) & (index < size - 1)).all(axis=1)
    calculator.grid.fill(0)
    part = gemmi.Model(1)
    chain, residue = gemmi.Chain("A"), gemmi.Residue()
    for row in np.flatnonzero(used).tolist():
        atom = gemmi.Atom()
        atom.element = gemmi.Element(str(model.element[row]))
        atom.pos = gemmi.Position(*(orthogonal @ index[row]))
        atom.occ = float(model.occupancy[row])
        atom.b_iso = float(b_iso[row])
        residue.add_atom(atom)
    chain.add_residue(residue)
    part.add_chain(chain)
    calculator.put_model_density_on_grid(part)
    x, y, z = (slice(p, p + n) for p, n in zip(pad.tolist(), shape.tolist(), strict=True))
    density = np.array(calculator.grid, copy=False)[x, y, z]
    return np.ascontiguousarray(density.transpose(2, 1, 0), dtype=np.float32)


def _reach(
    calculator: gemmi.DensityCalculatorE, model: Model, b_iso: Float_N, used: Bool_N
) -> float:
    """Å from an atom to where gemmi cuts its density off, for the widest atom."""
    atom = gemmi.Atom()
    atom.b_iso = float(b_iso[used].max(initial=0.0))
    reach = 0.0
    for element in np.unique(model.element[used]).tolist():
        atom.element = gemmi.Element(element)
        reach = max(reach, calculator.estimate_radius(atom))
    return reach


def _gaussians(model: Model, like: Map, resolution: float) -> Volume:
    """One Gaussian an atom, cut at five standard deviations."""
    sd = resolution / (np.pi * np.sqrt(2.0))
    values = np.zeros(like.values.shape, dtype=np.float32)
    reach = np.ceil(5.0 * sd * np.linalg.norm(index_matrix(like), axis=1)).astype(int)
    index = to_index(like, model.xyz)
    steps = like.step
    for row in np.flatnonzero(model.has_position & (model.occupancy > 0)).tolist():
        centre = index[row]
        low = np.maximum(np.floor(centre).astype(int) - reach, 0)
        high = np.minimum(np.floor(centre).astype(int) + reach + 2, values.shape[::-1])
        if (low >= high).any():
            continue
        axes = [np.arange(a, b) - c for a, b, c in zip(low, high, centre, strict=True)]
        x, y, z = np.meshgrid(*axes, indexing="ij")
        way = np.stack([x, y, z], axis=-1) @ steps.T
        weight = gemmi.Element(str(model.element[row])).atomic_number * model.occupancy[row]
        blob = weight * np.exp(-0.5 * np.square(way).sum(axis=-1) / sd**2)
        values[low[2] : high[2], low[1] : high[1], low[0] : high[0]] += blob.transpose(2, 1, 0)
    return values
