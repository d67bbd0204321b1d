"""Rank several models, or several poses of a ligand, by how well one map supports them."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np

from atomsight.archive.expected import expected_class_q, expected_q
from atomsight.comparison.difference import (
    atom_blocks,
    block_edge,
    paired_difference,
)
from atomsight.comparison.figures import figures
from atomsight.comparison.matching import ComparedAtoms, compared_atoms
from atomsight.comparison.result import ComparedModel, CompareOptions, Comparison
from atomsight.comparison.scores import (
    Half,
    ModelScores,
    at,
    common_level,
    orientation_means,
    ranked_atoms,
    read_halves,
    score,
)
from atomsight.comparison.words import sentence
from atomsight.density.map import Map
from atomsight.errors import ParameterError
from atomsight.io.files import sha256
from atomsight.io.maps import DEFAULT_MARGIN, read_map
from atomsight.io.models import read_model
from atomsight.model import AtomClass, Model
from atomsight.preflight import require_overlay
from atomsight.typing import Bool_N, PathLikeStr

_MOST_NAMED = 5
"""Residues that a note names."""


def compare(
    models: Sequence[PathLikeStr],
    map_: PathLikeStr,
    options: CompareOptions | None = None,
    *,
    progress: Callable[[str, int, int], None] | None = None,
) -> Comparison:
    """Rank models or poses by their mean Q in one map, and say how surely.

    All figures are over the same atoms, those that have a Q in every model. Models that Q cannot
    tell from the best are called so: the interval of the paired difference, which comes from
    resampled blocks of atoms and from rotated point sets, includes 0.

    Parameters
    ----------
    models : sequence of path
        At least two.
    map_ : path
    options : CompareOptions, optional
    progress : callable, optional
        Called with (what is being done, done, of how many).

    Returns
    -------
    Comparison

    Raises
    ------
    InputError
        If a file or an option is at fault, a model does not lie in the map, or the models have no
        atom in common.

    References
    ----------
    Pintilie et al. (2025), section 5: alternative models of a ligand compared by Q.
    """
    options = options or CompareOptions()
    paths = [Path(path) for path in models]
    _require_different(paths)
    read = [read_model(path) for path in paths]
    checksums = {str(path): sha256(path) for path in paths}
    _require_other_content(paths, checksums)
    resolution, source, notes = _resolution(read, options.resolution)
    whole = options.half_maps is not None
    density = _read_map(map_, read, resolution, options, whole=whole)
    fits = [
        require_overlay(m, density, resolution, origin=options.origin, force=options.force)
        for m in read
    ]
    # after the check: a model in another frame differs everywhere
    atoms = compared_atoms(read, options.selection)
    half = (
        None
        if options.half_maps is None
        else read_halves(density, options.half_maps, resolution, options.origin)
    )
    scores = [
        score(
            model, density, fit, np.isin(np.arange(len(model)), rows), half,
            q=options.q, orientations=options.orientations, seed=options.seed,
            threads=options.threads, progress=progress,
        )
        for model, fit, rows in zip(read, fits, atoms.rows, strict=True)
    ]  # fmt: skip
    ranked = ranked_atoms(atoms, scores)
    contour, contour_source = (
        common_level(density, read) if options.contour is None else (options.contour, "given")
    )
    expected, reason = expected_q(resolution, options.q.sigma)
    for path in (Path(map_), *_half_paths(half)):
        checksums[str(path)] = sha256(path)
    return Comparison(
        models=_in_order(paths, scores, atoms, ranked, density, contour, resolution, options),
        atoms=atoms,
        ranked=ranked,
        map=density,
        options=options,
        resolution=resolution,
        resolution_source=source,
        contour=contour,
        contour_source=contour_source,
        block_edge=block_edge(resolution),
        expected=expected,
        no_expectation=reason,
        expected_class=_expected_class(read[0], atoms, ranked, resolution, options.q.sigma),
        box=None if half is None else half.box,
        notes=(*atoms.notes, *notes, *_missing(read, atoms), *_notes(read, scores, density, half)),
        checksums=checksums,
    )


def _require_different(paths: Sequence[Path]) -> None:
    if len(paths) < 2:
        raise ParameterError("a comparison needs at least two models")
    seen = set()
    for path in paths:
        if path.resolve() in seen:
            raise ParameterError(f"{path}: this model is given twice")
        seen.add(path.resolve())


def _require_other_content(paths: Sequence[Path], checksums: Mapping[str, str]) -> None:
    first: dict[str, Path] = {}
    for path in paths:
        other = first.setdefault(checksums[str(path)], path)
        if other is not path:
            raise ParameterError(f"{path}: the same file as {other}, byte by byte")


def _resolution(
    models: Sequence[Model], given: float | None
) -> tuple[float | None, str, tuple[str, ...]]:
    if given is not None:
        return given, "given", ()
    known = [m for m in models if m.resolution is not None]
    if not known:
        return None, "none given and none in the models' metadata (--resolution)", ()
    first = known[0]
    notes = tuple(
        f"{m.path} gives {m.resolution:g} Å, not {first.resolution:g} Å (--resolution)"
        for m in known
        if m.resolution != first.resolution
    )
    return first.resolution, f"{first.resolution_source} of {first.path.name}", notes


def _read_map(
    map_: PathLikeStr,
    models: Sequence[Model],
    resolution: float | None,
    options: CompareOptions,
    *,
    whole: bool,
) -> Map:
    margin = max(DEFAULT_MARGIN, options.q.radius + 2.0, (resolution or 0.0) / 2.0 + 2.0)
    around = None if whole else np.concatenate([m.xyz[m.heavy] for m in models])
    return read_map(map_, around=around, margin=margin, origin=options.origin)


def _half_paths(half: Half | None) -> tuple[Path, ...]:
    return () if half is None else (half.options.half_1, half.options.half_2)


def _in_order(
    paths: Sequence[Path],
    scores: Sequence[ModelScores],
    atoms: ComparedAtoms,
    ranked: np.ndarray,
    density: Map,
    contour: float,
    resolution: float | None,
    options: CompareOptions,
) -> tuple[ComparedModel, ...]:
    """The models by falling mean Q, with their differences from the best."""
    found = figures(scores, atoms, ranked, density, contour)
    order = sorted(range(len(paths)), key=lambda i: -found[i].q)  # ties: as they were given
    best = order[0]
    q = [at(rows, s.q.q)[ranked] for rows, s in zip(atoms.rows, scores, strict=True)]
    where = scores[best].model.xyz[atoms.rows[best, ranked]]
    block = atom_blocks(where, block_edge(resolution))
    turned = [
        orientation_means(s, rows[ranked]) for rows, s in zip(atoms.rows, scores, strict=True)
    ]
    names = _names(paths)
    expected, _ = expected_q(resolution, options.q.sigma)
    differences = {
        i: paired_difference(
            q[best],
            q[i],
            block,
            sampling=float((turned[best] - turned[i]).std(ddof=1)),
            comparisons=len(paths) - 1,
            seed=options.seed,
        )
        for i in order[1:]
    }
    tied = [names[i] for i in order[1:] if not differences[i].told_apart]
    return tuple(
        ComparedModel(
            name=names[i],
            rank=rank,
            scores=scores[i],
            place=i,
            figures=found[i],
            below_best=differences.get(i),
            sentence=sentence(
                found[i], found[best], names[best], differences.get(i), tied, expected
            ),
        )
        for rank, i in enumerate(order, 1)
    )


def _names(paths: Sequence[Path]) -> list[str]:
    """Names of files; paths where two files have the same name."""
    names = [path.name for path in paths]
    return [
        name if names.count(name) == 1 else str(path)
        for name, path in zip(names, paths, strict=True)
    ]


def _expected_class(
    model: Model, atoms: ComparedAtoms, ranked: Bool_N, resolution: float | None, sigma: float
) -> dict[str, tuple[float | None, str]]:
    classes = np.unique(model.atom_class[atoms.rows[0, ranked]])
    kinds = [AtomClass(int(kind)) for kind in classes]
    return {kind.label: expected_class_q(resolution, sigma, kind) for kind in kinds}


def _missing(models: Sequence[Model], atoms: ComparedAtoms) -> Iterator[str]:
    """What each model lacks, by residue."""
    for model, rows in zip(models, atoms.rows, strict=True):
        lacking = np.flatnonzero(rows < 0).tolist()
        if lacking:
            residues = [*dict.fromkeys(atoms.residue_name(i) for i in lacking)]
            more = ", …" if len(residues) > _MOST_NAMED else ""
            yield (
                f"{model.path}: lacks {len(lacking)} of the {len(atoms)} compared atoms, of "
                f"{', '.join(residues[:_MOST_NAMED])}{more}; no model is ranked by them"
            )


def _notes(
    models: Sequence[Model], scores: Sequence[ModelScores], density: Map, half: Half | None
) -> list[str]:
    notes = [f"{model.path}: {note}" for model in models for note in model.notes]
    notes += density.notes
    for found in scores:
        if not found.overlay.ok:
            notes.append(f"{found.model.path} does not lie in the map: scored on request (--force)")
        if not np.isin(found.model.atom_class, (AtomClass.PROTEIN, AtomClass.NUCLEIC)).any():
            notes.append(
                f"{found.model.path}: holds no polymer; Q of a ligand needs the atoms around it"
            )
    return notes if half is None else [*notes, *half.notes]
