"""The results as one HTML file that needs no network."""

from pathlib import Path
from typing import Any

from atomsight.io.files import make_folder, staged, write_text
from atomsight.report import bundles, words
from atomsight.report.assembly import asset, json_bytes, policy, script, template
from atomsight.report.display_map import DisplayMap, display_map
from atomsight.report.display_model import display_model
from atomsight.report.figure import Absent
from atomsight.report.figures.collect import figures as make_figures
from atomsight.report.figures.common import Drawn
from atomsight.report.payload import payload
from atomsight.report.plotly import plotly_figure
from atomsight.report.results import Results, load_results
from atomsight.report.sliders import sliders
from atomsight.report.static import FigureKind, write_figures
from atomsight.typing import PathLikeStr

PAGE = "report.html"
FIGURES = "figures"

_WIDE = ("glance", "chains", "fsc_q_chains")
_SCRIPTS = ("core", "colours", "viewer", "plots", "table", "residues", "chosen", "main")


def write_page(results: Results, path: Path) -> Path:
    """Write the page.

    Parameters
    ----------
    results : Results
    path : Path

    Returns
    -------
    Path
        The file written.

    Raises
    ------
    OutputError
        If the file cannot be written.
    """
    return write_text(path, page(results))


def write_report(
    folder: PathLikeStr, *, map_: PathLikeStr | None = None, figures: FigureKind | None = None
) -> list[Path]:
    """Make the page, and figures if asked for, from results in a folder.

    Parameters
    ----------
    folder : path
        That `write_results` wrote to.
    map_ : path, optional
        The map, where it is no longer where it was.
    figures : {"svg", "png", "pdf"}, optional
        Also write the figures, one file each.

    Returns
    -------
    list of Path
        The files written.

    Raises
    ------
    ResultsError
        If the folder holds no results.
    MapFileError
        If `map_` is not the map that was scored.
    OutputError
        If a file cannot be written; then none is.
    """
    results, target = load_results(folder, map_=map_), Path(folder)
    with staged(target) as stage:
        write_page(results, stage / PAGE)
        if figures is not None:
            write_figures(results, make_folder(stage / FIGURES), figures)
        written = sorted(p.relative_to(stage) for p in stage.rglob("*") if p.is_file())
    return [target / path for path in written]


def page(results: Results) -> str:
    """The page as text.

    Parameters
    ----------
    results : Results

    Returns
    -------
    str
        HTML with everything inside: data, scripts, the viewer.
    """
    drawn = make_figures(results)
    made = [
        {
            "key": one.key,
            "title": one.title,
            "group": one.group,
            "caption": one.caption,
            **plotly_figure(one),
        }
        for one in drawn
        if not isinstance(one, Absent)
    ]
    content = _viewer(results, made)
    content["blocks"]["plotly"] = bundles.plotly()
    return template("page.html.j2").render(
        **content,
        subtitle=words.subtitle(results),
        answer=words.answer(results),
        facts=results.facts,
        files=words.files(results),
        parameters=words.parameters(results),
        sliders=sliders(results),
        figures=_places(drawn),
        missing=[one for one in drawn if isinstance(one, Absent)],
    )


def viewer_page(results: Results) -> str:
    """The 3-D view alone, as a page.

    Parameters
    ----------
    results : Results

    Returns
    -------
    str
        HTML with everything inside.
    """
    return template("notebook.html.j2").render(**_viewer(results, []))


def _viewer(results: Results, made: list[dict[str, Any]]) -> dict[str, Any]:
    """What every page with a view is filled with."""
    shown = _map(results)
    program, style, licence = bundles.molstar()
    blocks = {
        "data": bundles.pack(json_bytes(payload(results, made, shown))),
        "model": bundles.pack(display_model(results.model).encode()),
        "molstar": program,
        "molstar-style": style,
    }
    if shown is not None:
        blocks["map"] = bundles.pack(shown.ccp4)
    return {
        # the viewer makes functions out of text when it starts
        "policy": policy(evaluates=True),
        "heading": words.heading(results),
        "map": shown,
        "map_level": None if shown is None else _level(shown),
        "no_map": results.no_map,
        "molstar_licence": licence,
        "style": asset("page.css"),
        "script": script(_SCRIPTS),
        "blocks": blocks,
    }


def _map(results: Results) -> DisplayMap | None:
    if results.map is None:
        return None
    return display_map(results.map, results.model, results.facts["parameters"]["contour"])


def _level(shown: DisplayMap) -> dict[str, float]:
    """Ends and start of the slider, in the steps of the displayed map."""
    lowest, highest, first = (
        round((value - shown.offset) / shown.scale, 2)
        for value in (shown.low, shown.high, shown.first)
    )
    return {"low": lowest, "high": highest, "first": first}


def _places(drawn: Drawn) -> list[dict[str, Any]]:
    """Where the figures stand on the page: one place a group."""
    places: dict[str, dict[str, Any]] = {}
    for one in drawn:
        if not isinstance(one, Absent):
            key = one.group or one.key
            places.setdefault(key, {"key": key, "wide": key in _WIDE})
    return list(places.values())
