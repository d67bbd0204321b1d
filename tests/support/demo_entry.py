"""The small entry that the tests of fetching use: EMD-3488 with 5NI1, made up."""

import gzip
from pathlib import Path

import numpy as np

from atomsight import read_map, simulate_map, write_map
from atomsight.io.models import read_model
from tests.support.archive_server import Site, header_xml
from tests.support.cases import small_model, write_case, write_map_of
from tests.support.models import cif_text

RELATED = """_entry.id 5NI1
_struct.title 'made up'
_exptl.method 'ELECTRON MICROSCOPY'
_em_3d_reconstruction.resolution {resolution}
loop_
_pdbx_database_related.db_name
_pdbx_database_related.db_id
_pdbx_database_related.content_type
EMDB EMD-1111 'other EM volume'
EMDB EMD-3488 'associated EM volume'
"""


def model_text(resolution: float = 3.2) -> str:
    """5NI1, as the PDB has it: 20 made-up atoms."""
    return cif_text(small_model(), RELATED.format(resolution=resolution), name="5NI1")


def add_demo_entry(site: Site, folder: Path, **header: object) -> Site:
    """Put the entry on a site: a map that is the mean of its halves, and a mask."""
    model, clean = write_case(folder)
    signal = read_map(clean)
    rng = np.random.default_rng(1)
    noise = rng.normal(0.0, 2.0 * signal.statistics.sd, (2, *signal.values.shape))
    one, two = (signal.values + n.astype(np.float32) for n in noise)
    mask = (simulate_map(read_model(model), signal).values > 0.02).astype(np.float32)
    maps = {"map": (one + two) / 2, "one": one, "two": two, "mask": mask}
    data = {}
    for name, values in maps.items():
        path = write_map(values, signal, folder / f"site_{name}.mrc")
        data[name] = path.read_bytes()
        path.unlink()
    model.unlink()
    clean.unlink()
    site.add_emdb(
        "EMD-3488",
        header_xml(**header),
        {
            "map/emd_3488.map.gz": gzip.compress(data["map"], 1, mtime=0),
            "other/emd_3488_half_map_1.map.gz": gzip.compress(data["one"], 1, mtime=0),
            "other/emd_3488_half_map_2.map.gz": gzip.compress(data["two"], 1, mtime=0),
            "masks/emd_3488_msk_1.map": data["mask"],
        },
    )
    site.add_pdb("5ni1", model_text())
    return site


def add_plain_map(site: Site, folder: Path, path: str = "/file/emd_3488.map.gz") -> bytes:
    """One packed map on a site; returns its bytes."""
    file = write_map_of(folder / "plain.map.gz", small_model(), compress=True)
    site.files[path] = file.read_bytes()
    file.unlink()
    return site.files[path]
