"""Models and maps to measure with, made of 5NI1 and EMD-3488 without the network."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import permutations, product
from pathlib import Path

import gemmi
import numpy as np
import numpy.typing as npt

Slab = npt.NDArray[np.float32]
Shape = tuple[int, int, int]

ROOT = Path(__file__).resolve().parent.parent
DATA = ROOT / ".cache" / "data"
MADE = ROOT / ".cache" / "bench"

LARGE_ATOMS, LARGE_COPIES = 40_000, (3, 3, 1)
PAGE_ATOMS, PAGE_COPIES = 60_000, (3, 3, 3)
BIG_ATOMS, BIG_COPIES, BIG_EDGE = 10_000, (3, 1, 1), 600
VOXEL = 1.05
BLOB_WIDTH = 0.7
_TILE = 100
_TURNS = [
    (order, flips)
    for order in permutations(range(3))
    for flips in product((False, True), repeat=3)
    if np.linalg.det(np.eye(3)[list(order)] * np.where(flips, -1, 1)) > 0
]
"""The 24 ways to turn a cube: which old axis each new one is, and whether it runs backwards."""
_SLAB_SECTIONS = 8
_BLOB_VOXELS = 3


@dataclass(frozen=True, slots=True)
class Case:
    """A model and the map it lies in.

    Attributes
    ----------
    name : str
        As it stands in the tables.
    model, map_ : Path
        mmCIF and CCP4/MRC files.
    """

    name: str
    model: Path
    map_: Path


def demo_case() -> Case:
    """5NI1 in EMD-3488: 4,579 atoms, 100³ voxels."""
    return Case("demo", DATA / "5ni1.cif", DATA / "emd_3488.mrc")


def large_case() -> Case:
    """40,000 atoms: nine copies of 5NI1, each in its own copy of EMD-3488 (300 x 300 x 100).

    Each copy is turned in another way, model and map alike: the same atoms nine times over would
    let the processor learn its branches by heart. Kept in the cache folder, and made only once.
    """
    case = Case("40k atoms", MADE / "large.cif", MADE / "large.mrc")
    if not (case.model.is_file() and case.map_.is_file()):
        MADE.mkdir(parents=True, exist_ok=True)
        tile = gemmi.read_ccp4_map(str(DATA / "emd_3488.mrc")).grid.array
        columns, rows, sections = LARGE_COPIES
        tiles = iter([_turned(tile, n) for n in range(columns * rows * sections)])
        shape = (_TILE * columns, _TILE * rows, _TILE * sections)
        whole = np.empty(shape[::-1], dtype=np.float32)
        for k, j, i in product(range(sections), range(rows), range(columns)):
            first = np.array((k, j, i)) * _TILE
            z, y, x = (slice(a, a + _TILE) for a in first)
            whole[z, y, x] = next(tiles).transpose(2, 1, 0)
        _write_map(case.map_, shape, iter([whole]))
        _tiled_model(LARGE_COPIES, (0.0, 0.0, 0.0), LARGE_ATOMS, shape, case.model)
    return case


def page_case(folder: Path) -> Case:
    """60,000 atoms in 300³ voxels, in a folder of the caller's: copies of 5NI1 in EMD-3488."""
    case = Case("60k atoms, 300³ voxels", folder / "page.cif", folder / "page.mrc")
    tile = gemmi.read_ccp4_map(str(DATA / "emd_3488.mrc")).grid.array
    whole = np.empty([_TILE * n for n in PAGE_COPIES], dtype=np.float32)
    for n, (k, j, i) in enumerate(product(*map(range, PAGE_COPIES))):
        z, y, x = (slice(a * _TILE, (a + 1) * _TILE) for a in (k, j, i))
        whole[z, y, x] = _turned(tile, n % len(_TURNS)).transpose(2, 1, 0)
    shape = (_TILE * PAGE_COPIES[0], _TILE * PAGE_COPIES[1], _TILE * PAGE_COPIES[2])
    _write_map(case.map_, shape, iter([whole]))
    _tiled_model(PAGE_COPIES, (0.0, 0.0, 0.0), PAGE_ATOMS, shape, case.model)
    return case


def big_map_case(folder: Path) -> Case:
    """10,000 atoms in the middle of a map of 600³ voxels (864 MB), in a folder of the caller's.

    The map is noise, with a Gaussian blob at each atom; it is written slab by slab.
    """
    case = Case("600³ voxels", folder / "big.cif", folder / "big.mrc")
    shape = (BIG_EDGE, BIG_EDGE, BIG_EDGE)
    copies = np.array(BIG_COPIES)
    corner = (BIG_EDGE - _TILE * copies) // 2
    x, y, z = (float(v) for v in corner * VOXEL)
    xyz = _tiled_model(BIG_COPIES, (x, y, z), BIG_ATOMS, shape, case.model)
    blobs = _blobs(xyz / VOXEL - corner, (_TILE * copies[2], _TILE * copies[1], _TILE * copies[0]))
    rng = np.random.default_rng(0)

    def slabs() -> Iterator[Slab]:
        for first in range(0, BIG_EDGE, _SLAB_SECTIONS):
            count = min(_SLAB_SECTIONS, BIG_EDGE - first)
            slab = rng.standard_normal((count, BIG_EDGE, BIG_EDGE), dtype=np.float32)
            slab *= np.float32(0.05)
            for k in range(count):
                inside = first + k - corner[2]
                if 0 <= inside < len(blobs):
                    rows = slice(corner[1], corner[1] + blobs.shape[1])
                    columns = slice(corner[0], corner[0] + blobs.shape[2])
                    slab[k, rows, columns] += blobs[inside]
            yield slab

    _write_map(case.map_, shape, slabs())
    return case


def _tiled_model(
    copies: Shape, shift: tuple[float, float, float], atoms: int, shape: Shape, path: Path
) -> npt.NDArray[np.float64]:
    """Write `atoms` atoms of copies of 5NI1, a map's tile apart; returns where they lie, Å."""
    source = gemmi.read_structure(str(DATA / "5ni1.cif"))
    tiled = gemmi.Structure()
    tiled.name = path.stem.upper()
    tiled.cell = gemmi.UnitCell(shape[0] * VOXEL, shape[1] * VOXEL, shape[2] * VOXEL, 90, 90, 90)
    tiled.spacegroup_hm = "P 1"
    model = gemmi.Model(1)
    left = atoms
    for number, (k, j, i) in enumerate(product(*(range(n) for n in reversed(copies)))):
        move = np.array(shift) + np.array((i, j, k)) * _TILE * VOXEL
        for chain in source[0]:
            copy = gemmi.Chain(f"{chain.name}{number + 1}")
            for residue in chain:
                if left <= 0:
                    break
                moved = residue.clone()
                for atom in moved:
                    atom.pos = gemmi.Position(*(_turned_place(atom.pos.tolist(), number) + move))
                for last in range(len(moved) - 1, left - 1, -1):
                    del moved[last]
                left -= len(moved)
                copy.add_residue(moved)
            if len(copy):
                model.add_chain(copy)
    tiled.add_model(model)
    tiled.setup_entities()
    tiled.make_mmcif_document().write_file(str(path))
    return np.array([atom.pos.tolist() for cra in tiled[0].all() for atom in (cra.atom,)])


def _turned(tile: Slab, n: int) -> Slab:
    """The n-th turn of a tile, indexed [x, y, z]."""
    order, flips = _TURNS[n]
    turned: Slab = np.flip(tile.transpose(order), tuple(a for a in range(3) if flips[a]))
    return turned


def _turned_place(xyz: list[float], n: int) -> npt.NDArray[np.float64]:
    """Where the n-th turn of a tile takes a position, Å."""
    order, flips = _TURNS[n]
    place = np.array(xyz)[list(order)]
    return np.where(flips, (_TILE - 1) * VOXEL - place, place)


def _blobs(index: npt.NDArray[np.float64], shape: Shape) -> Slab:
    """Add a Gaussian up at each fractional index (x, y, z); shape is (nz, ny, nx)."""
    total = np.zeros(shape, dtype=np.float32)
    reach = np.arange(-_BLOB_VOXELS, _BLOB_VOXELS + 1)
    nearest = np.rint(index).astype(np.int64)
    for dz, dy, dx in product(reach, reach, reach):
        voxel = nearest + np.array((dx, dy, dz))
        square = (((voxel - index) * VOXEL) ** 2).sum(axis=1)
        height = np.exp(-0.5 * square / BLOB_WIDTH**2).astype(np.float32)
        np.add.at(total, (voxel[:, 2], voxel[:, 1], voxel[:, 0]), height)
    return total


def _write_map(path: Path, shape: Shape, slabs: Iterator[Slab]) -> None:
    """Write a CCP4 map of mode 2 whose voxel (0, 0, 0) lies at the origin; shape is (x, y, z)."""
    words = np.zeros(256, dtype="<i4")
    floats = words.view("<f4")
    words[0:3], words[3], words[7:10], words[16:19], words[22] = shape, 2, shape, (1, 2, 3), 1
    floats[10:13], floats[13:16] = np.array(shape) * VOXEL, 90.0
    words[52] = int.from_bytes(b"MAP ", "little")
    words[53] = 0x4444
    low, high, total, squares, n = np.inf, -np.inf, 0.0, 0.0, 0
    with path.open("wb") as file:
        file.seek(1024)
        for slab in slabs:
            file.write(slab.astype("<f4", copy=False).tobytes())
            low, high = min(low, float(slab.min())), max(high, float(slab.max()))
            total += float(slab.sum(dtype=np.float64))
            squares += float(np.square(slab).sum(dtype=np.float64))
            n += slab.size
        mean = total / n
        floats[19:22], floats[54] = (low, high, mean), np.sqrt(squares / n - mean * mean)
        file.seek(0)
        file.write(words.tobytes())
