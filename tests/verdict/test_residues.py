from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import atomsight as ats
from atomsight.evidence.attainable_q import AttainableQ
from atomsight.evidence.q_score import QScoreOptions, QScores
from atomsight.evidence.side_chain_density import SideChainDensity
from atomsight.evidence.status import Status
from atomsight.model import AtomClass
from atomsight.summary import Part
from atomsight.verdict.readings import RULES, Reading, Rules
from tests.support.judged import BACKBONE, NOTHING, SIDE, USUAL, N, aside, judged, on, protein
from tests.support.scene import make_model
from tests.support.verdicts import plain_reading


@pytest.mark.parametrize(
    ("q", "expected", "reading"),
    [
        (0.6, 0.6, Reading.AS_EXPECTED),
        (0.5, 0.6, Reading.AS_EXPECTED),
        (0.2, 0.6, Reading.WORSE),
        (-0.3, 0.6, Reading.WORSE),
        (0.9, 0.6, Reading.TOO_GOOD),
        (0.1, 0.2, Reading.NOT_RESOLVED),
        (-0.2, 0.2, Reading.NOT_RESOLVED),
        (0.45, 0.2, Reading.NOT_RESOLVED),
        (0.55, 0.2, Reading.TOO_GOOD),
    ],
)
def test_four_readings(q, expected, reading):
    model = protein(5)
    rest = model.residue != 2
    v = judged(model, np.where(rest, USUAL, q), np.where(rest, USUAL, expected))
    assert v.typical == pytest.approx(USUAL)
    assert v.reading.tolist() == [1, 1, reading, 1, 1]
    assert v.part[2] == Part.NONE
    assert v.atoms[2] == N
    assert (v.q[2], v.expected[2]) == pytest.approx((q, expected))
    assert v.counts[reading.label] == (5 if reading == Reading.AS_EXPECTED else 1)
    assert sum(v.counts.values()) == 5


@pytest.mark.parametrize(("names", "part"), [(SIDE, Part.SIDECHAIN), (BACKBONE, Part.BACKBONE)])
def test_one_part_speaks_for_its_residue(names, part):
    model = protein(5)
    v = judged(model, on(model, 1, names, 0.0, USUAL), USUAL)
    assert v.reading.tolist() == [1, 2, 1, 1, 1]
    assert v.part.tolist() == [0, part, 0, 0, 0]
    assert v.atoms[1] == len(names)
    assert v.q[1] == 0.0
    assert v.q[0] == pytest.approx(USUAL)


def test_the_worse_reading_speaks():
    model = protein(5)
    q = on(model, 1, BACKBONE, 0.0, on(model, 1, SIDE, 0.95, USUAL))
    v = judged(model, q, USUAL)
    assert (v.reading[1], v.part[1]) == (Reading.WORSE, Part.BACKBONE)
    # nothing is resolved in residue 2, and its side chain is too good
    expected = on(model, 2, BACKBONE + SIDE, 0.1, USUAL)
    v = judged(model, on(model, 2, BACKBONE, 0.1, USUAL), expected)
    assert (v.reading[2], v.part[2]) == (Reading.TOO_GOOD, Part.SIDECHAIN)


def test_cb_goes_with_the_backbone():
    model = protein(5)
    v = judged(model, on(model, 0, ("CB",), -0.9, USUAL), USUAL)
    assert v.part[0] == Part.BACKBONE
    alanines = protein(5, BACKBONE)
    v = judged(alanines, on(alanines, 0, BACKBONE, 0.0, USUAL), USUAL)
    assert (v.reading[0], v.part[0], v.atoms[0]) == (Reading.WORSE, Part.NONE, 5)


def test_bases_and_molecules_without_parts():
    names = ("P", "O5'", "C1'", "C2'", "N1", "C2", "O2", "N3")
    nucleotides = make_model(
        np.arange(72.0).reshape(-1, 3),
        atom=names * 3,
        residue=np.repeat(np.arange(3), 8),
        residues=[("R", i + 1, "", "U", AtomClass.NUCLEIC) for i in range(3)],
    )
    v = judged(nucleotides, on(nucleotides, 1, names[4:], 0.0, USUAL), USUAL)
    assert v.part.tolist() == [0, Part.BASE, 0]
    assert v.sentence[1].startswith("The base fits worse")
    mixed = make_model(
        np.arange(36.0).reshape(-1, 3),
        atom=("C1", "C2", "C3") * 4,
        residue=np.repeat(np.arange(4), 3),
        residues=[
            ("L", i + 1, "", "LIG", kind)
            for i, kind in enumerate(
                (AtomClass.LIGAND, AtomClass.ION, AtomClass.WATER, AtomClass.SACCHARIDE)
            )
        ],
    )
    v = judged(mixed, np.where(mixed.residue == 0, 0.0, USUAL), USUAL)
    assert v.reading.tolist() == [2, 1, 1, 1]
    assert (v.part == Part.NONE).all()


def test_typical_is_the_median_over_polymers():
    model = protein(5)
    kinds = np.array([AtomClass.PROTEIN] * 2 + [AtomClass.WATER] * 3)
    model = replace(model, residues=replace(model.residues, atom_class=kinds))
    v = judged(model, 0.5, np.where(model.residue < 2, 0.5, 0.9))
    assert v.typical == pytest.approx(0.5)


def test_bands_are_wider_with_noise_and_with_few_atoms():
    model = protein(5)
    quiet, noisy = judged(model, USUAL, USUAL), judged(model, USUAL, USUAL, noise=0.2)
    assert quiet.high - quiet.low == pytest.approx(
        3.0 * np.hypot(RULES.spread, RULES.spread_atom / np.sqrt(N))
    )
    assert (noisy.high - noisy.low > quiet.high - quiet.low + 0.3).all()
    # judged as a part: three atoms
    alone = judged(model, on(model, 0, SIDE, 0.0, USUAL), USUAL)
    assert alone.high[0] - alone.low[0] > alone.high[1] - alone.low[1]


def test_fsc_q_that_stands_out_halves_the_lower_band():
    model = protein(5)
    q = np.where(model.residue == 3, 0.5, USUAL)
    assert judged(model, q, USUAL).reading[3] == Reading.AS_EXPECTED
    fsc_q = np.where(model.residue == 3, 0.2, -0.16)
    v = judged(model, q, USUAL, fsc_q=fsc_q)
    assert v.reading.tolist() == [1, 1, 1, 2, 1]
    assert v.fsc_q[3] == pytest.approx(0.2)
    assert USUAL - v.low[3] == pytest.approx(0.5 * (v.high[3] - USUAL))
    # far from standing out, and nothing known
    assert judged(model, q, USUAL, fsc_q=fsc_q * 0.5).reading[3] == Reading.AS_EXPECTED
    unknown = judged(model, q, USUAL, fsc_q=np.full(len(model), np.nan))
    assert unknown.reading[3] == Reading.AS_EXPECTED


@given(st.floats(-5.0, 5.0))
def test_only_differences_of_fsc_q_count(shift):
    model = protein(5)
    rng = np.random.default_rng(5)
    q, fsc_q = rng.uniform(0.3, 0.7, len(model)), rng.normal(0.0, 0.4, len(model))
    one, other = (judged(model, q, USUAL, fsc_q=f) for f in (fsc_q, fsc_q + shift))
    assert np.array_equal(one.reading, other.reading)
    assert one.low == pytest.approx(other.low)


@given(st.integers(0, 2**32 - 1))
def test_readings_equal_the_rules_written_plainly(seed):
    rng = np.random.default_rng(seed)
    model = protein(7, ("N", "CA", "C", "O"))
    n = len(model)
    level = rng.uniform(0.1, 0.8, 7)[model.residue]
    fields = level + rng.normal(0.0, 0.05, (3, n))
    q = level + rng.normal(0.0, 0.15, 7)[model.residue] + rng.normal(0.0, 0.05, n)
    fsc_q = rng.normal(0.0, 0.4, 7)[model.residue]
    pull, climb = rng.uniform(0.0, 5.0, 7), rng.uniform(-1.0, 3.0, 7)
    half = np.where(rng.random(n) < 0.3, Status.LOW_FREQUENCY, Status.OK).astype(np.uint8)
    scores = QScores(q, np.zeros(n, dtype=np.uint8), QScoreOptions())
    attainable = AttainableQ(fields, np.zeros(n), np.ones(n), NOTHING, NOTHING)
    v = ats.judge(
        model, scores, attainable, np.full(n, 3.0), half,
        fsc_q=fsc_q, displacement=aside(model, pull, climb),
    )  # fmt: skip
    groups = [np.flatnonzero(model.residue == i) for i in range(7)]
    typical = float(np.median([fields[:, rows].mean() for rows in groups]))
    if typical < 0.3:
        assert (v.reading == Reading.NOT_JUDGED).all()
        return
    for i, rows in enumerate(groups):
        lost = np.count_nonzero(half[rows] == Status.LOW_FREQUENCY) > 2
        out = fsc_q[rows].mean() > np.median(fsc_q) + 0.3
        part = fields[:, rows].tolist()
        want = plain_reading(q[rows].tolist(), part, part, typical, lost, out, pull[i], climb[i])
        assert v.reading[i] == want


@given(st.floats(0.0, 1.0), st.floats(0.0, 1.0), st.floats(0.31, 1.0))
def test_a_higher_q_never_reads_worse(first, second, expected):
    model = protein(3)
    low, high = sorted((first, second))
    readings = []
    for q in (low, high):
        values = np.where(model.residue == 0, q, expected)
        readings.append(judged(model, values, expected).reading[0])
    order = (Reading.WORSE, Reading.AS_EXPECTED, Reading.TOO_GOOD)
    assert order.index(readings[0]) <= order.index(readings[1])


@pytest.mark.parametrize(
    ("here", "elsewhere", "reading"),
    [
        (0.1, 0.2, 3),
        (-0.5, -0.1, 3),
        (0.5, 0.1, 2),
        (0.1, 0.9, 2),
        (0.44, 0.3, 3),
        (np.nan, np.nan, 2),
    ],
)
def test_a_bad_side_chain_without_density_is_not_resolved(here, elsewhere, reading):
    model = protein(5)
    density = SideChainDensity(np.full(5, here), np.full(5, elsewhere))
    v = judged(model, on(model, 3, SIDE, 0.0, USUAL), USUAL, density=density)
    assert v.reading.tolist() == [1, 1, 1, reading, 1]
    assert v.part[3] == Part.SIDECHAIN
    assert v.density[3] == pytest.approx(density.most[3], nan_ok=True)
    if reading == Reading.NOT_RESOLVED:
        share = 100 * max(here, elsewhere, 0.0)
        assert v.sentence[3] == (
            "The side chain is not resolved: here and turned about CA-CB the map holds at most "
            f"{share:.0f} % of the density that a right one would have."
        )


def test_a_bad_backbone_needs_no_density():
    model = protein(5)
    density = SideChainDensity(np.zeros(5), np.zeros(5))
    v = judged(model, on(model, 3, BACKBONE + SIDE, 0.0, USUAL), USUAL, density=density)
    assert (v.reading[3], v.part[3]) == (Reading.WORSE, Part.BACKBONE)


def test_no_agreement_at_all_is_not_resolved():
    model = protein(5)
    lost = model.residue == 4
    half = np.where(lost, Status.LOW_FREQUENCY, Status.OK).astype(np.uint8)
    v = judged(model, np.where(lost, 0.3, USUAL), USUAL, half_status=half, resolution=3.2)
    assert v.reading.tolist() == [1, 1, 1, 1, 3]
    assert np.isnan(v.local_resolution[4])
    assert v.local_resolution[:4] == pytest.approx(3.2)
    assert "the half maps agree on nothing here" in v.sentence[4]


def test_agreement_to_the_end_is_judged():
    model = protein(2)
    half = np.full(len(model), Status.NEVER_BELOW, dtype=np.uint8)
    v = judged(model, USUAL, USUAL, half_status=half)
    assert v.reading.tolist() == [1, 1]
    assert np.isnan(v.local_resolution).all()


@pytest.mark.parametrize("why", [Status.OUTSIDE_MASK, Status.OUTSIDE, Status.CONSTANT])
def test_no_local_resolution_is_not_judged(why):
    model = protein(3)
    half = np.where(model.residue == 1, why, Status.OK).astype(np.uint8)
    v = judged(model, 0.0, USUAL, half_status=half)
    assert v.reading.tolist() == [2, 0, 2]
    assert v.reason == ["", f"no local resolution of the half maps ({why.label})", ""]
    assert v.sentence[1] == f"Not judged: {v.reason[1]}."
    assert np.isnan([v.q[1], v.expected[1], v.low[1], v.high[1], v.fsc_q[1]]).all()
    assert v.atoms[1] == 0


@pytest.mark.parametrize("why", [Status.NO_SHELLS, Status.NOT_SELECTED, Status.OUTSIDE])
def test_no_q_is_not_judged(why):
    model = protein(3)
    status = np.where(model.residue == 1, why, Status.OK).astype(np.uint8)
    q = np.where(model.residue == 1, np.nan, USUAL)
    v = judged(model, q, USUAL, status=status)
    assert v.reading.tolist() == [1, 0, 1]
    assert v.reason[1] == f"no Q ({why.label})"


def test_atoms_without_q_are_left_out_and_the_rest_is_judged():
    model = protein(3)
    gone = (model.residue == 1) & np.isin(model.atom, SIDE)
    status = np.where(gone, Status.NOT_FINITE, Status.OK).astype(np.uint8)
    v = judged(model, np.where(gone, np.nan, USUAL), USUAL, status=status)
    assert v.reading.tolist() == [1, 1, 1]
    assert v.atoms.tolist() == [N, len(BACKBONE), N]
    assert v.reason[1] == ""


def test_hydrogens_do_not_count():
    model = protein(3)
    hydrogen = model.atom == "ND2"
    status = np.where(hydrogen, Status.HYDROGEN, Status.OK).astype(np.uint8)
    v = judged(replace(model, hydrogen=hydrogen), 0.6, USUAL, status=status)
    assert v.atoms.tolist() == [N - 1] * 3


def test_a_map_in_which_q_says_nothing_is_not_judged():
    v = judged(protein(4), 0.25, 0.25)
    assert (v.reading == Reading.NOT_JUDGED).all()
    assert v.reason[0] == "even a right model would typically have a Q of 0.25 in this map"


def test_no_half_maps():
    model = protein(4)
    v = ats.no_verdict(model, "there are no half maps")
    assert v.counts == {
        "not judged": 4,
        "as expected": 0,
        "worse than the map allows": 0,
        "not resolved": 0,
        "better than the data support": 0,
    }
    assert v.sentence[3] == "Not judged: there are no half maps."
    assert np.isnan(v.q).all()


def test_sentences():
    model = protein(5)
    expected = on(model, 1, BACKBONE + SIDE, 0.2, on(model, 3, BACKBONE + SIDE, 0.2, USUAL))
    q = on(model, 1, SIDE, 0.1, on(model, 1, BACKBONE, 0.2, USUAL))
    q = np.where(np.isin(model.atom, SIDE) & (model.residue == 2), 0.05, q)
    v = judged(model, q, expected, resolution=np.where(model.residue == 1, 6.2, 3.0))
    assert v.sentence[:4] == [
        "The residue fits as expected: Q 0.60, a right model would have 0.60 (0.50 to 0.70) here.",
        "The residue is not resolved: the half maps agree to 6.2 Å here, and even a right model "
        "would have Q 0.20, against 0.60 elsewhere.",
        "The side chain fits worse than the map allows: Q 0.05, a right model would have 0.60 "
        "(0.46 to 0.74); look at the model.",
        "The residue fits better than the data support: Q 0.60, a right model would have 0.20 "
        "(0.10 to 0.30); look for overfitting.",
    ]


def test_other_rules():
    model = protein(5)
    q = np.where(model.residue == 0, 0.45, USUAL)
    assert judged(model, q, USUAL).reading[0] == Reading.WORSE
    wide = judged(model, q, USUAL, rules=Rules(width=4.0))
    assert wide.reading[0] == Reading.AS_EXPECTED
    assert wide.rules.width == 4.0
