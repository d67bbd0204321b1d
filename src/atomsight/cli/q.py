"""``atomsight q``."""

from pathlib import Path

from atomsight.cli import options as o


def q(
    model: o.ModelInput,
    map_: o.MapInput = None,
    resolution: o.Resolution = None,
    sigma: o.Sigma = 0.4,
    points: o.Points = 8,
    radius: o.Radius = 2.0,
    step: o.Step = 0.1,
    model_number: o.ModelNumber = None,
    selection: o.Selection = None,
    neighbours: o.Neighbours = o.NeighbourChoice.NONE,
    assembly: o.Assembly = None,
    orientations: o.Orientations = 0,
    seed: o.Seed = 0,
    origin: o.Origin = o.OriginChoice.AUTO,
    threads: o.Threads = None,
    force: o.Force = False,
    pdb: o.FittedModel = None,
    cache: o.Cache = None,
    output: o.Output = Path("atomsight-results"),
) -> None:
    """Q-score of every atom: tables, model, summary."""
    from atomsight.cli.entry import entry_wish
    from atomsight.cli.job import make_options, run

    wish = entry_wish(model, map_, pdb=pdb, cache=cache)
    options = make_options(
        resolution=resolution,
        sigma=sigma,
        points=points,
        radius=radius,
        step=step,
        model_number=model_number,
        selection=selection,
        neighbours=neighbours,
        assembly=assembly,
        orientations=orientations,
        seed=seed,
        origin=origin,
        threads=threads,
        force=force,
    )
    run(model, map_, options, output, everything=False, wish=wish)
