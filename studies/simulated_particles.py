"""Half maps of simulated particles whose shifts are known less and less well.

Herzik, Fraser & Lander (2019), Structure 27, 344-358, lower the resolution of real data so: every
particle is added up with a random error of its shift. Here the particles are projections of a
model at random poses, with contrast transfer function and white noise; both halves are put
together in Fourier space. The first shift error's half maps are also degraded to the others'
resolutions, to compare. Writes simulated_particles.csv, and all half maps with --maps::

    python studies/simulated_particles.py MODEL --shifts 0.2,0.5,0.7 -o FOLDER
"""

import argparse
import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from scipy import fft
from scipy.spatial.transform import Rotation

import atomsight as ats
from atomsight.density.fourier import FscCurve, fsc, resolution_at, sharpened
from atomsight.density.map import array_statistics
from atomsight.density.masks import mask_above
from atomsight.evidence.groups import group_means
from atomsight.kernels.compilation import kernel
from sharpening import filtered, mean_map

BOX, VOXEL, PAD = 100, 1.05, 2
"""Voxels, Å, and how many times the box the transform is."""

WAVELENGTH, ABERRATION, AMPLITUDE = 0.0197, 2.7e7, 0.1
"""Å, Å and a share: 300 kV, 2.7 mm, amplitude contrast."""

DEFOCUS = (6000.0, 18000.0)
"""Å."""

ENVELOPE = 60.0
"""B of the microscope, Å²."""

B_CORE, B_RISE, CORE = 30.0, 0.06, 8.0
"""B of an atom: 30 Å² and, beyond 8 Å from the centre, 0.06 times the square of what is beyond."""

REGULARISED = 0.01
"""Share of the mean weight that is added to every weight."""


@dataclass(frozen=True, slots=True)
class Beam:
    """Particles of one half.

    Attributes
    ----------
    rotation : ndarray, shape (n, 3, 3)
    shift : ndarray, shape (n, 2)
        Error of the shift, Å.
    defocus : ndarray, shape (n,)
        Å.
    """

    rotation: np.ndarray
    shift: np.ndarray
    defocus: np.ndarray


@kernel
def add_particles(
    truth: np.ndarray,
    rotation: np.ndarray,
    shift: np.ndarray,
    defocus: np.ndarray,
    noise: float,
    seed: int,
    optics: tuple[float, float, float, float],
    box: tuple[int, float, int],
    total: np.ndarray,
    weight: np.ndarray,
) -> None:
    """Take a central section a particle, and add it at its pose.

    Parameters
    ----------
    truth : ndarray, shape (N, N, N), complex64
        Transform of the padded density, frequency 0 in the middle.
    rotation, shift, defocus : ndarray
        As in `Beam`.
    noise : float
        Standard deviation of real and imaginary part of the noise of a term.
    seed : int
    optics : tuple of float
        Wavelength, aberration (Å), amplitude contrast, B of the envelope (Å²).
    box : tuple
        Voxels, their size in Å, padding.
    total, weight : ndarray, shape (N, N, N)
        Sums of CTF times term, and of CTF²; changed in place.
    """
    np.random.seed(seed)  # noqa: NPY002
    wavelength, aberration, amplitude, envelope = optics
    n, voxel, pad = box
    middle = truth.shape[0] // 2
    last = n // 2 - 1
    for p in range(rotation.shape[0]):
        r = rotation[p]
        for kx in range(last + 1):
            for ky in range(-last, last + 1):
                square = kx * kx + ky * ky
                if square > last * last or (kx == 0 and ky < 0):
                    continue
                x = pad * (r[0, 0] * kx + r[0, 1] * ky)
                y = pad * (r[1, 0] * kx + r[1, 1] * ky)
                z = pad * (r[2, 0] * kx + r[2, 1] * ky)
                s2 = square / (n * voxel) ** 2
                phase = (
                    math.pi
                    * wavelength
                    * s2
                    * (defocus[p] - 0.5 * aberration * wavelength * wavelength * s2)
                )
                ctf = -(
                    math.sqrt(1.0 - amplitude**2) * math.sin(phase) + amplitude * math.cos(phase)
                ) * math.exp(-envelope * s2 / 4.0)
                turn = -2.0 * math.pi * (kx * shift[p, 0] + ky * shift[p, 1]) / (n * voxel)
                term = 0j
                for mate in range(2):
                    sign = 1.0 - 2.0 * mate
                    fx, fy, fz = sign * x + middle, sign * y + middle, sign * z + middle
                    i, j, k = math.floor(fx), math.floor(fy), math.floor(fz)
                    dx, dy, dz = fx - i, fy - j, fz - k
                    if mate == 0:
                        for corner in range(8):
                            a, b, c = corner & 1, (corner >> 1) & 1, corner >> 2
                            share = (
                                (dx if a else 1.0 - dx)
                                * (dy if b else 1.0 - dy)
                                * (dz if c else 1.0 - dz)
                            )
                            term += share * truth[k + c, j + b, i + a]
                        term = term * ctf * complex(math.cos(turn), math.sin(turn))
                        term += noise * complex(np.random.randn(), np.random.randn())  # noqa: NPY002
                    else:
                        term = term.conjugate()
                    for corner in range(8):
                        a, b, c = corner & 1, (corner >> 1) & 1, corner >> 2
                        share = (
                            (dx if a else 1.0 - dx)
                            * (dy if b else 1.0 - dy)
                            * (dz if c else 1.0 - dz)
                        )
                        total[k + c, j + b, i + a] += share * ctf * term
                        weight[k + c, j + b, i + a] += share * ctf * ctf


def padded_transform(values: np.ndarray) -> np.ndarray:
    """Transform of a density in the middle of a larger box, frequency 0 in the middle.

    Parameters
    ----------
    values : ndarray, shape (n, n, n)

    Returns
    -------
    ndarray, shape (N, N, N), complex64
    """
    edge = (PAD - 1) * BOX // 2
    padded = np.pad(values.astype(np.float32), edge)
    return np.asarray(fft.fftshift(fft.fftn(fft.ifftshift(padded), workers=-1)), np.complex64)


def reconstruct(total: np.ndarray, weight: np.ndarray) -> np.ndarray:
    """Density from sums of terms and weights.

    Parameters
    ----------
    total, weight : ndarray, shape (N, N, N)

    Returns
    -------
    ndarray, shape (n, n, n), float32
    """
    size, edge = BOX * PAD, (PAD - 1) * BOX // 2
    terms = total / (weight + REGULARISED * weight[weight > 0].mean())
    values = fft.fftshift(fft.ifftn(fft.ifftshift(terms), workers=-1)).real
    # linear interpolation in Fourier space multiplies the density by the square of a sinc
    fall = np.sinc((np.arange(size) - size // 2) / size) ** 2
    values = values / (fall[:, None, None] * fall[:, None] * fall)
    inside = slice(edge, edge + BOX)
    return np.ascontiguousarray(values[inside, inside, inside], dtype=np.float32)


def beam(particles: int, shift_error: float, rng: np.random.Generator) -> Beam:
    """Random poses and defocus; errors of the shift.

    Parameters
    ----------
    particles : int
    shift_error : float
        Å rms along each axis.
    rng : Generator

    Returns
    -------
    Beam
    """
    return Beam(
        rotation=Rotation.random(particles, rng=rng).as_matrix(),
        shift=shift_error * rng.standard_normal((particles, 2)),
        defocus=rng.uniform(*DEFOCUS, particles),
    )


def half_maps(
    truth: ats.Map, particles: int, noise: float, shift_error: float, seed: int
) -> tuple[ats.Map, ats.Map]:
    """Two half maps: poses, defocus and noise are the same whatever the shift error.

    Parameters
    ----------
    truth : Map
    particles : int
        In each half.
    noise : float
        In units of the rms term between 0 and 10 Å.
    shift_error : float
        Å.
    seed : int

    Returns
    -------
    tuple of Map
    """
    terms = padded_transform(truth.values)
    middle, low = BOX * PAD // 2, PAD * BOX // 10
    near = terms[middle, middle - low : middle + low, middle - low : middle + low]
    level = noise * float(np.sqrt(np.mean(np.abs(near) ** 2)))
    made = []
    for half in range(2):
        rng = np.random.default_rng([seed, half])
        particle = beam(particles, shift_error, rng)
        total, weight = np.zeros_like(terms), np.zeros(terms.shape, np.float32)
        add_particles(
            terms, particle.rotation, particle.shift, particle.defocus, level,
            int(rng.integers(1 << 30)), (WAVELENGTH, ABERRATION, AMPLITUDE, ENVELOPE),
            (BOX, VOXEL, PAD), total, weight,
        )  # fmt: skip
        values = reconstruct(total, weight)
        made.append(replace(truth, values=values, statistics=array_statistics(values)))
    return made[0], made[1]


def true_map(model: ats.Model) -> ats.Map:
    """Density of a model in the middle of the box, where the model is.

    Parameters
    ----------
    model : Model
        Water and hydrogen count with the rest.

    Returns
    -------
    Map
    """
    centre = 0.5 * (model.xyz.min(axis=0) + model.xyz.max(axis=0))
    corner = centre - 0.5 * BOX * VOXEL
    empty = ats.map_from_array(
        np.zeros((BOX,) * 3, np.float32), VOXEL, (corner[0], corner[1], corner[2])
    )
    beyond = np.maximum(np.linalg.norm(model.xyz - centre, axis=1) - CORE, 0.0)
    return ats.simulate_map(model, empty, b_iso=B_CORE + B_RISE * beyond**2)


def full_map(halves: tuple[ats.Map, ats.Map], curve: FscCurve, b: float) -> ats.Map:
    """Their mean, sharpened by what the shift errors took, weighted by C_ref and cut.

    Parameters
    ----------
    halves : tuple of Map
    curve : FscCurve
        Of the half maps.
    b : float
        Å²; of shift errors of σ Å it is 8π²σ².

    Returns
    -------
    Map
    """
    weighted = filtered(mean_map(halves), curve)
    return sharpened(weighted, -b)


def mean_q(map_: ats.Map, model: ats.Model) -> float:
    """Mean Q without water, sigma 0.4 Å.

    Parameters
    ----------
    map_ : Map
    model : Model

    Returns
    -------
    float
    """
    found = ats.q_score(map_, model)
    chosen = found.counted & (model.atom_class != ats.AtomClass.WATER)
    return float(group_means(found.q, np.zeros(len(model), np.int64), 1, chosen)[0])


def series(
    model: ats.Model, shifts: list[float], particles: int, noise: float, seed: int
) -> Iterator[tuple[list[float], tuple[ats.Map, ats.Map]]]:
    """Figures of every shift error, and of the first one's half maps degraded to the same.

    Parameters
    ----------
    model : Model
    shifts : list of float
        Å, growing.
    particles : int
    noise : float
    seed : int

    Yields
    ------
    list of float
        Shift error, resolution (in the mask, FSC 0.143), Q; resolution of the degraded half maps,
        their b, the b that the shift errors mean, rms difference of the two FSC curves, Q.
    tuple of Map
        The half maps of the simulated particles.
    """
    truth = true_map(model)
    mask = mask_above(truth, 0.02, dilation=4, edge=2.0).values
    first: tuple[ats.Map, ats.Map] | None = None
    for shift in shifts:
        halves = half_maps(truth, particles, noise, shift, seed)
        curve = fsc(*halves, mask)
        reached = resolution_at(curve, 0.143)
        b = 8.0 * math.pi**2 * (shift**2 - shifts[0] ** 2)
        row = [shift, reached, mean_q(full_map(halves, curve, b), model)]
        if first is None:
            first = halves
            row += [float("nan")] * 5
        else:
            low = ats.degrade_half_maps(*first, reached, mask=mask, seed=seed)
            apart = low.curve.fsc - curve.fsc
            within = (curve.frequency > 0) & (curve.frequency < 1.0 / reached)
            rms = float(np.sqrt(np.mean(apart[within] ** 2)))
            row += [low.resolution, low.b_factor, b, rms, mean_q(low.map, model)]
        yield row, halves


COLUMNS = (
    "shift_error,resolution,q,degraded_resolution,degraded_b,b_of_shifts,fsc_difference,degraded_q"
)


def main() -> None:
    """Run the study."""
    parser = argparse.ArgumentParser(description="Half maps of simulated particles")
    parser.add_argument("model", type=Path)
    parser.add_argument("--shifts", default="0.2,0.5,0.7", help="Å rms, growing")
    parser.add_argument("--particles", type=int, default=5_000, help="in each half")
    parser.add_argument("--noise", type=float, default=0.2, help="of a term below 10 Å")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--maps", action="store_true", help="write all half maps, too")
    parser.add_argument("-o", "--output", type=Path, required=True, help="folder")
    given = parser.parse_args()
    given.output.mkdir(parents=True, exist_ok=True)
    model = ats.read_model(given.model)
    shifts = [float(v) for v in given.shifts.split(",")]
    lines = [COLUMNS]
    for row, halves in series(model, shifts, given.particles, given.noise, given.seed):
        lines.append(",".join("" if math.isnan(v) else f"{v:.4g}" for v in row))
        print(lines[-1], flush=True)
        for i, half in enumerate(halves if given.maps else (), 1):
            ats.write_map(half.values, half, given.output / f"shift{row[0]:g}_half{i}.mrc")
    (given.output / "simulated_particles.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
