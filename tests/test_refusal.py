"""What happens to a model that does not lie in its map."""

import numpy as np
import pytest

from atomsight.errors import OverlayError
from atomsight.outcome import Options
from atomsight.validation import validate
from tests.support.cases import MARGIN, moved, small_model, write_case, write_map_of
from tests.support.maps import write_ccp4
from tests.support.models import cif_text, write_model


def test_a_shifted_model_is_refused_with_what_would_help(tmp_path):
    atoms = small_model()
    model, map_ = write_case(tmp_path, atoms)
    write_model(model, cif_text(moved(atoms, (6.0, 6.0, 6.0))))
    with pytest.raises(OverlayError) as caught:
        validate(model, map_)
    text = str(caught.value)
    assert text.startswith(f"{model}: this model does not lie in {map_}: density at its atoms is ")
    assert "displaced by 3 Å" in text
    assert "This would help: shift the model by about (-6." in text
    assert text.endswith("--force scores it as it is")


def test_a_model_that_nothing_helps_is_refused_too(tmp_path):
    model, map_ = write_case(tmp_path)
    slope = np.broadcast_to(np.arange(40, dtype=np.float32), (40, 40, 40))
    write_ccp4(map_, slope)
    with pytest.raises(OverlayError, match="No other origin, shift or hand was found that helps"):
        validate(model, map_)


def test_another_origin_in_the_header_is_offered(tmp_path):
    atoms = small_model()
    corner = np.floor(np.min([a.xyz for a in atoms], axis=0) - MARGIN)
    model, map_ = write_case(tmp_path, moved(atoms, -corner))
    write_map_of(map_, moved(atoms, -corner), origin=(40.0, 40.0, 40.0))
    with pytest.raises(OverlayError, match=r"This would help: read the map with --origin nstart"):
        validate(model, map_)
    result = validate(model, map_, Options(origin="nstart"))
    assert result.overlay.ok
    assert result.notes == ("origin on request: taken from NSTART",)


def test_force_scores_what_does_not_lie_in_the_map(tmp_path):
    atoms = small_model()
    model, map_ = write_case(tmp_path, atoms)
    write_model(model, cif_text(moved(atoms, (6.0, 6.0, 6.0))))
    result = validate(model, map_, Options(force=True))
    assert not result.overlay.ok
    assert result.notes[0] == "the model does not lie in the map: scored on request (--force)"
    assert result.averages["mean"].n > 0


def test_force_with_a_model_wholly_outside_gives_no_scores_and_says_so(tmp_path):
    atoms = small_model()
    model, map_ = write_case(tmp_path, atoms)
    write_model(model, cif_text(moved(atoms, (600.0, 0.0, 0.0))))
    result = validate(model, map_, Options(force=True))
    assert set(result.atoms["q_status"]) == {"outside"}
    assert result.averages["mean"].n == 0
    assert "20 of 20 atoms: outside the map, without a Q" in result.notes


@pytest.mark.parametrize("value", [0.0, 3.5])
def test_a_map_without_contrast_is_refused(tmp_path, value):
    model, map_ = write_case(tmp_path)
    write_ccp4(map_, np.full((40, 40, 40), value, dtype=np.float32))
    with pytest.raises(OverlayError, match="the map has no contrast at its atoms"):
        validate(model, map_)
    result = validate(model, map_, Options(force=True))
    assert set(result.atoms["q_status"]) == {"constant"}
