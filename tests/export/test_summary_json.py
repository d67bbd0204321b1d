import hashlib
import json
from dataclasses import dataclass
from enum import IntEnum
from importlib.metadata import version
from pathlib import Path
from platform import python_version

import numpy as np
import pytest

from atomsight.errors import OutputError
from atomsight.evidence.q_score import QScoreOptions
from atomsight.evidence.status import Status
from atomsight.export.summary_json import plain, summary, write_summary
from atomsight.outcome import Options
from atomsight.output import write_results
from atomsight.validation import validate
from tests.support.cases import placed, write_case
from tests.support.models import Atom, cif_text, peptide, residue, write_model


@dataclass(frozen=True, slots=True)
class Inner:
    value: float
    path: Path


@dataclass(frozen=True, slots=True)
class Outer:
    inner: Inner
    many: tuple[int, ...]


class Colour(IntEnum):
    RED = 3


def refuse(text):
    raise AssertionError(f"{text} is no JSON")


def load(path):
    """Strict JSON: NaN and Infinity, which Python would read, are refused."""
    return json.loads(path.read_text(encoding="utf-8"), parse_constant=refuse)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (None, None),
        (True, True),
        (3, 3),
        ("Å", "Å"),
        (0.1, 0.1),
        (float("nan"), None),
        (float("inf"), None),
        (-float("inf"), None),
        (np.float64(0.25), 0.25),
        (np.float32(0.25), 0.25),
        (np.float64("nan"), None),
        (np.int64(7), 7),
        (np.bool_(True), True),
        (np.str_("x"), "x"),
        (np.array([1.0, np.nan]), [1.0, None]),
        (np.array([[1, 2], [3, 4]]), [[1, 2], [3, 4]]),
        ((1, (2, float("nan"))), [1, [2, None]]),
        ({1: Path("/a/b"), "x": [Path("c")]}, {"1": "/a/b", "x": ["c"]}),
        (Outer(Inner(float("nan"), Path("m")), (1, 2)),
         {"inner": {"value": None, "path": "m"}, "many": [1, 2]}),
        ([Inner(0.5, Path("m"))], [{"value": 0.5, "path": "m"}]),
        (Colour.RED, 3),
    ],
)  # fmt: skip
def test_what_becomes_of_a_value(value, expected, tmp_path):
    found = plain(value)
    assert found == expected
    assert type(found) is type(expected) or isinstance(found, type(expected))
    assert load(write_summary({"value": value}, tmp_path / "s.json")) == {"value": expected}


def test_the_file_to_the_letter(tmp_path):
    path = write_summary({"b": 1, "a": {"σ": np.float64(0.4), "n": np.nan}}, tmp_path / "s.json")
    assert path.read_text(encoding="utf-8") == (
        '{\n  "b": 1,\n  "a": {\n    "σ": 0.4,\n    "n": null\n  }\n}\n'
    )


@pytest.mark.parametrize("name", ["a\nb", "\x1b[31m", 'say "x"', "back\\slash", "caf\udce9", "🧊"])
def test_every_file_name_comes_back(tmp_path, name):
    path = write_summary({"path": Path(name)}, tmp_path / "s.json")
    assert load(path) == {"path": name}
    assert "\x1b" not in path.read_text(encoding="utf-8")


def test_floats_keep_every_bit(tmp_path):
    values = np.random.default_rng(0).uniform(-1, 1, 100).tolist()
    assert load(write_summary({"v": values}, tmp_path / "s.json"))["v"] == values


def test_what_json_does_not_know_is_an_error_and_leaves_no_file(tmp_path):
    with pytest.raises(TypeError):
        write_summary({"v": {1, 2}}, tmp_path / "s.json")
    assert list(tmp_path.iterdir()) == []


def test_a_file_that_cannot_be_written_is_an_output_error(tmp_path):
    with pytest.raises(OutputError, match="cannot write this file"):
        write_summary({}, tmp_path / "none" / "s.json")


RESOLUTION = "_em_3d_reconstruction.resolution 3.2\n"


@pytest.fixture(scope="module")
def result(tmp_path_factory):
    folder = tmp_path_factory.mktemp("case")
    return validate(*write_case(folder, before=RESOLUTION))


KEYS = """
created fsc_q
expected.reason_if_none expected.residues.above expected.residues.below expected.residues.within
expected.value.band expected.value.definition expected.value.high expected.value.low
expected.value.peak
inputs.map.origin inputs.map.path inputs.map.periodic inputs.map.sha256 inputs.map.shape_xyz
inputs.map.statistics.maximum inputs.map.statistics.mean inputs.map.statistics.minimum
inputs.map.statistics.n inputs.map.statistics.n_not_finite inputs.map.statistics.sd
inputs.map.voxel_size inputs.half_maps
inputs.model.atoms inputs.model.model_number inputs.model.model_numbers inputs.model.path
inputs.model.residues inputs.model.sha256
no_pdb_because notes
overlay.contrast overlay.definition overlay.density overlay.displaced overlay.displacement
overlay.inside overlay.ok
parameters.assembly parameters.force parameters.half_maps parameters.model_number
parameters.neighbours
parameters.orientations parameters.origin parameters.q.points parameters.q.radius
parameters.q.sigma parameters.q.step parameters.resolution parameters.seed parameters.selection
parameters.source parameters.threads
q_score.chains q_score.classes q_score.definition q_score.entities
q_score.mean.definition q_score.mean.n q_score.mean.value
q_score.mean_as_mapq.definition q_score.mean_as_mapq.n q_score.mean_as_mapq.value
q_score.mean_without_water.definition q_score.mean_without_water.n
q_score.mean_without_water.value
q_score.orientations q_score.parts q_score.sigma
q_score.status_counts
resolution.source resolution.value
seconds
versions.atomsight versions.gemmi versions.numba versions.numpy versions.polars versions.python
versions.scipy
parameters.archive parameters.contour parameters.everything parameters.fit_b
parameters.convergence parameters.percentile_definition
b_factors.at_edge b_factors.atoms_above_f b_factors.definition b_factors.f
b_factors.reason_if_none b_factors.sources
b_factors.b_zero.cc b_factors.b_zero.cc_mean b_factors.b_zero.n b_factors.b_zero.overlap
b_factors.best.cc b_factors.best.cc_mean b_factors.best.n b_factors.best.overlap
correlation.definition correlation.equations correlation.reason_if_none
correlation.b_zero.cc correlation.b_zero.cc_mean correlation.b_zero.chains correlation.b_zero.n
correlation.b_zero.overlap correlation.b_zero.points_outside_map
correlation.own_b.cc correlation.own_b.cc_mean correlation.own_b.chains correlation.own_b.n
correlation.own_b.overlap correlation.own_b.points_outside_map
density.chains density.definition density.mean.mean density.mean.n density.mean_nearest.mean
density.mean_nearest.n density.negative.below_mean density.negative.below_zero
density.negative.definition density.negative.fraction_below_mean
density.negative.fraction_below_zero density.negative.n density.status_counts
inclusion.at_contour inclusion.backbone_definition inclusion.definition
inclusion.level_including.fraction inclusion.level_including.level
inclusion.level_including.level_in_sigma inclusion.reason_if_none
percentiles.archive percentiles.archive_sha256 percentiles.definition percentiles.half_width
percentiles.inclusion.n_all percentiles.inclusion.n_window percentiles.inclusion.no_all
percentiles.inclusion.no_resolution percentiles.inclusion.of_all
percentiles.inclusion.of_resolution percentiles.inclusion.range_all
percentiles.inclusion.range_window percentiles.inclusion.resolution percentiles.inclusion.value
percentiles.q.n_all percentiles.q.n_window percentiles.q.no_all percentiles.q.no_resolution
percentiles.q.range_all percentiles.q.range_window
percentiles.q.of_all percentiles.q.of_resolution percentiles.q.resolution percentiles.q.value
relations.b_factors relations.definition
relations.components.constant relations.components.explained relations.components.loadings
relations.components.n relations.components.n_left_out relations.components.reason_if_none
support.classes support.definition support.least_density support.least_q support.reason_if_none
support.reference_atoms support.unsupported support.waters_and_ions
verdict.definition verdict.reason_if_none
"""
OPEN = {
    *("q_score.chains", "q_score.classes", "q_score.entities", "q_score.parts"),
    *("q_score.status_counts", "seconds"),
    *("b_factors.sources", "correlation.b_zero.chains", "correlation.own_b.chains"),
    *("density.chains", "density.status_counts", "relations.b_factors"),
    *("relations.components.loadings", "support.classes", "support.waters_and_ions"),
}


def keys(value, path=""):
    """Every path of keys in nested dictionaries; those of `OPEN` depend on the input."""
    if not isinstance(value, dict) or path in OPEN:
        return [path]
    return [key for k, v in value.items() for key in keys(v, f"{path}.{k}".lstrip("."))]


def test_the_keys_of_the_summary(result, tmp_path):
    write_results(result, tmp_path)
    assert sorted(keys(load(tmp_path / "summary.json"))) == sorted(KEYS.split())


def test_what_was_not_computed_is_null(tmp_path):
    result = validate(*write_case(tmp_path), Options(selection="//A/1/CA"))
    write_results(result, tmp_path / "out")
    facts = load(tmp_path / "out" / "summary.json")
    assert facts["expected"]["value"] is None
    assert facts["resolution"]["value"] is None
    assert facts["q_score"]["mean"]["n"] == 1
    assert facts["q_score"]["orientations"] is None
    assert "no resolution given" in facts["expected"]["reason_if_none"]


def test_the_summary_names_inputs_versions_and_parameters(result, tmp_path):
    write_results(result, tmp_path)
    facts = load(tmp_path / "summary.json")
    for what, path in (("model", result.model.path), ("map", result.map.path)):
        assert facts["inputs"][what]["path"] == str(path)
        assert facts["inputs"][what]["sha256"] == hashlib.sha256(path.read_bytes()).hexdigest()
    assert facts["inputs"]["model"]["atoms"] == 20
    assert facts["inputs"]["model"]["residues"] == 8
    assert facts["inputs"]["map"]["voxel_size"] == pytest.approx([0.8] * 3)
    assert facts["inputs"]["map"]["shape_xyz"] == list(result.map.full_shape)
    assert facts["versions"].pop("python") == python_version()
    assert facts["versions"] == {name: version(name) for name in facts["versions"]}
    assert facts["parameters"]["q"] == {"sigma": 0.4, "points": 8, "radius": 2.0, "step": 0.1}
    assert facts["resolution"] == {
        "value": 3.2,
        "source": "_em_3d_reconstruction.resolution of the model",
    }


def test_every_mean_says_over_how_many_atoms_and_which(result):
    facts = summary(result)["q_score"]
    q = result.scores.q
    assert facts["mean"]["value"] == pytest.approx(q.mean(), abs=1e-12)
    assert facts["mean_without_water"]["value"] == pytest.approx(q[:17].mean(), abs=1e-12)
    assert [facts[name]["n"] for name in ("mean", "mean_without_water", "mean_as_mapq")] == [
        20, 17, 20,
    ]  # fmt: skip
    assert "water" in facts["mean_without_water"]["definition"]
    assert {name: row["n"] for name, row in facts["classes"].items()} == {
        "protein": 12, "ligand": 4, "ion": 1, "water": 3,
    }  # fmt: skip
    assert facts["classes"]["water"]["mean"] == pytest.approx(q[17:].mean(), abs=1e-12)
    assert facts["classes"]["protein"]["expected"] == pytest.approx(1.1242 - 0.1866 * 3.2)
    assert facts["classes"]["ligand"]["expected"] is None
    assert "no line has been published" in facts["classes"]["ligand"]["expected_reason_if_none"]


def test_sigma_stands_beside_the_scores(tmp_path):
    options = Options(q=QScoreOptions(sigma=0.6))
    result = validate(*write_case(tmp_path, before=RESOLUTION), options)
    write_results(result, tmp_path / "out", everything=False)
    facts = load(tmp_path / "out" / "summary.json")
    assert facts["q_score"]["sigma"] == facts["parameters"]["q"]["sigma"] == 0.6
    assert "sigma 0.6" in facts["expected"]["value"]["definition"]
    assert "SIGMA 0.6 A" in (tmp_path / "out" / "model__Q__map.pdb").read_text()


def test_status_counts_add_up_to_all_atoms(tmp_path):
    atoms = [
        *placed([*peptide("ALA GLY"), *residue("ALA", "HA HB", number=1, element="H")]),
        Atom("CB", xyz=None),
    ]
    far = Atom("CG", xyz=(500.0, 0.0, 0.0))
    model, map_ = write_case(tmp_path, atoms)
    write_model(model, cif_text([*atoms, far]))
    facts = summary(validate(model, map_))["q_score"]
    counts = facts["status_counts"]
    assert sum(counts.values()) == 12
    expected = {"ok": 8, "hydrogen": 2, "no_position": 1, "outside": 1}
    assert {name: n for name, n in counts.items() if n} == expected
    assert set(counts) == {status.label for status in Status}
    # MapQ gives an atom outside the map a 0, we give it nothing
    assert (facts["mean"]["n"], facts["mean_as_mapq"]["n"]) == (8, 9)
    assert facts["mean_as_mapq"]["value"] == pytest.approx(facts["mean"]["value"] * 8 / 9)


def test_rotated_point_sets_are_summed_up(tmp_path):
    result = validate(*write_case(tmp_path), Options(orientations=3, seed=11))
    facts = summary(result)["q_score"]["orientations"]
    assert (facts["n"], facts["seed"]) == (3, 11)
    assert facts["mean"] == pytest.approx(result.scores.orientation_mean.mean())
    assert facts["mean_sd"] == pytest.approx(result.scores.orientation_sd.mean())
    assert 0 < facts["mean_sd"] < 0.1
    assert "n - 1" in facts["definition"]


def test_nothing_scored_leaves_every_mean_empty(tmp_path):
    atoms = [*placed(peptide("ALA")), *residue("ALA", "HA", number=1, element="H")]
    options = Options(selection="//A/1/HA", orientations=2)
    result = validate(*write_case(tmp_path, atoms), options)
    write_results(result, tmp_path / "out")
    facts = load(tmp_path / "out" / "summary.json")["q_score"]
    for name in ("mean", "mean_without_water", "mean_as_mapq"):
        assert (facts[name]["n"], facts[name]["value"]) == (0, None)
    assert facts["orientations"]["mean"] is None
