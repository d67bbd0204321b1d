"""``atomsight simulate``."""

from pathlib import Path
from typing import Annotated

import typer

from atomsight.cli import options as o


def simulate(
    model: o.ModelFile,
    like: Annotated[
        Path, typer.Option("--like", metavar="MAP", help="Map whose grid and origin to use.")
    ],
    output: Annotated[
        Path, typer.Option("--output", "-o", metavar="OUT.mrc", help="Map to write.")
    ],
    form: Annotated[
        o.FormChoice,
        typer.Option(help="electron: scattering factors and B factors; gaussian: as molmap."),
    ] = o.FormChoice.ELECTRON,
    b_iso: o.ModelB = None,
    resolution: Annotated[
        float | None, typer.Option(metavar="Å", help="For the Gaussian form.")
    ] = None,
    model_number: o.ModelNumber = None,
    origin: o.Origin = o.OriginChoice.AUTO,
) -> None:
    """Make the map that a model would give, on the grid of another map."""
    from atomsight.density.simulate import simulate_map
    from atomsight.io.files import require_parent
    from atomsight.io.map_writing import write_map
    from atomsight.io.maps import read_map
    from atomsight.io.models import read_model

    target = require_parent(output)
    atoms = read_model(model, model=model_number)
    grid = read_map(like, origin=origin.value)
    result = simulate_map(atoms, grid, b_iso=b_iso, form=form.value, resolution=resolution)
    write_map(result.values, result, target, label=f"atomsight: map of {model.name}")
    typer.echo(f"{output}: {len(atoms)} atoms of {model} on the grid of {like}")
