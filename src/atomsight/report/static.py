"""Figures as files for a printed supplement."""

from pathlib import Path
from typing import Literal

from atomsight.errors import MissingLibraryError
from atomsight.io.files import make_folder, staged
from atomsight.report.figure import Figure
from atomsight.report.figures.collect import figures
from atomsight.report.results import Results
from atomsight.typing import PathLikeStr

Kind = Literal["svg", "png", "pdf"]


def write_figures(results: Results, folder: PathLikeStr, kind: Kind = "svg") -> list[Path]:
    """Write every figure that results allow as a file for print.

    White ground, 85 or 175 mm wide, text as text; the same results give the same bytes.

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
    try:
        from atomsight.report.drawing import save  # noqa: PLC0415  (matplotlib is an extra)
    except ModuleNotFoundError as exc:
        if (exc.name or "").partition(".")[0] != "matplotlib":
            raise
        raise MissingLibraryError(
            "figures for print are drawn with matplotlib, which is not installed; "
            "run: pip install 'atomsight[figures]'"
        ) from None
    target = make_folder(folder)
    drawn = [one for one in figures(results) if isinstance(one, Figure)]
    with staged(target) as stage:
        for figure in drawn:
            save(figure, stage / f"{figure.key}.{kind}", kind)
    return [target / f"{figure.key}.{kind}" for figure in drawn]
