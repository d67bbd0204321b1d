from dataclasses import replace

import numpy as np
import pytest

from atomsight import (
    EntrySource,
    HalfMapOptions,
    Options,
    entry_options,
    fetch_entry,
    read_map,
    validate,
)
from atomsight.errors import ParameterError
from tests.support.archive_server import Site, serving
from tests.support.demo_entry import add_demo_entry, model_text
from tests.support.maps import write_ccp4

HALVES = "EMD-3488: emd_3488_half_map_1.map.gz, emd_3488_half_map_2.map.gz"


@pytest.fixture(scope="module")
def entry(tmp_path_factory):
    folder = tmp_path_factory.mktemp("entry")
    with serving(Site()) as site:
        add_demo_entry(site, folder)
        return fetch_entry(
            "EMD-3488", cache=folder / "cache", emdb_base=site.emdb, pdb_base=site.pdb
        )


def test_what_the_entry_says_becomes_options(entry):
    options = entry_options(entry)
    assert (options.resolution, options.contour) == (3.2, 0.45)
    assert options.half_maps == HalfMapOptions(*entry.half_maps, mask=entry.mask)
    assert options.source == EntrySource(
        emdb_id="EMD-3488",
        pdb_id="5NI1",
        title=entry.title,
        taken={
            "resolution": "the header of EMD-3488, FSC 0.143 CUT-OFF",
            "contour": "the header of EMD-3488, AUTHOR",
            "mask": "EMD-3488: emd_3488_msk_1.map",
            "half_maps": HALVES,
        },
        files={file.path.name: file.url for file in entry.files},
        notes=(),
    )
    assert replace(options, resolution=None, contour=None, half_maps=None, source=None) == Options()


def test_what_is_given_comes_first(entry, tmp_path):
    own = HalfMapOptions(tmp_path / "a", tmp_path / "b", box=8)
    given = Options(resolution=4.0, contour=0.1, half_maps=own)
    options = entry_options(entry, given)
    assert replace(options, source=None) == given
    assert options.source.taken == {}


def test_how_fsc_q_is_computed_is_kept(entry, tmp_path):
    settings = HalfMapOptions(tmp_path, tmp_path, box=8, rule="cref")
    options = entry_options(entry, half_maps=settings)
    half_1, half_2 = entry.half_maps
    assert options.half_maps == replace(settings, half_1=half_1, half_2=half_2, mask=entry.mask)


@pytest.mark.parametrize("mask", [{"mask": "own.mrc"}, {"mask_level": 0.5}])
def test_another_mask_is_not_replaced(entry, tmp_path, mask):
    options = entry_options(entry, half_maps=HalfMapOptions(tmp_path, tmp_path, **mask))
    assert {name: getattr(options.half_maps, name) for name in mask} == mask
    assert options.half_maps.mask != entry.mask
    assert "mask" not in options.source.taken


def test_a_short_run_needs_no_contour(entry):
    options = entry_options(entry, Options(everything=False))
    assert options.contour is None
    assert "contour" not in options.source.taken


def test_a_bare_entry_gives_nothing(entry):
    bare = replace(
        entry, resolution=None, resolution_method="", contour=None, half_maps=None, mask=None
    )
    assert replace(entry_options(bare), source=None) == Options()
    assert entry_options(bare).source.taken == {}


def test_who_says_so_need_not_be_known(entry):
    unsaid = replace(entry, resolution_method="", contour_source="")
    taken = entry_options(unsaid).source.taken
    assert taken["resolution"] == taken["contour"] == "the header of EMD-3488"


def test_half_maps_that_are_wanted_and_not_there(entry, tmp_path):
    settings = HalfMapOptions(tmp_path, tmp_path, box=8)
    with pytest.raises(ParameterError, match=r"EMD-3488: options of FSC-Q .*\(none were asked for"):
        entry_options(replace(entry, half_maps=None), half_maps=settings)
    why = ("EMD-3488 has no half maps",)
    with pytest.raises(ParameterError, match=r"\(EMD-3488 has no half maps\)"):
        entry_options(replace(entry, half_maps=None, notes=why), half_maps=settings)


@pytest.mark.parametrize("shape", [(8, 8, 8), None])
def test_maps_on_another_grid_are_left_out(entry, tmp_path, shape):
    """Of another size, and of the same size with other voxels."""
    cell = None if shape is None else (*(0.8 * n for n in shape), 90.0, 90.0, 90.0)
    shape = shape or read_map(entry.map).values.shape
    other = write_ccp4(tmp_path / "other.map", np.ones(shape, dtype=np.float32), cell=cell)
    halves = replace(entry, half_maps=(entry.half_maps[0], other), notes=("first",))
    options = entry_options(halves)
    assert options.half_maps is None
    what = "other.map has another grid than the map"
    assert options.source.notes == ("first", f"{what}: no half maps used")
    options = entry_options(replace(entry, mask=other))
    assert options.half_maps == HalfMapOptions(*entry.half_maps)
    assert options.source.notes == (f"{what}: mask made from the model",)
    assert "mask" not in options.source.taken


def test_results_say_what_comes_from_the_entry(entry):
    result = validate(entry.model, entry.map, entry_options(replace(entry, notes=("heed this",))))
    assert result.resolution == 3.2
    assert result.resolution_source == "the header of EMD-3488, FSC 0.143 CUT-OFF"
    assert result.notes[0] == "heed this"
    assert result.notes[-4:] == (
        "resolution from the header of EMD-3488, FSC 0.143 CUT-OFF",
        "contour from the header of EMD-3488, AUTHOR",
        "mask from EMD-3488: emd_3488_msk_1.map",
        f"half maps from {HALVES}",
    )
    assert str(entry.mask) in result.checksums


@pytest.mark.parametrize(("own", "told"), [(3.2, False), (3.204, False), (3.5, True)])
def test_a_model_that_says_another_resolution(entry, tmp_path, own, told):
    model = tmp_path / "model.cif"
    model.write_text(model_text(own))
    options = replace(entry_options(entry), half_maps=None)
    result = validate(model, entry.map, options)
    text = "the model says 3.5 Å (_em_3d_reconstruction.resolution), not 3.2 Å"
    assert (text in result.notes) == told
    given = replace(entry_options(entry, Options(resolution=3.2)), half_maps=None)
    assert text not in validate(model, entry.map, given).notes
