"""Run the example notebook of the docs and keep it with its output.

The view, 4 MB of HTML, is kept as a picture; plots of plotly get a picture beside their data, for
programs that draw no plots. Needs nbclient, ipykernel, matplotlib, and for the picture of the view
Playwright with a Chromium::

    python studies/notebook.py docs/howto/notebook.ipynb
"""

import base64
import json
import os
import shutil
import sys
import tempfile
from io import BytesIO
from pathlib import Path
from typing import Any

CELLS = (
    (
        "markdown",
        "# atomsight in a notebook\n\n"
        "A haemoglobin, 5NI1 in EMD-3488, from `make demo`. This notebook was run by "
        "`studies/notebook.py`; start it in the folder that holds `.cache/data`.",
    ),
    ("code", "import atomsight as ats"),
    (
        "code",
        'result = ats.validate(".cache/data/5ni1.cif", ".cache/data/emd_3488.mrc")\nresult',
    ),
    (
        "markdown",
        "The result shows itself as the residues with the lowest Q. The whole tables are arrays: "
        "`result.atoms` and `result.residues`.",
    ),
    ("code", 'round(float(result.averages["mean_without_water"].mean), 4)'),
    ("markdown", "The model in its map, coloured by any score; drag to turn, click a residue."),
    ("code", "ats.view(result)"),
    ("markdown", "The figures of the page, one by one."),
    ("code", 'result.plot("chain_A")'),
    ("code", 'result.plot("archive")'),
    ("markdown", "`write_results` writes all files, the page among them."),
    (
        "code",
        "import tempfile\n\n"
        "with tempfile.TemporaryDirectory() as folder:\n"
        "    files = ats.write_results(result, folder)\n"
        "len(files)",
    ),
)
_LONG = 200_000


def run(path: Path) -> None:
    """Make, run and write the notebook.

    Parameters
    ----------
    path : Path
    """
    import nbformat  # type: ignore[import-not-found,unused-ignore]  # noqa: PLC0415
    from nbclient import (  # type: ignore[import-not-found,unused-ignore]  # noqa: PLC0415
        NotebookClient,
    )

    os.environ["PLOTLY_RENDERER"] = "plotly_mimetype"
    new: Any = nbformat.v4
    cells = [
        new.new_markdown_cell(text) if kind == "markdown" else new.new_code_cell(text)
        for kind, text in CELLS
    ]
    for number, cell in enumerate(cells):
        cell["id"] = f"cell-{number}"
    notebook = new.new_notebook(cells=cells)
    NotebookClient(notebook, timeout=600, kernel_name="python3").execute()
    for cell in notebook.cells:
        cell.metadata.pop("execution", None)  # times differ from run to run
        for output in cell.get("outputs", ()):
            _lighten(output.get("data", {}), cell.source)
    notebook.metadata = {
        "kernelspec": {"name": "python3", "display_name": "Python 3"},
        "language_info": {"name": "python", "pygments_lexer": "ipython3"},
    }
    path.write_text(json.dumps(notebook, ensure_ascii=False, sort_keys=True) + "\n")


def _lighten(data: dict[str, Any], source: str) -> None:
    """A picture in the place of what is too long to keep."""
    if len(data.get("text/html", "")) > _LONG:
        del data["text/html"]
        data["image/png"] = _picture_of_view()
    if "application/vnd.plotly.v1+json" in data:
        data["image/png"] = _picture_of_plot(source.split('"')[1])


def _small(picture: bytes) -> str:
    """A PNG of 900 pixels at most, in 128 colours."""
    from PIL import Image  # noqa: PLC0415  (comes with matplotlib)

    image: Any = Image.open(BytesIO(picture)).convert("RGB")
    image.thumbnail((900, 900))
    small = BytesIO()
    image.quantize(128).save(small, "PNG", optimize=True)
    return base64.b64encode(small.getvalue()).decode()


def _result() -> Any:
    import atomsight as ats  # noqa: PLC0415

    return ats.validate(".cache/data/5ni1.cif", ".cache/data/emd_3488.mrc")


def _picture_of_plot(key: str) -> str:
    from atomsight.report.results import results_of  # noqa: PLC0415
    from atomsight.report.static import write_figures  # noqa: PLC0415

    with tempfile.TemporaryDirectory() as folder:
        write_figures(results_of(_result()), folder, "png")
        return _small((Path(folder) / f"{key}.png").read_bytes())


def _picture_of_view() -> str:
    from playwright.sync_api import sync_playwright  # noqa: PLC0415

    import atomsight as ats  # noqa: PLC0415

    arguments = ["--use-gl=angle", "--use-angle=swiftshader", "--enable-unsafe-swiftshader"]
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as play:
        page_file = Path(folder) / "view.html"
        page_file.write_text(ats.view(_result()).html)
        browser = play.chromium.launch(
            executable_path=shutil.which("chromium"), args=[*arguments, "--no-sandbox"]
        )
        page = browser.new_page(viewport={"width": 900, "height": 660})
        page.goto(page_file.as_uri())
        page.wait_for_selector("html[data-ready=yes]", timeout=120_000)
        page.wait_for_timeout(2000)
        picture = page.screenshot()
        browser.close()
    return _small(picture)


if __name__ == "__main__":
    run(Path(sys.argv[1]))
