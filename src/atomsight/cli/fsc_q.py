"""``atomsight fsc-q``."""

from pathlib import Path

from atomsight.cli import options as o


def fsc_q(
    model: o.ModelFile,
    map_: o.MapFile,
    half_1: o.Half1,
    half_2: o.Half2,
    resolution: o.Resolution = None,
    sigma: o.Sigma = 0.4,
    model_number: o.ModelNumber = None,
    origin: o.Origin = o.OriginChoice.AUTO,
    threads: o.Threads = None,
    force: o.Force = False,
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
    output: o.Output = Path("atomsight-results"),
) -> None:
    """How much of the model the half maps support, per atom."""
    from atomsight.cli.job import make_half_map_options, make_options, run

    options = make_options(
        resolution=resolution,
        sigma=sigma,
        model_number=model_number,
        origin=origin,
        threads=threads,
        force=force,
        half_maps=make_half_map_options(
            (half_1, half_2),
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
        ),
    )
    run(model, map_, options, output, everything=False)
