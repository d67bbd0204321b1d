"""A small validation for the files in the archives' formats, and readers that are strict."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from atomsight.findings.finding import Finding
from atomsight.validation import Options, Validation, validate
from tests.support.cases import MARGIN, VOXEL, density, numbered, placed
from tests.support.maps import RIGHT_ANGLES, write_ccp4
from tests.support.models import Atom, cif_text, peptide, residue, write_model

RESOLUTION = "_em_3d_reconstruction.resolution 3.2\n"
PERCENTILES = {
    "archive": "made up (2025-05, 120 entries, 0123abcd)",
    "half_width": 0.5,
    "q": {
        "resolution": 3.2,
        "of_all": 84.1234,
        "n_all": 120,
        "range_all": (1.1, 9.0),
        "of_resolution": 87.26,
        "n_window": 40,
        "range_window": (2.71, 3.7),
    },
    "inclusion": {
        "resolution": 3.2,
        "of_all": 0.0,
        "n_all": 110,
        "range_all": (1.2, 8.0),
        "of_resolution": 100.0,
        "n_window": 39,
        "range_window": (2.75, 3.65),
    },
}


def mixed_model() -> list[Atom]:
    """Two chains with hydrogens, an insertion code, a ligand, an ion and water: 22 atoms."""
    return numbered(
        placed(
            [
                *peptide("ALA", first=7, entity="1"),
                *residue("ALA", "H HA", number=7, entity="1", element="H"),
                *peptide("GLY", first=7, icode="A", entity="1"),
                *residue("HEM", "FE NA", number=201, record="HETATM", label_asym="C", entity="3"),
                *residue("MG", "MG", number=202, record="HETATM", element="MG", label_asym="D",
                         entity="4"),
                *residue("HOH", "O H1", number=301, record="HETATM", label_asym="E", entity="5"),
                *peptide("SER", first=-1, chain="B", entity="2"),
                *residue("HOH", "O", number=302, record="HETATM", chain="B", label_asym="F",
                         entity="5"),
                *residue("HOH", "O", number=303, record="HETATM", chain="W", label_asym="G",
                         entity="5"),
                *residue("ZN", "ZN", number=1, record="HETATM", chain="X", element="ZN",
                         label_asym="H", entity="6"),
            ]
        )
    )  # fmt: skip


def validated(
    folder: Path, atoms: list[Atom] | None = None, options: Options | None = None, **changes: str
) -> Validation:
    """The mixed model in a map from -1 to 3, whose 129 levels are 1/32 apart."""
    atoms = mixed_model() if atoms is None else atoms
    xyz = np.array([atom.xyz for atom in atoms if atom.xyz is not None])
    low = np.floor(xyz.min(axis=0) - MARGIN)
    values = density(atoms, low, xyz.max(axis=0) + MARGIN, 0.7)
    values[0, 0, 0], values[-1, -1, -1] = -1.0, 3.0
    cell = (*(VOXEL * n for n in values.shape[::-1]), *RIGHT_ANGLES)
    map_ = write_ccp4(
        folder / changes.get("map_", "map.mrc"), values, cell=cell, origin=tuple(low.tolist())
    )
    text = cif_text(atoms, changes.get("before", RESOLUTION))
    return validate(write_model(folder / "model.cif", text), map_, options)


def with_percentiles(result: Validation) -> Validation:
    """The same with made-up percentiles, which do not change when the archive grows."""
    others = [finding for finding in result.findings if finding.key != "percentiles"]
    return replace(result, findings=(*others, Finding("percentiles", PERCENTILES)))


def _refuse(text: str) -> Any:
    raise AssertionError(f"{text} is no JSON")


def strict_json(path: Path) -> Any:
    """NaN and Infinity, which Python would read, and keys that stand twice are refused."""

    def pairs(items: list[tuple[str, Any]]) -> dict[str, Any]:
        assert len(dict(items)) == len(items)
        return dict(items)

    text = path.read_text(encoding="utf-8")
    return json.loads(text, parse_constant=_refuse, object_pairs_hook=pairs)
