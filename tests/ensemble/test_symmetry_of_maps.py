"""Symmetry of maps in the archive: haemoglobin is C2, apoferritin O."""

import numpy as np
import pytest
from scipy.spatial import KDTree

from atomsight.ensemble.symmetry import find_symmetry
from atomsight.errors import ParameterError
from atomsight.io.maps import read_map
from atomsight.io.models import read_model
from atomsight.model import select


def test_haemoglobin_is_a_dimer_of_dimers_and_no_more(demo_data):
    model = read_model(demo_data / "5ni1.cif")
    map_ = read_map(demo_data / "emd_3488.mrc")
    unit = select(model, "//A,B")
    found = find_symmetry("C2", model, map_, unit)
    assert found.name == "C2 about (52.50, 52.50, 52.50)"
    assert found.correlation > 0.99
    copies = model.xyz[unit] @ found.rotation[0].T + found.shift[0]
    apart = KDTree(model.xyz[select(model, "//C,D")]).query(copies)[0]
    assert np.median(apart) < 0.1
    # its α and β chains are alike, but not the same
    with pytest.raises(ParameterError, match="does not have the symmetry D2"):
        find_symmetry("D2", model, map_, unit)


def test_apoferritin_is_octahedral_about_the_centre_of_its_whole_map(extra_data):
    folder = extra_data / "emd_20026_apoferritin"
    model, map_ = read_model(folder / "model.pdb"), read_map(folder / "map.mrc")
    found = find_symmetry("O@109.2,109.2,109.2", model, map_)
    assert found.correlation > 0.99
    # the others carry the model out of the part of the map that is there
    assert (found.checked, len(found.rotation)) == (5, 23)
    with pytest.raises(ParameterError, match=r"symmetry O about \(147\..*give the centre in Å"):
        find_symmetry("O", model, map_)
    with pytest.raises(ParameterError, match="does not have the symmetry I"):
        find_symmetry("I@109.2,109.2,109.2", model, map_)
