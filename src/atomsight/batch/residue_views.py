"""Residues of all entries: the worst of them, and Q by type. Read in pieces, never as a whole."""

from dataclasses import dataclass
from itertools import chain
from pathlib import Path

import numpy as np
import polars as pl

from atomsight.batch.dataset import RESIDUES, read_pieces, table_files
from atomsight.batch.schema import RESIDUES as SCHEMA
from atomsight.verdict.readings import Reading

OF_ENTRY, OF_BATCH = 10, 1000
"""Residues of one entry, and of all, that the list of the worst has at most, for each rule."""

WORSE, BELOW = "worse_than_the_map_allows", "q_below_band"

_PIECE = 100
_STEPS = 10_000
"""Of Q, in 1: quartiles are exact to half a step, and memory does not grow with the residues."""

_KEYS = ("chain", "label_asym", "number", "icode", "residue", "class")
_SHOWN = ("atoms", "q", "q_worst", "fsc_q", "cc_mean", "inclusion", "density", "support")
_JUDGED = ("q_band", "verdict", "verdict_part", "verdict_q", "verdict_low")
_FACTS = ("resolution", "sigma", "expected_q", "expected_low")
_TYPE = ("sigma", "class", "residue")
WORST_COLUMNS = (
    *("entry", *_KEYS, "rule", "value", "limit", "beyond", "of_entry"),
    *("verdict_part", "resolution", "sigma", "expected_q", *_SHOWN),
)


@dataclass(frozen=True, slots=True)
class ResidueViews:
    """What the tables of residues say together.

    Attributes
    ----------
    worst : polars.DataFrame
        Columns of `WORST_COLUMNS`, furthest beyond its limit first, for each rule.
    types : polars.DataFrame
        Per sigma, class and name: ``entries``, ``residues``, and ``lower_quartile``, ``median``,
        ``upper_quartile`` of Q.
    residues : int
        Residues with a Q.
    beyond : dict of str to int
        Rule → residues that break it, in the list or not.
    unreadable : int
        Files that could not be read.
    """

    worst: pl.DataFrame
    types: pl.DataFrame
    residues: int
    beyond: dict[str, int]
    unreadable: int

    @property
    def text(self) -> str:
        """The numbers in words."""
        return (
            f"{self.residues} with a Q; {self.beyond[WORSE]} worse than the map allows, "
            f"{self.beyond[BELOW]} without a verdict and below the band of their entry"
        )


def residue_views(folder: Path, entries: pl.DataFrame) -> ResidueViews | None:
    """Look at the residues of entries.

    A residue breaks ``worse_than_the_map_allows`` where its verdict says so, which needs half maps:
    value and limit are ``verdict_q`` and ``verdict_low``. Where it has no verdict, it breaks
    ``q_below_band`` if its Q lies below the band expected of its entry. That is a band of whole
    entries: it tells where to look, not what is wrong.

    Parameters
    ----------
    folder : Path
        Of the data set.
    entries : polars.DataFrame
        Rows of the entries to look at.

    Returns
    -------
    ResidueViews or None
        None where the data set has no residues.

    Raises
    ------
    ResultsError
        If the folder cannot be read.
    """
    paths = table_files(folder, RESIDUES)
    if not paths:
        return None
    facts = entries.select("entry", *_FACTS)
    worst: list[pl.DataFrame] = []
    counts = pl.DataFrame(schema=_COUNTED)
    residues, read = 0, 0
    beyond = dict.fromkeys((WORSE, BELOW), 0)
    columns = ["entry", *_KEYS, *_SHOWN, *_JUDGED]
    nothing = pl.DataFrame(schema={name: SCHEMA[name] for name in columns})
    for piece in chain((nothing,), read_pieces(paths, columns, _PIECE)):
        read += piece["entry"].n_unique()
        known = piece.with_columns(pl.col(pl.Float64).fill_nan(None)).join(facts, on="entry")
        known = known.filter(pl.col("q").is_not_null())
        residues += known.height
        broken = _broken(known)
        for rule, count in broken["rule"].value_counts().iter_rows():
            beyond[rule] += count
        # one bad entry must not fill the list
        of_entries = _first(broken, OF_ENTRY, "entry", "rule")
        worst = [_first(pl.concat([*worst, of_entries]), OF_BATCH, "rule")]
        counts = _summed(pl.concat([counts, _counted(known)]))
    return ResidueViews(
        worst=worst[0],
        types=_types(counts),
        residues=residues,
        beyond=beyond,
        unreadable=len(paths) - read,
    )


def _broken(known: pl.DataFrame) -> pl.DataFrame:
    """Residues that break a rule, with value, limit and how far they are apart."""
    verdict = pl.col("verdict").fill_null("")
    worse = verdict == Reading.WORSE.label
    judged = verdict.is_in([one.label for one in Reading if one is not Reading.NOT_JUDGED])
    below = (pl.col("q_band") == "below") & judged.not_()
    return (
        known.with_columns(rule=pl.when(worse).then(pl.lit(WORSE)).when(below).then(pl.lit(BELOW)))
        .filter(pl.col("rule").is_not_null())
        .with_columns(
            value=pl.when(pl.col("rule") == WORSE).then("verdict_q").otherwise("q"),
            limit=pl.when(pl.col("rule") == WORSE).then("verdict_low").otherwise("expected_low"),
        )
        .with_columns(
            beyond=pl.col("limit") - pl.col("value"), of_entry=pl.len().over("entry", "rule")
        )
    )


def _first(broken: pl.DataFrame, number: int, *group: str) -> pl.DataFrame:
    """The worst of each group."""
    return _ordered(broken).filter(pl.int_range(pl.len()).over(group) < number)


def _ordered(broken: pl.DataFrame) -> pl.DataFrame:
    return broken.select(WORST_COLUMNS).sort(
        *("rule", "beyond", "entry", "label_asym", "number", "icode", "residue"),
        descending=[True, True, *[False] * 5],
        nulls_last=True,
    )


_COUNTED = {
    "sigma": pl.Float64(),
    "class": pl.String(),
    "residue": pl.String(),
    "step": pl.Int32(),
    "residues": pl.Int64(),
    "entries": pl.Int64(),
}
"""Residues of each type by their Q in steps; entries stand on the lines without a step."""


def _counted(known: pl.DataFrame) -> pl.DataFrame:
    step = (pl.col("q") * _STEPS).round().cast(pl.Int32).alias("step")
    by_q = known.group_by(*_TYPE, step).agg(residues=pl.len().cast(pl.Int64))
    by_type = known.group_by(_TYPE).agg(entries=pl.col("entry").n_unique().cast(pl.Int64))
    return pl.concat([pl.DataFrame(schema=_COUNTED), by_q, by_type], how="diagonal")


def _summed(counts: pl.DataFrame) -> pl.DataFrame:
    return counts.group_by(*_TYPE, "step").agg(pl.col("residues", "entries").sum())


def _types(counts: pl.DataFrame) -> pl.DataFrame:
    """Quartiles of Q of each type."""
    entries = counts.filter(pl.col("step").is_null()).select(*_TYPE, "entries").sort(_TYPE)
    lines = []
    by_q = counts.filter(pl.col("step").is_not_null()).sort("step")
    for key, group in by_q.group_by(_TYPE, maintain_order=True):
        values = group["step"].to_numpy() / _STEPS
        numbers = group["residues"].to_numpy()
        quartiles = counted_quantiles(values, numbers, (0.25, 0.5, 0.75))
        lines.append((*key, int(numbers.sum()), *quartiles))
    schema = {name: _COUNTED[name] for name in (*_TYPE, "residues")}
    names = ("lower_quartile", "median", "upper_quartile")
    found = pl.DataFrame(lines, {**schema, **dict.fromkeys(names, pl.Float64())}, orient="row")
    return entries.join(found, on=_TYPE, nulls_equal=True, maintain_order="left")


def counted_quantiles(
    values: np.ndarray, numbers: np.ndarray, shares: tuple[float, ...]
) -> tuple[float, ...]:
    """Quantiles of values that are there many times, interpolated between neighbours.

    Parameters
    ----------
    values : ndarray, shape (k,)
        Rising.
    numbers : ndarray of int, shape (k,)
        How often each is there; above 0.
    shares : tuple of float
        0 to 1.

    Returns
    -------
    tuple of float
        As `numpy.quantile` gives of the repeated values.
    """
    upto = np.cumsum(numbers)
    places = np.array(shares) * (upto[-1] - 1)
    lower = values[np.searchsorted(upto, np.floor(places), side="right")]
    upper = values[np.searchsorted(upto, np.ceil(places), side="right")]
    return tuple((lower + (upper - lower) * (places - np.floor(places))).tolist())
