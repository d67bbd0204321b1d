"""Results of small models, made by a validation, and changed where a test needs it."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import gemmi
import numpy as np

from atomsight.half_maps import HalfMapOptions
from atomsight.outcome import Options
from atomsight.report.figure import Absent, Figure, Series
from atomsight.report.figures.collect import figures
from atomsight.report.results import Results, results_of
from atomsight.validation import Validation, validate
from atomsight.verdict.readings import Reading
from tests.support.cases import small_model, write_case
from tests.support.maps import write_ccp4

RESOLUTION = "_em_3d_reconstruction.resolution 3.2\n"


def results(folder: Path, atoms=None, options: Options | None = None, *, before=RESOLUTION):
    """Results of a small model in the map made of it."""
    return results_of(validate(*write_case(folder, atoms, before=before), options))


def results_with_half_maps(folder: Path, atoms=None) -> Results:
    """Results with half maps: the map under two kinds of noise."""
    return results_of(validated_with_half_maps(folder, atoms))


def validated_with_half_maps(folder: Path, atoms=None) -> Validation:
    """What these are results of."""
    model, map_ = write_case(folder, small_model() if atoms is None else atoms, before=RESOLUTION)
    read = gemmi.read_ccp4_map(str(map_))
    values, cell = np.array(read.grid.array).T, read.grid.unit_cell.parameters
    origin = tuple(read.header_float(word) for word in (50, 51, 52))
    rng = np.random.default_rng(3)
    halves = [values + rng.normal(0.0, 0.2, values.shape) for _ in range(2)]
    maps = {"half_1": halves[0], "half_2": halves[1], "full": (halves[0] + halves[1]) / 2}
    half_1, half_2, full = (
        write_ccp4(folder / f"{name}.mrc", array.astype(np.float32), cell=cell, origin=origin)
        for name, array in maps.items()
    )
    options = Options(half_maps=HalfMapOptions(half_1, half_2, box=9), contour=0.3)
    return validate(model, full, options)


def with_chains(found: Results, names: Sequence[str]) -> Results:
    """The same residues, in chains of these names in turn."""
    chain = np.resize(np.array(names, dtype=np.str_), len(found.model.residues))
    residues = replace(found.model.residues, chain=chain)
    model = replace(found.model, residues=residues)
    return replace(
        found,
        model=model,
        residues={**found.residues, "chain": chain},
        atoms={**found.atoms, "chain": chain[model.residue]},
    )


def with_residues(found: Results, **columns) -> Results:
    """The same with other columns of residues; keys change in the model, too."""
    keys = {name: column for name, column in columns.items() if name in ("number", "icode")}
    model = replace(found.model, residues=replace(found.model.residues, **keys))
    return replace(found, model=model, residues={**found.residues, **columns})


def with_every_reading(found: Results) -> Results:
    """The same residues, judged in every way in turn."""
    labels = np.array([reading.label for reading in Reading])
    verdict = np.resize(labels, len(found.model.residues))
    sentences = np.array([f"This one is {label}." for label in verdict])
    return with_residues(found, verdict=verdict, verdict_sentence=sentences)


def with_facts(found: Results, **facts) -> Results:
    """The same with other facts."""
    return replace(found, facts={**found.facts, **facts})


def drawn(found: Results) -> dict[str, Figure]:
    """All figures by key."""
    return {one.key: one for one in figures(found) if isinstance(one, Figure)}


def missing(found: Results) -> dict[str, Absent]:
    """All that are absent, by key."""
    return {one.key: one for one in figures(found) if isinstance(one, Absent)}


def series(figure: Figure) -> list[Series]:
    """Its parts that are series."""
    return [part for part in figure.parts if isinstance(part, Series)]
