"""Models are made once, the same from one seed, and a killed run goes on."""

import fcntl
import os
import random
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from atomsight.ensemble.engines.protocol import OpenMMProtocol
from atomsight.ensemble.generation import FOLDER, GenerationOptions, generate
from atomsight.ensemble.records import read_records
from atomsight.errors import OutputError, OverlayError, ParameterError, ResultsError
from atomsight.io.models import read_model
from tests.ensemble.generate_peptide import SHORT, inputs, options, save_inputs

pytest.importorskip("openmm")
pytest.importorskip("pdbfixer")

MODELS = 40
KILLS = 10


def start(folder: Path, workers: int = 1) -> subprocess.Popen:
    if not (folder / "inputs.pickle").exists():
        save_inputs(folder)
    return subprocess.Popen(
        [
            sys.executable,
            "-m",
            "tests.ensemble.generate_peptide",
            folder,
            str(MODELS),
            str(workers),
        ],
        start_new_session=True,
        cwd=Path(__file__).parents[2],
    )


def state(folder: Path) -> dict[str, tuple[bytes, int]]:
    """Finished models: their bytes, and when their record was written."""
    found = {}
    for record in folder.glob("seed_*.json"):
        model = record.with_suffix(".cif")
        found[model.name] = (model.read_bytes(), record.stat().st_mtime_ns)
    return found


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    folder = tmp_path_factory.mktemp("whole")
    assert start(folder, workers=2).wait() == 0
    return folder / "results" / FOLDER


def test_a_run_killed_ten_times_gives_the_same_models_and_makes_none_twice(whole, tmp_path):
    rng = random.Random(1)
    models = tmp_path / "killed" / "results" / FOLDER
    seen: dict[str, tuple[bytes, int]] = {}
    for kill in range(KILLS):
        run = start(tmp_path / "killed")
        # half of them while it starts, half among the models
        while kill % 2 and run.poll() is None and len(state(models)) == len(seen):
            time.sleep(0.01)
        time.sleep(rng.uniform(0.0, 0.1 if kill % 2 else 1.5))
        os.killpg(run.pid, signal.SIGKILL)
        run.wait()
        now = state(models)
        assert {name: now[name] for name in seen} == seen
        seen = now
    assert 0 < len(seen) < MODELS
    assert start(tmp_path / "killed").wait() == 0
    now = state(models)
    assert {name: now[name] for name in seen} == seen
    assert bytes_of(now) == bytes_of(state(whole))
    assert len(now) == MODELS
    left = {path.name for path in models.iterdir() if path.suffix not in (".cif", ".json")}
    assert left == {".lock"}
    ours, theirs = (
        [replace(r, seconds=0.0, path=Path()) for r in read_records(f)] for f in (models, whole)
    )
    assert ours == theirs


def bytes_of(models: dict[str, tuple[bytes, int]]) -> dict[str, bytes]:
    return {name: model for name, (model, _) in models.items()}


def test_workers_end_with_a_parent_that_was_killed_alone(tmp_path):
    run = start(tmp_path / "orphans")
    models = tmp_path / "orphans" / "results" / FOLDER
    while run.poll() is None and not state(models):
        time.sleep(0.01)
    run.kill()
    run.wait()
    for _ in range(500):
        try:
            os.killpg(run.pid, 0)
        except ProcessLookupError:
            return
        time.sleep(0.01)
    os.killpg(run.pid, signal.SIGKILL)
    pytest.fail("workers go on without their parent")


def test_records_say_how_a_model_was_made(whole):
    records = read_records(whole)
    assert [r.seed for r in records] == list(range(MODELS))
    assert len({r.protocol for r in records}) == len({r.inputs for r in records}) == 1
    for r in records:
        assert r.engine == "openmm"
        assert 0.0 < r.cc_start <= 1.0
        assert 0.01 < r.perturbation < 5.0
        assert r.map_energy < 0.0
        assert np.isfinite(r.energy)


def test_other_seeds_give_other_models_of_the_same_atoms(whole):
    one, other = (read_model(whole / f"seed_000{i}.cif") for i in (0, 1))
    assert one.atom.tolist() == other.atom.tolist()
    assert np.abs(one.xyz - other.xyz).max() > 0.01


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    folder = tmp_path_factory.mktemp("made")
    prepared, map_ = inputs(folder)
    told = []
    records = generate(prepared, map_, options(1), folder, lambda *a: told.append(a))
    return folder, prepared, map_, records, told


def test_progress_is_told(made):
    *_, records, told = made
    assert told == [("models", 0, 1), ("models", 1, 1)]
    assert [r.seed for r in records] == [0]


def test_more_models_can_be_asked_for_later(made):
    folder, prepared, map_, records, _ = made
    more = generate(prepared, map_, options(1), folder)
    assert more == records


@pytest.mark.parametrize("change", ["protocol", "model", "map"])
def test_models_of_another_kind_are_not_mixed(made, change):
    folder, prepared, map_, *_ = made
    wanted = options(1)
    if change == "protocol":
        wanted = replace(wanted, protocol=replace(SHORT, map_weight=41.0))
    elif change == "model":
        prepared = replace(prepared, xyz=prepared.xyz + 0.1)
    else:
        map_ = replace(map_, values=map_.values * 2)
    with pytest.raises(ResultsError, match="choose another folder"):
        generate(prepared, map_, wanted, folder)


def test_two_runs_do_not_write_to_one_folder(made):
    folder, prepared, map_, *_ = made
    with (folder / FOLDER / ".lock").open() as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        with pytest.raises(OutputError, match="another run"):
            generate(prepared, map_, options(1), folder)


def test_an_error_in_a_worker_is_the_users_error(made, tmp_path):
    _, prepared, map_, *_ = made
    upside_down = replace(map_, values=-map_.values)
    with pytest.raises(OverlayError, match="not positive"):
        generate(prepared, upside_down, options(1), tmp_path)
    assert not list((tmp_path / FOLDER).glob("seed*"))


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"models": 0}, "--models"),
        ({"seed": -1}, "--seed"),
        ({"workers": 0}, "--workers"),
        ({"resolution": float("nan")}, "--resolution"),
    ],
)
def test_options_that_mean_nothing_are_refused(made, tmp_path, wrong, said):
    _, prepared, map_, *_ = made
    with pytest.raises(ParameterError, match=said):
        generate(prepared, map_, GenerationOptions(**{"resolution": 3.0, **wrong}), tmp_path)


def test_the_hash_knows_every_parameter():
    from atomsight.ensemble.engines.choice import describe
    from atomsight.ensemble.engines.engine import hash_of

    hashes = {hash_of(describe(OpenMMProtocol()))}
    for name in OpenMMProtocol.__dataclass_fields__:
        if name in ("platform", "copies"):  # see test_platforms, test_copies
            continue
        value = getattr(OpenMMProtocol(), name)
        other = ("x",) if isinstance(value, tuple) else value + 1
        hashes.add(hash_of(describe(replace(OpenMMProtocol(), **{name: other}))))
    assert len(hashes) == len(OpenMMProtocol.__dataclass_fields__) - 1
