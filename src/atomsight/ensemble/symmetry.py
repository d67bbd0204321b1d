"""Copies of a model by symmetry: neighbours whose density is not the model's."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from hashlib import sha256

import numpy as np

from atomsight.density.map import Map
from atomsight.density.sampling import trilinear
from atomsight.ensemble.box import MARGIN
from atomsight.ensemble.copies import near_copies
from atomsight.ensemble.point_groups import point_group
from atomsight.ensemble.preparation import Prepared
from atomsight.errors import ParameterError
from atomsight.evidence.copies import assembly_operators
from atomsight.model import AtomClass, Model
from atomsight.typing import Bool_N, Float_3, Float_Nx3, FloatArray

LEAST = 0.5
"""Correlation of the map with its turned self below which it does not have the symmetry."""

FEWEST = 200
"""Points that a correlation needs."""

_POINTS = 20_000
_SPREAD = 1.5
"""Å: standard deviation of points about atoms."""

_SAME = 1.0
"""Å: no two atoms of different molecules are that close."""

_SHARE = 0.1
"""Of atoms on those of the model, beyond which a copy lies on it."""


@dataclass(frozen=True, slots=True)
class Symmetry:
    """Operators that carry a model to its neighbours, and how well the map obeys them.

    Attributes
    ----------
    name : str
        Point group and centre, or assembly.
    rotation : ndarray, shape (k, 3, 3)
        Without the identity.
    shift : ndarray, shape (k, 3)
        Å: x' = R x + t.
    atoms : ndarray of bool, shape (k, n)
        Atoms of the model that each operator copies.
    correlation : float
        Smallest among the operators that could be checked.
    checked : int
        Operators that could be: the map holds enough of model and copy.
    """

    name: str
    rotation: FloatArray
    shift: FloatArray
    atoms: np.ndarray
    correlation: float = float("nan")
    checked: int = 0

    @property
    def digest(self) -> str:
        """First 12 hexadecimal digits of the SHA-256 of the operators."""
        numbers = np.round(np.concatenate([self.rotation.ravel(), self.shift.ravel()]), 3) + 0.0
        return sha256(numbers.astype("<f4").tobytes()).hexdigest()[:12]

    def note(self) -> str:
        """What was done, for people."""
        return (
            f"symmetry {self.name}: {len(self.rotation)} copies are neighbours; the map "
            f"correlates at least {self.correlation:.2f} with its turned self "
            f"({self.checked} operators checked)"
        )


def find_symmetry(text: str, model: Model, map_: Map, selection: Bool_N | None = None) -> Symmetry:
    """Operators of an assembly or a point group, if the map has that symmetry.

    The check: Pearson's correlation of the map at points near the model (atoms, moved at random by
    1.5 Å) with the map at their images, for each operator. Points that the map does not hold, or
    beside a voxel of exactly 0 (masked), do not count. Of several settings and centres (see
    `point_group`; the middle of an even box, or between its middle voxels), the one that the map
    obeys best is taken.

    Parameters
    ----------
    text : str
        ``assembly``, ``assembly:ID``, a point group (``C4``), or one with its centre in Å
        (``O@109.2,109.2,109.2``); without, the centre is that of the map.
    model : Model
    map_ : Map
    selection : ndarray of bool, shape (n,), optional
        Atoms near which the map is compared.

    Returns
    -------
    Symmetry

    Raises
    ------
    ParameterError
        If the text is at fault, the file describes no assembly, or the map does not have the
        symmetry or cannot tell.
    """
    where = _points(model, model.heavy if selection is None else model.heavy & selection)
    # what a mask has set to 0 is unknown, also where it is one of the voxels around a point
    known = replace(map_, values=np.where(map_.values == 0, np.nan, map_.values))
    density = trilinear(known, where)
    found = [_checked(one, known, where, density) for one in _candidates(text, model, map_)]
    best = max(found, key=lambda one: np.nan_to_num(one.correlation, nan=-2.0))
    name = "the map" if map_.path is None else map_.path
    if best.checked == 0:
        raise ParameterError(
            f"{name}: holds too little around the copies of {model.path} to tell whether it has "
            f"the symmetry {best.name}{_remedy(text)}"
        )
    if not best.correlation >= LEAST:
        raise ParameterError(
            f"{name}: does not have the symmetry {best.name}: its correlation with its turned self "
            f"near the model is {best.correlation:.2f}, less than {LEAST:g}{_remedy(text)}"
        )
    return best


def with_neighbours(prepared: Prepared, symmetry: Symmetry, model: Model) -> Prepared:
    """The prepared model among copies of the whole input, which take no part.

    Parameters
    ----------
    prepared : Prepared
        Of `model`.
    symmetry : Symmetry
        From `find_symmetry`.
    model : Model

    Returns
    -------
    Prepared
        With the copies that come near among its `others`.

    Raises
    ------
    ParameterError
        If a copy of the prepared model lies on it.
    """
    from scipy.spatial import KDTree  # noqa: PLC0415  (slow to import)

    heavy = prepared.xyz[prepared.heavy]
    low, high = heavy.min(axis=0) - MARGIN, heavy.max(axis=0) + MARGIN
    own = set(prepared.chain.tolist())
    near = [prepared.others]
    for chain, moved in _moved(symmetry, model):
        close = moved[((moved > low) & (moved < high)).all(axis=1)]
        if len(close) == 0:
            continue
        same = np.isfinite(KDTree(close).query(heavy, distance_upper_bound=_SAME)[0])
        if np.count_nonzero(same) <= _SHARE * min(len(heavy), len(moved)):
            near.append(close)
        elif chain in own:
            raise ParameterError(
                f"{model.path}: a copy of chain {chain} by {symmetry.name} lies on the model: it "
                "holds more than one asymmetric unit: choose one with --select"
            )
        # else: the file holds the neighbour already, and the model is its copy
    others = np.concatenate(near)
    count = len(others) - len(prepared.others)
    notes = (*prepared.notes, f"{symmetry.note()}; {count} of their atoms are near the model")
    return replace(
        prepared, others=others, symmetry=f"{symmetry.name} {symmetry.digest}", notes=notes
    )


def with_moving_copies(prepared: Prepared, symmetry: Symmetry, model: Model) -> Prepared:
    """The prepared model with those atoms of its copies that move with it.

    Parameters
    ----------
    prepared : Prepared
        Of `model`, from `with_neighbours`.
    symmetry : Symmetry
        From `find_symmetry`.
    model : Model

    Returns
    -------
    Prepared

    Raises
    ------
    ParameterError
        If an operator copies a part of the prepared model only, or is no rotation.
    """
    table = model.residues
    keys = list(zip(table.chain.tolist(), table.number.tolist(), table.icode.tolist(), strict=True))
    mine = set(
        zip(prepared.chain.tolist(), prepared.number.tolist(), prepared.icode.tolist(), strict=True)
    )
    inside = np.array([key in mine for key in keys])[model.residue]
    # an operator of an assembly may copy other chains alone
    copied = symmetry.atoms[:, inside]
    whole = copied.all(axis=1)
    if (copied.any(axis=1) & ~whole).any():
        raise ParameterError(
            f"{model.path}: {symmetry.name} does not copy all of the model by the same operators: "
            "use --copies masked, or --select a part that it does"
        )
    copies = near_copies(
        prepared.xyz, prepared.residue, symmetry.rotation[whole], symmetry.shift[whole]
    )
    count = len(np.unique(copies.operator))
    note = (
        f"copies move with the model: {len(copies)} atoms of {count} of them, where two are "
        "opposite of one"
    )
    return replace(prepared, copies=copies, notes=(*prepared.notes, note))


def _moved(symmetry: Symmetry, model: Model) -> Iterator[tuple[str, Float_Nx3]]:
    """Name of a chain, and heavy atoms other than water of each of its copies."""
    table = model.residues
    copied = model.heavy & (table.atom_class != AtomClass.WATER)[model.residue]
    chain = table.chain[model.residue]
    for turn, shift, atoms in zip(symmetry.rotation, symmetry.shift, symmetry.atoms, strict=True):
        for name in np.unique(chain[copied & atoms]).tolist():
            yield name, model.xyz[copied & atoms & (chain == name)] @ turn.T + shift


def _candidates(text: str, model: Model, map_: Map) -> list[Symmetry]:
    kind, _, identifier = text.strip().partition(":")
    if kind.lower() == "assembly":
        return [_of_assembly(identifier.strip() or None, model)]
    group, _, place = text.strip().partition("@")
    name = group.strip().upper()
    centres = [_centre(place)] if place else _centres(map_)
    everything = np.ones(len(model), dtype=bool)
    found = []
    for rotations in point_group(name):
        turns = rotations[1:]
        for centre in centres:
            at = ", ".join(f"{value:.2f}" for value in centre)
            found.append(
                Symmetry(
                    name=f"{name} about ({at})",
                    rotation=turns,
                    shift=centre - turns @ centre,
                    atoms=np.broadcast_to(everything, (len(turns), len(model))),
                )
            )
    return found


def _of_assembly(identifier: str | None, model: Model) -> Symmetry:
    moves = [
        (atoms, np.array(move.mat.tolist()), np.array(move.vec.tolist()))
        for atoms, move in assembly_operators(model, identifier)
        if not move.is_identity()
    ]
    name = "assembly" if identifier is None else f"assembly {identifier}"
    if not moves:
        raise ParameterError(
            f"{model.path}: its {name} holds nothing but the model as it is: leave out --symmetry"
        )
    atoms, turns, shifts = zip(*moves, strict=True)
    return Symmetry(name, np.array(turns), np.array(shifts), np.array(atoms))


def _centre(text: str) -> Float_3:
    try:
        values = np.array([float(part) for part in text.split(",")])
    except ValueError:
        values = np.empty(0)
    if values.shape != (3,) or not np.isfinite(values).all():
        raise ParameterError(
            f"--symmetry: the centre must be three numbers in Å, as in O@109.2,109.2,109.2, not "
            f"{text}"
        )
    return values


def _centres(map_: Map) -> list[Float_3]:
    """Voxel n // 2, as most programs have it, and the middle of the box."""
    size = np.array(map_.full_shape)
    return [map_.full_origin + map_.step @ index for index in (size // 2, (size - 1) / 2)]


def _points(model: Model, chosen: Bool_N) -> Float_Nx3:
    rng = np.random.default_rng(0)
    xyz = model.xyz[chosen]
    rows = np.arange(_POINTS) % max(len(xyz), 1)
    if len(xyz) > _POINTS:
        rows = rng.permutation(len(xyz))[:_POINTS]
    points: Float_Nx3 = xyz[rows] + rng.normal(scale=_SPREAD, size=(len(rows), 3))
    return points


def _checked(symmetry: Symmetry, map_: Map, where: Float_Nx3, density: FloatArray) -> Symmetry:
    found = []
    for turn, shift in zip(symmetry.rotation, symmetry.shift, strict=True):
        image = trilinear(map_, where @ turn.T + shift)
        seen = np.isfinite(density * image)
        if np.count_nonzero(seen) < FEWEST:
            continue
        one, other = density[seen], image[seen]
        if one.std() > 0 and other.std() > 0:
            found.append(float(np.corrcoef(one, other)[0, 1]))
    lowest = min(found, default=float("nan"))
    return replace(symmetry, correlation=lowest, checked=len(found))


def _remedy(text: str) -> str:
    if text.strip().lower().startswith("assembly"):
        return "; are model and map in one frame?"
    if "@" in text:
        return ""
    return "; where the map is cut out of a larger one, give the centre in Å: C4@x,y,z"
