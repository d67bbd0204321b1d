"""Which residues outside polymers the map supports: the rule, from values that are known."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from atomsight.errors import ParameterError
from atomsight.evidence.atom_density import AtomDensity
from atomsight.evidence.status import Status
from atomsight.evidence.support import (
    DENSITY_SHARE,
    LEAST_REFERENCE_ATOMS,
    Q_SHARE,
    Support,
    non_polymer_support,
)
from atomsight.model import AtomClass
from tests.support.scene import make_model

NAN = float("nan")
N_POLYMER = 40
Q_POLYMER, HEIGHT_POLYMER = 0.6, 5.0
LEAST_Q, LEAST_HEIGHT = Q_SHARE * Q_POLYMER, DENSITY_SHARE * HEIGHT_POLYMER
GOOD_Q, GOOD_HEIGHT = LEAST_Q + 0.01, LEAST_HEIGHT + 0.01
POOR_Q, POOR_HEIGHT = LEAST_Q - 0.01, LEAST_HEIGHT - 0.01


def density_of(height) -> AtomDensity:
    height = np.array(height, dtype=float)
    status = np.where(np.isnan(height), Status.OUTSIDE, Status.OK).astype(np.uint8)
    return AtomDensity(height, height, height, status, 0.0, 1.0)


def judge(*groups, polymer_q=Q_POLYMER, polymer_height=HEIGHT_POLYMER, n=N_POLYMER, element="C"):
    """Support of residues given as (class, Q of its atoms, density of its atoms)."""
    spread = np.linspace(-0.1, 0.1, n)
    q, height, residue = [*(polymer_q + spread)], [*(polymer_height + spread)], [0] * n
    table = [("A", 1, "", "ALA", AtomClass.PROTEIN)]
    for number, (kind, qs, heights) in enumerate(groups, 1):
        table.append(("B", number, "", "XXX", kind))
        q += [*qs]
        height += [*heights]
        residue += [number] * len(qs)
    model = make_model(
        np.arange(3.0 * len(q)), residue=residue, residues=table,
        element=["C"] * n + [element] * (len(q) - n),
    )  # fmt: skip
    q = np.array(q)
    return non_polymer_support(model, density_of(height), q, np.isfinite(q))


@pytest.mark.parametrize(
    "kind", [AtomClass.LIGAND, AtomClass.ION, AtomClass.WATER, AtomClass.SACCHARIDE]
)
@pytest.mark.parametrize(
    ("q", "height", "expected"),
    [
        (GOOD_Q, GOOD_HEIGHT, Support.SUPPORTED),
        (POOR_Q, GOOD_HEIGHT, Support.LOW_Q),
        (GOOD_Q, POOR_HEIGHT, Support.LOW_DENSITY),
        (POOR_Q, POOR_HEIGHT, Support.LOW_Q_AND_DENSITY),
        (POOR_Q, NAN, Support.LOW_Q),
        (NAN, POOR_HEIGHT, Support.LOW_DENSITY),
        (GOOD_Q, NAN, Support.NOT_JUDGED),
        (NAN, GOOD_HEIGHT, Support.NOT_JUDGED),
        (NAN, NAN, Support.NOT_JUDGED),
    ],
)
def test_one_value_that_is_too_low_is_enough_and_support_needs_both(kind, q, height, expected):
    found = judge((kind, [q], [height]))
    assert found.residue[1] == expected
    assert found.atom[-1] == expected
    assert found.unsupported[1] == expected.unsupported
    assert (found.atoms[1], found.atoms_supported[1]) == (1, expected is Support.SUPPORTED)


def test_polymers_and_hydrogens_are_not_asked():
    found = judge(
        (AtomClass.NUCLEIC, [-0.5], [-3.0]), (AtomClass.LIGAND, [NAN], [NAN]), element="H"
    )
    assert list(found.residue) == [Support.POLYMER, Support.POLYMER, Support.NOT_JUDGED]
    assert (found.atom == Support.POLYMER).all()
    assert list(found.atoms) == [0, 0, 0]
    assert not found.unsupported.any()


def test_the_limits_are_shares_of_the_medians_over_the_polymer():
    found = judge((AtomClass.WATER, [0.01], [0.01]))
    assert found.reference_atoms == N_POLYMER
    assert found.reference_q == pytest.approx(Q_POLYMER)
    assert found.reference_density == pytest.approx(HEIGHT_POLYMER)
    assert found.least_q == pytest.approx(0.45)
    assert found.least_density == pytest.approx(0.75)
    assert found.no_reference == ""


def test_a_residue_is_judged_by_its_means_and_its_atoms_by_their_own_values():
    found = judge((AtomClass.LIGAND, [0.9, 0.9, 0.1, 0.1], [9.0, 0.1, 9.0, 0.1]))
    assert found.q[1] == pytest.approx(0.5)
    assert found.density[1] == pytest.approx(4.55)
    assert found.residue[1] == Support.SUPPORTED
    assert list(found.atom[-4:]) == [
        Support.SUPPORTED, Support.LOW_DENSITY, Support.LOW_Q, Support.LOW_Q_AND_DENSITY,
    ]  # fmt: skip
    assert (found.atoms[1], found.atoms_supported[1]) == (4, 1)
    assert np.isnan(found.q[0])


@pytest.mark.parametrize(("known", "expected"), [(2, Support.SUPPORTED), (1, Support.NOT_JUDGED)])
def test_half_of_the_atoms_must_have_a_value(known, expected):
    q = [0.6] * known + [NAN] * (4 - known)
    found = judge((AtomClass.LIGAND, q, [5.0] * 4))
    assert found.residue[1] == expected
    assert np.isfinite(found.q[1]) == (expected is Support.SUPPORTED)


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        ({"n": LEAST_REFERENCE_ATOMS - 1}, "19 polymer atoms have values"),
        ({"n": 0}, "0 polymer atoms"),
        ({"polymer_q": 0.24}, "median Q is 0.24"),
        ({"polymer_q": -0.3}, "median Q is -0.30"),
        ({"polymer_height": -1.0}, "no higher than the mean"),
    ],
)
def test_where_the_polymer_is_not_seen_nothing_is_judged(options, reason):
    found = judge((AtomClass.LIGAND, [-0.9, 0.9], [-9.0, 9.0]), **options)
    assert found.residue[1] == Support.NOT_JUDGED
    assert (found.atom[-2:] == Support.NOT_JUDGED).all()
    assert reason in found.no_reference
    assert np.isnan([found.least_q, found.least_density]).all()


@given(st.sampled_from([1e-6, 0.1, 3.0, 1e6]), st.integers(0, 2**20))
def test_the_verdict_does_not_depend_on_the_height_of_a_sigma(scale, seed):
    rng = np.random.default_rng(seed)
    q, height = rng.uniform(-0.2, 0.9, 30), rng.uniform(-0.5, 2.0, 30)
    model = make_model(
        np.arange(3.0 * 60),
        residue=np.arange(60) // 2,
        residues=[("A", i, "", "XXX", AtomClass(3 * (i > 14))) for i in range(30)],
    )
    q, height = np.concatenate([rng.normal(0.6, 0.1, 30), q]), np.concatenate([[5.0] * 30, height])
    every = np.ones(60, dtype=bool)
    known = non_polymer_support(model, density_of(height), q, every)
    scaled = non_polymer_support(model, density_of(scale * height), q, every)
    np.testing.assert_array_equal(scaled.residue, known.residue)
    np.testing.assert_array_equal(scaled.atom, known.atom)
    assert set(known.residue[:15]) == {Support.POLYMER}


def test_labels_say_what_is_too_low():
    assert [kind.label for kind in Support] == [
        "", "supported", "low_q", "low_density", "low_q_and_density", "not_judged",
    ]  # fmt: skip
    assert [kind.unsupported for kind in Support] == [False, False, True, True, True, False]


def test_the_definition_names_the_limits():
    text = judge((AtomClass.ION, [0.5], [3.0])).definition
    assert str(Q_SHARE) in text
    assert str(DENSITY_SHARE) in text


def test_values_of_another_model_are_refused():
    model = make_model(np.zeros((3, 3)))
    with pytest.raises(ParameterError, match="each of the 3 atoms, not 2 and 3"):
        non_polymer_support(model, density_of([1.0] * 3), np.zeros(2), np.ones(2, dtype=bool))
