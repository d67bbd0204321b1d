"""Figures as files for print."""

import subprocess
import sys
from xml.etree import ElementTree as ET

import matplotlib as mpl
import numpy as np
import pytest
from matplotlib import image

from atomsight.errors import InputError, MissingLibraryError
from atomsight.report.drawing import draw, print_style, save
from atomsight.report.figure import Axis, Cloud, Figure, Rule, Series, Strip
from atomsight.report.static import require_matplotlib, write_figures
from tests.support.results import drawn, with_chains

SVG = "{http://www.w3.org/2000/svg}"
X = np.arange(4.0)
ODD = "$x_$ <b> & \x01 漢字 _"


def words(path) -> str:
    """All text of an SVG file."""
    texts = ET.parse(path).iter(f"{SVG}text")
    return "\n".join("".join(text.itertext()) for text in texts)


def odd_figures():
    """Every kind of part, with text that means something to TeX, XML or fonts."""
    axes = {"x": Axis(ODD), "y": Axis(ODD), "title": ODD, "caption": ODD}
    rules = (Rule("x", 1.0, ODD), Rule("y", 1.0, ODD, 2.0))
    rows = np.arange(4)
    gaps = np.array([1, np.nan, 2, np.nan])
    series = (
        Series(ODD, X, gaps, rows=rows, labels=(ODD,) * 4),
        Series("_hidden", X, gaps, "points", symbol="cross"),
        Series(ODD, X, X, "steps"),
    )
    return [
        Figure(key="series", parts=series, rules=rules, **axes),
        Figure(key="cloud", parts=(Cloud(ODD, X, X, np.diag(X)),), **axes),
        Figure(key="empty", parts=(Cloud(ODD, X, X, np.zeros((4, 4))),), **axes),
        Figure(
            key="strip",
            parts=(Strip(ODD, X, (ODD,), gaps[None], rows[None], 0.0, 1.0),),
            **axes,
        ),
        Figure(
            key="one",
            parts=(Strip(ODD, X[:1], (ODD,), X[None, :1], rows[None, :1], 0.0, 1.0),),
            **axes,
        ),
        Figure(
            key="words",
            parts=(Series("", X[:2], X[:2], "bars", bin_width=0.5),),
            **axes | {"x": Axis("", names=(ODD, "b\nc"))},
        ),
        Figure(key="nothing", parts=(Series(ODD, X, X * np.nan),), **axes),
    ]


@pytest.mark.parametrize("kind", ["svg", "png", "pdf"])
def test_there_is_one_file_a_figure(halved, tmp_path, kind):
    files = write_figures(halved, tmp_path / "new", kind)
    assert [path.name for path in files] == [f"{key}.{kind}" for key in drawn(halved)]
    assert sorted(path.name for path in (tmp_path / "new").iterdir()) == sorted(
        path.name for path in files
    )


@pytest.mark.parametrize("kind", ["svg", "png", "pdf"])
def test_the_same_figures_are_the_same_bytes(kind, tmp_path):
    for figure in odd_figures()[: 3 if kind == "pdf" else None]:
        save(figure, tmp_path / "first", kind)
        with mpl.rc_context({"font.size": 20, "lines.linewidth": 5, "svg.fonttype": "path"}):
            save(figure, tmp_path / "second", kind)
        assert (tmp_path / "first").read_bytes() == (tmp_path / "second").read_bytes()
        assert b"2026-" not in (tmp_path / "first").read_bytes()


@pytest.mark.parametrize("figure", odd_figures(), ids=lambda figure: figure.key)
def test_text_from_files_stays_as_it_is(figure, tmp_path):
    save(figure, tmp_path / "odd.svg", "svg")
    text = words(tmp_path / "odd.svg")
    # a control character has no place in XML
    assert ODD.replace("\x01", "\ufffd") in text


def test_every_svg_is_xml_whose_text_is_text(small, tmp_path):
    found = with_chains(small, ["<b>", "$x$", "", "ä", "/"])
    for path in write_figures(found, tmp_path, "svg"):
        assert ET.parse(path).getroot().tag == f"{SVG}svg"
        assert words(path)
    titles = {words(path).split("\n")[-1] for path in tmp_path.glob("chain_*.svg")}
    text = "\n".join(words(path) for path in tmp_path.glob("chain_*.svg"))
    assert titles
    for title in ("Chain <b>", "Chain $x$", "Chain (no name)", "Chain ä", "Chain /"):
        assert title in text


def test_widths_are_those_of_a_journal(halved, tmp_path):
    for path in write_figures(halved, tmp_path, "svg"):
        points = float(ET.parse(path).getroot().attrib["width"].removesuffix("pt"))
        assert 84.9 <= points / 72 * 25.4 <= 175.1


def test_png_has_300_dots_an_inch_and_is_not_blank(halved, tmp_path):
    for path in write_figures(halved, tmp_path, "png"):
        pixels = image.imread(path)[..., :3]
        assert pixels.shape[1] == pytest.approx(1004, abs=1) or pixels.shape[1] > 1400
        assert (pixels[0, 0] == 1).all()
        # axes and text alone make no colours
        coloured = np.ptp(pixels, axis=2) > 0.2
        assert coloured.mean() > 1e-4


def test_pdf_holds_fonts_as_text_and_no_dates(small, tmp_path):
    for path in write_figures(small, tmp_path, "pdf"):
        content = path.read_bytes()
        assert content.startswith(b"%PDF")
        assert b"/CIDFontType2" in content or b"/TrueType" in content
        assert b"/Type3" not in content
        assert b"CreationDate" not in content


def test_a_strip_of_one_chain_shows_its_residues(small):
    with print_style():
        sheet = draw(drawn(small)["glance"])
        sheet.draw_without_rendering()
        box = sheet.axes[0].collections[0].get_window_extent()
    assert abs(box.width) > 100
    assert abs(box.height) > 10


def test_bars_stand_on_those_before(small):
    figure = drawn(small)["q_atoms"]
    lower, upper = figure.parts
    bars = draw(figure).axes[0].patches
    n = len(lower.x)
    assert [bar.get_y() for bar in bars[n:]] == lower.y.tolist()
    assert [bar.get_height() for bar in bars[n:]] == upper.y.tolist()


def test_all_text_lies_on_the_sheet(halved):
    for figure in drawn(halved).values():
        with print_style():
            sheet = draw(figure)
            sheet.draw_without_rendering()
            axes = sheet.axes[0]
            shown = [*axes.texts, axes.title, axes.xaxis.label, axes.yaxis.label]
            for key in sheet.legends:
                shown += [key.get_title(), *key.get_texts()]
            boxes = [text.get_window_extent() for text in shown]
        for text, box in zip(shown, boxes, strict=True):
            assert box.x0 >= -2, (figure.key, text.get_text())
            assert box.x1 <= sheet.bbox.x1 + 2, (figure.key, text.get_text())


def test_settings_of_the_user_stay(small, tmp_path):
    before = dict(mpl.rcParams)
    write_figures(small, tmp_path, "svg")
    assert dict(mpl.rcParams) == before


def test_pyplot_is_not_loaded_and_matplotlib_only_when_it_draws():
    code = (
        "import sys, atomsight.report.static as static, atomsight.report.page\n"
        "assert 'matplotlib' not in sys.modules\n"
        "import atomsight.report.drawing\n"
        "assert 'matplotlib.pyplot' not in sys.modules\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=120)


def test_without_matplotlib_it_is_said_how_to_get_it(small, tmp_path, monkeypatch):
    monkeypatch.setattr("atomsight.report.static.find_spec", lambda _: None)
    for attempt in (
        require_matplotlib,
        lambda: write_figures(small, tmp_path / "figures", "svg"),
    ):
        with pytest.raises(MissingLibraryError, match=r"pip install 'atomsight\[figures\]'"):
            attempt()
    assert issubclass(MissingLibraryError, InputError)
    assert not (tmp_path / "figures").exists()
