"""One sentence a model, and no verdict beyond the numbers."""

from dataclasses import replace

import pytest

from atomsight.archive.expected import expected_q
from atomsight.comparison.difference import Difference
from atomsight.comparison.figures import DEFINITIONS, ModelFigures
from atomsight.comparison.words import sentence

NAN = float("nan")
BEST = ModelFigures(
    atoms=30, q=0.6, q_sampling=0.004, q_lowest=0.3, q_lowest_atom="A/LIG 1 C1", q_model=0.55,
    density=5.0, below_zero=0.0, inclusion=0.9, fsc_q=-0.1, fsc_q_median=-0.1,
    local_resolution_half=3.0, q_half_1=0.5, q_half_2=0.5, missing=0, without_q=0,
)  # fmt: skip
OWN = replace(BEST, q=0.5, density=4.5, inclusion=0.8, fsc_q=0.3, q_half_1=0.4, q_half_2=0.4)
CLEAR = Difference(0.1, 0.02, 0.04, 0.002, 30, 12, 0.95)
UNCLEAR = replace(CLEAR, half_width=0.15)


def said(own=OWN, difference=CLEAR, *, tied=(), expected=None):
    return sentence(own, BEST, "a.cif", difference, list(tied), expected)


def test_the_best():
    assert said(BEST, None) == "highest Q, 0.600 over 30 atoms"
    assert said(BEST, None, tied=["b.cif", "c.cif"]) == (
        "highest Q, 0.600 over 30 atoms, but not told apart from b.cif, c.cif"
    )


def test_a_clear_and_an_unclear_difference():
    assert said() == "Q lower than that of a.cif by 0.100 ± 0.040"
    assert said(difference=UNCLEAR) == (
        "cannot be told apart from a.cif by Q (lower by 0.100 ± 0.150)"
    )
    few = replace(CLEAR, half_width=NAN, standard_error=NAN, atoms=5, blocks=2)
    assert said(difference=few) == (
        "Q lower than that of a.cif by 0.100, but 5 atoms in 2 places are too few to tell them "
        "apart"
    )


@pytest.mark.parametrize(
    ("change", "text"),
    [
        ({"density": 5.5}, "mean density is higher: 5.50 against 5.00 σ"),
        (
            {"inclusion": 0.95},
            "share of atoms inside the contour level is higher: 95.0 against 90.0 %",
        ),
        ({"fsc_q": -0.2}, "FSC-Q is lower (closer agreement): -0.200 against -0.100 Å"),
    ],
)
def test_a_measure_that_says_otherwise_is_named(change, text):
    assert said(replace(OWN, **change)) == f"Q lower than that of a.cif by 0.100 ± 0.040; {text}"


@pytest.mark.parametrize("change", [{"density": 5.004}, {"inclusion": 0.9004}, {"fsc_q": -0.1004}])
def test_what_is_equal_as_shown_is_no_disagreement(change):
    assert said(replace(OWN, **change)) == said()


@pytest.mark.parametrize("key", ["density", "inclusion", "fsc_q", "q_half_1"])
def test_what_was_not_computed_says_nothing(key):
    assert said(replace(OWN, **{key: NAN})) == said()


def test_a_half_map_alone_that_says_otherwise_is_named_only_beside_a_clear_difference():
    other = replace(OWN, q_half_2=0.52)
    assert said(other).endswith("; but not in half map 2 alone (0.520 against 0.500)")
    assert said(other, UNCLEAR) == said(difference=UNCLEAR)


def test_the_band_of_entries_is_named_where_q_lies_below_it():
    low = replace(OWN, q=0.3)
    expected = expected_q(3.2, 0.4)[0]
    assert said(low, expected=expected).endswith(
        "; Q lies below the band of entries at this resolution (0.337)"
    )
    assert said(expected=expected) == said()


def test_every_figure_is_defined():
    assert set(ModelFigures.__slots__) - set(DEFINITIONS) == {"atoms", "q_lowest_atom"}
