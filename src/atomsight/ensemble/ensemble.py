"""Everything that independent models of one map say together."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from atomsight.ensemble.convergence import (
    Spread,
    mean_position,
    mutual_rmsd,
    pairwise_rmsd,
    rmsd_to_mean,
    spread,
)
from atomsight.ensemble.matching import Match, far_chains, union
from atomsight.ensemble.residues import Residues, atoms_shown, polymer_residues
from atomsight.errors import ParameterError
from atomsight.model import Model
from atomsight.typing import Float_N, Float_Nx3, FloatArray, Int_N, Str_N

_SAME = 1e-3
_MOST_NAMED = 5


@dataclass(frozen=True, slots=True)
class EnsembleModel:
    """One of the models.

    Attributes
    ----------
    name : str
        Its file's name, with the number of the MODEL where the file holds several.
    matched_by : str
        ``number``, ``sequence``, or ``number and sequence`` where chains differ.
    renamed : mapping
        Chains that have another name in the first model → that name.
    residues : int
        Residues with a Cα or C1'.
    missing : int
        Residues of other models that it lacks.
    left_out : int
        Residues of it that could not be matched.
    rmsd_to_mean : float
        Å; of all its residues to the mean of the models.
    rmsd_to_others : float
        Å; root mean square of its RMSDs to the other models.
    """

    name: str
    matched_by: str
    renamed: Mapping[str, str]
    residues: int
    missing: int
    left_out: int
    rmsd_to_mean: float
    rmsd_to_others: float


@dataclass(frozen=True, slots=True)
class Convergence:
    """How far independent models of one map lie apart.

    Attributes
    ----------
    models : tuple of Model
        As they were read.
    members : tuple of EnsembleModel
        What is said of each.
    chain, icode, name : ndarray of str, shape (m,)
        Of the residues, as the first model names them.
    number : ndarray of int, shape (m,)
        Residue number.
    rows : ndarray of int, shape (k, m)
        Row of each residue in each model's table of residues; -1 where a model lacks it.
    n : ndarray of int, shape (m,)
        Models that have the residue.
    ca_rmsd : ndarray, shape (m,)
        Å; over all pairs of models, see `pairwise_rmsd`. Of nucleic acids the C1' counts. NaN
        where fewer than two models have the residue.
    ca_rmsd_to_mean : ndarray, shape (m,)
        Å; to the mean of the models, see `rmsd_to_mean`.
    xyz : ndarray, shape (m, 3)
        Å; mean position.
    mutual : ndarray, shape (k, k)
        Å; RMSD of each model to each other.
    overall : Spread
        Of `ca_rmsd`.
    chains : mapping
        Chain → Spread.
    resolution : float or None
        Å; of the map.
    protocol : str
        What made the models; empty where it is not known.
    notes : tuple of str
    checksums : mapping
        Path → SHA-256 of each file.
    """

    models: tuple[Model, ...]
    members: tuple[EnsembleModel, ...]
    chain: Str_N
    number: Int_N
    icode: Str_N
    name: Str_N
    rows: Int_N
    n: Int_N
    ca_rmsd: Float_N
    ca_rmsd_to_mean: Float_N
    xyz: Float_Nx3
    mutual: FloatArray
    overall: Spread
    chains: Mapping[str, Spread]
    resolution: float | None = None
    protocol: str = ""
    notes: tuple[str, ...] = ()
    checksums: Mapping[str, str] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.number)

    @property
    def atom_class(self) -> Int_N:
        """`AtomClass` of each residue, as the first model that has it says, shape (m,)."""
        found = np.zeros(len(self), dtype=np.int64)
        for model, rows in zip(reversed(self.models), reversed(self.rows), strict=True):
            here = rows >= 0
            found[here] = model.residues.atom_class[rows[here]]
        return found

    @property
    def atoms(self) -> str:
        """What stands for the residues: ``Cα``, ``C1'`` or ``Cα/C1'``."""
        return atoms_shown(self.atom_class)


def measure_convergence(models: Sequence[Model], *, resolution: float | None = None) -> Convergence:
    """Measure how far independent models of one map lie apart, residue by residue.

    Nothing is superposed: the map fixes the frame. Residues are matched by chain, number and
    insertion code; where the numbering differs, by sequence.

    Parameters
    ----------
    models : sequence of Model
        At least two.
    resolution : float, optional
        Å; of the map.

    Returns
    -------
    Convergence

    Raises
    ------
    ParameterError
        If there are fewer than two models, the resolution is no length, a model holds no polymer
        or one of another sequence, or no residue is in two models.

    References
    ----------
    Herzik, Fraser & Lander (2019), Structure 27, 344-358, doi:10.1016/j.str.2018.10.003.
    """
    if len(models) < 2:
        raise ParameterError(f"convergence needs at least two models, not {len(models)}")
    if resolution is not None and not (np.isfinite(resolution) and resolution > 0):
        raise ParameterError(f"resolution must be a positive number of Å, not {resolution}")
    names = model_names(models)
    residues = [polymer_residues(model) for model in models]
    every, matches = union(residues, names)
    xyz = np.full((len(models), len(every), 3), np.nan)
    rows = np.full((len(models), len(every)), -1, dtype=np.int64)
    for i, (one, found) in enumerate(zip(residues, matches, strict=True)):
        known = found.rows >= 0
        xyz[i, known] = one.xyz[found.rows[known]]
        rows[i, known] = one.row[found.rows[known]]
    pairwise, mutual = pairwise_rmsd(xyz), mutual_rmsd(xyz)
    if not np.isfinite(pairwise).any():
        raise ParameterError(f"no residue is in two of the models {', '.join(names)}")
    mean, n = mean_position(xyz)
    return Convergence(
        models=tuple(models),
        members=tuple(_members(names, residues, matches, xyz, mean, mutual)),
        chain=every.chain,
        number=every.number,
        icode=every.icode,
        name=every.name,
        rows=rows,
        n=n,
        ca_rmsd=pairwise,
        ca_rmsd_to_mean=rmsd_to_mean(xyz),
        xyz=mean,
        mutual=mutual,
        overall=spread(pairwise),
        chains={name: spread(pairwise[at]) for name, at in every.chains().items()},
        resolution=resolution,
        notes=tuple(_notes(names, residues, matches, every, n, mutual)),
    )


def model_names(models: Sequence[Model]) -> list[str]:
    """What models are called: their file's name, and the MODEL where a file holds several.

    Parameters
    ----------
    models : sequence of Model

    Returns
    -------
    list of str
        With the folder where two files have one name.
    """
    paths = {model.path for model in models}
    short = {path.name for path in paths}
    names = []
    for model in models:
        name = model.path.name if len(short) == len(paths) else str(model.path)
        names.append(f"{name} MODEL {model.number}" if len(model.model_numbers) > 1 else name)
    return names


def _members(
    names: Sequence[str],
    residues: Sequence[Residues],
    matches: Sequence[Match],
    xyz: FloatArray,
    mean: Float_Nx3,
    mutual: FloatArray,
) -> Iterator[EnsembleModel]:
    for i, (name, one, found) in enumerate(zip(names, residues, matches, strict=True)):
        squares = ((xyz[i] - mean) ** 2).sum(axis=1)
        others = np.delete(mutual[i], i)
        others = others[np.isfinite(others)]
        yield EnsembleModel(
            name=name,
            matched_by=found.by,
            renamed=found.renamed,
            residues=len(one),
            missing=int((found.rows < 0).sum()),
            left_out=found.left_out,
            rmsd_to_mean=float(np.sqrt(np.nanmean(squares))),
            rmsd_to_others=float(np.sqrt((others**2).mean())) if len(others) else float("nan"),
        )


def _notes(
    names: Sequence[str],
    residues: Sequence[Residues],
    matches: Sequence[Match],
    every: Residues,
    n: Int_N,
    mutual: FloatArray,
) -> Iterator[str]:
    """What a reader of the numbers should know."""
    for name, one, found in zip(names, residues, matches, strict=True):
        if found.by_sequence:
            yield (
                f"{name}: its numbering differs from that of {names[0]}: chain "
                f"{_listed(found.by_sequence)} matched by sequence"
            )
        if found.renamed:
            pairs = [f"{a} as {b}" for a, b in found.renamed.items()]
            yield f"{name}: chains matched under other names: {_listed(pairs)}"
        if found.left_out:
            yield f"{name}: {found.left_out} residues could not be matched and are left out"
        if found.other_names:
            yield f"{name}: {found.other_names} residues have another name than in {names[0]}"
        far = far_chains(every, one, found)
        if far:
            away = [f"{chain} {distance:.0f}" for chain, distance in far.items()]
            yield (
                f"{name}: lies far away (Å, median of a chain: {_listed(away)}): in the frame of "
                "another map, or chains under each other's names?"
            )
        yield from (f"{name}: {note}" for note in one.notes)
    partly = int((n < len(names)).sum())
    if partly:
        lacking = [
            f"{name} {int((found.rows < 0).sum())}"
            for name, found in zip(names, matches, strict=True)
            if (found.rows < 0).any()
        ]
        alone = int((n < 2).sum())
        yield (
            f"{partly} of {len(n)} residues are not in all models (missing: {_listed(lacking)}); "
            "their RMSD is over the models that have them"
            + (f"; {alone} are in one model only and have none" if alone else "")
        )
    for i, j in zip(*np.nonzero(np.tril(mutual < _SAME, -1)), strict=True):
        yield f"{names[i]} and {names[j]} are the same within {_SAME:g} Å: not independent models"


def _listed(words: Sequence[str]) -> str:
    more = len(words) - _MOST_NAMED
    return ", ".join(words[:_MOST_NAMED]) + (f" and {more} more" if more > 0 else "")
