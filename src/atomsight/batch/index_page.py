"""The page of a batch: one offline HTML file with its entries, what to look at, and a figure."""

from collections.abc import Mapping, Sequence
from importlib.metadata import version
from typing import Any

import numpy as np
import polars as pl

from atomsight.batch.outliers import RULES
from atomsight.report import bundles
from atomsight.report.assembly import asset, json_bytes, policy, script, template
from atomsight.report.figure import Figure
from atomsight.report.figures.archive import CELL
from atomsight.report.plotly import plain, plotly_figure
from atomsight.report.table import page_column

_SCRIPTS = ("core", "plots", "table", "entries")

_TEXTS = (
    ("entry", "entry", "name in the manifest"),
    ("status", "status", "done or failed"),
    ("report", "report", "what 'validate' writes of it"),
)
_OUTLIERS = ("outliers", "look at", "rules of the outliers that it breaks")
_FIRST_NUMBERS = 6
"""Before the outliers, which need more room than a small screen has left."""

_NUMBERS = (
    ("resolution", "resolution (Å)", 2, "as reported"),
    ("q", "Q", 3, "mean over its atoms without hydrogen and water"),
    ("expected_q", "expected Q", 3, "most frequent at its resolution"),
    ("expected_low", "band from", 3, "low end of the expected band"),
    ("expected_high", "to", 3, "high end of the expected band"),
    (
        "percentile_at_resolution",
        "percentile at resolution",
        1,
        "per cent of similar entries below",
    ),
    ("percentile", "percentile of all", 1, "per cent of all entries of the archive below"),
    ("fsc_q", "FSC-Q (Å)", 2, "mean over its atoms"),
    ("fsc_q_abs", "|FSC-Q| (Å)", 2, "mean of absolute values"),
    ("inclusion", "inclusion", 3, "share of its atoms above the contour level"),
    ("cc", "CC", 3, "correlation with the model's map"),
    ("cc_mean", "CC-mean", 3, "the same about the means"),
    ("below_zero", "in negative density", 3, "share of its atoms with a map value below 0"),
    ("contrast", "overlay", 2, "contrast of the density at its atoms"),
    ("atoms", "atoms", 0, "of the model"),
    ("seconds", "seconds", 1, "that it took"),
)
_FAILURES = (
    ("step", "failed at", "step in which it failed"),
    ("message", "message", "why it failed"),
)


def index_page(
    rows: pl.DataFrame,
    outliers: pl.DataFrame,
    *,
    heading: str,
    answer: str,
    facts: Sequence[tuple[str, str]],
    notes: Sequence[str],
    figure: Figure | None,
    reports: str,
    reported: set[str],
    files: Sequence[str],
) -> str:
    """The page as text. Whatever the rows hold is shown as text.

    Parameters
    ----------
    rows : polars.DataFrame
        Of `read_rows`.
    outliers : polars.DataFrame
        Of `atomsight.batch.outliers.outliers`.
    heading, answer : str
        Name of the data set, and a sentence or two about it.
    facts : sequence of (str, str)
        Names and texts below the answer.
    notes : sequence of str
    figure : Figure or None
        Its points know their row.
    reports : str
        Where the reports lie, as a relative URL that ends with a slash.
    reported : set of str
        Entries that have a report.
    files : sequence of str
        Names of the files that lie beside the page.

    Returns
    -------
    str
        HTML with everything inside.
    """
    rules = _rules(rows, outliers)
    drawn = [] if figure is None else [_drawn(figure)]
    steps = _steps(rows)
    data = {
        "columns": _columns(rows, outliers, reported),
        "notes": rows["notes"].fill_null("").to_list(),
        "rules": rules,
        "steps": steps,
        "reports": reports,
        "cell": CELL,
        "figures": drawn,
    }
    blocks = {"data": bundles.pack(json_bytes(data))}
    if drawn:
        blocks["plotly"] = bundles.plotly()
    return template("entries.html.j2").render(
        policy=policy(),
        version=version("atomsight"),
        heading=heading,
        answer=answer,
        counts={"total": rows.height},
        facts=facts,
        notes=notes,
        rules=rules,
        all_rules=RULES,
        steps=steps,
        figures=drawn,
        files=files,
        style=asset("page.css"),
        script=script(_SCRIPTS),
        blocks=blocks,
    )


def _drawn(figure: Figure) -> dict[str, Any]:
    return {
        "key": figure.key,
        "title": figure.title,
        "group": figure.group,
        "caption": figure.caption,
        **plotly_figure(figure),
    }


def _rules(rows: pl.DataFrame, outliers: pl.DataFrame) -> list[dict[str, Any]]:
    """Rules that an entry breaks, with the rows of these entries."""
    places = rows.select("entry").with_row_index("row").join(outliers, on="entry")
    by_rule = {key: group["row"].to_list() for (key,), group in places.group_by("rule")}
    return [
        {
            "key": rule.key,
            "title": rule.title,
            "limit": rule.limit,
            "rows": sorted(by_rule[rule.key]),
        }
        for rule in RULES
        if rule.key in by_rule
    ]


def _steps(rows: pl.DataFrame) -> list[dict[str, Any]]:
    counted = (
        rows["step"].drop_nulls().value_counts().sort("count", "step", descending=[True, False])
    )
    return counted.to_dicts()


def _columns(
    rows: pl.DataFrame, outliers: pl.DataFrame, reported: set[str]
) -> list[dict[str, Any]]:
    """The columns that hold something."""
    titles = {rule.key: rule.title for rule in RULES}
    broken = outliers.group_by("entry", maintain_order=True).agg(
        pl.col("rule").replace_strict(titles).str.join("; ").alias("outliers")
    )
    names = rows["entry"].to_list()
    texts: Mapping[str, list[str]] = {
        **{key: rows[key].fill_null("").to_list() for key in ("status", "step", "message")},
        "entry": names,
        "report": ["open" if name in reported else "" for name in names],
        "outliers": rows.join(broken, on="entry", how="left", maintain_order="left")["outliers"]
        .fill_null("")
        .to_list(),
    }
    numbers = []
    for key, title, decimals, definition in _NUMBERS:
        values = rows[key].cast(pl.Float64).fill_null(float("nan")).to_numpy()
        if np.isfinite(values).any():
            numbers.append(page_column(key, title, definition, plain(values), decimals))
    words = {
        key: page_column(key, title, definition, texts[key])
        for key, title, definition in (*_TEXTS, _OUTLIERS)
        if any(texts[key])
    }
    last = [words.pop("outliers")] if "outliers" in words else []
    columns = [*words.values(), *numbers[:_FIRST_NUMBERS], *last, *numbers[_FIRST_NUMBERS:]]
    for key, title, definition in _FAILURES:
        if any(texts[key]):
            columns.append(page_column(key, title, definition, texts[key]) | {"kind": key})
    return columns
