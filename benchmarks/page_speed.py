"""The page: time to make it, its size, and how soon a browser without a graphics card answers."""

import shutil
import tempfile
import time
from pathlib import Path

import atomsight as ats
from atomsight.report.page import page
from atomsight.report.results import results_of
from cases import Case, demo_case, page_case
from tables import Row, Tables

_MARKS = ("table", "model", "plots", "map")
_CHROMIUM = (
    *("--use-gl=angle", "--use-angle=swiftshader", "--enable-unsafe-swiftshader", "--no-sandbox"),
)


def measure_page() -> Tables:
    """Make the page of the demo and of 60,000 atoms in 300³ voxels, and open both.

    Returns
    -------
    dict
        Table → row → column → figure.
    """
    rows: dict[str, Row] = {}
    with tempfile.TemporaryDirectory() as name:
        for case in (demo_case(), page_case(Path(name))):
            rows[case.name] = _measure(case, Path(name) / "page.html")
    return {"report.html; seconds until the browser has drawn each part": rows}


def _measure(case: Case, path: Path) -> Row:
    results = results_of(ats.validate(case.model, case.map_, ats.Options(fit_b=False)))
    start = time.perf_counter()
    text = page(results)
    made = time.perf_counter() - start
    path.write_text(text, encoding="utf-8")
    return {"made in s": made, "MB": path.stat().st_size / 1e6, **_opened(path)}


def _opened(path: Path) -> Row:
    """When each part of the page was drawn, where Playwright and a Chromium are installed."""
    browser = shutil.which("chromium")
    if browser is None:
        return {}
    try:
        from playwright.sync_api import sync_playwright
    except ImportError:
        return {}
    with sync_playwright() as play:
        window = play.chromium.launch(executable_path=browser, args=list(_CHROMIUM))
        tab = window.new_context(offline=True).new_page()
        tab.goto(path.as_uri())
        tab.wait_for_selector("html[data-ready=yes]", timeout=300_000)
        marks = tab.evaluate(
            "Object.fromEntries(performance.getEntriesByType('mark')"
            ".map((one) => [one.name, one.startTime / 1000]))"
        )
        window.close()
    return {name: marks[name] for name in _MARKS if name in marks}
