"""One browser for all tests, and the pages that many of them look at."""

from dataclasses import replace

import pytest

from atomsight.io.models import read_model
from atomsight.report.notebook import view
from atomsight.report.page import write_page
from atomsight.report.results import results_of
from atomsight.validation import validate
from tests.support.browser import (
    NO_GL,
    PROGRAMS,
    SOFTWARE_GL,
    Opened,
    has_to_run,
    launch,
    open_page,
    program,
)
from tests.support.pages import hostile, validated
from tests.support.results import with_every_reading


@pytest.fixture(scope="session")
def playwright():
    if program() is None:
        complaint = f"no browser on this machine (looked for {', '.join(PROGRAMS)})"
        (pytest.fail if has_to_run() else pytest.skip)(complaint)
    from playwright.sync_api import sync_playwright

    with sync_playwright() as started:
        yield started


@pytest.fixture(scope="session")
def browser(playwright):
    started = launch(playwright, *SOFTWARE_GL)
    yield started
    started.close()


@pytest.fixture(scope="session")
def haemoglobin(demo_data):
    """5NI1 in EMD-3488."""
    return validate(demo_data / "5ni1.cif", demo_data / "emd_3488.mrc")


@pytest.fixture(scope="session")
def residue_places(demo_data):
    """Coordinates of the atoms of each residue of 5NI1, in the order of the page."""
    model = read_model(demo_data / "5ni1.cif")
    return [model.xyz[model.residue == row] for row in range(len(model.residues))]


@pytest.fixture(scope="session")
def demo(browser, haemoglobin, tmp_path_factory) -> Opened:
    """The demo's page, open in a wide window."""
    path = write_page(results_of(haemoglobin), tmp_path_factory.mktemp("demo") / "report.html")
    return open_page(browser, path)


AS_AT_FIRST = """() => {
  scrollTo(0, 0);
  for (const input of document.querySelectorAll("#residue-table input")) {
    input.value = "";
    input.dispatchEvent(new Event("input"));
  }
  const map = document.getElementById("show-map");
  if (map && !map.checked) map.click();
  document.getElementById("reset").click();
}"""


def as_at_first(opened: Opened) -> Opened:
    """Whole model in its map, nothing filtered, light, the top of the page, a pointer aside."""
    opened.page.emulate_media(media="screen", color_scheme="light")
    opened.js(AS_AT_FIRST)
    opened.page.mouse.move(2, 2)
    return opened


@pytest.fixture
def haemoglobin_page(demo) -> Opened:
    """The demo's page as it was at first."""
    return as_at_first(demo)


@pytest.fixture
def small_page(halves) -> Opened:
    """The page with half maps as it was at first."""
    return as_at_first(halves)


@pytest.fixture(scope="session")
def halves(browser, halved, tmp_path_factory) -> Opened:
    """A page with half maps, on which every reading occurs."""
    path = tmp_path_factory.mktemp("halves") / "report.html"
    return open_page(browser, write_page(with_every_reading(halved), path))


@pytest.fixture(scope="session")
def attacked(browser, tmp_path_factory) -> Opened:
    """A page of files whose names and contents are pieces of HTML."""
    folder = tmp_path_factory.mktemp("attacked")
    return open_page(browser, write_page(results_of(hostile(folder)), folder / "report.html"))


@pytest.fixture(scope="session")
def mapless(browser, small, tmp_path_factory) -> Opened:
    """A page whose map is gone."""
    found = replace(small, map=None, no_map="the map is no longer at map.mrc: give it with --map")
    path = tmp_path_factory.mktemp("mapless") / "report.html"
    return open_page(browser, write_page(found, path))


@pytest.fixture(scope="session")
def in_notebook(browser, tmp_path_factory) -> Opened:
    """The page that a notebook shows in a frame."""
    folder = tmp_path_factory.mktemp("notebook")
    path = folder / "view.html"
    path.write_text(view(validated(folder)).html, encoding="utf-8")
    return open_page(browser, path, width=800, height=640)


@pytest.fixture(scope="session")
def without_gl(playwright, small, tmp_path_factory):
    """A page in a browser that cannot draw in three dimensions."""
    path = write_page(small, tmp_path_factory.mktemp("flat") / "report.html")
    started = launch(playwright, *NO_GL)
    yield open_page(started, path)
    started.close()
