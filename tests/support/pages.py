"""Folders of results and pages made of them, taken apart again."""

import base64
import gzip
import json
import math
import re
from pathlib import Path

import gemmi

from atomsight.output import write_results
from atomsight.report.page import page
from atomsight.report.results import Results
from atomsight.validation import Validation, validate
from tests.support.cases import numbered, placed, write_case
from tests.support.models import peptide, residue
from tests.support.results import RESOLUTION

BLOCK = re.compile(r'<script type="text/plain" id="block-([a-z-]+)">([^<]*)</script>')


def validated(folder: Path, atoms=None, options=None, *, before=RESOLUTION, **files) -> Validation:
    """A small model in the map made of it."""
    return validate(*write_case(folder, atoms, before=before, **files), options)


def written(found: Validation, folder: Path, *, everything: bool = True) -> Path:
    """The folder that its results were written to."""
    write_results(found, folder, everything=everything)
    return folder


def blocks(html: str) -> dict[str, bytes]:
    """What a page holds, unpacked."""
    return {name: gzip.decompress(base64.b64decode(text)) for name, text in BLOCK.findall(html)}


def outside_blocks(html: str) -> str:
    """The page without what is packed in it."""
    return BLOCK.sub("", html)


def data_of(html: str) -> dict:
    """What the page's scripts work with."""
    return json.loads(blocks(html)["data"], parse_constant=_refuse)


def _refuse(name: str) -> None:
    raise AssertionError(f"JavaScript has no {name} in JSON")


def page_data(results: Results) -> dict:
    """The same of results."""
    return data_of(page(results))


def assert_same(one: object, two: object, *, places: float, at: str = "") -> None:
    """JSON is the same, numbers to within `places` or a millionth of themselves."""
    if isinstance(one, float) or isinstance(two, float):
        assert isinstance(one, int | float), at
        assert isinstance(two, int | float), at
        assert math.isclose(one, two, rel_tol=1e-6, abs_tol=places), f"{at}: {one} {two}"
    elif isinstance(one, dict):
        assert isinstance(two, dict), at
        assert list(one) == list(two), at
        for key in one:
            assert_same(one[key], two[key], places=places, at=f"{at}.{key}")
    elif isinstance(one, list):
        assert isinstance(two, list), at
        assert len(one) == len(two), at
        for i, pair in enumerate(zip(one, two, strict=True)):
            assert_same(*pair, places=places, at=f"{at}[{i}]")
    else:
        assert one == two, at


ATTACK = "<script>window.hacked=1</script><img src=x onerror=window.hacked=1>"
CHAIN, RESIDUE, NAME = '<b>"&</script>', "<i>'&", "<img/src=x/onerror=hacked=1>"
FORMULA = "=1+1"
MODEL_FILE, MAP_FILE = "<b>\"'&.cif", "<svg onload=hacked=1>&.mrc"


def hostile(folder: Path) -> Validation:
    """A model whose title and names, and files whose names, are pieces of HTML."""
    chain, name, sign = (gemmi.cif.quote(text) for text in (CHAIN, RESIDUE, "<"))
    common = {"chain": chain, "label_asym": chain, "entity": sign}
    atoms = [
        *peptide("ALA GLY", **common),
        *residue("SER", f"N CA C O {NAME}", number=3, element="C", altloc=sign, **common),
        *residue(name, NAME, number=4, record="HETATM", icode="'<'", element="C", **common),
        *peptide("ALA", chain=FORMULA, label_asym=FORMULA, entity=sign),
    ]
    before = f"{RESOLUTION}_struct.title {gemmi.cif.quote(ATTACK)}\n"
    files = {"model": MODEL_FILE, "map_": MAP_FILE}
    return validated(folder, numbered(placed(atoms)), before=before, **files)
