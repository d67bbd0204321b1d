"""What a row asks for: files, or an id to fetch them by, and options."""

from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from atomsight.batch.cells import Cells
from atomsight.batch.manifest import FILES, HALF_MAP_SETTINGS, Row
from atomsight.errors import ManifestError
from atomsight.half_maps import HalfMapOptions
from atomsight.outcome import Options


@dataclass(frozen=True, slots=True)
class Entry:
    """What a row asks for.

    Attributes
    ----------
    name : str
    id, pdb : str or None
        Of EMDB or the PDB, to fetch what is not given; and which of its fitted models.
    model, map, half_1, half_2, mask : Path or None
        Files; None: fetched, or there is none.
    options : Options
        Without half maps.
    windows : dict
        Options of `HalfMapOptions` beside its files.
    """

    name: str
    options: Options
    id: str | None = None
    pdb: str | None = None
    model: Path | None = None
    map: Path | None = None
    half_1: Path | None = None
    half_2: Path | None = None
    mask: Path | None = None
    windows: dict[str, Any] = field(default_factory=dict)

    @property
    def fetched(self) -> bool:
        """Whether model and map are files."""
        return self.model is not None and self.map is not None

    def all_options(self) -> Options:
        """Options with the half maps, if there are any.

        Returns
        -------
        Options
        """
        if self.half_1 is None or self.half_2 is None:
            return self.options
        halves = HalfMapOptions(self.half_1, self.half_2, self.mask, **self.windows)
        return replace(self.options, half_maps=halves)


def entry_of(row: Row, defaults: Options) -> Entry:
    """What a row asks for.

    Parameters
    ----------
    row : Row
    defaults : Options
        Of the whole run.

    Returns
    -------
    Entry

    Raises
    ------
    ManifestError, ParameterError
        If a value means nothing, or values do not go together.
    """
    cells = Cells(row.cells, row.place)
    files = {key: row.folder / row.cells[key] for key in FILES if key in row.cells}
    identifier = cells.text("id")
    absent = [key for key in ("model", "map") if key not in files]
    if identifier is None and absent:
        raise ManifestError(f"{row.place}: no {' and no '.join(absent)}, and no id to fetch by")
    if ("half_1" in files) != ("half_2" in files):
        raise ManifestError(f"{row.place}: half_1 and half_2 go together, and one is missing")
    windows = {
        "mask_level": cells.number("mask_level"),
        "box": cells.whole("box"),
        "window": cells.number("window"),
        "b_iso": cells.number("b_iso"),
    }
    needless = [key for key in ("mask", *HALF_MAP_SETTINGS) if key in cells]
    if needless and identifier is None and "half_1" not in files:
        raise ManifestError(f"{row.place}: {', '.join(needless)} without half_1 and half_2")
    if "mask" in files and windows["mask_level"] is not None:
        raise ManifestError(f"{row.place}: mask and mask_level: give one of them")
    return Entry(
        row.name,
        _options(cells, defaults),
        id=identifier,
        pdb=cells.text("pdb"),
        windows={key: value for key, value in windows.items() if value is not None},
        **files,
    )


def _options(cells: Cells, defaults: Options) -> Options:
    given = {
        "resolution": cells.number("resolution"),
        "contour": cells.number("contour"),
        "selection": cells.text("select"),
        "model_number": cells.whole("model_number"),
        "origin": cells.choice("origin", ("auto", "origin", "nstart", "zero")),
        "force": cells.answer("force"),
        "neighbours": cells.choice("neighbours", ("none", "assembly", "crystal")),
        "assembly": cells.text("assembly"),
    }
    changed: dict[str, Any] = {key: value for key, value in given.items() if value is not None}
    sigma = cells.number("sigma")
    if sigma is not None:
        changed["q"] = replace(defaults.q, sigma=sigma)
    return replace(defaults, **changed)
