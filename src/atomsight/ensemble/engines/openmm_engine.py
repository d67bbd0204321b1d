"""The built-in engine: shake a model loose without the map, and anneal it back into the map."""

import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from atomsight.density.map import Map
from atomsight.ensemble.engines.density_force import Density, MapName, make_density
from atomsight.ensemble.engines.engine import hash_of
from atomsight.ensemble.engines.openmm_system import (
    BACKBONE_GROUP,
    COPIES_GROUP,
    FORCE_FIELD_GROUP,
    MAP_GROUP,
    Simulated,
    make_system,
)
from atomsight.ensemble.engines.platforms import context_of
from atomsight.ensemble.engines.protocol import OPENMM, OpenMMProtocol, protocol_of
from atomsight.ensemble.fit import fit_to_map
from atomsight.ensemble.libraries import require_openmm
from atomsight.ensemble.preparation import Prepared, write_model
from atomsight.ensemble.records import Generated, model_path
from atomsight.errors import ModelFileError
from atomsight.typing import Float_Nx3

_PHYSICS = (FORCE_FIELD_GROUP, COPIES_GROUP)

_TOLERANCE = 10.0
"""kJ/mol/nm: root mean square force at which a minimisation ends."""

_NM = 10.0

_MOST_RESTARTS = 2


class OpenMMEngine:
    """Makes models with OpenMM, on one thread of the CPU or on a graphics card.

    On the CPU, the same seed gives the same model, byte for byte.

    Parameters
    ----------
    prepared : Prepared
    map_ : Map
    resolution : float
        Å; for the correlation that is recorded.
    protocol : OpenMMProtocol, optional
    """

    name = OPENMM

    def __init__(
        self,
        prepared: Prepared,
        map_: Map,
        resolution: float,
        protocol: OpenMMProtocol | None = None,
    ) -> None:
        require_openmm()
        self._prepared = prepared
        self._protocol = protocol or OpenMMProtocol()
        self._resolution = resolution
        self._density: Density = make_density(
            map_,
            prepared,
            blur=self._protocol.blur,
            lowest=self._protocol.map_lowest,
            highest=self._protocol.map_highest,
        )
        self._cc_start = fit_to_map(prepared, prepared.xyz, self._density.map, resolution)
        self._simulated: Simulated = make_system(prepared, self._density, self._protocol)

    def protocol(self) -> dict[str, Any]:
        """Everything that changes a model: parameters and versions.

        Returns
        -------
        dict
            Ready for JSON.
        """
        return protocol_of(self._protocol)

    def generate(self, seed: int, folder: Path) -> Generated:
        """Make the model of one seed; its record is not written yet.

        Parameters
        ----------
        seed : int
        folder : Path

        Returns
        -------
        Generated
        """
        started = time.process_time()
        run, moved, restarts = self._through(seed)
        xyz = run.xyz()
        path = write_model(self._prepared, xyz, model_path(folder, seed))
        return Generated(
            path=path,
            seed=seed,
            engine=self.name,
            protocol=hash_of(self.protocol()),
            cc_start=self._cc_start,
            cc_end=fit_to_map(self._prepared, xyz, self._density.map, self._resolution),
            perturbation=float(np.sqrt(np.square(moved).sum(axis=1).mean())),
            energy=run.energy(FORCE_FIELD_GROUP),
            map_energy=run.energy(MAP_GROUP),
            seconds=time.process_time() - started,
            restarts=restarts,
        )

    def _through(self, seed: int) -> tuple["Run", Float_Nx3, int]:
        """All phases of a seed; where the simulation breaks down, again in half the steps.

        At 1000 K, one seed in some ten meets a clash that steps of 4 fs jump into.
        """
        import openmm  # noqa: PLC0415  (optional library)

        start = self._prepared.xyz
        for restarts in range(_MOST_RESTARTS + 1):
            run = Run(self._simulated, self._protocol, seed, shorten=2**restarts)
            try:
                run.shake(start)
                moved = (run.xyz() - start)[self._prepared.trace]
                run.anneal()
                run.minimise(run.xyz(), self._protocol.final_iterations)
            except openmm.OpenMMException as exc:
                if "NaN" not in str(exc):
                    raise
                continue
            if np.isfinite(run.xyz()).all():
                return run, moved, restarts
        raise ModelFileError(
            f"seed {seed}: the simulation breaks down even with short steps; look for clashes and "
            f"wrong bonds in the prepared model, prepared.cif"
        )


class Run:
    """The phases that one seed goes through.

    Parameters
    ----------
    simulated : Simulated
    protocol : OpenMMProtocol
    seed : int
    shorten : int
        Steps are this many times shorter than the protocol's, and as many more.
    """

    def __init__(
        self, simulated: Simulated, protocol: OpenMMProtocol, seed: int, shorten: int = 1
    ) -> None:
        import openmm  # noqa: PLC0415  (optional library)

        self._simulated = simulated
        self._protocol = replace(
            protocol,
            hot_step=protocol.hot_step / shorten,
            anneal_step=protocol.anneal_step / shorten,
        )
        # OpenMM takes 0 for "any", and 32 bits
        self._seed = seed % (2**31 - 1) + 1
        self._integrator = openmm.LangevinMiddleIntegrator(
            protocol.hot_temperature, protocol.friction, self._protocol.hot_step / 1000.0
        )
        self._integrator.setRandomNumberSeed(self._seed)
        self._context = context_of(simulated.system, self._integrator, protocol.platform)

    def _feel(self, name: MapName) -> None:
        groups = {*_PHYSICS, BACKBONE_GROUP, self._simulated.map_group(name)}
        self._integrator.setIntegrationForceGroups(groups)

    def _place(self, xyz: Float_Nx3) -> None:
        """Put the atoms, and after them the sites that follow them."""
        self._atoms = len(xyz)
        sites = self._simulated.system.getNumParticles() - self._atoms
        self._context.setPositions(np.concatenate([xyz / _NM, np.zeros((sites, 3))]))
        if sites:
            self._context.computeVirtualSites()

    def shake(self, xyz: Float_Nx3) -> None:
        """Relax, and move at high temperature: no map, only the force field.

        Parameters
        ----------
        xyz : ndarray, shape (n, 3)
            Å.
        """
        import openmm  # noqa: PLC0415  (optional library)

        p = self._protocol
        self._integrator.setIntegrationForceGroups(set(_PHYSICS))
        self._place(xyz)
        openmm.LocalEnergyMinimizer.minimize(self._context, _TOLERANCE, p.relax_iterations)
        self._context.setVelocitiesToTemperature(p.hot_temperature, self._seed)
        self._integrator.step(round(1000.0 * p.hot_time / p.hot_step))

    def anneal(self) -> None:
        """From warm to cold in the map, the first part of the way in the coarse one."""
        p = self._protocol
        self._integrator.setStepSize(p.anneal_step / 1000.0)
        steps = round(1000.0 * p.anneal_time / p.anneal_step / p.anneal_stages)
        self._context.setVelocitiesToTemperature(p.anneal_from, self._seed)
        for stage, temperature in enumerate(
            np.linspace(p.anneal_from, p.anneal_to, p.anneal_stages).tolist()
        ):
            early = stage < p.coarse_fraction * p.anneal_stages
            self._feel("coarse" if early else "fine")
            self._integrator.setTemperature(temperature)
            self._integrator.step(steps)

    def minimise(self, xyz: Float_Nx3, iterations: int) -> None:
        """Minimise in the map.

        Parameters
        ----------
        xyz : ndarray, shape (n, 3)
            Å.
        iterations : int
        """
        import openmm  # noqa: PLC0415  (optional library)

        self._feel("fine")
        self._place(xyz)
        openmm.LocalEnergyMinimizer.minimize(self._context, _TOLERANCE, iterations)

    def xyz(self) -> Float_Nx3:
        """Where the atoms are.

        Returns
        -------
        ndarray, shape (n, 3)
            Å.
        """
        state = self._context.getState(getPositions=True)
        everything = np.array(state.getPositions(asNumpy=True)._value) * _NM  # noqa: SLF001
        return everything[: self._atoms]

    def energy(self, group: int) -> float:
        """Potential energy of one group of forces.

        Parameters
        ----------
        group : int

        Returns
        -------
        float
            kJ/mol.
        """
        state = self._context.getState(getEnergy=True, groups={group})
        return float(state.getPotentialEnergy()._value)  # noqa: SLF001
