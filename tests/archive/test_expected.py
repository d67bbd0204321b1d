"""Expected Q against the published polynomials, worked out by hand.

Pintilie et al. (2025), equation 1, for sigma 0.4; UCSF MapQ 2.9.7 for sigma 0.6 and the classes.
At 3.2 Å: d² = 10.24, d³ = 32.768.
"""

import pytest

from atomsight.archive.expected import FITTED_RANGE, expected_class_q, expected_q
from atomsight.model import AtomClass

NAN = float("nan")


def test_at_the_archives_sigma_the_cubic_of_2025_counts():
    # -0.0524288 + 0.444416 - 1.26592 + 1.3366 = 0.4626672; + 0.024, - 0.126, + 0.109
    expected, reason = expected_q(3.2, 0.4)
    assert reason == ""
    assert expected.peak == pytest.approx(0.4866672, abs=1e-7)
    assert expected.low == pytest.approx(0.3366672, abs=1e-7)
    assert expected.high == pytest.approx(0.5716672, abs=1e-7)
    assert "2025" in expected.definition
    assert "95 %" in expected.band


def test_at_sigma_0_6_the_cubic_of_mapq_counts():
    # -0.06246911 + 0.51187238 - 1.44446258 + 1.53618607 = 0.54112676
    expected, reason = expected_q(3.2, 0.6)
    assert reason == ""
    assert expected.peak == pytest.approx(0.5411268, abs=1e-7)
    assert expected.low == pytest.approx(0.4411268, abs=1e-7)
    assert expected.high == pytest.approx(0.6411268, abs=1e-7)
    assert "MapQ" in expected.definition
    assert "0.1" in expected.band


@pytest.mark.parametrize(
    ("resolution", "peak"),
    [
        (1.0, 1.0068),  # -0.0016 + 0.0434 - 0.3956 + 1.3366 + 0.024
        (2.0, 0.7302),  # -0.0128 + 0.1736 - 0.7912 + 1.3366 + 0.024
        (5.0, 0.2676),  # -0.2 + 1.085 - 1.978 + 1.3366 + 0.024
        (10.0, 0.1446),  # -1.6 + 4.34 - 3.956 + 1.3366 + 0.024
    ],
)
def test_peak_over_the_whole_range(resolution, peak):
    assert expected_q(resolution, 0.4)[0].peak == pytest.approx(peak, abs=1e-9)


@pytest.mark.parametrize(
    ("sigma", "atom_class", "expected"),
    [
        (0.6, AtomClass.PROTEIN, -0.1775 * 3.2 + 1.1192),
        (0.6, AtomClass.NUCLEIC, -0.1377 * 3.2 + 0.9973),
        (0.6, AtomClass.ION, -0.1103 * 3.2 + 1.0795),
        (0.6, AtomClass.WATER, -0.0895 * 3.2 + 1.0001),
        (0.4, AtomClass.PROTEIN, -0.1866 * 3.2 + 1.1242),
        (0.4, AtomClass.NUCLEIC, -0.1465 * 3.2 + 0.9436),
    ],
)
def test_classes_follow_straight_lines(sigma, atom_class, expected):
    found, reason = expected_class_q(3.2, sigma, atom_class)
    assert reason == ""
    assert found == pytest.approx(expected, abs=1e-12)


def test_protein_at_3_9_angstrom_is_what_mapq_prints():
    assert expected_class_q(3.9, 0.6, AtomClass.PROTEIN)[0] == pytest.approx(0.42695, abs=1e-9)


@pytest.mark.parametrize(
    ("sigma", "atom_class"),
    [
        (0.4, AtomClass.ION),
        (0.4, AtomClass.WATER),
        (0.4, AtomClass.LIGAND),
        (0.6, AtomClass.LIGAND),
    ],
)
def test_a_class_without_a_published_line_has_no_value(sigma, atom_class):
    found, reason = expected_class_q(3.2, sigma, atom_class)
    assert found is None
    assert atom_class.label in reason
    assert f"{sigma:g}" in reason


@pytest.mark.parametrize("resolution", [0.5, 0.999, 10.001, 40.0, NAN, -3.2, float("inf")])
def test_outside_the_fitted_range_nothing_is_extrapolated(resolution):
    for found, reason in (
        expected_q(resolution, 0.4),
        expected_q(resolution, 0.6),
        expected_class_q(resolution, 0.6, AtomClass.PROTEIN),
    ):
        assert found is None
        assert "outside 1-10 Å" in reason


@pytest.mark.parametrize("resolution", FITTED_RANGE)
def test_both_ends_of_the_range_belong_to_it(resolution):
    assert expected_q(resolution, 0.4)[0] is not None
    assert expected_q(resolution, 0.6)[0] is not None


@pytest.mark.parametrize("sigma", [0.5, 0.41, 0.4001, 1.0, NAN])
def test_other_widths_have_no_statistics(sigma):
    for found, reason in (
        expected_q(3.2, sigma),
        expected_class_q(3.2, sigma, AtomClass.PROTEIN),
    ):
        assert found is None
        assert "sigma 0.4 and 0.6" in reason


@pytest.mark.parametrize(("rounded", "sigma"), [(0.7 - 0.3, 0.4), (3 * 0.2, 0.6)])
def test_a_width_with_rounding_is_recognised(rounded, sigma):
    assert rounded != sigma
    assert expected_q(3.2, rounded)[0] == expected_q(3.2, sigma)[0]
    assert expected_q(3.2, rounded)[0] is not None


def test_without_a_resolution_the_reason_says_how_to_give_one():
    for found, reason in (
        expected_q(None, 0.4),
        expected_class_q(None, 0.4, AtomClass.PROTEIN),
    ):
        assert found is None
        assert "--resolution" in reason
