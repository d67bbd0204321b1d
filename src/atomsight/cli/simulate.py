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
    b_iso: Annotated[
        float | None,
        typer.Option(
            "--b", metavar="Å²", help="One B factor; else the model's own, or 0 for gaussian."
        ),
    ] = None,
    b_from_q: o.BFromQ = None,
    sigma: o.Sigma = 0.4,
    resolution: Annotated[
        float | None, typer.Option(metavar="Å", help="For the Gaussian form.")
    ] = None,
    model_number: o.ModelNumber = None,
    origin: o.Origin = o.OriginChoice.AUTO,
) -> None:
    """Make the map that a model would give, on the grid of another map."""
    from atomsight.cli.job import tell_of_compilation
    from atomsight.density.simulate import simulate_map
    from atomsight.errors import ParameterError
    from atomsight.evidence.b_factor import b_factors_from_q
    from atomsight.evidence.q_score import q_score
    from atomsight.io.files import require_parent
    from atomsight.io.map_writing import write_map
    from atomsight.io.maps import read_map
    from atomsight.io.models import read_model
    from atomsight.kernels.compilation import telling_of_compilation

    if b_iso is not None and b_from_q is not None:
        raise ParameterError("--b and --b-from-q: give one of them")
    target = require_parent(output)
    atoms = read_model(model, model=model_number)
    grid = read_map(like, origin=origin.value)
    with telling_of_compilation(tell_of_compilation):
        b = (
            b_iso
            if b_from_q is None
            else b_factors_from_q(atoms, q_score(grid, atoms, sigma=sigma).q, b_from_q).b_iso
        )
        result = simulate_map(atoms, grid, b_iso=b, form=form.value, resolution=resolution)
    write_map(result.values, result, target, label=f"atomsight: map of {model.name}")
    typer.echo(f"{output}: {len(atoms)} atoms of {model} on the grid of {like}")
