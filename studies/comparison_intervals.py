"""Do the intervals of a comparison hold what they promise?

A group of atoms is moved a little to either side of the truth, so that neither pose is better by
much, and their difference in mean Q is looked at under independent noise. In the first part the
noise is drawn: white, cut off at the resolution, on the map of the model. In the second it is that
of two half maps. An interval misses if it leaves out the mean difference of all draws (first part)
or, as the joint interval of two halves, the other half's difference (second part). Beside the cubes
of space that `atomsight compare` resamples, atoms are also taken as if they were independent.
Writes comparison.csv::

    python studies/comparison_intervals.py MODEL MAP --half-maps HALF1 HALF2 --truth MODEL -o FOLDER

MODEL and MAP: 5NI1 and EMD-3488; the half maps with the model that they show.
"""

import argparse
import csv
from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import numpy as np
from scipy import fft, special

import atomsight as ats
from atomsight.comparison.difference import LEVEL, atom_blocks, block_edge, paired_difference
from atomsight.density.map import Map
from atomsight.model import Model
from atomsight.typing import Bool_N, Float_N, Volume

RESOLUTION = 3.2
"""Å; of the drawn noise."""

HALF_RESOLUTION = 2.75
"""Å; of the half maps."""

AROUND = 0.3
"""Å; how far the two poses are to either side of the truth."""

DIRECTIONS, DRAWS = 4, 120

CHAIN = "A"
PROPIONATE = ("CAA", "CBA", "CGA", "O1A", "O2A", "C2A", "C3A", "C1A", "CMA", "CHA")
BACKBONE = ("N", "CA", "C", "O")
SIDE_CHAINS = 20


@dataclass(frozen=True, slots=True)
class Row:
    """How often the intervals of one group missed.

    Attributes
    ----------
    group : str
    noise : str
    q : float
        Mean Q of one pose.
    atoms, cubes : float
        Number in a group; medians.
    draws : int
        Intervals looked at.
    missed_cubes, missed_atoms : float
        Share that missed: with cubes resampled, and with atoms taken as independent.
    """

    group: str
    noise: str
    q: float
    atoms: float
    cubes: float
    draws: int
    missed_cubes: float
    missed_atoms: float


def groups(model: Model) -> Iterator[tuple[str, Bool_N, float, float]]:
    """Name, atoms, B factor of the map and sd of the noise, in mean heights of the map."""
    names, chains = model.residues.name[model.residue], model.residues.chain[model.residue]
    haem = (names == "HEM") & (chains == CHAIN)
    protein = np.flatnonzero(model.residues.atom_class == ats.AtomClass.PROTEIN)
    drawn = np.random.default_rng(3).choice(protein, SIDE_CHAINS, replace=False)
    side = np.isin(model.residue, drawn) & ~np.isin(model.atom, BACKBONE)
    yield "haem", haem, 80.0, 0.15
    yield "haem", haem, 30.0, 0.5
    yield "propionate of the haem", haem & np.isin(model.atom, PROPIONATE), 80.0, 0.15
    yield f"{SIDE_CHAINS} side chains", side, 80.0, 0.15


def shifts(rng: np.random.Generator) -> Float_N:
    """A step in a random direction."""
    step: Float_N = rng.standard_normal(3)
    return AROUND * step / np.linalg.norm(step)


def q_of_both(map_: Map, model: Model, group: Bool_N, step: Float_N) -> tuple[Float_N, Float_N]:
    """Q of the group's atoms in the two poses."""
    found = []
    for sign in (1.0, -1.0):
        xyz = np.where(group[:, None], model.xyz + sign * step, model.xyz)
        found.append(ats.q_score(map_, replace(model, xyz=xyz), selection=group).q[group])
    return found[0], found[1]


def atoms_error(difference: Float_N) -> float:
    """Standard error of the mean if atoms were independent."""
    return float(difference.std(ddof=1) / np.sqrt(len(difference)))


def quantile(observations: int) -> float:
    """Student's t for the level of the intervals."""
    return float(special.stdtrit(observations - 1, 0.5 + LEVEL / 2))


def cut_off(values: Volume, voxel: float) -> Volume:
    """Values without what is finer than the resolution."""
    shape = values.shape
    axes = [
        fft.fftfreq(shape[0], voxel),
        fft.fftfreq(shape[1], voxel),
        fft.rfftfreq(shape[2], voxel),
    ]
    z, y, x = np.ix_(*axes)
    square = np.square(z) + np.square(y) + np.square(x)
    spectrum = np.where(square < RESOLUTION**-2, fft.rfftn(values), 0.0)
    result: Volume = fft.irfftn(spectrum, s=shape)
    return result


def drawn_noise(model: Model, grid: Map) -> Iterator[Row]:
    """First part: every group in maps that differ by their noise alone."""
    voxel = float(grid.voxel_size[0])
    for name, group, b_iso, level in groups(model):
        clean = ats.simulate_map(model, grid, b_iso=b_iso).values.astype(float)
        height = level * clean[clean > np.quantile(clean, 0.98)].mean()
        clean = cut_off(clean, voxel)
        block = atom_blocks(model.xyz[group], block_edge(RESOLUTION))
        rng = np.random.default_rng(11)
        missed, q = np.zeros(2), 0.0
        for _ in range(DIRECTIONS):
            step = shifts(rng)
            value, cubes, atoms = [], [], []
            for seed in range(DRAWS):
                noise = cut_off(rng.standard_normal(clean.shape), voxel)
                noisy = (clean + height * noise / noise.std()).astype(np.float32)
                map_ = ats.map_from_array(noisy, voxel, tuple(grid.origin))
                one, two = q_of_both(map_, model, group, step)
                found = paired_difference(one, two, block, seed=seed)
                value.append(found.value)
                cubes.append(found.half_width)
                atoms.append(quantile(len(one)) * atoms_error(one - two))
                q += one.mean()
            off = np.abs(np.array(value) - np.mean(value))
            missed += [np.count_nonzero(off > np.array(limit)) for limit in (cubes, atoms)]
        draws = DIRECTIONS * DRAWS
        shares = (missed / draws).tolist()
        count = int(group.sum())
        yield Row(
            name,
            f"drawn, {level:g}, B {b_iso:g} Å²",
            q / draws,
            count,
            block.max() + 1,
            draws,
            *shares,
        )


def half_map_noise(model: Model, halves: list[Map]) -> Iterator[Row]:
    """Second part: runs of residues in two half maps."""
    protein = np.flatnonzero(model.residues.atom_class == ats.AtomClass.PROTEIN)
    for size in (2, 6, 20):
        rng = np.random.default_rng(0)
        missed, counts, qs = [], [], []
        for start in range(0, len(protein) - size, size):
            group = np.isin(model.residue, protein[start : start + size]) & model.heavy
            step = shifts(rng)
            block = atom_blocks(model.xyz[group], block_edge(HALF_RESOLUTION))
            pairs = [q_of_both(half, model, group, step) for half in halves]
            one, two = (paired_difference(a, b, block) for a, b in pairs)
            if not np.isfinite(one.half_width):
                continue
            apart = abs(one.value - two.value)
            cubes = quantile(one.blocks) * np.hypot(one.standard_error, two.standard_error)
            errors = [atoms_error(a - b) for a, b in pairs]
            atoms = quantile(one.atoms) * np.hypot(errors[0], errors[1])
            missed.append((apart > cubes, apart > atoms))
            counts.append((one.atoms, one.blocks))
            qs.append(pairs[0][0].mean())
        atoms_median, cubes_median = np.median(counts, axis=0)
        shares = np.mean(missed, axis=0).tolist()
        yield Row(
            f"{size} residues", "half maps", float(np.mean(qs)), atoms_median, cubes_median,
            len(missed), *shares,
        )  # fmt: skip


def main() -> None:
    """Write the table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("model", type=Path)
    parser.add_argument("map", type=Path)
    parser.add_argument("--half-maps", nargs=2, type=Path, required=True)
    parser.add_argument("--truth", type=Path, required=True, help="model of the half maps")
    parser.add_argument("-o", "--output", type=Path, required=True)
    given = parser.parse_args()
    rows = [*drawn_noise(ats.read_model(given.model), ats.read_map(given.map))]
    halves = [ats.read_map(path) for path in given.half_maps]
    rows += half_map_noise(ats.read_model(given.truth), halves)
    given.output.mkdir(parents=True, exist_ok=True)
    with (given.output / "comparison.csv").open("w", encoding="utf-8", newline="") as handle:
        writer = csv.DictWriter(handle, fieldnames=list(Row.__slots__), lineterminator="\n")
        writer.writeheader()
        for row in rows:
            numbers = {k: f"{v:.4g}" if isinstance(v, float) else v for k, v in asdict(row).items()}
            writer.writerow(numbers)


if __name__ == "__main__":
    main()
