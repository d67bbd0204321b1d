"""What the header of an entry says becomes options, where the user says nothing else."""

from dataclasses import replace
from pathlib import Path

import numpy as np

from atomsight.errors import ParameterError
from atomsight.half_maps import HalfMapOptions
from atomsight.io.entries import Entry
from atomsight.io.maps import read_header
from atomsight.outcome import EntrySource, Options


def entry_options(
    entry: Entry, options: Options | None = None, *, half_maps: HalfMapOptions | None = None
) -> Options:
    """Options of a validation with what an entry of EMDB has: what is given comes first.

    Parameters
    ----------
    entry : Entry
        From `fetch_entry`.
    options : Options, optional
        Its resolution, contour level and half maps are taken from the entry where they are None.
    half_maps : HalfMapOptions, optional
        How FSC-Q is computed; the half maps are those of the entry, and so is the mask if there
        is none here.

    Returns
    -------
    Options
        Its `source` says what comes from where.

    Raises
    ------
    ParameterError
        If `half_maps` are wanted, but the entry has none that can be used.
    MapFileError
        If a map cannot be read.
    """
    options = options or Options()
    taken: dict[str, str] = {}
    notes = entry.notes
    header = f"the header of {entry.emdb_id}"
    if options.resolution is None and entry.resolution is not None:
        options = replace(options, resolution=entry.resolution)
        taken["resolution"] = _by(header, entry.resolution_method)
    if options.everything and options.contour is None and entry.contour is not None:
        options = replace(options, contour=entry.contour)
        taken["contour"] = _by(header, entry.contour_source)
    if options.half_maps is None:
        pair, mask, more = _usable(entry)
        notes += more
        if pair is not None:
            settings = half_maps or HalfMapOptions(*pair)
            if settings.mask is not None or settings.mask_level is not None:
                mask = settings.mask
            elif mask is not None:
                taken["mask"] = f"{entry.emdb_id}: {mask.name}"
            taken["half_maps"] = f"{entry.emdb_id}: {', '.join(path.name for path in pair)}"
            halves = replace(settings, half_1=pair[0], half_2=pair[1], mask=mask)
            options = replace(options, half_maps=halves)
        elif half_maps is not None:
            raise ParameterError(
                f"{entry.emdb_id}: options of FSC-Q mean nothing without half maps "
                f"({'; '.join(notes) or 'none were asked for'})"
            )
    source = EntrySource(
        emdb_id=entry.emdb_id,
        pdb_id=entry.pdb_id,
        title=entry.title,
        taken=taken,
        files={file.path.name: file.url for file in entry.files},
        notes=notes,
    )
    return replace(options, source=source)


def _by(header: str, whom: str) -> str:
    return f"{header}, {whom}" if whom else header


def _usable(entry: Entry) -> tuple[tuple[Path, Path] | None, Path | None, tuple[str, ...]]:
    """Half maps and mask that lie on the grid of the map; notes on those that do not."""
    if entry.map is None or entry.half_maps is None:
        return None, None, ()
    for path in entry.half_maps:
        if not _same_grid(entry.map, path):
            return None, None, (f"{path.name} has another grid than the map: no half maps used",)
    if entry.mask is None or _same_grid(entry.map, entry.mask):
        return entry.half_maps, entry.mask, ()
    return (
        entry.half_maps,
        None,
        (f"{entry.mask.name} has another grid than the map: mask made from the model",),
    )


def _same_grid(first: Path, second: Path) -> bool:
    one, two = read_header(first), read_header(second)
    step, other = (np.array(h.cell[:3]) / np.array(h.sampling) for h in (one, two))
    return one.shape == two.shape and np.allclose(step, other, rtol=1e-4, atol=1e-4)
