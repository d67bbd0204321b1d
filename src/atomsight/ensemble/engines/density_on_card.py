"""The map as a force that OpenMM computes itself, on a graphics card: nothing goes to Python."""

from typing import Any

from atomsight.ensemble.engines.density_force import Density
from atomsight.typing import Float_N, Int_N, Volume

_NM = 10.0

_CORNER = "rho(i+{0},j+{1},k+{2})"

_ENERGY = """-weight*inside*(low*(1-fz)+high*fz);
low={face0};
high={face1};
fx=u-i; fy=v-j; fz=w-k;
inside=step(u)*step({x}-u)*step(v)*step({y}-v)*step(w)*step({z}-w);
i=min(max(floor(u),0),{x}-1);
j=min(max(floor(v),0),{y}-1);
k=min(max(floor(w),0),{z}-1);
u={u}; v={v}; w={w}"""


def map_force(volume: Volume, density: Density, rows: Int_N, weight: Float_N) -> Any:
    """Energy E = -Σ w ρ(x) by the trilinear interpolation, as `kernels.density_force` has it.

    The eight voxels around an atom are looked up in a `Discrete3DFunction`. A
    `Continuous3DFunction` would be a tricubic spline, another function than on the CPU, and needs
    64 numbers a voxel instead of one. Derivatives of floor, step and of the looked-up values are
    0, so that the force is the slope within the voxel. Outside the grid there is neither.

    Parameters
    ----------
    volume : ndarray, shape (nz, ny, nx)
        `Density.fine` or `Density.coarse`.
    density : Density
        Where it lies.
    rows : ndarray of int, shape (n,)
        Atoms that feel the map.
    weight : ndarray, shape (n,)
        kJ/mol for one unit of density.

    Returns
    -------
    openmm.CustomCompoundBondForce
        In nm and kJ/mol, as all of OpenMM.
    """
    import openmm  # noqa: PLC0415  (optional library)

    nz, ny, nx = volume.shape
    u, v, w = (_linear(density, axis) for axis in range(3))
    energy = _ENERGY.format(
        face0=_face(0), face1=_face(1), u=u, v=v, w=w, x=nx - 1, y=ny - 1, z=nz - 1
    )
    # one atom a "bond": CustomExternalForce knows no tables
    force = openmm.CustomCompoundBondForce(1, energy)
    force.addTabulatedFunction(
        "rho", openmm.Discrete3DFunction(nx, ny, nz, volume.ravel().tolist())
    )
    force.addPerBondParameter("weight")
    for row, value in zip(rows.tolist(), weight.tolist(), strict=True):
        force.addBond([row], [value])
    return force


def _face(k: int) -> str:
    """Between the four voxels of one z."""
    rows = [f"({_CORNER.format(0, j, k)}*(1-fx)+{_CORNER.format(1, j, k)}*fx)" for j in (0, 1)]
    return f"{rows[0]}*(1-fy)+{rows[1]}*fy"


def _linear(density: Density, axis: int) -> str:
    """Voxels along one axis, from a position in nm."""
    return "+".join(
        f"({density.matrix[axis, i] * _NM:.12g})*({name}1-({density.origin[i] / _NM:.12g}))"
        for i, name in enumerate("xyz")
    )
