"""How scores are distributed over atoms and residues."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from atomsight.report.figure import Role, counts
from atomsight.report.figures.common import bars, bins
from tests.support.cases import numbered, placed
from tests.support.models import Atom, peptide
from tests.support.results import drawn, missing, results, series, with_residues


def total(figure) -> float:
    return sum(part.y.sum() for part in series(figure))


@pytest.mark.parametrize("which", ["small", "mixed", "halved"])
def test_bars_add_up_to_the_number_of_atoms_and_residues(which, request):
    found = request.getfixturevalue(which)
    figures = drawn(found)
    for key, values in (
        ("q_atoms", found.atoms["q"]),
        ("density_atoms", found.atoms["density"]),
        ("q_residues", found.residues["q"]),
        ("fsc_q_atoms", found.atoms.get("fsc_q")),
    ):
        if values is None:
            assert key not in figures
            continue
        n = int(np.isfinite(values).sum())
        assert total(figures[key]) == n
        assert f"{n} atoms" in figures[key].caption or f"{n} residues" in figures[key].caption


def test_polymers_are_told_from_others(small):
    parts = {part.name: part.y.sum() for part in series(drawn(small)["q_atoms"])}
    assert parts == {"polymer": 12, "ligands, ions, water": 8}


def test_one_kind_alone_needs_no_key(tmp_path):
    figures = drawn(results(tmp_path, numbered(placed(peptide("ALA GLY SER")))))
    assert [part.name for part in series(figures["q_atoms"])] == [""]
    assert "q_classes" not in figures


def test_hydrogens_are_left_out(tmp_path):
    atoms = placed(peptide("ALA GLY"))
    near = [
        replace(a, name="HA", element="H", xyz=tuple(np.add(a.xyz, (0.6, 0.6, 0.5)).tolist()))
        for a in atoms
        if a.name == "CA"
    ]
    found = results(tmp_path, numbered([*atoms, *near]))
    assert np.isfinite(found.atoms["q"]).sum() == 10
    for key in ("q_atoms", "density_atoms"):
        assert total(drawn(found)[key]) == 8


def test_atoms_without_a_score_are_left_out(small):
    atoms = {**small.atoms, "q": np.where(np.arange(20) < 5, np.nan, small.atoms["q"])}
    figure = drawn(replace(small, atoms=atoms))["q_atoms"]
    assert total(figure) == 15


def test_no_score_at_all_is_said(small):
    atoms = {**small.atoms, "q": np.full(20, np.nan)}
    found = with_residues(replace(small, atoms=atoms), q=np.full(8, np.nan))
    assert "q_atoms" in missing(found)
    assert "q_b_factor" in missing(found)
    assert not {"glance", "q_residues", "q_classes"} & set(drawn(found))


def test_classes_are_shares_of_a_hundred(small):
    figure = drawn(small)["q_classes"]
    assert [part.name for part in series(figure)] == ["protein", "ligand", "ion", "water"]
    for part in series(figure):
        assert part.draw == "steps"
        assert part.y[:-1].sum() == pytest.approx(100)
        assert len(part.x) == len(part.y)


def test_the_mean_is_marked(small):
    (rule,) = drawn(small)["q_atoms"].rules
    assert rule.value == pytest.approx(small.facts["q_score"]["mean"]["value"])


def test_fsc_q_far_out_is_counted_in_the_last_bins(halved):
    values = np.linspace(-5, 9, 20)
    found = replace(halved, atoms={**halved.atoms, "fsc_q": values})
    figure = drawn(found)["fsc_q_atoms"]
    assert total(figure) == 20
    assert (figure.x.low, figure.x.high) == (-3, 3)
    (part,) = series(figure)
    assert part.y[-1] == (values > 2.9).sum()
    assert part.y[0] == (values < -2.9).sum()
    assert "last bins" in figure.caption
    assert [rule.value for rule in figure.rules][:2] == [-0.5, 0.5]


def test_one_value_makes_one_bar(tmp_path):
    lonely = [Atom("O", "HOH", "A", 1, "O", (10.0, 10.0, 10.0), record="HETATM")]
    figures = drawn(results(tmp_path, numbered(lonely)))
    (part,) = series(figures["q_atoms"])
    assert part.y.tolist() == [1]


def test_distances_of_waters_add_up(small):
    table = small.curves["solvent_distances"]
    figures = drawn(small)
    for key in ("water_polymer", "water_water", "ion_polymer", "ion_water"):
        columns = [values for name, values in table.items() if name.startswith(f"{key}_")]
        n = int(np.sum(columns))
        assert (key in figures) == (n > 0)
        if n:
            assert total(figures[key]) == n
            assert f"n = {n}." in figures[key].caption


def test_without_water_there_are_no_distances(small):
    curves = {name: table for name, table in small.curves.items() if name != "solvent_distances"}
    figures = drawn(replace(small, curves=curves))
    assert not [key for key in figures if key.startswith(("water", "ion"))]


def test_convergence_is_drawn_where_it_is_known(small):
    assert "ca_rmsd" not in drawn(small)
    rmsd = np.array([0.31, 0.42, 7.5, *[np.nan] * 5])
    figure = drawn(with_residues(small, ca_rmsd=rmsd))["ca_rmsd"]
    assert total(figure) == 3
    assert figure.x.high == 6
    assert "Å" in figure.x.title
    (rule,) = figure.rules
    assert rule.value == pytest.approx(rmsd[:3].mean())


def test_convergence_has_the_colours_of_its_paper(small):
    rmsd = np.array([0.99, 1.0, 3.0, 3.01, 0.2, np.nan, np.nan, 5.0])
    parts = series(drawn(with_residues(small, ca_rmsd=rmsd))["ca_rmsd"])
    found = [(part.name, part.role, part.y.sum()) for part in parts]
    assert found == [
        ("below 1 Å", Role.MAIN, 2),
        ("1 to 3 Å", Role.MUTED, 2),
        ("above 3 Å", Role.SECOND, 2),
    ]
    (part,) = series(drawn(with_residues(small, ca_rmsd=np.full(8, 3.5)))["ca_rmsd"])
    assert (part.name, part.role) == ("above 3 Å", Role.SECOND)


@given(
    st.lists(st.floats(-50, 50) | st.just(float("nan")), min_size=1, max_size=60),
    st.sampled_from([0.05, 0.1, 0.25, 1.0]),
)
def test_bins_hold_every_value(values, width):
    array = np.array([*values, 0.3])
    edges = bins(array, width)
    finite = array[np.isfinite(array)]
    assert edges[0] <= finite.min() + 1e-6
    assert edges[-1] >= finite.max() - 1e-6
    np.testing.assert_allclose(np.diff(edges), width, atol=1e-8)
    part = bars("", array, edges, Role.MAIN)
    assert part.y.sum() == len(finite)
    np.testing.assert_array_equal(part.y, counts(array, edges))
    assert part.bin_width == pytest.approx(width)
