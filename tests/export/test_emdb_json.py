"""The file in the form of EMDB's validation analysis: its text, and what it says."""

from dataclasses import replace
from importlib.metadata import version
from pathlib import Path

import numpy as np
import pytest

from atomsight.errors import OutputError
from atomsight.evidence.q_score import QScoreOptions
from atomsight.export.emdb_json import write_emdb_json
from atomsight.model import AtomClass
from atomsight.output import summary
from atomsight.validation import Options, validate
from tests.support.archive_files import mixed_model, strict_json, validated, with_percentiles
from tests.support.cases import small_model, write_case
from tests.support.maps import RIGHT_ANGLES, write_ccp4
from tests.support.models import pdb_text, write_model

GOLDEN = Path(__file__).parent / "golden" / "emdb_va.json"
CONTOUR = 0.8


def written(result, folder):
    """All parts; they stand below the name of the map."""
    ((name, parts),) = strict_json(write_emdb_json(result, folder / "va.json")).items()
    assert name == ("map" if result.map.path is None else result.map.path.name)
    return parts


def q_data(parts):
    return parts["qscore"]["0"]["data"]


def rows(part, key):
    assert len(part["residue"]) == len(part[key]) == len(part["color"])
    assert len(set(part["residue"])) == len(part["residue"])
    return dict(zip(part["residue"], part[key], strict=True))


@pytest.fixture(scope="module")
def result(tmp_path_factory):
    return validated(tmp_path_factory.mktemp("va"), options=Options(contour=CONTOUR))


@pytest.fixture(scope="module")
def bare(tmp_path_factory):
    """Without contour level and resolution."""
    return validated(tmp_path_factory.mktemp("bare"), before="")


def test_the_file_to_the_letter(result, tmp_path):
    path = write_emdb_json(with_percentiles(result), tmp_path / "va.json")
    text = path.read_text(encoding="utf-8")
    expected = GOLDEN.read_text(encoding="utf-8")
    assert text == expected.replace("atomsight VERSION", f"atomsight {version('atomsight')}")


def check_against_atoms(result, parts):
    """Every number again, with loops over the atoms."""
    model = result.model
    q, inside, chains = {}, {}, {}
    for i, row in enumerate(model.residue.tolist()):
        r = model.residues
        if model.hydrogen[i] or r.atom_class[row] == AtomClass.WATER:
            continue
        label = f"{r.chain[row]}:{r.number[row]}{r.icode[row]} {r.name[row]}"
        q.setdefault(label, []).append(result.scores.q[i])
        inside.setdefault(label, []).append(result.atoms["inside"][i])
        chains.setdefault(r.chain[row], []).append(i)
    data = q_data(parts)
    assert rows(data, "qscore") == pytest.approx({k: np.mean(v) for k, v in q.items()}, abs=5.1e-4)
    assert {k: v["value"] for k, v in data["chainqscore"].items()} == pytest.approx(
        {k: result.scores.q[v].mean() for k, v in chains.items()}, abs=5.1e-4
    )
    (by_contour,) = [part for key, part in parts["residue_inclusion"]["0"].items() if key != "name"]
    assert rows(by_contour, "inclusion") == pytest.approx(
        {k: np.mean(v) for k, v in inside.items()}, abs=5.1e-5
    )
    at = parts["atom_inclusion_by_level"]["0"]
    assert {k: (v["value"], v["numberOfAtoms"]) for k, v in at["chainaiscore"].items()} == {
        k: (pytest.approx(result.atoms["inside"][v].mean(), abs=5.1e-5), len(v))
        for k, v in chains.items()
    }
    assert data["numberofatoms"] == at["totalNumberOfAtoms"] == sum(map(len, chains.values()))


def check_against_summary(result, parts):
    facts = summary(result)
    data, at = q_data(parts), parts["atom_inclusion_by_level"]["0"]
    mean = facts["q_score"]["mean_without_water"]
    assert data["averageqscore"] == pytest.approx(mean["value"], abs=5.1e-4)
    assert data["numberofatoms"] == mean["n"]
    assert parts["qscore"]["allmodels_average_qscore"] == data["averageqscore"]
    known = facts["inclusion"]["at_contour"]
    assert at["average_ai_model"] == pytest.approx(known["all_atoms"], abs=5.1e-4)
    assert (at["totalNumberOfAtoms"], at["atomoutside"]) == (known["n"], known["n_outside_map"])
    assert parts["atom_inclusion_by_level"]["average_ai_allmodels"] == at["average_ai_model"]
    for bar, measure in ((data["qscore_bar"], "q"), (at["ai_bar"], "inclusion")):
        stands = facts["percentiles"][measure]
        for key, share, n, reach in (
            ("whole", "of_all", "n_all", "range_all"),
            ("relative", "of_resolution", "n_window", "range_window"),
        ):
            assert bar[key] == pytest.approx(stands[share] / 100, abs=5.1e-4)
            assert bar[f"{key}_counts"] == stands[n]
            assert (bar[f"{key}_res_high"], bar[f"{key}_res_low"]) == stands[reach]
    assert parts["resolution"]["value"] == facts["resolution"]["value"]


def test_values_are_those_of_the_atoms_and_of_the_summary(result, tmp_path):
    parts = written(result, tmp_path)
    check_against_atoms(result, parts)
    check_against_summary(result, parts)
    assert q_data(parts)["numberofatoms"] == 16


def test_haemoglobin(demo_data, tmp_path):
    files = demo_data / "5ni1.cif", demo_data / "emd_3488.mrc"
    result = validate(*files, Options(contour=0.165, percentile_definition="emdb"))
    parts = written(result, tmp_path)
    check_against_atoms(result, parts)
    check_against_summary(result, parts)
    data = q_data(parts)
    assert (data["averageqscore"], data["numberofatoms"]) == (0.554, 4555)
    assert len(data["residue"]) == 578  # 602 with the waters
    assert list(data["chainqscore"]) == ["A", "B", "C", "D"]
    assert data["bin_size"] == 1.0


def test_what_hydrogen_and_water_have_stands_nowhere(result, tmp_path):
    parts = written(result, tmp_path)
    model, water = result.model, result.model.residues.atom_class == AtomClass.WATER
    other = np.where(model.hydrogen | water[model.residue], -1.0, result.scores.q)
    residue_q = np.where(water, -1.0, result.residues["q"])
    changed = replace(
        result,
        scores=replace(result.scores, q=other),
        residues={**result.residues, "q": residue_q},
    )
    assert written(changed, tmp_path) == parts
    assert list(q_data(parts)["chainqscore"]) == ["A", "B", "X"]  # W is water
    for part in (q_data(parts), parts["residue_inclusion"]["0"][str(CONTOUR)]):
        assert not any("HOH" in label for label in part["residue"])


def test_shares_of_residues_and_atoms_sum_to_one(result, tmp_path):
    parts = q_data(written(result, tmp_path))["qFractionDistribution"]
    assert parts["qLevels"] == [round(-1 + 2 * i / 99, 3) for i in range(1, 100)]
    for key in ("qResidueFractions", "qAtomFractions"):
        assert len(parts[key]) == 99
        assert sum(parts[key]) == pytest.approx(1.0, abs=0.002)


@pytest.mark.parametrize("level", [CONTOUR, 0.0, 0.8125, -1.0, 3.0, -5.0, 7.5, 1e-7])
def test_the_contour_level_is_found_among_the_levels(tmp_path, level):
    result = validated(tmp_path, options=Options(contour=level))
    parts = written(result, tmp_path)
    curve, (_, key) = parts["atom_inclusion_by_level"]["0"], parts["residue_inclusion"]["0"]
    found = parts["recommended_contour_level"]["recl"]
    assert found == level
    assert key == str(found)
    place = curve["level"].index(found)
    assert curve["all_atom"][place] == pytest.approx(curve["average_ai_model"], abs=1e-9)
    assert len(curve["level"]) == len(curve["all_atom"]) == len(curve["backbone"]) == 129
    assert np.all(np.diff(curve["level"]) > 0)
    assert np.all(np.diff(curve["all_atom"]) <= 0)


@pytest.mark.parametrize(
    ("value", "colour"),
    [(-0.01, "#FF00FF"), (0.0, "#7A0000"), (0.5, "#7A7F7F"), (1.0, "#7AFFFF")],
)
def test_colours(result, tmp_path, value, colour):
    """Those of va 0.0.1.dev134."""
    q = np.full(len(result.model.residues), value)
    parts = written(replace(result, residues={**result.residues, "q": q}), tmp_path)
    assert set(q_data(parts)["color"]) == {colour}


def test_what_is_not_known_is_left_out(bare, tmp_path):
    parts = written(bare, tmp_path)
    assert list(parts) == ["qscore", "atom_inclusion_by_level", "version"]
    assert list(parts["atom_inclusion_by_level"]) == ["0"]
    curve = parts["atom_inclusion_by_level"]["0"]
    assert list(curve) == ["name", "level", "all_atom", "backbone"]
    assert list(q_data(parts)["qscore_bar"]) == [
        *("whole", "whole_counts", "whole_res_low", "whole_res_high")
    ]
    assert "null" not in (tmp_path / "va.json").read_text(encoding="utf-8")


def test_a_q_of_another_sigma_is_not_compared_with_the_archive(tmp_path):
    result = validated(tmp_path, options=Options(q=QScoreOptions(sigma=0.6)))
    assert not {"qscore_bar", "bin_size", "em_statistic_version"} & {
        *q_data(written(result, tmp_path))
    }


def test_a_short_validation_has_q_alone(tmp_path):
    result = validated(tmp_path, options=Options(everything=False))
    parts = written(result, tmp_path)
    assert list(parts) == ["qscore", "resolution", "version"]
    assert "qscore_bar" not in q_data(parts)


def test_only_what_was_scored_has_a_value(tmp_path):
    result = validated(tmp_path, options=Options(selection="//B", contour=CONTOUR))
    parts = written(result, tmp_path)
    assert q_data(parts)["residue"] == ["B:-1 SER"]
    assert list(q_data(parts)["chainqscore"]) == ["B"]
    assert len(parts["residue_inclusion"]["0"][str(CONTOUR)]["residue"]) == 6


@pytest.mark.parametrize("contour", [None, 0.0])
def test_without_any_q_there_is_no_qscore(tmp_path, contour):
    """Nothing but water; NaN stands nowhere."""
    atoms = [a for a in mixed_model() if a.residue == "HOH"]
    result = validated(tmp_path, atoms, Options(contour=contour, force=True))
    parts = written(result, tmp_path)
    level = {} if contour is None else {"recommended_contour_level": {"recl", "sigma"}}
    assert {*parts} == {*level, "resolution", "version"}


def test_a_constant_map(tmp_path):
    _, map_ = write_case(tmp_path)
    write_ccp4(map_, np.ones((40, 40, 40), dtype=np.float32), cell=(40.0,) * 3 + RIGHT_ANGLES)
    result = validate(tmp_path / "model.cif", map_, Options(contour=0.5, force=True))
    parts = written(result, tmp_path)
    assert list(parts) == ["recommended_contour_level", "version"]
    assert parts["recommended_contour_level"] == {"recl": 0.5}  # in no sigma


ODD = ["it's", 'say "x"', "two words", "Ä", "🧊", "?", ".", "_x", "back\\slash", "0"]


@pytest.mark.parametrize("chain", ODD)
def test_odd_chain_names_come_back(tmp_path, chain):
    mark = '"' if "'" in chain else "'"
    atoms = [
        replace(a, chain=f"{mark}{chain}{mark}", label_asym="A" if a.label_asym == "" else "B")
        if a.chain == "A"
        else a
        for a in mixed_model()
    ]
    result = validated(tmp_path, atoms, Options(contour=CONTOUR))
    parts = written(result, tmp_path)
    name = str(result.model.residues.chain[0])
    assert name == chain
    assert q_data(parts)["residue"][0] == f"{name}:7 ALA"
    assert next(iter(q_data(parts)["chainqscore"])) == name
    assert next(iter(parts["atom_inclusion_by_level"]["0"]["chainaiscore"])) == name


def test_an_empty_chain_name(tmp_path):
    model, map_ = write_case(tmp_path)
    atoms = [replace(a, chain=" ") for a in small_model()]
    model = write_model(tmp_path / "model.pdb", pdb_text(atoms))
    parts = written(validate(model, map_), tmp_path)
    assert q_data(parts)["residue"][0] == ":1 ALA"
    assert list(q_data(parts)["chainqscore"]) == [""]


@pytest.mark.parametrize("name", ['m "1".mrc', "Å β.mrc", "back\\slash.mrc"])
def test_the_name_of_the_map_is_the_key(tmp_path, name):
    result = validated(tmp_path, map_=name)
    written(result, tmp_path)
    written(replace(result, map=replace(result.map, path=None)), tmp_path)


def test_the_results_do_not_change_by_writing_them(result, tmp_path):
    first = write_emdb_json(result, tmp_path / "1.json").read_bytes()
    assert write_emdb_json(result, tmp_path / "2.json").read_bytes() == first


def test_a_file_that_cannot_be_written_is_an_output_error(result, tmp_path):
    with pytest.raises(OutputError, match="cannot write this file"):
        write_emdb_json(result, tmp_path / "none" / "va.json")
