"""What a page says in sentences, and its sliders."""

from dataclasses import replace
from pathlib import Path

import gemmi
import pytest

from atomsight.io.models import read_model
from atomsight.report.results import Results
from atomsight.report.sliders import sliders
from atomsight.report.words import answer, files, heading, ids, subtitle
from tests.support.cases import small_model
from tests.support.models import cif_text, write_model
from tests.support.results import with_facts


def named(
    found: Results, model: str, map_: str | None, before: str = "", folder: Path | None = None
):
    """The same results of files with other names; `before` stands in the model's file."""
    inputs = found.facts["inputs"]
    inputs = {
        **inputs,
        "model": {**inputs["model"], "path": model},
        "map": {**inputs["map"], "path": map_},
    }
    found = with_facts(found, inputs=inputs)
    if before:
        path = write_model(folder / "m.cif", cif_text(small_model(), before))
        found = replace(found, model=read_model(path))
    return found


ENTRY = "_entry.id {}\n"
OWN = "_database_2.database_code {}\n"
RELATED = (
    "loop_\n_pdbx_database_related.db_id\n_pdbx_database_related.content_type\n"
    "EMD-1000 'other EM volume'\n{} 'associated EM volume'\n#\n"
)


@pytest.mark.parametrize(
    ("model", "map_", "before", "expected"),
    [
        ("/data/a.cif", "/data/b.mrc", "", "a.cif in b.mrc"),
        ("/data/a.cif", None, "", "a.cif in a map"),
        ("a.cif", "emd_3488.map.gz", "", "a.cif in EMD-3488"),
        ("a.cif", "EMD-12345.map", "", "a.cif in EMD-12345"),
        ("a.cif", "emd_3488_half_map_1.map", "", "a.cif in EMD-3488"),
        ("a.cif", "my_emd_3488.map", "", "a.cif in my_emd_3488.map"),
        ("a.cif", "b.mrc", ENTRY.format("5ni1"), "5NI1 in b.mrc"),
        ("a.cif", "b.mrc", ENTRY.format("pdb_00005ni1"), "PDB_00005NI1 in b.mrc"),
        ("a.cif", "b.mrc", ENTRY.format("model"), "a.cif in b.mrc"),
        ("a.cif", "b.mrc", ENTRY.format("5NI1") + RELATED.format("EMD-3488"), "5NI1 in EMD-3488"),
        ("a.cif", "b.mrc", RELATED.format("emd-3488"), "a.cif in EMD-3488"),
        ("a.cif", "b.mrc", OWN.format("EMD-3488") + RELATED.format("x"), "a.cif in EMD-3488"),
        ("a.cif", "b.mrc", RELATED.format("EMPIAR-1"), "a.cif in b.mrc"),
    ],
)
def test_headings_name_entries_where_they_are_known(small, tmp_path, model, map_, before, expected):
    assert heading(named(small, model, map_, before, tmp_path)) == expected


def test_the_demo_is_named_after_its_entries(demo_data, small):
    model = read_model(demo_data / "5ni1.cif")
    found = replace(named(small, "x/5ni1.cif", "x/emd_3488.mrc"), model=model)
    assert ids(found) == ("5NI1", "EMD-3488")
    assert subtitle(found).startswith("CryoEM structure of haemoglobin at 3.2 A")


def test_the_title_of_the_file_is_one_line(small, tmp_path):
    title = "_struct.title\n;Two\n lines  <b>bold</b>\n;\n"
    assert subtitle(named(small, "a", "b", title, tmp_path)) == "Two lines <b>bold</b>"
    assert subtitle(small) == ""


def expectation(low, high, peak):
    return {"value": {"low": low, "high": high, "peak": peak}, "reason_if_none": "",
            "residues": {"below": 2, "within": 0, "above": 0}}  # fmt: skip


def with_q(found, mean):
    q_score = found.facts["q_score"]
    return with_facts(found, q_score={**q_score, "mean_without_water": {"value": mean}})


@pytest.mark.parametrize(
    ("mean", "band", "words"),
    [
        (0.55, (0.4, 0.6, 0.5), "above the 0.500 that is usual at 3.2 Å and within the usual band"),
        (0.45, (0.4, 0.6, 0.5), "below the 0.500 that is usual at 3.2 Å and within the usual band"),
        (
            0.70,
            (0.4, 0.6, 0.5),
            "above the 0.500 that is usual at 3.2 Å and outside the usual band",
        ),
        (
            0.30,
            (0.4, 0.6, 0.5),
            "below the 0.500 that is usual at 3.2 Å and outside the usual band",
        ),
    ],
)
def test_the_answer_sets_q_against_what_is_usual(small, mean, band, words):
    found = with_facts(with_q(small, mean), expected=expectation(*band), verdict=None)
    low, high, _ = band
    assert answer(found) == (
        f"The model's mean Q is {mean:.3f}, {words} ({low:.3f} to {high:.3f}); "
        "2 of 8 residues lie below that band. "
    )


def test_without_a_resolution_the_answer_says_so(bare):
    said = answer(bare)
    assert said.startswith("The model's mean Q is 0.")
    assert "what to expect is not known (" in said
    assert said.endswith("). ")


def test_without_any_q_the_answer_says_so(small):
    assert answer(with_q(small, None)) == "No atom has a Q-score: see the notes."


def test_verdicts_are_counted(small):
    counts = {"not judged": 3, "as expected": 5, "worse than the map allows": 1, "not resolved": 0}
    verdict = {"counts": counts, "reason_if_none": ""}
    assert answer(with_facts(small, verdict=verdict)).endswith(
        "Verdict on 6 residues: 5 as expected, 1 worse than the map allows."
    )


def test_no_verdict_says_why(small):
    assert answer(small).endswith(
        "No verdict on single residues: there are no half maps (--half-maps)."
    )


def test_files_are_named_without_their_folders(halved):
    listed = files(halved)
    assert [one["what"] for one in listed] == ["model", "map", "half map 1", "half map 2"]
    assert [one["name"] for one in listed] == ["model.cif", "full.mrc", "half_1.mrc", "half_2.mrc"]
    assert all(len(one["sha256"]) == 64 for one in listed)
    assert listed[0]["about"] == "20 atoms, 8 residues"
    assert listed[1]["about"].endswith("voxels of 0.8 × 0.8 × 0.8 Å")


def test_a_map_in_memory(small):
    assert files(named(small, "m.cif", None))[1]["name"] == "in memory"


def test_sliders_say_where_an_entry_stands(halved):
    q, inclusion = sliders(halved)
    assert (q.name, inclusion.name) == ("Q-score", "Atom inclusion")
    for one in (q, inclusion):
        assert 0 <= one.of_all <= 100
        assert 0 <= one.of_resolution <= 100
        assert one.n_all > one.n_resolution > 1000
        assert (one.no_all, one.no_resolution) == ("", "")
        assert "Percentile: " in one.definition
    assert q.value == halved.facts["q_score"]["mean_without_water"]["value"]
    assert (q.name_all, q.name_resolution) == ("Q_relative_all", "Q_relative_resolution")


def test_a_slider_without_a_value_says_what_to_give(small):
    inclusion = sliders(small)[1]
    assert inclusion.of_all is None
    assert inclusion.no_all == "no contour level given (--contour)"


def test_scores_alone_have_no_sliders(bare):
    assert sliders(bare) == []


def test_titles_are_read_as_the_file_quotes_them(small, tmp_path):
    title = f"_struct.title {gemmi.cif.quote('it' + chr(39) + 's <i>x</i> & y')}\n"
    assert subtitle(named(small, "a", "b", title, tmp_path)) == "it's <i>x</i> & y"
