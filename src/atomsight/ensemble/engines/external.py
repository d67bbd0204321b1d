"""Programs that the user has: a command is run for each seed, and its model is taken."""

import math
import shlex
import shutil
import string
import subprocess
import tempfile
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from atomsight.density.map import Map
from atomsight.ensemble.engines.density_force import own_density
from atomsight.ensemble.engines.engine import hash_of
from atomsight.ensemble.fit import fit_of_model
from atomsight.ensemble.preparation import Prepared, write_model
from atomsight.ensemble.records import Generated, model_path
from atomsight.errors import ExternalProgramError, InputError, ParameterError
from atomsight.io.files import whole_file
from atomsight.io.models import read_model

PLACES = ("model", "map", "seed", "resolution", "output")
"""What a command template may name in braces."""

_NEEDED = ("model", "output")
_LINES_SHOWN = 10


@dataclass(frozen=True, slots=True)
class ExternalProtocol:
    """A command template.

    Attributes
    ----------
    command : str
        Words as in a shell, with {model}, {map}, {seed}, {resolution}, {output}; no shell runs it.
    result : str
        Pattern of the file that the program writes, where it does not take {output}.
    timeout : float
        Seconds; 0: none.
    """

    command: str
    result: str = ""
    timeout: float = 0.0


class ExternalEngine:
    """Runs a program of the user's for each seed.

    The program runs in an empty folder of its own, and gets the prepared model as mmCIF.

    Parameters
    ----------
    prepared : Prepared
    map_ : Map
        Whole, or the box around the model; the program gets the file that it was read from.
    resolution : float
        Å.
    protocol : ExternalProtocol

    Raises
    ------
    ParameterError
        If the template names what there is not, or not what is needed, or the map has no file.
    ExternalProgramError
        If there is no such program.
    """

    name = "external"

    def __init__(
        self, prepared: Prepared, map_: Map, resolution: float, protocol: ExternalProtocol
    ) -> None:
        if map_.path is None:
            raise ParameterError("a program needs a map file, and this map has none")
        self._prepared = prepared
        self._map_path = map_.path.resolve()
        self._own_density = own_density(map_, prepared)
        self._resolution = resolution
        self._protocol = protocol
        self._words = words_of(protocol)

    def protocol(self) -> dict[str, Any]:
        """Everything that is known to change a model: the command.

        Returns
        -------
        dict
            Ready for JSON.
        """
        return external_protocol_of(self._protocol)

    def generate(self, seed: int, folder: Path) -> Generated:
        """Run the program for one seed.

        Parameters
        ----------
        seed : int
        folder : Path

        Returns
        -------
        Generated
            Energies and perturbation are not known; correlations are computed here, over the atoms
            that the model has in common with the prepared one.

        Raises
        ------
        ExternalProgramError
            If the program fails or leaves no readable model: with its last lines.
        """
        started = time.monotonic()
        path = model_path(folder.resolve(), seed)
        with tempfile.TemporaryDirectory(prefix=f".seed_{seed:04d}.", dir=folder) as place:
            here = Path(place).resolve()
            model = write_model(self._prepared, self._prepared.xyz, here / "start.cif")
            output = here / "model.cif"
            values = {
                "model": str(model),
                "map": str(self._map_path),
                "seed": str(seed),
                "resolution": f"{self._resolution:g}",
                "output": str(output),
            }
            command = [word.format_map(values) for word in self._words]
            said = self._run(command, here)
            found = self._result(here, output, command, said)
            try:
                written = read_model(found)
            except InputError as exc:
                raise ExternalProgramError(
                    f"{command[0]}, seed {seed}: what it wrote cannot be used: {exc}"
                    f"{_last_lines(said)}"
                ) from None
            with whole_file(path) as temporary:
                shutil.copyfile(found, temporary)
        fit = fit_of_model(self._prepared, written, self._own_density, self._resolution)
        nan = math.nan
        return Generated(
            path=path,
            seed=seed,
            engine=self.name,
            protocol=hash_of(self.protocol()),
            cc_start=fit.start,
            cc_end=fit.end,
            perturbation=nan,
            energy=nan,
            map_energy=nan,
            seconds=time.monotonic() - started,
            missing_atoms=fit.missing,
            other_atoms=fit.other,
        )

    def _run(self, command: list[str], here: Path) -> str:
        """Everything the program said."""
        log = here / "program.log"
        limit = self._protocol.timeout or None
        try:
            with log.open("wb") as handle:
                done = subprocess.run(  # noqa: S603  (the user's own command)
                    command,
                    cwd=here,
                    stdin=subprocess.DEVNULL,
                    stdout=handle,
                    stderr=subprocess.STDOUT,
                    timeout=limit,
                    check=False,
                )
        except OSError as exc:
            raise ExternalProgramError(
                f"{command[0]}: cannot be run ({exc.strerror or exc})"
            ) from None
        except subprocess.TimeoutExpired:
            raise ExternalProgramError(
                f"{command[0]}: not done after {limit:g} s{_last_lines(_text(log))}"
            ) from None
        said = _text(log)
        if done.returncode != 0:
            ended = (
                f"was ended by signal {-done.returncode}"
                if done.returncode < 0
                else f"failed with exit code {done.returncode}"
            )
            raise ExternalProgramError(f"{shlex.join(command)}: {ended}{_last_lines(said)}")
        return said

    def _result(self, here: Path, output: Path, command: list[str], said: str) -> Path:
        given = {"start.cif", "program.log"}
        pattern = self._protocol.result
        found = (
            sorted(path for path in here.glob(pattern) if path.name not in given)
            if pattern
            else [output]
        )
        if len(found) == 1 and found[0].is_file() and found[0].stat().st_size > 0:
            return found[0]
        wanted = f"{pattern} (it wrote {len(found)} such files)" if pattern else "{output}"
        raise ExternalProgramError(
            f"{shlex.join(command)}: ended well, but left no model as {wanted}{_last_lines(said)}"
        )


def words_of(protocol: ExternalProtocol) -> list[str]:
    """Words of a command template, checked before anything runs.

    Parameters
    ----------
    protocol : ExternalProtocol

    Returns
    -------
    list of str

    Raises
    ------
    ParameterError
        If the template names what there is not, or not what is needed.
    ExternalProgramError
        If there is no such program.
    """
    try:
        words = shlex.split(protocol.command)
        names = {name for word in words for _, name, _, _ in string.Formatter().parse(word)}
    except ValueError as exc:
        raise ParameterError(f"command {protocol.command!r} cannot be understood ({exc})") from None
    names.discard(None)
    shown = ", ".join(f"{{{name}}}" for name in PLACES)
    if not words or not names <= set(PLACES):
        unknown = ", ".join(f"{{{name}}}" for name in sorted(map(str, names - set(PLACES))))
        what = f"knows no {unknown}" if unknown else "is empty"
        raise ParameterError(f"command {protocol.command!r} {what}; there are {shown}")
    needed = _NEEDED[: 1 if protocol.result else 2]
    absent = [f"{{{name}}}" for name in needed if name not in names]
    if absent:
        raise ParameterError(f"command {protocol.command!r} has no {' and no '.join(absent)}")
    if "{" not in words[0] and shutil.which(words[0]) is None:
        raise ExternalProgramError(f"{words[0]}: no such program here; give its whole path")
    return words


def external_protocol_of(protocol: ExternalProtocol) -> dict[str, Any]:
    """Everything that is known to change a model of an external program.

    Parameters
    ----------
    protocol : ExternalProtocol

    Returns
    -------
    dict
        Ready for JSON.
    """
    return {"engine": ExternalEngine.name, "parameters": asdict(protocol)}


def _text(log: Path) -> str:
    return log.read_bytes().decode("utf-8", "replace")


def _last_lines(said: str) -> str:
    lines = [line.rstrip() for line in said.splitlines() if line.strip()][-_LINES_SHOWN:]
    return "; it said nothing" if not lines else "; its last lines:\n" + "\n".join(lines)
