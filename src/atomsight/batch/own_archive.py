"""A batch as an archive of its own: table, statistical model, and Q against resolution."""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

import polars as pl

from atomsight.archive.archives import Archive, build_archive
from atomsight.archive.storage import write_archive
from atomsight.batch.dataset import DONE
from atomsight.errors import ArchiveFileError
from atomsight.export.tables import write_csv
from atomsight.report.figure import Axis, Figure, Role, Series
from atomsight.report.figures.archive import CELL, FRAME, cells, expected_lines
from atomsight.report.figures.common import Q_2025
from atomsight.typing import FloatArray

TABLE, ARCHIVE = "archive.csv", "archive.parquet"

FIGURE = "q_resolution"

_MEASURES = (
    *("q", "inclusion", "inclusion_backbone", "q_with_water", "q_backbone", "q_sidechain"),
    *("q_protein", "q_nucleic", "q_ligand", "q_ion", "q_water", "density", "below_zero"),
    *("cc", "cc_mean", "b_factor_f", "fsc_q", "fsc_q_abs", "fsc_half_0143", "fsc_model_05"),
)
_MOST_POINTS = 3000
"""More would make the page slow; they are drawn as cells."""

_AROUND = (0.5, 0.2)
"""Å and Q that are left free around the entries: the band is to be seen."""


@dataclass(frozen=True, slots=True)
class OwnArchive:
    """What can be made of a batch's entries as an archive.

    Attributes
    ----------
    table : polars.DataFrame
        As ``atomsight archive build`` takes it: ``id``, ``resolution``, ``q``, and every other
        measure that an entry has.
    sigma : float or None
        Å; of its Q. None where there is no Q.
    archive : Archive or None
    reason : str
        Why there is none; empty where there is one.
    notes : tuple of str
        Which entries were left out.
    """

    table: pl.DataFrame
    sigma: float | None
    archive: Archive | None = None
    reason: str = ""
    notes: tuple[str, ...] = field(default=())


def usable(rows: pl.DataFrame) -> pl.DataFrame:
    """Entries that statistics are made of: done, and the model lies in its map.

    Parameters
    ----------
    rows : polars.DataFrame
        Of `read_rows`.

    Returns
    -------
    polars.DataFrame
    """
    return rows.filter((pl.col("status") == DONE) & pl.col("in_map").fill_null(value=True))


def own_archive(rows: pl.DataFrame, name: str, stage: Path) -> OwnArchive:
    """Make an archive of a batch and write it, with the table that it was made of.

    Parameters
    ----------
    rows : polars.DataFrame
        Of `read_rows`.
    name : str
        Of the archive.
    stage : Path
        Folder to write `TABLE` to, and `ARCHIVE` where the entries are enough for it.

    Returns
    -------
    OwnArchive

    Raises
    ------
    OutputError
        If a file cannot be written.
    """
    known = usable(rows).filter(pl.col("q").is_not_nan())
    sigmas = known["sigma"].drop_nulls().value_counts(sort=True).sort("count", "sigma")
    sigma = None if sigmas.is_empty() else float(sigmas["sigma"][-1])
    taken = known.filter(pl.col("sigma").eq_missing(pl.lit(sigma, pl.Float64)))
    measures = [one for one in _MEASURES if one == "q" or taken[one].is_not_null().any()]
    table = taken.select(pl.col("entry").alias("id"), "resolution", *measures)
    path = write_csv(table, stage / TABLE)
    notes = tuple(_left_out(rows, known, taken, sigma))
    if sigma is None:
        return OwnArchive(table, None, None, "no entry has a Q", notes)
    # the same data set gives the same file on any day
    date = str(taken["created"].max() or "")[:10]
    try:
        archive = build_archive(path, name=name, date=date or None, sigma=sigma)
    except ArchiveFileError as exc:
        return OwnArchive(table, sigma, None, str(exc).removeprefix(f"{path}: "), notes)
    write_archive(archive, stage / ARCHIVE)
    return OwnArchive(table, sigma, archive, "", (*notes, *archive.notes))


def _left_out(
    rows: pl.DataFrame, known: pl.DataFrame, taken: pl.DataFrame, sigma: float | None
) -> Iterator[str]:
    done = rows.filter(pl.col("status") == DONE)
    outside = done.height - usable(rows).height
    if outside:
        yield f"not in the archive, as the model does not lie in the map: {outside}"
    without = usable(rows).height - known.height
    if without:
        yield f"not in the archive, without a Q: {without}"
    others = known.height - taken.height
    if others:
        yield f"not in the archive, Q of another sigma than {sigma:g} Å: {others}"


def archive_figure(own: OwnArchive, rows: pl.DataFrame, name: str) -> Figure | None:
    """Q against resolution: the entries, the published curve, and their own.

    Parameters
    ----------
    own : OwnArchive
    rows : polars.DataFrame
        Those of the page, in its order: points know their row.
    name : str
        Of the data set.

    Returns
    -------
    Figure or None
        None where no entry has Q and resolution.
    """
    if own.sigma is None:
        return None
    chosen = rows.with_row_index("row").join(own.table.select(entry="id"), on="entry", how="semi")
    (low, high), (q_low, q_high) = FRAME
    place = pl.col("resolution").is_between(low, high) & pl.col("q").is_between(q_low, q_high)
    inside = chosen.filter(place)
    if inside.is_empty():
        return None
    outside = (pl.col("q") < pl.col("expected_low")) | (pl.col("q") > pl.col("expected_high"))
    beyond = inside.filter(outside)
    d, q = (inside[column].to_numpy() for column in ("resolution", "q"))
    many = inside.height > _MOST_POINTS
    usual = inside.filter(outside.fill_null(value=False).not_())
    entries = cells(d, q)[0] if many else _points("entries", usual)
    worst = beyond.sort(pl.col("q") - pl.col("expected_q")).head(_MOST_POINTS)
    parts = (
        entries,
        *((_points("outside the expected band", worst),) if worst.height else ()),
        *_curve("published", expected_lines(None, own.sigma, Role.MUTED)),
        *_curve(
            "this batch", expected_lines(own.archive, own.sigma, Role.THIRD) if own.archive else ()
        ),
    )
    return Figure(
        key=FIGURE,
        title="Q against resolution",
        x=Axis("resolution (Å)", *_ends(d, _AROUND[0], (low, high))),
        y=Axis("mean Q-score", *_ends(q, _AROUND[1], (q_low, q_high))),
        parts=parts,
        caption=_caption(own, name, inside.height, chosen.height, cells_of=many),
    )


def _curve(whose: str, lines: tuple[Series, ...]) -> Iterator[Series]:
    """Peak, low and high under two names: a key of six would leave no room."""
    names = (f"Q_peak, {whose}", f"band, {whose}", "")
    for name, line in zip(names, lines, strict=False):
        yield replace(line, name=name)


def _points(name: str, entries: pl.DataFrame) -> Series:
    return Series(
        name,
        entries["resolution"].to_numpy(),
        entries["q"].to_numpy(),
        "points",
        Role.MAIN if name == "entries" else Role.SECOND,
        "circle" if name == "entries" else "diamond",
        rows=entries["row"].cast(pl.Int64).to_numpy(),
        labels=tuple(entries["entry"].to_list()),
    )


def _ends(values: FloatArray, around: float, frame: tuple[float, float]) -> tuple[float, float]:
    low, high = float(values.min()) - around, float(values.max()) + around
    return max(low, frame[0]), min(high, frame[1])


def _caption(own: OwnArchive, name: str, inside: int, of: int, *, cells_of: bool) -> str:
    (low, high), (q_low, q_high) = FRAME
    sentences = [
        f"Mean Q without water (sigma {own.sigma:g} Å) against the resolution: {inside} of the "
        f"{of} entries of {name} lie between {low:g} and {high:g} Å and between Q {q_low:g} and "
        f"{q_high:g}."
    ]
    if cells_of:
        sentences.append(f"Cells of {CELL[0]:g} Å × {CELL[1]:g}; click one to list its entries.")
    sentences.append(f"Grey: the expected Q and its band, as published ({Q_2025}).")
    if own.archive is not None:
        cubic = own.archive.regression.cubic
        sentences.append(
            f"Green: the cubic of these entries with its band (n = {own.archive.regression.n}, "
            f"R² {cubic.r2:.3f})."
        )
    else:
        sentences.append(f"No cubic of their own: {own.reason}.")
    return " ".join(sentences)


def band_counts(rows: pl.DataFrame) -> dict[str, int]:
    """How many entries lie below, within and above the band that was expected of each.

    Parameters
    ----------
    rows : polars.DataFrame

    Returns
    -------
    dict of str to int
    """
    known = rows.filter(pl.col("q").is_not_null() & pl.col("expected_low").is_not_null())
    below = int((known["q"] < known["expected_low"]).sum())
    above = int((known["q"] > known["expected_high"]).sum())
    return {"below": below, "within": known.height - below - above, "above": above}
