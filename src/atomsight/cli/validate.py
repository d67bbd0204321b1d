"""``atomsight validate``."""

from pathlib import Path

from atomsight.cli import options as o


def validate(
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
    contour: o.Contour = None,
    archive: o.ArchiveFile = None,
    definition: o.Definition = o.DefinitionChoice.PAPER,
    fit_b: o.FitB = True,
    convergence: o.ConvergenceFolder = None,
    half_maps: o.HalfMaps = None,
    mask: o.Mask = None,
    mask_level: o.MaskLevel = None,
    box: o.Box = None,
    window: o.Window = None,
    thresholds: o.Thresholds = o.ThresholdChoice.PAPER,
    label: o.Label = o.LabelChoice.MEAN,
    crossing: o.Crossing = o.CrossingChoice.LAST,
    b_iso: o.ModelB = None,
    b_from_q: o.BFromQ = None,
    volumes: o.VolumeStep = None,
    no_half_maps: o.NoHalfMaps = False,
    no_mask: o.NoMask = False,
    pdb: o.FittedModel = None,
    cache: o.Cache = None,
    figures: o.Figures = None,
    output: o.Output = Path("atomsight-results"),
) -> None:
    """Everything that a map and a model allow to say, in all formats."""
    from dataclasses import replace

    from atomsight.cli.entry import entry_wish
    from atomsight.cli.job import make_half_map_options, make_options, run

    flags = {"--no-half-maps": no_half_maps, "--no-mask": no_mask}
    wanted = half_maps is None and not no_half_maps
    wish = entry_wish(
        model,
        map_,
        pdb=pdb,
        cache=cache,
        half_maps=wanted,
        mask=wanted and not no_mask and mask is None and mask_level is None,
        without=tuple(name for name, given in flags.items() if given),
    )
    later = wish is not None and wish.map is not None and wish.half_maps
    halves = make_half_map_options(
        half_maps,
        mask=mask,
        mask_level=mask_level,
        box=box,
        window=window,
        thresholds=thresholds,
        label=label,
        crossing=crossing,
        b_iso=b_iso,
        b_from_q=b_from_q,
        volume_step=volumes,
        later=later,
    )
    if wish is not None and later:
        wish, halves = replace(wish, settings=halves), None
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
        contour=contour,
        archive=archive,
        definition=definition,
        fit_b=fit_b,
        convergence=convergence,
        everything=True,
        half_maps=halves,
    )
    run(model, map_, options, output, everything=True, figures=figures, wish=wish)
