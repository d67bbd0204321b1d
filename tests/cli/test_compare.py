"""The command that ranks models."""

import json

import pytest

from tests.support.cases import files_below, moved, shifted, small_model, write_case
from tests.support.models import cif_text, write_model

FILES = [
    *("chimerax", "chimerax/compare.cxc", "chimerax/model_1.defattr", "chimerax/model_2.defattr"),
    *("compared_atoms.csv", "comparison.csv", "summary.json"),
]


@pytest.fixture
def case(tmp_path):
    """Map, model, and the model with its haem elsewhere."""
    model, map_ = write_case(tmp_path)
    other = write_model(
        tmp_path / "other.cif", cif_text(shifted(small_model(), "HEM", (0, 0.7, 0)))
    )
    return map_, model, other


def test_compare_writes_and_shows_the_ranking(atomsight, case, tmp_path):
    map_, model, other = case
    done = atomsight("compare", map_, other, model, "--resolution", "2", "-o", tmp_path / "out")
    assert (done.code, done.err) == (0, "")
    assert files_below(tmp_path / "out") == FILES
    text = " ".join(done.out.split())
    assert "compared 4 of 17 atoms other than hydrogen and water: those that differ" in text
    assert text.index("1. model.cif: highest Q") < text.index("2. other.cif:")
    assert "expected Q" in text
    assert "FSC-Q" not in text
    for name in FILES:
        assert name in done.out


def test_options_reach_the_comparison(atomsight, case, tmp_path):
    out = tmp_path / "out"
    options = {
        "--select": "(HEM)",
        "--resolution": "2.5",
        "--contour": "0.4",
        "--sigma": "0.6",
        "--orientations": "3",
        "--seed": "9",
        "--origin": "origin",
        "--threads": "1",
        "-o": out,
    }
    pairs = [word for pair in options.items() for word in pair]
    assert atomsight("compare", *case, *pairs, "--force").code == 0
    used = json.loads((out / "summary.json").read_text(encoding="utf-8"))["parameters"]
    assert used == {
        "selection": "(HEM)",
        "resolution": 2.5,
        "contour": 0.4,
        "origin": "origin",
        "q": {"sigma": 0.6, "points": 8, "radius": 2.0, "step": 0.1},
        "orientations": 3,
        "seed": 9,
        "threads": 1,
        "force": True,
        "half_maps": None,
    }


def test_the_same_seed_gives_the_same_files_on_any_number_of_threads(atomsight, case, tmp_path):
    for name, threads in (("a", 1), ("b", 2)):
        done = atomsight("compare", *case, "--threads", threads, "-o", tmp_path / name)
        assert done.code == 0
    for name in ("comparison.csv", "compared_atoms.csv"):
        one, two = ((tmp_path / folder / name).read_bytes() for folder in "ab")
        assert one == two


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("{map}", "{model}"), "a comparison needs at least two models"),
        (("{map}", "{model}", "{model}"), "this model is given twice"),
        (("{map}", "{model}", "{other}", "--select", "(XYZ)"), "names no atom of {model}"),
        (("{map}", "{model}", "{other}", "--orientations", "1"), "at least 2 orientations"),
        (("{map}", "{model}", "{away}"), "{away}: this model does not lie in {map}"),
        (("{map}", "{model}", "{lost}"), "{lost}: no such model file"),
        (("{model}", "{other}", "{map}"), "not a text file"),
        (("{map}", "{model}", "{other}", "--box", "12"), "--box: means nothing without"),
    ],
)
def test_what_is_wrong_is_said_in_one_line_and_nothing_is_left(
    atomsight, case, tmp_path, arguments, message
):
    map_, model, other = case
    away = write_model(tmp_path / "away.cif", cif_text(moved(small_model(), (1.2, 1.2, 1.2))))
    files = {"map": map_, "model": model, "other": other, "away": away, "lost": tmp_path / "no"}
    before = files_below(tmp_path)
    done = atomsight(
        "compare", *(word.format(**files) for word in arguments), "-o", tmp_path / "out"
    )
    assert message.format(**files) in done.error
    assert files_below(tmp_path) == before
