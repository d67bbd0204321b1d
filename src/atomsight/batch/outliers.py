"""Entries to look at first: every limit is from a paper, a definition, or the batch itself."""

from dataclasses import dataclass

import polars as pl

from atomsight.batch.dataset import DONE
from atomsight.density.overlay import LEAST_CONTRAST

LOW_PERCENTILE = 5.0
"""Per cent; docs/measures/percentiles.md says what a model below it may be."""

LOW_CC = 0.7
"""Pintilie et al. (2025), section A1.2, set entries with a CC below it apart."""

MOST = 95.0
"""Per cent; where no limit is published, entries above this share of their own batch."""

OUTLIER_COLUMNS = (
    *("entry", "rule", "value", "limit", "beyond", "rules"),
    *("resolution", "sigma", "q", "message"),
)

_NOT_IN_MAP = "model in map"


@dataclass(frozen=True, slots=True)
class Rule:
    """When an entry counts as an outlier.

    Attributes
    ----------
    key : str
        As in the column ``rule``.
    title : str
        For people.
    limit : str
        Where the limit comes from.
    value : polars.Expr
        What is compared.
    bound : polars.Expr
        With what; a null on either side: the rule says nothing.
    high : bool
        Whether values above the bound are outliers, not those below.
    told : polars.Expr, optional
        Says by itself which entries are outliers; value and bound only show why.
    """

    key: str
    title: str
    limit: str
    value: pl.Expr
    bound: pl.Expr
    high: bool = False
    told: pl.Expr | None = None


def _rank(share: pl.Expr) -> pl.Expr:
    """Per cent of the batch's entries with a lower value."""
    return 100.0 * (share.rank("min") - 1) / share.count()


def _share(count: str, of: str) -> pl.Expr:
    """Nothing where there is nothing to share."""
    return pl.when(pl.col(of) > 0).then(pl.col(count) / pl.col(of))


def _of_batch(key: str, title: str, share: pl.Expr) -> Rule:
    """The entries of the batch with the most of something that has no published limit."""
    return Rule(
        key,
        title,
        f"above {MOST:g} % of the entries of this batch; no limit is published",
        share,
        share.filter(_rank(share) < MOST).max(),
        high=True,
    )


RULES: tuple[Rule, ...] = (
    Rule(
        "not_in_map",
        "model not in its map",
        "contrast of the overlay (docs/measures/overlay.md)",
        pl.col("contrast"),
        pl.lit(LEAST_CONTRAST),
        told=pl.col("in_map").not_(),
    ),
    Rule(
        "q_below_band",
        "Q below its expected band",
        "low end of the band that is expected at its resolution",
        pl.col("q"),
        pl.col("expected_low"),
    ),
    Rule(
        "low_percentile",
        "Q low for its resolution",
        f"percentile among entries of similar resolution below {LOW_PERCENTILE:g}",
        pl.col("percentile_at_resolution"),
        pl.lit(LOW_PERCENTILE),
    ),
    _of_batch(
        "fsc_q_above",
        "many atoms with FSC-Q above 0.5 Å",
        _share("fsc_q_atoms_above", "fsc_q_atoms"),
    ),
    _of_batch(
        "fsc_q_below",
        "many atoms with FSC-Q below -0.5 Å",
        _share("fsc_q_atoms_below", "fsc_q_atoms"),
    ),
    _of_batch("negative_density", "many atoms in negative density", pl.col("below_zero")),
    Rule(
        "low_cc",
        "low correlation with the model's map",
        f"CC below {LOW_CC:g} (Pintilie et al. 2025, section A1.2)",
        pl.col("cc"),
        pl.lit(LOW_CC),
    ),
    Rule(
        "q_above_band",
        "Q above its expected band",
        "high end of the band that is expected at its resolution",
        pl.col("q"),
        pl.col("expected_high"),
        high=True,
    ),
)
"""In the order of the table: what is most likely wrong comes first."""


def outliers(rows: pl.DataFrame) -> pl.DataFrame:
    """Entries to look at: one row an entry and rule, rules in order, worst first within a rule.

    Parameters
    ----------
    rows : polars.DataFrame
        Of `read_rows`.

    Returns
    -------
    polars.DataFrame
        Columns of `OUTLIER_COLUMNS`. Value, limit and beyond (their distance) are in the units of
        the rule; a model that was refused as not in its map has no value. ``rules``: how many
        rules the entry breaks.
    """
    done = rows.filter(pl.col("status") == DONE).with_columns(pl.col(pl.Float64).fill_nan(None))
    kept = ("entry", "resolution", "sigma", "q")
    parts = [_refused(rows)]
    for rule in RULES:
        beyond = pl.col("value") - pl.col("limit")
        parts.append(
            done.select(
                *kept,
                rule=pl.lit(rule.key),
                value=rule.value.cast(pl.Float64),
                limit=rule.bound.cast(pl.Float64),
                message=pl.lit(None, pl.String),
                told=pl.lit(None, pl.Boolean) if rule.told is None else rule.told,
            )
            .with_columns(beyond=beyond if rule.high else -beyond)
            .filter(pl.col("beyond") > 0 if rule.told is None else pl.col("told"))
        )
    order = {rule.key: place for place, rule in enumerate(RULES)}
    return (
        pl.concat(parts, how="diagonal")
        .with_columns(rules=pl.len().over("entry").cast(pl.Int64))
        .with_columns(order=pl.col("rule").replace_strict(order, return_dtype=pl.Int64))
        .sort("order", "beyond", "entry", descending=[False, True, False], nulls_last=[False] * 3)
        .select(OUTLIER_COLUMNS)
    )


def _refused(rows: pl.DataFrame) -> pl.DataFrame:
    """Entries that failed because the model does not lie in the map: they have no numbers."""
    nothing = pl.lit(None, pl.Float64)
    return rows.filter((pl.col("status") != DONE) & (pl.col("step") == _NOT_IN_MAP)).select(
        *("entry", "resolution", "sigma", "q"),
        rule=pl.lit("not_in_map"),
        value=nothing,
        limit=pl.lit(LEAST_CONTRAST),
        message=pl.col("message"),
        beyond=nothing,
    )
