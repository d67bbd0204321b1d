"""What a pull and a climb do to a reading."""

import numpy as np
import pytest

from atomsight.evidence.side_chain_density import SideChainDensity
from atomsight.summary import Part
from atomsight.verdict.readings import Reading
from tests.support.judged import SIDE, USUAL, aside, judged, on, protein


@pytest.mark.parametrize(
    ("pull", "share"), [(0.0, 1.75), (1.75, 1.75), (2.5, 1.0), (3.0, 0.5), (3.5, 0.0), (9.0, 0.0)]
)
def test_the_more_a_part_is_pulled_the_less_q_must_lack(pull, share):
    model = protein(5)
    pulls = np.where(np.arange(5) == 2, pull, 2.5)
    v = judged(model, USUAL, USUAL, displacement=aside(model, pulls))
    assert v.pull == pytest.approx(pulls)
    half_width = v.high - USUAL
    assert USUAL - v.low[2] == pytest.approx(share * half_width[2], abs=1e-9)
    assert USUAL - v.low[:2] == pytest.approx(half_width[:2])
    # just above and just below the band
    for step, reading in ((1e-6, Reading.AS_EXPECTED), (-1e-6, Reading.WORSE)):
        q = np.where(model.residue == 2, v.low[2] + step, USUAL)
        found = judged(model, q, USUAL, displacement=aside(model, pulls))
        assert found.reading.tolist() == [1, 1, reading, 1, 1]


def test_what_is_not_lower_is_not_worse_however_it_is_pulled():
    model = protein(5)
    v = judged(model, USUAL + 1e-6, USUAL, displacement=aside(model, 50.0))
    assert (v.reading == Reading.AS_EXPECTED).all()


def test_fsc_q_that_stands_out_counts_where_nothing_pulls():
    model = protein(5)
    q = np.where(model.residue == 3, 0.5, USUAL)
    fsc_q = np.where(model.residue == 3, 0.2, -0.16)
    quiet = aside(model, 0.0)
    assert judged(model, q, USUAL, displacement=quiet).reading[3] == Reading.AS_EXPECTED
    assert judged(model, q, USUAL, displacement=quiet, fsc_q=fsc_q).reading[3] == Reading.WORSE


def test_a_part_that_would_climb_was_not_fitted_into_noise():
    model = protein(5)
    expected = np.where(model.residue == 1, 0.2, USUAL)
    for climb, reading in ((-2.0, 4), (0.99, 4), (1.01, 3), (5.0, 3)):
        climbs = np.where(np.arange(5) == 1, climb, 5.0)
        v = judged(model, USUAL, expected, displacement=aside(model, 2.5, climbs))
        # where a residue is resolved, a step says nothing
        assert v.reading.tolist() == [1, reading, 1, 1, 1]


def test_a_side_chain_beside_its_density_needs_none_where_it_is():
    model = protein(5)
    density = SideChainDensity(np.zeros(5), np.zeros(5))
    q = on(model, 3, SIDE, 0.0, USUAL)
    for pull, reading in ((3.4, Reading.NOT_RESOLVED), (3.6, Reading.WORSE)):
        pulled = aside(model, pull, names=SIDE)
        v = judged(model, q, USUAL, density=density, displacement=pulled)
        assert (v.reading[3], v.part[3]) == (reading, Part.SIDECHAIN)
    assert v.sentence[3] == (
        "The side chain fits worse than the map allows: Q 0.00, a right model would have 0.60, "
        "and its density lies to one side (3.6 sd); look at the model."
    )


def test_a_wider_band_does_not_make_density_of_none():
    model = protein(5)
    density = SideChainDensity(np.zeros(5), np.zeros(5))
    # below the plain band of three atoms (0.14), but not 1.75 times as far
    q = on(model, 3, SIDE, USUAL - 0.18, USUAL)
    quiet = aside(model, 0.0)
    assert judged(model, q, USUAL, displacement=quiet).reading[3] == Reading.AS_EXPECTED
    v = judged(model, q, USUAL, density=density, displacement=quiet)
    assert v.reading.tolist() == [1, 1, 1, 3, 1]
