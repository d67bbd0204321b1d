"""FSC-Q on half maps of which the truth is known.

`half_maps_simulated` is made of simulated particles: projections with CTF, noise, pose and shift
errors, in two independent reconstructions. `5ni1` is synthetic noise: a model's map under white
noise. No real half maps are among them.

With the thresholds of the paper a true model scores below 0, with C_ref at 0.
"""

import csv
from dataclasses import dataclass, replace

import numpy as np
import pytest

import atomsight as ats
from atomsight.density.map import Map, array_statistics
from atomsight.density.simulate import simulate_map
from atomsight.evidence.fsc_q import FscQ, fsc_q
from atomsight.evidence.status import Status
from atomsight.model import Model

BACKBONE = ("N", "CA", "C", "O", "CB")


@dataclass(frozen=True)
class Particles:
    """The reconstructions of simulated particles, a true and a partly wrong model of them."""

    half_1: Map
    half_2: Map
    full: Map
    truth: Model
    turned: Model
    wrong: np.ndarray


@pytest.fixture(scope="module")
def particles(extra_data) -> Particles:
    folder = extra_data / "half_maps_simulated"
    half_1, half_2 = (ats.read_map(folder / f"half{i}.mrc.gz") for i in (1, 2))
    mean = (half_1.values + half_2.values) / 2
    turned = ats.read_model(folder / "wrong_rotamers.cif")
    with (folder / "turned_residues.csv").open(newline="") as handle:
        residues = {(row["chain"], int(row["number"])) for row in csv.DictReader(handle)}
    keys = zip(turned.residues.chain, turned.residues.number, strict=True)
    is_turned = np.array([(str(chain), int(number)) in residues for chain, number in keys])
    return Particles(
        half_1,
        half_2,
        replace(half_1, values=mean, statistics=array_statistics(mean)),
        ats.read_model(folder / "truth.cif"),
        turned,
        is_turned[turned.residue] & ~np.isin(turned.atom, BACKBONE),
    )


def score(particles: Particles, model: Model, rule: str) -> FscQ:
    model_map = simulate_map(model, particles.full)
    maps = particles.full, particles.half_1, particles.half_2, model_map
    return fsc_q(*maps, model, box=16, rule=rule)


def roc_area(values: np.ndarray, wrong: np.ndarray) -> float:
    """Chance that a wrong atom has the greater value of a wrong and a right one."""
    right = np.sort(values[~wrong])
    below = np.searchsorted(right, values[wrong], "left")
    up_to = np.searchsorted(right, values[wrong], "right")
    return float((below + up_to).mean() / (2 * len(right)))


@pytest.mark.parametrize(("rule", "mean", "within"), [("paper", -0.16, 0.03), ("cref", 0.0, 0.07)])
def test_the_true_model_of_simulated_particles(particles, rule, mean, within):
    result = score(particles, particles.truth, rule)
    assert (result.status == Status.OK).sum() == len(particles.truth) == 4555
    assert np.mean(result.fsc_q) == pytest.approx(mean, abs=within)
    assert np.median(result.fsc_q) == pytest.approx(mean, abs=within)
    assert np.std(result.fsc_q) < 0.08
    np.testing.assert_allclose(result.fsc_q_r, result.fsc_q / result.half, atol=5e-3)
    assert 2.5 < np.median(result.half) < 4.0


@pytest.mark.parametrize(("rule", "signed"), [("paper", 0.94), ("cref", 0.98)])
def test_wrong_rotamers_in_simulated_particles_stand_out(particles, rule, signed):
    result = score(particles, particles.turned, rule)
    wrong = particles.wrong
    assert (wrong.sum(), len(wrong)) == (161, 4555)
    assert result.counted.all()
    assert roc_area(result.fsc_q, wrong) >= signed
    # the paper averages absolute values, and loses wrong atoms on their way from below to above 0
    if rule == "paper":
        assert roc_area(np.abs(result.fsc_q), wrong) < 0.75
    assert np.median(result.fsc_q[wrong]) > np.quantile(result.fsc_q[~wrong], 0.95)


@pytest.mark.parametrize(("rule", "mean", "within"), [("paper", -0.27, 0.05), ("cref", 0.0, 0.07)])
def test_the_true_model_under_white_noise(extra_data, rule, mean, within):
    folder = extra_data / "blocres_reference"
    names = ("full", "half1", "half2")
    full, half_1, half_2 = (ats.read_map(folder / f"5ni1_{name}.mrc.gz") for name in names)
    model = ats.read_model(folder / "5ni1_truth.cif")
    model_map = simulate_map(model, full)
    # half of the molecule says as much as all of it
    part = np.zeros_like(full.values)
    part[:, :, :50] = 1.0
    result = fsc_q(
        full, half_1, half_2, model_map, model, box=20, rule=rule, mask=replace(full, values=part)
    )
    assert result.counted.sum() > 1500
    assert np.nanmean(result.fsc_q) == pytest.approx(mean, abs=within)
    assert np.nanmedian(result.fsc_q) == pytest.approx(mean, abs=within)
