"""Programs of the user's: a stand-in that writes, fails, or writes nothing."""

import sys
from dataclasses import replace
from math import isnan

import numpy as np
import pytest

from atomsight.density.map import map_from_array
from atomsight.ensemble.engines.choice import make_engine
from atomsight.ensemble.engines.external import (
    ExternalEngine,
    ExternalProtocol,
    words_of,
)
from atomsight.ensemble.fit import fit_to_map
from atomsight.ensemble.generation import FOLDER, GenerationOptions, generate
from atomsight.ensemble.health import health_of
from atomsight.errors import ExternalProgramError, ParameterError
from atomsight.io.models import read_model
from tests.ensemble.peptides import map_around
from tests.ensemble.test_density_force import prepared

STAND_IN = """\
import pathlib, sys
model, map_, seed, output = sys.argv[1:5]
assert pathlib.Path(map_).is_file()
text = pathlib.Path(model).read_text()
print("read", model)
if seed == "3":
    print("line one\\nERROR: no rotamers", file=sys.stderr)
    sys.exit(4)
if seed == "4":
    sys.exit(0)
if seed == "5":
    text = "nonsense"
pathlib.Path(output).write_text(text)
"""


@pytest.fixture
def scene(tmp_path):
    program = tmp_path / "stand in.py"
    program.write_text(STAND_IN)
    map_path = tmp_path / "map.mrc"
    map_path.write_text("stands for a map")
    map_ = map_from_array(np.ones((4, 4, 4)), 1.0, path=map_path)
    command = f"'{sys.executable}' '{program}' {{model}} {{map}} {{seed}} {{output}}"
    model = prepared(np.array([[1.0, 2.0, 3.0]]))
    return model, map_, command


def engine(scene, **other):
    model, map_, command = scene
    return ExternalEngine(model, map_, 3.0, ExternalProtocol(command=command, **other))


def test_the_model_that_the_program_wrote_is_taken(scene, tmp_path):
    made = engine(scene).generate(1, tmp_path)
    assert made.path == tmp_path / "seed_0001.cif"
    assert read_model(made.path).xyz.tolist() == [[1.0, 2.0, 3.0]]
    assert made.engine == "external"
    assert isnan(made.energy)
    assert isnan(made.perturbation)
    assert {p.name for p in tmp_path.iterdir()} == {"seed_0001.cif", "map.mrc", "stand in.py"}


MOVES = """\
import sys
import gemmi
model, map_, seed, output = sys.argv[1:5]
structure = gemmi.read_structure(model)
residue = structure[0][0][0]
for atom in residue:
    atom.pos += gemmi.Position(*[0.1 * int(seed)] * 3)
if seed == "2":
    residue.remove_atom("C0", "\\0")
if seed == "3":
    for name in [atom.name for atom in residue][5:]:
        residue.remove_atom(name, "\\0")
structure.make_mmcif_document().write_file(output)
"""


@pytest.fixture
def moving(scene, tmp_path):
    (tmp_path / "stand in.py").write_text(MOVES)
    rng = np.random.default_rng(5)
    model = prepared(rng.uniform(0.0, 12.0, (30, 3)))
    model = replace(model, atom=np.array([f"C{i}" for i in range(30)]))
    map_ = replace(map_around(model.xyz + 0.2), path=scene[1].path)
    return ExternalEngine(model, map_, 3.0, ExternalProtocol(scene[2])), model, map_


def test_the_fit_of_its_models_is_computed_here(moving, tmp_path):
    external, model, map_ = moving
    still, nearer, fewer, other = (external.generate(seed, tmp_path) for seed in range(4))
    assert still.cc_start == fit_to_map(model, model.xyz, map_, 3.0)
    assert still.cc_end == pytest.approx(still.cc_start, abs=1e-4)
    assert nearer.cc_end > nearer.cc_start
    assert (fewer.missing_atoms, fewer.other_atoms) == (1, 0)
    assert fewer.cc_end > fewer.cc_start
    assert other.missing_atoms == 25
    assert isnan(other.cc_start)
    assert isnan(other.cc_end)
    health = health_of([still, nearer, fewer, other], [])
    assert health.n == 3
    assert isnan(health.perturbation)


def test_density_of_what_takes_no_part_does_not_count(moving, scene, tmp_path):
    external, model, map_ = moving
    beside = model.xyz[:1] + np.array([0.0, 0.0, 3.0])
    among = replace(model, others=beside)
    fit = ExternalEngine(among, map_, 3.0, ExternalProtocol(scene[2])).generate(0, tmp_path)
    assert fit.cc_start != external.generate(1, tmp_path).cc_start


def test_a_program_that_names_its_own_file(scene, tmp_path):
    model, map_, command = scene
    mine = command.replace("{output}", "out_{seed}_0001.cif")
    protocol = ExternalProtocol(mine, result="out_*.cif")
    made = ExternalEngine(model, map_, 3.0, protocol).generate(1, tmp_path)
    assert len(read_model(made.path)) == 1


@pytest.mark.parametrize(
    ("seed", "said"),
    [
        (3, r"failed with exit code 4; its last lines:\nread .*\nline one\nERROR: no rotamers"),
        (4, r"left no model as \{output\}; its last lines:\nread "),
        (5, r"seed 5: what it wrote cannot be used: .*; its last lines:\nread "),
    ],
)
def test_a_program_that_fails_is_shown_with_its_last_lines(scene, tmp_path, seed, said):
    with pytest.raises(ExternalProgramError, match=said):
        engine(scene).generate(seed, tmp_path)
    assert not list(tmp_path.glob("*seed_*"))


def test_a_program_that_takes_too_long_is_ended(scene, tmp_path):
    model, map_, _ = scene
    command = f"'{sys.executable}' -c 'import time; time.sleep(60)' {{model}} {{output}}"
    slow = ExternalEngine(model, map_, 3.0, ExternalProtocol(command, timeout=0.2))
    with pytest.raises(ExternalProgramError, match=r"not done after 0.2 s; it said nothing"):
        slow.generate(1, tmp_path)


@pytest.mark.parametrize(
    ("command", "said"),
    [
        ("", "is empty"),
        ("run {model} {output} {colour}", r"knows no \{colour\}; there are \{model\}"),
        ("run {model}", r"has no \{output\}"),
        ("run {output}", r"has no \{model\}"),
        ("run '{model}", "cannot be understood"),
        ("run {model {output}", "cannot be understood"),
    ],
)
def test_templates_that_cannot_work_are_refused_first(command, said):
    with pytest.raises(ParameterError, match=said):
        words_of(ExternalProtocol(command))


def test_a_program_that_is_not_there_is_named():
    with pytest.raises(ExternalProgramError, match="rosetta_scripts_nowhere: no such program"):
        words_of(ExternalProtocol("rosetta_scripts_nowhere {model} {output}"))


def test_a_map_without_a_file_cannot_be_given_to_a_program(scene):
    map_ = map_from_array(np.zeros((2, 2, 2)), 1.0)
    with pytest.raises(ParameterError, match="needs a map file"):
        make_engine(ExternalProtocol(scene[2]), scene[0], map_, 3.0)


def test_finished_models_stay_when_one_fails(scene, tmp_path):
    model, map_, command = scene
    options = GenerationOptions(
        resolution=3.0, models=4, workers=1, protocol=ExternalProtocol(command)
    )
    with pytest.raises(ExternalProgramError, match="no rotamers"):
        generate(model, map_, options, tmp_path)
    assert sorted(p.name for p in (tmp_path / FOLDER).glob("*.json")) == [
        f"seed_000{i}.json" for i in range(3)
    ]
