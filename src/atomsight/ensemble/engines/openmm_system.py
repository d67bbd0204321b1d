"""Force field, restraints and map of a prepared model as an OpenMM system."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from atomsight.ensemble.engines.backbone import backbone_force
from atomsight.ensemble.engines.density_force import Density, DensityForce, MapName
from atomsight.ensemble.engines.density_on_card import map_force
from atomsight.ensemble.engines.moving_copies import CopiesForce, add_sites, pairwise_of
from atomsight.ensemble.engines.protocol import OpenMMProtocol
from atomsight.ensemble.preparation import Prepared
from atomsight.errors import ModelFileError

FORCE_FIELD_GROUP, MAP_GROUP, BACKBONE_GROUP, COARSE_GROUP, COPIES_GROUP = range(5)
"""Force groups; the restraints of peptide bonds are in that of the force field. On the CPU both
maps act in the group of the map, one at a time."""


@dataclass(frozen=True, slots=True)
class Simulated:
    """What a run needs.

    Attributes
    ----------
    system : openmm.System
    density : DensityForce or None
        To exchange the map on the CPU; None: each map is a force of its own.
    """

    system: Any
    density: DensityForce | None

    def map_group(self, name: MapName) -> int:
        """Choose the map that acts, and tell the force group that it acts in.

        Parameters
        ----------
        name : {"fine", "coarse"}

        Returns
        -------
        int
        """
        if self.density is None:
            return MAP_GROUP if name == "fine" else COARSE_GROUP
        self.density.use(name)
        return MAP_GROUP


def make_system(prepared: Prepared, density: Density, protocol: OpenMMProtocol) -> Simulated:
    """Build the system of one model.

    Parameters
    ----------
    prepared : Prepared
    density : Density
    protocol : OpenMMProtocol

    Returns
    -------
    Simulated

    Raises
    ------
    ModelFileError
        If the force field has no parameters for a residue as it is.
    """
    import openmm  # noqa: PLC0415  (optional library)
    from openmm import app, unit  # noqa: PLC0415

    field = app.ForceField(*protocol.force_field)
    try:
        system = field.createSystem(
            topology_of(prepared),
            nonbondedMethod=app.CutoffNonPeriodic,
            nonbondedCutoff=protocol.cutoff * unit.nanometer,
            constraints=app.HBonds,
            hydrogenMass=protocol.hydrogen_mass * unit.amu,
            removeCMMotion=False,
        )
    except ValueError as exc:
        raise ModelFileError(f"the force field does not know a residue as it is: {exc}") from None
    for force in system.getForces():
        force.setForceGroup(FORCE_FIELD_GROUP)
        if isinstance(force, openmm.NonbondedForce):
            force.setReactionFieldDielectric(protocol.dielectric)
            _scale_charges(force, protocol.charge_scale)
            pairs = force
    system.addForce(_omega_restraints(prepared, protocol.omega_force))
    if protocol.backbone_weight > 0:
        backbone = backbone_force(prepared, protocol.backbone_weight)
        backbone.setForceGroup(BACKBONE_GROUP)
        system.addForce(backbone)
    if protocol.copies == "moving" and prepared.copies is not None and len(prepared.copies):
        if protocol.platform == "cpu":
            force = openmm.PythonForce(CopiesForce(prepared.copies, pairwise_of(pairs)))
        else:
            force = add_sites(system, pairs, prepared.copies)
        force.setForceGroup(COPIES_GROUP)
        system.addForce(force)
    rows = np.flatnonzero(prepared.heavy)
    atomic_number = [openmm.app.Element.getBySymbol(e).atomic_number for e in prepared.element]
    weight = protocol.map_weight * np.array(atomic_number, dtype=float)[rows] / 6.0
    if protocol.platform != "cpu":
        for volume, group in ((density.fine, MAP_GROUP), (density.coarse, COARSE_GROUP)):
            force = map_force(volume, density, rows, weight)
            force.setForceGroup(group)
            system.addForce(force)
        return Simulated(system, None)
    computer = DensityForce(density, weight)
    force = openmm.PythonForce(computer)
    force.setParticles(rows.tolist())
    force.setForceGroup(MAP_GROUP)
    system.addForce(force)
    return Simulated(system, computer)


def topology_of(prepared: Prepared) -> Any:
    """OpenMM's topology of a prepared model: atoms in its order, one chain a segment.

    Parameters
    ----------
    prepared : Prepared

    Returns
    -------
    openmm.app.Topology
    """
    from openmm.app import Element, Topology  # noqa: PLC0415  (optional library)

    topology = Topology()
    chains: dict[int, Any] = {}
    residues = []
    for name, segment in zip(prepared.name.tolist(), prepared.segment.tolist(), strict=True):
        if segment not in chains:
            chains[segment] = topology.addChain(str(segment))
        residues.append(topology.addResidue(name, chains[segment]))
    columns = (prepared.atom.tolist(), prepared.element.tolist(), prepared.residue.tolist())
    atoms = [
        topology.addAtom(name, Element.getBySymbol(element), residues[row])
        for name, element, row in zip(*columns, strict=True)
    ]
    for one, other in prepared.bonds.tolist():
        topology.addBond(atoms[one], atoms[other])
    return topology


def _scale_charges(force: Any, factor: float) -> None:
    """Charges by a factor, and products of charges of exceptions by its square."""
    for i in range(force.getNumParticles()):
        charge, sigma, epsilon = force.getParticleParameters(i)
        force.setParticleParameters(i, charge * factor, sigma, epsilon)
    for i in range(force.getNumExceptions()):
        one, other, product, sigma, epsilon = force.getExceptionParameters(i)
        force.setExceptionParameters(i, one, other, product * factor**2, sigma, epsilon)


def _omega_restraints(prepared: Prepared, constant: float) -> Any:
    """Keep peptide bonds cis or trans as they are: k (1 - cos(ω - ω0)), ω0 = 0 or 180°."""
    import openmm  # noqa: PLC0415  (optional library)

    # the same as one torsion of period 1: k (1 + cos(ω - phase)), phase = ω0 + 180°
    force = openmm.PeriodicTorsionForce()
    for atoms in omega_atoms(prepared):
        cis = abs(_dihedral(prepared.xyz[atoms])) < np.pi / 2.0
        force.addTorsion(*atoms, 1, np.pi if cis else 0.0, constant)
    return force


def omega_atoms(prepared: Prepared) -> list[list[int]]:
    """Rows of CA, C, N, CA around each peptide bond.

    Parameters
    ----------
    prepared : Prepared

    Returns
    -------
    list of list of int
    """
    place = {
        (row, name): i
        for i, (row, name) in enumerate(
            zip(prepared.residue.tolist(), prepared.atom.tolist(), strict=True)
        )
        if name in ("N", "CA", "C")
    }
    found = []
    for one, other in prepared.bonds.tolist():
        first, second = int(prepared.residue[one]), int(prepared.residue[other])
        if second == first + 1 and prepared.atom[one] == "C" and prepared.atom[other] == "N":
            found.append([place[first, "CA"], one, other, place[second, "CA"]])
    return found


def _dihedral(xyz: np.ndarray) -> float:
    one, two, three = np.diff(xyz, axis=0)
    across = np.cross(two, three)
    y = np.linalg.norm(two) * (one @ across)
    return float(np.arctan2(y, np.cross(one, two) @ across))
