"""The map that a model would give: electron scattering of its atoms, on the grid of another map."""

import itertools
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any, Literal

import gemmi
import numpy as np

from atomsight.density.map import Map, array_statistics, box_cell, index_matrix, to_index
from atomsight.errors import ParameterError
from atomsight.kernels.gaussians import add_gaussians
from atomsight.model import Model
from atomsight.processes import processors
from atomsight.typing import Bool_N, Float_N, Float_Nx3, FloatArray, Volume

Form = Literal["electron", "gaussian"]

EIGHT_PI_SQUARE = 8.0 * np.pi**2
"""B over the mean square displacement along one direction: B = 8π² <u²>."""


def molmap_sd(resolution: float) -> float:
    """Standard deviation of an atom's Gaussian, d/(π √2), whose transform is 1/e at 1/d.

    Parameters
    ----------
    resolution : float
        d in Å.

    Returns
    -------
    float
        Å.
    """
    return float(resolution / (np.pi * np.sqrt(2.0)))


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

    "gaussian": one Gaussian an atom, sd = d / (π √2), height = atomic number: the ``molmap`` of
    UCSF Chimera, as in Pintilie et al. 2025, but for its common factor (2π)^-3/2 sd^-3. There are
    no B factors unless they are given: then sd² grows by B/(8π²), and the height falls so that the
    integral stays.

    Parameters
    ----------
    model : Model
        Hydrogens count where they are in the file.
    like : Map
        Whole; gives grid and origin.
    b_iso : ndarray, shape (n,), or float, optional
        B factors in Å². Electron form: instead of the model's own; Gaussian form: instead of 0.
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
    if form == "gaussian":
        if resolution is None or not resolution > 0:
            raise ParameterError("the Gaussian form of a model's map needs a resolution")
        b = checked_b(0.0 if b_iso is None else b_iso, model)
        return map_of_model(model, like, _gaussians(model, like, resolution, b))
    b = checked_b(model.b_iso if b_iso is None else b_iso, model)
    return map_of_model(model, like, _electron_density(model, like, b))


def checked_b(b_iso: Float_N | float, model: Model) -> Float_N:
    """One B factor for every atom.

    Parameters
    ----------
    b_iso : ndarray, shape (n,), or float
        Å².
    model : Model

    Returns
    -------
    ndarray, shape (n,)

    Raises
    ------
    ParameterError
        If one is negative or no number.
    """
    b: Float_N = np.broadcast_to(np.asarray(b_iso, dtype=float), len(model))
    if not (np.isfinite(b) & (b >= 0)).all():
        raise ParameterError("B factors must not be negative to make a map of the model")
    return b


def map_of_model(model: Model, like: Map, values: Volume) -> Map:
    """A map of these values, where another map lies.

    Parameters
    ----------
    model : Model
        That it shows.
    like : Map
    values : ndarray, shape (nz, ny, nx)

    Returns
    -------
    Map
    """
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


def _gaussians(model: Model, like: Map, resolution: float, b_iso: Float_N) -> Volume:
    """One Gaussian an atom; a B factor widens it and leaves its integral as it is."""
    used = model.has_position & (model.occupancy > 0)
    narrow = molmap_sd(resolution)
    sd = np.sqrt(narrow**2 + b_iso / EIGHT_PI_SQUARE)
    number = by_element(model, lambda element: element.atomic_number)
    height = number * model.occupancy * (narrow / sd) ** 3
    return sum_of_gaussians(like, model.xyz[used], height[used], sd[used])


def by_element(model: Model, value: Callable[[gemmi.Element], Any]) -> FloatArray:
    """What belongs to each atom's element.

    Parameters
    ----------
    model : Model
    value : callable
        Element → a number, or a row of numbers.

    Returns
    -------
    ndarray, shape (n,) or (n, k)
    """
    names, number = np.unique(model.element, return_inverse=True)
    found = [value(gemmi.Element(name)) for name in names.tolist()]
    values: FloatArray = np.array(found, dtype=float)[number]
    return values


def sum_of_gaussians(like: Map, xyz: Float_Nx3, height: Float_N, sd: Float_N) -> Volume:
    """Σ height · exp(-r²/(2 sd²)) on the grid of a map, each cut at five standard deviations.

    Parameters
    ----------
    like : Map
        Its grid counts, not its values.
    xyz : ndarray, shape (n, 3)
        Centres, Å.
    height, sd : ndarray, shape (n,)
        Height, and standard deviation in Å.

    Returns
    -------
    ndarray, shape (nz, ny, nx)
        float32; the same bits on any number of threads.
    """
    values = np.zeros(like.values.shape, dtype=np.float32)
    index = np.ascontiguousarray(to_index(like, xyz))
    metric = np.ascontiguousarray(like.step.T @ like.step)
    reach = np.linalg.norm(index_matrix(like), axis=1)
    workers = processors()
    edges = np.linspace(0, len(values), workers + 1).astype(int).tolist()

    def fill(slab: tuple[int, int]) -> None:
        add_gaussians(
            index, np.ascontiguousarray(height), np.ascontiguousarray(sd), metric, reach,
            values, *slab,
        )  # fmt: skip

    with ThreadPoolExecutor(max_workers=workers) as pool:
        list(pool.map(fill, itertools.pairwise(edges)))
    return values
