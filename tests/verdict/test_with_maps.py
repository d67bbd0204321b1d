"""Verdicts from maps: everything together, where the truth is known."""

import csv
from dataclasses import replace

import numpy as np

import atomsight as ats
from atomsight.density.masks import MODEL_THRESHOLD, mask_above
from atomsight.summary import Part
from atomsight.verdict.readings import Reading
from tests.support.verdicts import asparagines, data, everywhere, turned_side_chain


def test_a_turned_side_chain_in_maps_under_noise():
    right = asparagines()
    wrong = turned_side_chain(right, 11, 120.0)
    full, one, two, mask = data(right, 0.1)
    d, status = everywhere(right, 2.6)
    for model, reading in ((right, Reading.AS_EXPECTED), (wrong, Reading.WORSE)):
        attainable = ats.attainable_q(full, one, two, model, d, status, mask=mask)
        density = ats.side_chain_density(full, attainable.signal, model)
        v = ats.judge(
            model, ats.q_score(full, model), attainable, d, status,
            density=density, displacement=ats.displacement(full, attainable, model),
        )  # fmt: skip
        assert v.reading[11] == reading
        assert np.count_nonzero(v.reading == Reading.AS_EXPECTED) >= 24
    assert v.part[11] == Part.SIDECHAIN


def test_a_shifted_residue_is_found_by_the_pull():
    right = asparagines()
    push = np.outer(right.residue == 11, [0.7, -0.6, 0.5])
    wrong = replace(right, xyz=right.xyz + push)
    full, one, two, mask = data(right, 0.25)
    d, status = everywhere(right, 2.6)
    attainable = ats.attainable_q(full, one, two, wrong, d, status, mask=mask)
    q = ats.q_score(full, wrong)
    pulled = ats.displacement(full, attainable, wrong)
    v = ats.judge(wrong, q, attainable, d, status, displacement=pulled)
    assert v.reading[11] == Reading.WORSE
    assert v.pull[11] == v.pull.max() > 3.5
    assert np.count_nonzero(v.reading == Reading.WORSE) <= 2


def test_wrong_rotamers_in_simulated_particles(extra_data):
    """38 side chains turned by 120°: all are found, and hardly anything else (measured: 4)."""
    folder = extra_data / "half_maps_simulated"
    halves = [ats.read_map(folder / f"half{i}.mrc.gz") for i in (1, 2)]
    full = ats.map_from_array(
        (halves[0].values + halves[1].values) / 2, halves[0].voxel_size, halves[0].origin
    )
    model = ats.read_model(folder / "wrong_rotamers.cif")
    model_map = ats.simulate_map(model, full)
    mask = mask_above(model_map, MODEL_THRESHOLD)
    scores = ats.fsc_q(full, *halves, model_map, model, box=16)
    status = scores.half_status
    attainable = ats.attainable_q(full, *halves, model, scores.half, status, mask=mask)
    v = ats.judge(
        model, ats.q_score(full, model), attainable, scores.half, status,
        fsc_q=scores.fsc_q, density=ats.side_chain_density(full, attainable.signal, model),
        displacement=ats.displacement(full, attainable, model),
    )  # fmt: skip
    with (folder / "turned_residues.csv").open(encoding="utf-8") as file:
        wrong = {(row["chain"], int(row["number"])) for row in csv.DictReader(file)}
    residues = model.residues
    at = np.array([key in wrong for key in zip(residues.chain, residues.number, strict=True)])
    assert (v.reading[at] == Reading.WORSE).all()
    assert np.count_nonzero(v.part[at] == Part.SIDECHAIN) >= 30
    assert np.count_nonzero(v.reading[~at] != Reading.AS_EXPECTED) <= 10
