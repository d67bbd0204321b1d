"""Parameters of the built-in engine: whatever changes a model stands here."""

from dataclasses import asdict, dataclass
from importlib.metadata import version
from typing import Any, Literal

from atomsight.ensemble.copies import COPY_REACH

OPENMM = "openmm"

METHOD = 2
"""Goes up with every change of the code that gives other models from the same parameters."""

Platform = Literal["cpu", "cuda", "opencl"]

CopyRule = Literal["moving", "masked"]

COPIES_METHOD = 1
"""As `METHOD`, of copies that move."""

PRECISION = "single"
"""Of forces and positions on a graphics card."""

CARD_METHOD = 1
"""As `METHOD`, of what is other code on a graphics card than on the CPU."""


@dataclass(frozen=True, slots=True)
class OpenMMProtocol:
    """One protocol; models of different protocols must not be compared.

    Attributes
    ----------
    force_field : tuple of str
        Files of OpenMM.
    charge_scale : float
        Factor of all charges: there is no solvent to screen them.
    cutoff : float
        nm.
    dielectric : float
        Of the reaction field.
    hydrogen_mass : float
        amu; the difference is taken from the atom it is bound to.
    backbone_weight : float
        kJ/mol: of `atomsight.ensemble.engines.backbone.backbone_energy`; from the annealing on.
    omega_force : float
        kJ/mol; see `make_system`.
    map_weight : float
        kJ/mol of a carbon atom at the backbone's density.
    map_lowest, map_highest : float
        Where the map is cut, in units of the backbone's density.
    blur : float
        Å: standard deviation of the Gaussian that makes the coarse map.
    relax_iterations : int
        Minimisation before everything, without map.
    hot_temperature : float
        K, without map.
    hot_time : float
        ps.
    hot_step : float
        fs.
    friction : float
        1/ps.
    anneal_from, anneal_to : float
        K.
    anneal_time : float
        ps.
    anneal_step : float
        fs.
    anneal_stages : int
    coarse_fraction : float
        Of the stages: on the coarse map.
    final_iterations : int
        Minimisation at the end, with map.
    platform : {"cpu", "cuda", "opencl"}
        What computes; from the same seed each makes another model.
    copies : {"moving", "masked"} or None
        Copies by symmetry: they move with the model and touch it, or only their density is not
        the model's. None: moving, or as a folder's models have it.
    """

    force_field: tuple[str, ...] = (
        "amber19/protein.ff19SB.xml",
        "amber19/DNA.OL21.xml",
        "amber14/RNA.OL3.xml",
    )
    charge_scale: float = 0.5
    cutoff: float = 0.75
    dielectric: float = 78.5
    hydrogen_mass: float = 3.0
    backbone_weight: float = 6.0
    omega_force: float = 60.0
    map_weight: float = 40.0
    map_lowest: float = -0.2
    map_highest: float = 2.0
    blur: float = 1.5
    relax_iterations: int = 60
    hot_temperature: float = 1000.0
    hot_time: float = 3.3
    hot_step: float = 4.0
    friction: float = 5.0
    anneal_from: float = 500.0
    anneal_to: float = 50.0
    anneal_time: float = 10.0
    anneal_step: float = 4.0
    anneal_stages: int = 40
    coarse_fraction: float = 0.4
    final_iterations: int = 300
    platform: Platform = "cpu"
    copies: CopyRule | None = None


def protocol_of(protocol: OpenMMProtocol) -> dict[str, Any]:
    """Parameters and versions of the built-in engine.

    Parameters
    ----------
    protocol : OpenMMProtocol

    Returns
    -------
    dict
        Ready for JSON.
    """
    versions = {name: version(name) for name in ("openmm", "pdbfixer")}
    parameters = asdict(protocol)
    platform, copies = parameters.pop("platform"), parameters.pop("copies")
    known = {
        "engine": OPENMM,
        "method": METHOD,
        "parameters": parameters,
        "versions": versions,
    }
    # ensembles without these are older than the choice, and go on under their hash
    if platform != "cpu":
        known["platform"] = {"name": platform, "precision": PRECISION, "method": CARD_METHOD}
    if copies == "moving":
        known["copies"] = {"method": COPIES_METHOD, "reach": COPY_REACH}
    return known
