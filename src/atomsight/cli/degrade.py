"""``atomsight degrade``."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from atomsight.cli import options as o

if TYPE_CHECKING:
    from collections.abc import Callable

    from atomsight.density.degrade import Degraded

_MAP_ENDINGS = (".mrc", ".map", ".ccp4")


def degrade(
    to: Annotated[
        list[str],
        typer.Option("--to", metavar="Å[,Å…]", help="Resolution wanted; several for a series."),
    ],
    output: Annotated[
        Path,
        typer.Option("--output", "-o", metavar="OUT", help="Folder, or OUT.mrc for one map."),
    ],
    map_: Annotated[
        Path | None,
        typer.Argument(metavar="MAP", help="CCP4/MRC map, or none with --half-maps."),
    ] = None,
    half_maps: Annotated[
        tuple[Path, Path] | None,
        typer.Option("--half-maps", metavar="H1 H2", help="Degrade two half maps instead."),
    ] = None,
    resolution: Annotated[
        float | None, typer.Option(metavar="Å", help="Resolution of MAP; half maps tell theirs.")
    ] = None,
    b_sharpening: Annotated[
        float | None,
        typer.Option(metavar="Å²", help="B by which MAP was sharpened; else 10 x resolution²."),
    ] = None,
    mask: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Where the resolution of half maps is measured."),
    ] = None,
    seed: Annotated[int, typer.Option(metavar="N", min=0, help="Seed of the noise.")] = 0,
    origin: o.Origin = o.OriginChoice.AUTO,
) -> None:
    """Lower the resolution of a map or of two half maps: less signal, the same noise."""
    from atomsight.cli.job import output_folder
    from atomsight.errors import ParameterError
    from atomsight.export.names import stem
    from atomsight.export.resolution_series import write_degraded, write_series_table
    from atomsight.io.files import require_parent, staged

    targets = _targets(to)
    as_file = output.suffix.lower() in _MAP_ENDINGS
    if as_file and len(targets) > 1:
        raise ParameterError(f"{output}: one file cannot hold {len(targets)} maps; name a folder")
    make, source = _maker(map_, half_maps, resolution, b_sharpening, mask, seed, origin)
    if as_file:
        target = require_parent(output)
        result = make(targets[0])
        files = write_degraded(result, target)
        typer.echo(_line(output, result))
        return
    with output_folder(output), staged(output) as stage:
        series = []
        for wanted in targets:
            result = make(wanted)
            files = write_degraded(result, stage / f"{stem(source)}_{wanted:g}A.mrc")
            series.append((files[0].name, result))
        write_series_table(series, stage)
    for name, result in series:
        typer.echo(_line(output / name, result))


def _targets(given: list[str]) -> list[float]:
    """Resolutions, each once, in the order given."""
    from atomsight.errors import ParameterError

    found = []
    for part in ",".join(given).split(","):
        try:
            found.append(float(part))
        except ValueError:
            raise ParameterError(f"--to {part}: not a number; several look like 3,4,5") from None
    return list(dict.fromkeys(found))


def _maker(
    map_: Path | None,
    half_maps: tuple[Path, Path] | None,
    resolution: float | None,
    b_sharpening: float | None,
    mask: Path | None,
    seed: int,
    origin: o.OriginChoice,
) -> "tuple[Callable[[float], Degraded], Path]":
    """Read the input; give what makes one map of it, and the file whose name the results bear."""
    from atomsight.density.degrade import degrade_half_maps, degrade_map
    from atomsight.errors import ParameterError
    from atomsight.evidence.local_resolution import check_same_grid
    from atomsight.io.maps import read_map

    if (map_ is None) == (half_maps is None):
        raise ParameterError("give one map, or two half maps with --half-maps")
    if map_ is not None:
        if mask is not None:
            raise ParameterError("--mask: means nothing without --half-maps")
        if resolution is None:
            raise ParameterError(f"{map_}: a map does not tell its resolution; give --resolution")
        own = resolution
        density = read_map(map_, origin=origin.value)
        return (
            lambda wanted: degrade_map(
                density, wanted, resolution=own, b_sharpening=b_sharpening, seed=seed
            ),
            map_,
        )
    if resolution is not None or b_sharpening is not None:
        raise ParameterError("--resolution and --b-sharpening: half maps tell both themselves")
    assert half_maps is not None
    first, second = (read_map(path, origin=origin.value) for path in half_maps)
    check_same_grid(first, second)
    where = None
    if mask is not None:
        within = read_map(mask, origin=origin.value)
        check_same_grid(first, within)
        where = within.values
    return lambda wanted: degrade_half_maps(
        first, second, wanted, mask=where, seed=seed
    ), half_maps[0]


def _line(path: Path, result: "Degraded") -> str:
    from atomsight.cli.terminal import printable

    return printable(
        f"{path}: {result.resolution:.2f} Å at FSC 0.143 (wanted {result.target:g} Å), "
        f"envelope {result.b_factor:.0f} Å², noise {result.noise:.3g}"
    )
