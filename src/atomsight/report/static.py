"""Figures as files for a printed supplement."""

from importlib.util import find_spec
from pathlib import Path
from typing import Literal

from atomsight.errors import MissingLibraryError
from atomsight.io.files import make_folder, staged
from atomsight.report.figure import Figure
from atomsight.report.figures.collect import figures
from atomsight.report.results import Results
from atomsight.typing import PathLikeStr

FigureKind = Literal["svg", "png", "pdf"]


def require_matplotlib() -> None:
    """Find out before any work whether figures can be drawn.

    Raises
    ------
    MissingLibraryError
        If matplotlib is not installed.
    """
    if find_spec("matplotlib") is None:
        raise MissingLibraryError(
            "figures for print are drawn with matplotlib, which is not installed; "
            "run: pip install 'atomsight[figures]'"
        )


def write_figures(results: Results, folder: PathLikeStr, kind: FigureKind = "svg") -> list[Path]:
    """Write every figure that results allow as a file for print.

    White ground, 85 to 175 mm wide, text as text; the same results give the same bytes.

    Parameters
    ----------
    results : Results
    folder : path
        Made if it is missing. Files of the same names are replaced, others stay.
    kind : {"svg", "png", "pdf"}
        PNG has 300 dots an inch.

    Returns
    -------
    list of Path
        The files written, each named by its figure's key.

    Raises
    ------
    MissingLibraryError
        If matplotlib is not installed.
    OutputError
        If a file cannot be written; then none is.
    """
    require_matplotlib()
    from atomsight.report.drawing import save  # noqa: PLC0415  (matplotlib is an extra)

    target = make_folder(folder)
    drawn = [one for one in figures(results) if isinstance(one, Figure)]
    with staged(target) as stage:
        for figure in drawn:
            save(figure, stage / f"{figure.key}.{kind}", kind)
    return [target / f"{figure.key}.{kind}" for figure in drawn]
