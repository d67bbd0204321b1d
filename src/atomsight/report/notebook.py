"""In Jupyter: the 3-D view, the figures, and results that print as tables."""

from html import escape
from typing import TYPE_CHECKING, Any

from atomsight.errors import ParameterError
from atomsight.outcome import Outcome
from atomsight.report.figure import Absent
from atomsight.report.figures.collect import figures
from atomsight.report.page import viewer_page
from atomsight.report.plotly import plotly_figure
from atomsight.report.results import results_of
from atomsight.report.table import table_columns

if TYPE_CHECKING:
    import plotly.graph_objects

_HEIGHT = 640
_ROWS = 10


class View:
    """A 3-D view that Jupyter shows; elsewhere, `html` is a page of its own.

    Attributes
    ----------
    html : str
        A page with everything inside.
    height : int
        Pixels in a notebook.
    """

    def __init__(self, html: str, height: int = _HEIGHT) -> None:
        self.html = html
        self.height = height

    def __repr__(self) -> str:
        return f"<View, {len(self.html) / 1e6:.0f} MB of HTML>"

    def _repr_html_(self) -> str:
        # a frame of its own: styles and scripts of page and notebook do not meet
        return (
            f'<iframe srcdoc="{escape(self.html)}" title="3-D view of the model in the map" '
            f'style="width: 100%; height: {self.height}px; border: 0"></iframe>'
        )


def view(result: Outcome, *, height: int = _HEIGHT) -> View:
    """Show a model in its map, coloured by any of its scores, as on the page.

    Parameters
    ----------
    result : Validation
    height : int
        Pixels.

    Returns
    -------
    View
        Shows itself where it is the last line of a cell; about 4 MB.
    """
    return View(viewer_page(results_of(result)), height)


def plot(result: Outcome, key: str) -> "plotly.graph_objects.Figure":
    """Draw one of the page's figures.

    Parameters
    ----------
    result : Validation
    key : str
        Its name, as its file has with ``--figures``, e.g. ``archive``.

    Returns
    -------
    plotly.graph_objects.Figure

    Raises
    ------
    ParameterError
        If there is no such figure, or these results do not allow it.
    """
    import plotly.graph_objects as go  # noqa: PLC0415  (slow to import)

    drawn = {one.key: one for one in figures(results_of(result))}
    chosen = drawn.get(key)
    if chosen is None:
        known = ", ".join(name for name, one in drawn.items() if not isinstance(one, Absent))
        raise ParameterError(f"there is no figure {key!r}; there are {known}")
    if isinstance(chosen, Absent):
        raise ParameterError(f"no figure {key!r}: {chosen.reason}")
    made = plotly_figure(chosen)
    return go.Figure(data=made["data"], layout={**made["layout"], "title": {"text": chosen.title}})


def table(result: Outcome) -> str:
    """The residues with the lowest Q as an HTML table.

    Parameters
    ----------
    result : Validation

    Returns
    -------
    str
    """
    columns = table_columns(results_of(result))
    q: Any = next((one["values"] for one in columns if one["key"] == "q"), [])
    rows = sorted(
        (row for row in range(len(q)) if q[row] is not None), key=lambda row: float(q[row])
    )
    head = "".join(f"<th>{escape(one['title'])}</th>" for one in columns)
    body = "".join(
        "<tr>" + "".join(f"<td>{_cell(one, row)}</td>" for one in columns) + "</tr>"
        for row in rows[:_ROWS]
    )
    return (
        f"<p>{escape(str(result))}</p><table><thead><tr>{head}</tr></thead>"
        f"<tbody>{body}</tbody></table>"
    )


def _cell(column: dict[str, Any], row: int) -> str:
    value = column["values"][row]
    if value is None:
        return ""
    return escape(value) if column["text"] else f"{value:.{column['decimals']}f}"
