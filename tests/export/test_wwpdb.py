"""The file in the categories of wwPDB validation: its text, and what it says."""

from dataclasses import replace
from importlib.metadata import version
from pathlib import Path

import gemmi
import numpy as np
import pytest

from atomsight.errors import OutputError
from atomsight.evidence.q_score import QScoreOptions
from atomsight.export.wwpdb import write_wwpdb
from atomsight.model import AtomClass
from atomsight.output import summary
from atomsight.validation import Options, validate
from tests.support.archive_files import mixed_model, validated, with_percentiles
from tests.support.cases import small_model, write_case
from tests.support.models import pdb_text, write_model

GOLDEN = Path(__file__).parent / "golden" / "wwpdb_validation.cif"
CONTOUR = 0.8
ITEMS = {
    "software": "ordinal name version",
    "summary_em": "exp_method contour_level_primary_map atom_inclusion_all_atoms "
    "atom_inclusion_backbone EMDB_resolution Q_score ordinal",
    "percentile_list": "id range exp_method",
    "percentile_type": "id type",
    "percentile_conditions": "id type_id rank res_high res_low number_entries_total "
    "percentile_list_id",
    "summary_entity_fit_to_map": "ordinal PDB_model_num entity_id label_asym_id auth_asym_id "
    "Q_score average_residue_inclusion",
    "model_instance": "id PDB_model_num entity_id label_asym_id label_comp_id auth_asym_id "
    "auth_seq_id PDB_ins_code",
    "model_instance_map_fitting": "ordinal instance_id Q_score residue_inclusion",
}
"""As the dictionary mmcif_pdbx_vrpt.dic 0.067 spells them."""


def written(result, folder):
    """Category → its rows, each item → value; None for `?` and False for `.`."""
    block = gemmi.cif.read(str(write_wwpdb(result, folder / "w.cif"))).sole_block()
    found = {}
    for name in block.get_mmcif_category_names():
        columns = block.get_mmcif_category(name)
        found[name.removeprefix("_pdbx_vrpt_").rstrip(".")] = [
            dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)
        ]
    return found


def column(rows, item):
    return [None if row[item] is None else float(row[item]) for row in rows]


@pytest.fixture(scope="module")
def result(tmp_path_factory):
    return validated(tmp_path_factory.mktemp("w"), options=Options(contour=CONTOUR))


def test_the_file_to_the_letter(result, tmp_path):
    path = write_wwpdb(with_percentiles(result), tmp_path / "w.cif")
    expected = GOLDEN.read_text(encoding="utf-8").replace("VERSION", version("atomsight"))
    assert path.read_text(encoding="utf-8") == expected


def test_categories_and_items(result, tmp_path):
    found = written(result, tmp_path)
    assert {name: " ".join(rows[0]) for name, rows in found.items()} == ITEMS


def check_against_atoms(result, found):
    """Every row again, with loops over the atoms."""
    model, r = result.model, result.model.residues
    q, inside, entities = {}, {}, {}
    for i, row in enumerate(model.residue.tolist()):
        if not model.hydrogen[i] and r.atom_class[row] != AtomClass.WATER:
            q.setdefault(row, []).append(result.scores.q[i])
            inside.setdefault(row, []).append(result.atoms["inside"][i])
            key = str(r.entity[row]), str(r.label_asym[row]), str(r.chain[row])
            entities.setdefault(key, []).append(i)
    instances = {row["id"]: row for row in found["model_instance"]}
    assert [
        (one["entity_id"], one["label_asym_id"], one["label_comp_id"], one["auth_asym_id"],
         int(one["auth_seq_id"]), one["PDB_ins_code"] or "")
        for one in instances.values()
    ] == [
        (r.entity[i], r.label_asym[i], r.name[i], r.chain[i], r.number[i], r.icode[i]) for i in q
    ]  # fmt: skip
    fitting = found["model_instance_map_fitting"]
    assert [row["instance_id"] for row in fitting] == list(instances)
    assert column(fitting, "Q_score") == pytest.approx([np.mean(v) for v in q.values()], abs=5.1e-4)
    assert column(fitting, "residue_inclusion") == pytest.approx(
        [np.mean(v) for v in inside.values()], abs=5.1e-5
    )
    means = found["summary_entity_fit_to_map"]
    keys = [(one["entity_id"], one["label_asym_id"], one["auth_asym_id"]) for one in means]
    assert keys == list(entities)
    assert column(means, "Q_score") == pytest.approx(
        [result.scores.q[v].mean() for v in entities.values()], abs=5.1e-4
    )
    rows = [{model.residue[i] for i in v} for v in entities.values()]
    assert column(means, "average_residue_inclusion") == pytest.approx(
        [np.mean([np.mean(inside[row]) for row in v]) for v in rows], abs=5.1e-4
    )


def check_against_summary(result, found):
    facts = summary(result)
    (whole,) = found["summary_em"]
    at, q = facts["inclusion"]["at_contour"], facts["percentiles"]["q"]
    assert whole["exp_method"] == "electron microscopy"
    for item, value in (
        ("Q_score", facts["q_score"]["mean_without_water"]["value"]),
        ("EMDB_resolution", facts["resolution"]["value"]),
        ("contour_level_primary_map", at["level"]),
        ("atom_inclusion_all_atoms", at["all_atoms"]),
        ("atom_inclusion_backbone", at["backbone"]),
    ):
        assert float(whole[item]) == pytest.approx(value, abs=5.1e-4)
    lists = {row["id"]: row["range"] for row in found["percentile_list"]}
    everything, similar = found["percentile_conditions"]
    assert lists[everything["percentile_list_id"]] == "all"
    assert float(lists[similar["percentile_list_id"]]) == facts["resolution"]["value"]
    assert column([everything, similar], "rank") == pytest.approx(
        [q["of_all"], q["of_resolution"]], abs=0.051
    )
    assert column([everything, similar], "number_entries_total") == [q["n_all"], q["n_window"]]
    assert (everything["res_high"], everything["res_low"]) == (None, None)
    assert (float(similar["res_high"]), float(similar["res_low"])) == q["range_window"]
    assert [row["type"] for row in found["percentile_type"]] == ["Q_score"]


def test_values_are_those_of_the_atoms_and_of_the_summary(result, tmp_path):
    found = written(result, tmp_path)
    check_against_atoms(result, found)
    check_against_summary(result, found)


def test_haemoglobin(demo_data, tmp_path):
    files = demo_data / "5ni1.cif", demo_data / "emd_3488.mrc"
    result = validate(*files, Options(contour=0.165))
    found = written(result, tmp_path)
    check_against_atoms(result, found)
    check_against_summary(result, found)
    assert found["summary_em"][0]["Q_score"] == "0.554"
    assert found["percentile_conditions"][1]["rank"] == "87.3"
    assert len(found["model_instance"]) == 578  # 602 with the waters
    assert len(found["summary_entity_fit_to_map"]) == 8
    assert gemmi.cif.read(str(tmp_path / "w.cif")).sole_block().name == "valid_5ni1"


def test_what_hydrogen_and_water_have_stands_nowhere(result, tmp_path):
    before = write_wwpdb(result, tmp_path / "w.cif").read_bytes()
    model, water = result.model, result.model.residues.atom_class == AtomClass.WATER
    other = np.where(model.hydrogen | water[model.residue], -1.0, result.scores.q)
    changed = replace(
        result,
        scores=replace(result.scores, q=other),
        residues=result.residues
        | {name: np.where(water, 0.5, result.residues[name]) for name in ("q", "inclusion")},
    )
    assert write_wwpdb(changed, tmp_path / "w.cif").read_bytes() == before
    assert b"HOH" not in before


def test_what_is_not_known_is_left_out(tmp_path):
    found = written(validated(tmp_path, before=""), tmp_path)
    assert list(found["summary_em"][0]) == ["exp_method", "Q_score", "ordinal"]
    assert len(found["percentile_list"]) == len(found["percentile_conditions"]) == 1
    for name in ("model_instance_map_fitting", "summary_entity_fit_to_map"):
        assert not any("inclusion" in item for item in found[name][0])


@pytest.mark.parametrize(
    "options", [Options(q=QScoreOptions(sigma=0.6)), Options(everything=False)]
)
def test_without_percentiles_their_categories_are_not_there(tmp_path, options):
    found = written(validated(tmp_path, options=options), tmp_path)
    assert {*found} == {name for name in ITEMS if not name.startswith("percentile")}


def test_what_was_not_scored_is_an_instance_without_a_score(tmp_path):
    chosen = Options(selection="//B")
    found = written(validated(tmp_path, options=chosen), tmp_path)
    assert len(found["model_instance"]) == 6
    assert [row["instance_id"] for row in found["model_instance_map_fitting"]] == ["5"]
    assert [row["auth_asym_id"] for row in found["summary_entity_fit_to_map"]] == ["B"]
    found = written(validated(tmp_path, options=replace(chosen, contour=CONTOUR)), tmp_path)
    assert [row["Q_score"] is None for row in found["model_instance_map_fitting"]] == [
        *(True, True, True, True, False, True)
    ]


def test_nothing_but_water(tmp_path):
    atoms = [a for a in mixed_model() if a.residue == "HOH"]
    found = written(validated(tmp_path, atoms, Options(contour=0.0, force=True)), tmp_path)
    assert {*found} == {"software", "summary_em"}
    assert "Q_score" not in found["summary_em"][0]
    assert "nan" not in (tmp_path / "w.cif").read_text(encoding="utf-8")


ODD = ["it's", 'say "x"', "two words", "Ä", "🧊", "?", ".", "_x", "#", "data_x", "loop_", ";", "0"]


@pytest.mark.parametrize("item", ["auth_asym_id", "label_comp_id"])
@pytest.mark.parametrize("name", ODD)
def test_odd_names_come_back(tmp_path, result, name, item):
    residues = result.model.residues
    field = {"auth_asym_id": "chain", "label_comp_id": "name"}[item]
    named = replace(residues, **{field: np.full(len(residues), name)})
    found = written(replace(result, model=replace(result.model, residues=named)), tmp_path)
    assert [row[item] for row in found["model_instance"]] == [name] * 6
    if item == "auth_asym_id":
        assert {row[item] for row in found["summary_entity_fit_to_map"]} == {name}


def test_an_empty_chain_name_and_no_entity(tmp_path):
    _, map_ = write_case(tmp_path)
    atoms = [replace(a, chain=" ") for a in small_model()]
    model = write_model(tmp_path / "model.pdb", pdb_text(atoms))
    found = written(validate(model, map_), tmp_path)
    assert len(found["model_instance"]) == 5
    assert {row["auth_asym_id"] for row in found["model_instance"]} == {False}
    assert {row["auth_asym_id"] for row in found["summary_entity_fit_to_map"]} == {False}


@pytest.mark.parametrize(
    ("name", "block"),
    [("Å β.cif", "valid__"), ("5ni1.cif.gz", "valid_5ni1"), ("v 1.2.pdb", "valid_v_1.2")],
)
def test_the_block_is_named_after_the_model(result, tmp_path, name, block):
    named = replace(result, model=replace(result.model, path=Path(name)))
    path = write_wwpdb(named, tmp_path / "w.cif")
    assert gemmi.cif.read(str(path)).sole_block().name == block


def test_a_file_that_cannot_be_written_is_an_output_error(result, tmp_path):
    with pytest.raises(OutputError, match="cannot write this file"):
        write_wwpdb(result, tmp_path / "none" / "w.cif")
