"""``atomsight profile``."""

from math import isnan
from pathlib import Path
from typing import Annotated

import typer

from atomsight.cli import options as o


def profile(
    model: o.ModelFile,
    map_: o.MapFile,
    selection: Annotated[
        str,
        typer.Option(
            "--select", metavar="TEXT", help="Atoms, in gemmi's syntax, e.g. '//A/45/CA'."
        ),
    ],
    sigma: o.Sigma = 0.4,
    model_number: o.ModelNumber = None,
    origin: o.Origin = o.OriginChoice.AUTO,
    force: o.Force = False,
    output: o.Output = Path("atomsight-results"),
) -> None:
    """Map value against the distance from an atom, with a Gaussian fitted to it."""
    from atomsight.cli.job import tell_of_compilation
    from atomsight.cli.terminal import printable
    from atomsight.evidence.profile import atom_profile
    from atomsight.export.profiles import write_profiles
    from atomsight.io.files import make_folder
    from atomsight.io.maps import read_map
    from atomsight.io.models import read_model
    from atomsight.kernels.compilation import telling_of_compilation
    from atomsight.model import select
    from atomsight.preflight import require_overlay

    atoms = read_model(model, model=model_number)
    chosen = select(atoms, selection) & atoms.heavy
    density = read_map(map_, around=atoms.xyz[atoms.heavy], origin=origin.value)
    require_overlay(atoms, density, atoms.resolution, origin=origin.value, force=force)
    with telling_of_compilation(tell_of_compilation):
        found = atom_profile(density, atoms, chosen, sigma=sigma)
    files = write_profiles(found, atoms, make_folder(output))
    for i, row in enumerate(found.atom[:_SHOWN].tolist()):
        name = f"{atoms.residues.label(atoms.residue[row])} {atoms.atom[row]}"
        fit = _fit(found.fit_sigma[i], found.fit_sigma_error[i])
        typer.echo(printable(f"{name}: Q {found.q[i]:.4f}, {fit}"))
    if len(found.atom) > _SHOWN:
        typer.echo(f"and {len(found.atom) - _SHOWN} atoms more")
    typer.echo(", ".join(str(path) for path in files))


_SHOWN = 10


def _fit(width: float, error: float) -> str:
    if isnan(width):
        return "no Gaussian fits"
    return f"width of the fitted Gaussian {width:.3f} ± {error:.3f} Å"
