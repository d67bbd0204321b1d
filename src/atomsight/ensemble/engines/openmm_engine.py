"""The built-in engine: shake a model loose without the map, and anneal it back into the map."""

import time
from dataclasses import asdict
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np

from atomsight.density.map import Map
from atomsight.ensemble.engines.density_force import Density, make_density
from atomsight.ensemble.engines.engine import hash_of
from atomsight.ensemble.engines.openmm_system import MAP_GROUP, Simulated, make_system
from atomsight.ensemble.engines.protocol import OpenMMProtocol
from atomsight.ensemble.fit import fit_to_map
from atomsight.ensemble.libraries import require_openmm
from atomsight.ensemble.preparation import Prepared, write_model
from atomsight.ensemble.records import Generated, model_path
from atomsight.typing import Float_Nx3

_FORCE_FIELD, _WITH_MAP = {0}, {0, MAP_GROUP}
_TOLERANCE = 10.0
"""kJ/mol/nm: root mean square force at which a minimisation ends."""

_NM = 10.0


class OpenMMEngine:
    """Makes models with OpenMM, on one thread of the CPU: the same seed gives the same model.

    Parameters
    ----------
    prepared : Prepared
    map_ : Map
    resolution : float
        Å; for the correlation that is recorded.
    protocol : OpenMMProtocol, optional
    """

    name = "openmm"

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
        run = _Run(self._simulated, self._protocol, seed)
        start = self._prepared.xyz
        run.minimise(start, self._protocol.relax_iterations, _FORCE_FIELD)
        loose = run.shake()
        moved = (loose - start)[self._prepared.trace]
        run.anneal()
        run.minimise(None, self._protocol.final_iterations, _WITH_MAP)
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
            energy=run.energy(_FORCE_FIELD),
            map_energy=run.energy({MAP_GROUP}),
            seconds=time.process_time() - started,
        )


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
    return {"engine": OpenMMEngine.name, "parameters": asdict(protocol), "versions": versions}


class _Run:
    """One seed's way through the phases."""

    def __init__(self, simulated: Simulated, protocol: OpenMMProtocol, seed: int) -> None:
        import openmm  # noqa: PLC0415  (optional library)

        self._density = simulated.density
        self._protocol = protocol
        # OpenMM takes 0 for "any", and 32 bits
        self._seed = seed % (2**31 - 1) + 1
        self._integrator = openmm.LangevinMiddleIntegrator(
            protocol.hot_temperature, protocol.friction, protocol.hot_step / 1000.0
        )
        self._integrator.setRandomNumberSeed(self._seed)
        self._context = openmm.Context(
            simulated.system,
            self._integrator,
            openmm.Platform.getPlatformByName("CPU"),
            {"Threads": "1", "DeterministicForces": "true"},
        )

    def minimise(self, xyz: Float_Nx3 | None, iterations: int, groups: set[int]) -> None:
        import openmm  # noqa: PLC0415  (optional library)

        if xyz is not None:
            self._context.setPositions(xyz / _NM)
        self._integrator.setIntegrationForceGroups(groups)
        openmm.LocalEnergyMinimizer.minimize(self._context, _TOLERANCE, iterations)

    def shake(self) -> Float_Nx3:
        """Hot, without map."""
        p = self._protocol
        self._integrator.setIntegrationForceGroups(_FORCE_FIELD)
        self._context.setVelocitiesToTemperature(p.hot_temperature, self._seed)
        self._integrator.step(round(1000.0 * p.hot_time / p.hot_step))
        return self.xyz()

    def anneal(self) -> None:
        """From warm to cold in the map, the first part of the way in the coarse one."""
        p = self._protocol
        self._integrator.setIntegrationForceGroups(_WITH_MAP)
        self._integrator.setStepSize(p.anneal_step / 1000.0)
        steps = round(1000.0 * p.anneal_time / p.anneal_step / p.anneal_stages)
        self._context.setVelocitiesToTemperature(p.anneal_from, self._seed)
        for stage, temperature in enumerate(
            np.linspace(p.anneal_from, p.anneal_to, p.anneal_stages).tolist()
        ):
            done = (stage + 0.5) / p.anneal_stages
            late = max(0.0, (done - p.weaken_from) / (1.0 - p.weaken_from))
            factor = 1.0 + late * (p.final_weight / p.map_weight - 1.0)
            self._density.use("coarse" if done < p.coarse_fraction else "fine", factor)
            self._integrator.setTemperature(temperature)
            self._integrator.step(steps)
        self._density.use("fine", p.final_weight / p.map_weight)

    def xyz(self) -> Float_Nx3:
        """Positions in Å."""
        state = self._context.getState(getPositions=True)
        return np.array(state.getPositions(asNumpy=True)._value) * _NM  # noqa: SLF001

    def energy(self, groups: set[int]) -> float:
        """kJ/mol."""
        state = self._context.getState(getEnergy=True, groups=groups)
        return float(state.getPotentialEnergy()._value)  # noqa: SLF001
