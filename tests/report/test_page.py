"""The page as a file: nothing is fetched, nothing of the input is run, what is missing is said."""

import base64
import re
from dataclasses import replace
from html.parser import HTMLParser

import numpy as np
import pytest

from atomsight.errors import OutputError
from atomsight.evidence.profile import atom_profile
from atomsight.outcome import Options
from atomsight.report.figure import Absent
from atomsight.report.figures.collect import figures
from atomsight.report.page import page, viewer_page, write_page
from atomsight.report.results import load_results, results_of
from atomsight.validation import validate
from tests.support.cases import moved, small_model, write_case, write_map_of
from tests.support.pages import (
    ATTACK,
    CHAIN,
    MAP_FILE,
    MODEL_FILE,
    NAME,
    RESIDUE,
    blocks,
    data_of,
    hostile,
    outside_blocks,
    validated,
    written,
)
from tests.support.results import with_facts, with_residues

REFERENCES = (
    r"\b(?:src|href|srcset|action|formaction|poster|data|background|cite|manifest|ping)\s*=\s*"
    r"[\"']?\s*(?:[a-z]+:)?//",
    r"url\(\s*[\"']?\s*(?!#)",  # gradients of the sliders lie in the page itself
    r"@import",
    r"\b(?:fetch|XMLHttpRequest|WebSocket|EventSource|importScripts|sendBeacon)\b",
    r"https?://",
)


class Elements(HTMLParser):
    """Tags, attributes and text of a page, as a browser takes them."""

    def __init__(self, html):
        super().__init__()
        self.tags, self.attributes, self.text, self.open = [], [], "", []
        self.feed(html)
        self.close()

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.attributes += [(tag, name, value) for name, value in attrs]
        self.open.append(tag)

    def handle_endtag(self, tag):
        while self.open and self.open.pop() != tag:
            pass

    def handle_data(self, data):
        if not {"script", "style"} & set(self.open):
            self.text += data


@pytest.fixture(scope="module")
def attack(tmp_path_factory):
    return results_of(hostile(tmp_path_factory.mktemp("attack")))


def test_the_same_results_give_the_same_page(small):
    assert page(small) == page(small)


def test_the_same_folder_gives_the_same_page(tmp_path):
    folder = written(validated(tmp_path), tmp_path / "out")
    assert page(load_results(folder)) == page(load_results(folder))


@pytest.mark.parametrize("name", ["small", "halved", "bare", "attack"])
@pytest.mark.parametrize("make", [page, viewer_page])
def test_nothing_is_fetched(request, name, make):
    html = outside_blocks(make(request.getfixturevalue(name)))
    for pattern in REFERENCES:
        found = re.search(pattern, html)
        assert found is None, html[max(0, found.start() - 80) : found.end() + 80]
    elements = Elements(html)
    assert not {"iframe", "img", "object", "embed", "base"} & set(elements.tags)
    links = [value for tag, name, value in elements.attributes if (tag, name) == ("link", "href")]
    assert set(links) <= {"data:,"}


@pytest.mark.parametrize("make", [page, viewer_page])
def test_the_browser_is_told_to_fetch_nothing(small, make):
    html = make(small)
    (policy,) = re.findall(r'http-equiv="Content-Security-Policy" content="([^"]*)"', html)
    assert "http" not in policy
    assert "default-src 'none'" in policy.replace("&#39;", "'")
    assert html.index("Content-Security-Policy") < html.index("<title>")


def test_pieces_of_html_stay_text(attack):
    html = page(attack)
    plain, hit = Elements(outside_blocks(html)), Elements(page_of_nothing_special(attack))
    assert plain.tags == hit.tags
    assert not [name for _, name, _ in plain.attributes if name.startswith("on")]
    assert "img" not in plain.tags
    assert ATTACK in plain.text
    assert f"{MODEL_FILE} in {MAP_FILE}" in plain.text
    assert html.count("<script") == 1 + len(blocks(html))


def page_of_nothing_special(attack):
    """The page of the same results under harmless names."""
    inputs = attack.facts["inputs"]
    inputs = {name: {**inputs[name], "path": f"{name}.x"} for name in ("model", "map")}
    found = with_facts(attack, inputs={**inputs, "half_maps": None})
    info = found.model.structure.clone()
    info.info["_struct.title"] = "A title"
    return outside_blocks(page(replace(found, model=replace(found.model, structure=info))))


def test_names_reach_the_scripts_as_they_are(attack):
    data = data_of(page(attack))
    assert data["residues"]["label"][0] == f"{CHAIN}/ALA 1"
    assert data["residues"]["label"][3] == f"{CHAIN}/{RESIDUE} 4<"
    assert NAME in data["atoms"]["name"]
    assert f"{NAME} (<)" in data["atoms"]["name"]


def test_sentences_of_results_are_escaped(small):
    found = with_facts(
        small,
        notes=[ATTACK, "</ul></script>"],
        resolution={"value": 3.2, "source": ATTACK},
        versions={"atomsight": "<b>", "<i>": "'\""},
        created=ATTACK,
    )
    hit = Elements(outside_blocks(page(found)))
    assert hit.tags.count("script") == 1
    assert "img" not in hit.tags
    assert hit.text.count(ATTACK) == 3


def test_json_holds_no_nan(small, halved, bare):
    nothing = np.full(len(small.model.residues), np.nan)
    for found in (small, halved, bare, with_residues(small, q=nothing, q_worst=nothing)):
        data_of(page(found))  # refuses NaN and Infinity


def test_every_figure_has_its_place(halved):
    html = page(halved)
    places = re.findall(r'<div class="figure[^>]* data-figure="([^"]*)"', html)
    assert len(places) == len(set(places))
    of_data = [one["group"] or one["key"] for one in data_of(html)["figures"]]
    assert places == list(dict.fromkeys(of_data))
    keys = [one["key"] for one in data_of(html)["figures"]]
    assert keys == [one.key for one in figures(halved) if not isinstance(one, Absent)]


def text_of(found):
    return " ".join(Elements(outside_blocks(page(found))).text.split())


def test_what_is_missing_is_said(small, bare):
    for found in (small, bare):
        said = text_of(found)
        missing = [one for one in figures(found) if isinstance(one, Absent)]
        assert missing
        for one in missing:
            assert f"{one.title}. {one.reason}" in said
    assert "Fourier shell correlation. FSC curves need the half maps: run again with" in text_of(
        small
    )


def test_a_complete_page_misses_little(halved):
    missing = [one.key for one in figures(halved) if isinstance(one, Absent)]
    assert ("Not in these results" in text_of(halved)) == bool(missing)
    assert "verdict" not in missing


def test_results_of_q_alone(bare):
    said = text_of(bare)
    assert (
        "No percentiles: these results hold the Q-score alone; atomsight validate compares" in said
    )
    assert "none given and none in the model's metadata (--resolution)" in said
    assert "what to expect is not known (" in said


def test_no_contour_level(small):
    assert "Atom inclusion – No percentile: no contour level given (--contour)" in text_of(small)


def test_no_map(small):
    said = text_of(replace(small, map=None, no_map="the map is no longer at x: give it with --map"))
    assert "No surface: the map is no longer at x: give it with --map." in said
    assert "Contour" not in said


def test_a_flat_map(small):
    values = np.zeros_like(small.map.values)
    found = replace(small, map=replace(small.map, values=values))
    assert "No surface: the map is constant around the model." in text_of(found)


def test_no_atom_with_a_score(tmp_path):
    """A model that lies nowhere near its map, scored on request."""
    model, _ = write_case(tmp_path)
    far = write_map_of(tmp_path / "far.mrc", moved(small_model(), (300, 0, 0)))
    found = results_of(validate(model, far, Options(force=True)))
    said = text_of(found)
    assert "No atom has a Q-score: see the notes." in said
    assert "the model does not lie in the map: scored on request (--force)" in said
    assert [one["key"] for one in data_of(page(found))["scores"]] == ["b_iso"]


def test_a_second_model_and_hydrogens_do_not_break_it(tmp_path):
    atoms = small_model()
    atoms += [replace(atoms[0], name="H", element="H", serial=21, xyz=(9.2, 10.2, 10.0))]
    found = results_of(validated(tmp_path, atoms))
    data = data_of(page(found))
    assert data["atoms"]["name"][-1] == "H"
    q = next(one for one in data["scores"] if one["key"] == "q")["atoms"]
    assert len(q) == 21


def test_folders_of_the_machine_are_nobody_elses_business(halved_run):
    found, folder = halved_run
    html = page(results_of(found))
    home = str(folder.parent)
    assert home not in html
    assert not any(home.encode() in content for content in blocks(html).values())
    assert '"half_1": "half_1.mrc"' in html.replace("&#34;", '"')


def test_file_names_that_are_no_utf_8(tmp_path):
    found = validated(tmp_path, map_="caf\udce9.mrc")
    folder = written(found, tmp_path / "out")
    assert "caf\\udce9.mrc" in (folder / "report.html").read_text(encoding="utf-8")
    (tmp_path / "caf\udce9.mrc").unlink()
    data = data_of(page(load_results(folder)))
    assert data["noProfiles"] == "the map is no longer at caf\udce9.mrc: give it with --map"


def test_profiles_are_those_of_the_atoms(small):
    profiles = data_of(page(small))["profiles"]
    found = atom_profile(small.map, small.model, np.arange(20), fit=False)
    steps = np.frombuffer(base64.b64decode(profiles["bytes"]), dtype=np.uint8).reshape(20, -1)
    size = (profiles["high"] - profiles["low"]) / 254
    decoded = np.where(steps == 255, np.nan, profiles["low"] + steps * size)
    np.testing.assert_allclose(decoded, found.mean, atol=0.501 * size)
    np.testing.assert_allclose(profiles["radius"], found.radius, atol=1e-4)
    np.testing.assert_allclose(profiles["reference"], found.reference)
    assert "sigma 0.4 Å" in profiles["caption"]


def test_the_page_is_written_whole_or_not_at_all(small, tmp_path):
    assert write_page(small, tmp_path / "r.html").read_text(encoding="utf-8") == page(small)
    (tmp_path / "folder").mkdir()
    with pytest.raises(OutputError, match="cannot write this file"):
        write_page(small, tmp_path / "folder")
    assert sorted(p.name for p in tmp_path.iterdir()) == ["folder", "r.html"]
