"""Which platform computes: what is asked for, what works, and what a folder holds already."""

import subprocess
from dataclasses import replace

import pytest

from atomsight.ensemble import generation
from atomsight.ensemble.engines import choice, platforms, trial
from atomsight.ensemble.engines.choice import describe, with_platform
from atomsight.ensemble.engines.engine import hash_of
from atomsight.ensemble.engines.platforms import Tried, registered, require_platform, tried
from atomsight.ensemble.engines.protocol import OpenMMProtocol, protocol_of
from atomsight.ensemble.records import Generated, write_record
from atomsight.errors import ParameterError, ResultsError

pytest.importorskip("openmm")
pytest.importorskip("pdbfixer")

PLAIN = OpenMMProtocol()


@pytest.fixture(autouse=True)
def _forget():
    tried.cache_clear()
    yield
    tried.cache_clear()


def finding(monkeypatch, **found):
    """Trials end like this."""
    for module in (choice, platforms):
        monkeypatch.setattr(module, "tried", found.__getitem__)


def recorded(folder, protocol):
    folder.mkdir(exist_ok=True)
    path = folder / "seed_0000.cif"
    path.write_text("data_x\n", encoding="utf-8")
    nan = float("nan")
    digest = hash_of(protocol_of(protocol))
    write_record(Generated(path, 0, "openmm", digest, nan, nan, nan, nan, nan, 1.0))


BROKEN, CARD, PROCESSOR = Tried("no driver"), Tried("", "A card", card=True), Tried("", "A CPU")


@pytest.mark.parametrize(
    ("cuda", "opencl", "expected", "said"),
    [
        (CARD, CARD, "cuda", "cuda: A card"),
        (BROKEN, CARD, "opencl", "opencl: A card"),
        (BROKEN, BROKEN, "cpu", "cpu (cuda: no driver; opencl: no driver)"),
        (
            BROKEN,
            PROCESSOR,
            "cpu",
            "cpu (cuda: no driver; opencl: A CPU is no graphics card)",
        ),
    ],
)
def test_auto_is_the_fastest_card_that_works(monkeypatch, tmp_path, cuda, opencl, expected, said):
    finding(monkeypatch, cuda=cuda, opencl=opencl)
    protocol, reason = with_platform(PLAIN, "auto", tmp_path / "none")
    assert (protocol.platform, reason) == (expected, said)


@pytest.mark.parametrize("there", ["cpu", "cuda", "opencl"])
def test_auto_goes_on_as_the_folder_began(monkeypatch, tmp_path, there):
    finding(monkeypatch, cuda=CARD, opencl=CARD)
    recorded(tmp_path / "models", replace(PLAIN, platform=there))
    protocol, reason = with_platform(PLAIN, "auto", tmp_path / "models")
    assert protocol.platform == there
    assert reason == f"{there}, as of the models in {tmp_path / 'models'}"


def test_models_of_another_protocol_do_not_choose(monkeypatch, tmp_path):
    finding(monkeypatch, cuda=CARD, opencl=CARD)
    recorded(tmp_path / "models", replace(PLAIN, map_weight=1.0))
    assert with_platform(PLAIN, "auto", tmp_path / "models")[0].platform == "cuda"


def test_a_name_is_taken_at_its_word(monkeypatch, tmp_path):
    finding(monkeypatch, cuda=CARD, opencl=BROKEN)
    recorded(tmp_path / "models", PLAIN)
    for name in ("cpu", "cuda", "opencl"):
        protocol, reason = with_platform(PLAIN, name, tmp_path / "models")
        assert (protocol.platform, reason) == (name, "")
    assert describe(replace(PLAIN, platform="cuda"))["platform"]["name"] == "cuda"
    with pytest.raises(ParameterError, match="--platform opencl: no driver; needs a graphics"):
        describe(replace(PLAIN, platform="opencl"))
    with pytest.raises(ParameterError, match="must be one of cpu, cuda, opencl, not metal"):
        describe(replace(PLAIN, platform="metal"))


def test_platforms_are_protocols_of_their_own_and_the_cpu_is_what_it_was():
    descriptions = {
        name: protocol_of(replace(PLAIN, platform=name)) for name in ("cpu", "cuda", "opencl")
    }
    assert len({hash_of(one) for one in descriptions.values()}) == 3
    # as before there was a choice: ensembles go on
    assert set(descriptions["cpu"]) == {"engine", "method", "parameters", "versions"}
    assert "platform" not in descriptions["cpu"]["parameters"]


def test_models_of_two_platforms_are_not_mixed(tmp_path):
    recorded(tmp_path, PLAIN)
    other = hash_of(protocol_of(replace(PLAIN, platform="cuda")))
    with pytest.raises(ResultsError, match="models of another protocol"):
        generation._require_same(generation.read_records(tmp_path), other, "", tmp_path)


def test_one_process_a_card():
    assert generation._default_workers(replace(PLAIN, platform="cuda")) == 1
    assert generation._default_workers(PLAIN) == len(generation.os.sched_getaffinity(0))


def test_a_plugin_that_cannot_be_loaded_says_why(monkeypatch):
    said = (
        "Error loading library /x/libOpenMMCUDA.so: libcuda.so.1: cannot open shared object file",
        "Error loading library /x/libOpenMMAmoebaCUDA.so: libOpenMMCUDA.so: cannot open",
    )
    monkeypatch.setattr(platforms, "registered", lambda: {"CPU"})
    monkeypatch.setattr(platforms, "load_failures", lambda: said)
    with pytest.raises(ParameterError, match=r"libcuda.so.1: cannot .* file; needs an NVIDIA"):
        require_platform("cuda")
    monkeypatch.setattr(platforms, "load_failures", tuple)
    tried.cache_clear()
    with pytest.raises(ParameterError, match=r"has no platform CUDA; .*openmm\[cuda12\]"):
        require_platform("cuda")


def ended(monkeypatch, stdout="", code=0):
    monkeypatch.setattr(platforms, "registered", lambda: {"OpenCL"})
    monkeypatch.setattr(
        platforms.subprocess,
        "run",
        lambda *_, **__: subprocess.CompletedProcess((), code, stdout, ""),
    )
    return tried("opencl")


def test_a_driver_that_ends_its_process_does_not_end_ours(monkeypatch):
    assert "exit code -11" in ended(monkeypatch, "half a line {", -11).error


def test_a_driver_that_hangs_is_left(monkeypatch):
    def hang(*_, **__):
        raise subprocess.TimeoutExpired("python", 1.0)

    monkeypatch.setattr(platforms, "registered", lambda: {"OpenCL"})
    monkeypatch.setattr(platforms.subprocess, "run", hang)
    assert "did not answer" in tried("opencl").error


@pytest.mark.parametrize(
    ("vendor", "device", "card"),
    [
        ("NVIDIA CUDA", "NVIDIA H100", True),
        ("AMD Accelerated Parallel Processing", "gfx90a", True),
        ("Portable Computing Language", "pthread-skylake", False),
        ("Intel(R) CPU Runtime for OpenCL", "Intel(R) Xeon(R)", False),
    ],
)
def test_a_processor_is_no_card(monkeypatch, vendor, device, card):
    said = f'\n{{"error": "", "device": "{device}", "vendor": "{vendor}"}}\n'
    assert ended(monkeypatch, said) == Tried("", device, card)


def test_the_trial_itself_passes_where_forces_are_right():
    assert trial.trial("CPU")["error"] == ""


@pytest.mark.parametrize("factor", [1.01, float("nan")])
def test_the_trial_notices_wrong_forces(monkeypatch, factor):
    true = trial._values

    def wrong(name, *arguments):
        return true("CPU", *arguments) * (factor if name == "CPU" else 1.0)

    monkeypatch.setattr(trial, "_values", wrong)
    assert "forces are wrong" in trial.trial("CPU")["error"]


def test_whatever_a_driver_raises_is_the_answer(monkeypatch, capsys):
    monkeypatch.setattr(trial.sys, "argv", ["trial", "Nowhere"])
    trial.main()
    assert "Nowhere" in trial.json.loads(capsys.readouterr().out)["error"]


def test_the_trial_of_this_machine_has_an_outcome():
    if "OpenCL" not in registered():
        pytest.skip("this machine has no OpenCL for OpenMM")
    found = tried("opencl")
    assert bool(found.error) != bool(found.device)
