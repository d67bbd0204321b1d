import numpy as np
import polars as pl

from atomsight import degrade_half_maps, degrade_map, read_map
from atomsight.export.resolution_series import write_degraded, write_series_table
from tests.density.test_degrade import BLOBS, FIRST, SECOND


def test_one_map_is_one_file_that_lies_where_the_input_lies(tmp_path):
    made = degrade_map(BLOBS, 4.0, resolution=2.2)
    (path,) = write_degraded(made, tmp_path / "low.mrc")
    back = read_map(path)
    np.testing.assert_array_equal(back.values, made.map.values)
    np.testing.assert_array_equal(back.origin.astype(np.float32), BLOBS.origin.astype(np.float32))
    np.testing.assert_allclose(back.step, BLOBS.step, atol=1e-6)
    assert path.read_bytes()[224:260].startswith(b"atomsight: degraded to ")


def test_half_maps_stand_beside_their_map(tmp_path):
    made = degrade_half_maps(FIRST, SECOND, 5.0)
    files = write_degraded(made, tmp_path / "low.mrc")
    assert [f.name for f in files] == ["low.mrc", "low_half1.mrc", "low_half2.mrc"]
    for file, map_ in zip(files, (made.map, *made.halves), strict=True):
        np.testing.assert_array_equal(read_map(file).values, map_.values)


def test_the_table_has_a_row_a_map(tmp_path):
    series = [(f"{d:g}.mrc", degrade_map(BLOBS, d, resolution=2.2, seed=7)) for d in (3.0, 4.0)]
    table = pl.read_csv(write_series_table(series, tmp_path))
    assert table.columns == ["file", "target", "resolution", "b_factor", "noise", "seed"]
    assert table["file"].to_list() == ["3.mrc", "4.mrc"]
    assert table["seed"].to_list() == [7, 7]
    np.testing.assert_allclose(table["resolution"], [d.resolution for _, d in series], atol=1e-6)
