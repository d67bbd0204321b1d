import json

import polars as pl
import pytest
from typer.main import get_command

from atomsight.cli.app import app
from tests.support.cases import files_below, write_case

FEW = ["atoms.csv", "model__Q__map.cif", "model__Q__map.pdb", "residues.csv", "summary.json"]


def test_q_writes_tables_annotated_models_and_a_summary(atomsight, tmp_path):
    done = atomsight("q", *write_case(tmp_path), "-o", tmp_path / "out")
    assert (done.code, done.err) == (0, "")
    assert files_below(tmp_path / "out") == FEW
    for name in FEW:
        assert name in done.out


def test_q_and_validate_give_the_same_numbers(atomsight, tmp_path):
    case = write_case(tmp_path)
    for command in ("q", "validate"):
        assert atomsight(command, *case, "-o", tmp_path / command).code == 0
    for name in FEW[1:3]:
        one, two = ((tmp_path / command / name).read_bytes() for command in ("q", "validate"))
        assert one == two
    for name in ("atoms.csv", "residues.csv"):
        one, two = (pl.read_csv(tmp_path / command / name) for command in ("q", "validate"))
        assert two.columns[: len(one.columns)] == one.columns
        assert two.select(one.columns).equals(one)
    one, two = (
        json.loads((tmp_path / command / "summary.json").read_text())
        for command in ("q", "validate")
    )
    for facts in (one, two):
        del facts["seconds"], facts["created"], facts["parameters"]["everything"]
    assert one["notes"] == two["notes"][: len(one["notes"])]
    del one["notes"]
    assert {key: two[key] for key in one} == one
    assert set(two) - set(one) >= {"percentiles", "density", "inclusion", "correlation", "notes"}


def described(command):
    """Every option with its help and what it is when not given."""
    for parameter in get_command(app).commands[command].params:
        yield (*parameter.opts, parameter.default, getattr(parameter, "help", ""))


def test_q_takes_the_same_options_as_validate_but_those_of_half_maps():
    q, everything = list(described("q")), list(described("validate"))
    assert [option for option in everything if option in q] == q
    extra = {option[0] for option in everything if option not in q}
    assert extra == {
        *("--half-maps", "--mask", "--mask-level", "--box", "--window", "--volumes"),
        *("--thresholds", "--label", "--crossing", "--b", "--b-from-q"),
        *("--contour", "--archive", "--definition", "--fit-b", "--figures", "--convergence"),
        *("--no-half-maps", "--no-mask"),
    }
    assert len(q) >= 17


@pytest.mark.parametrize("option", ["-o", "--output"])
def test_the_folder_for_results(atomsight, tmp_path, option):
    assert atomsight("q", *write_case(tmp_path), option, tmp_path / "a" / "b").code == 0
    assert files_below(tmp_path / "a" / "b") == FEW


def test_the_demo_with_mapq_sigma(atomsight, demo_data, tmp_path):
    done = atomsight(
        "q", demo_data / "5ni1.cif", demo_data / "emd_3488.mrc", "--sigma", "0.6", "-o", tmp_path
    )
    assert (done.code, done.err) == (0, "")
    facts = json.loads((tmp_path / "summary.json").read_text())
    assert facts["q_score"]["sigma"] == 0.6
    assert facts["q_score"]["mean"]["value"] > 0.5543
    assert "expected Q" in done.out
    assert "MapQ" in facts["expected"]["value"]["definition"]
