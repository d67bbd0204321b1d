"""Real-space refinement of the models that are kept: coordinates by an engine, then B factors."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import gemmi
import numpy as np

from atomsight.density.map import Map
from atomsight.ensemble.geometry.covalent import Covalent, covalent_geometry
from atomsight.ensemble.geometry.ramachandran import Backbone, backbone_geometry
from atomsight.errors import ModelFileError, ParameterError
from atomsight.evidence.b_factor import BFactorFit, fit_b_factors
from atomsight.evidence.q_score import q_score
from atomsight.io.files import make_folder, write_text
from atomsight.io.models import read_model
from atomsight.model import AtomClass, Model
from atomsight.typing import Bool_N, Float_N, Float_Nx3

RefineCoordinates = Callable[[Path, Map, Path], None]
"""Takes a model's file and a map, and writes the refined model to the second path."""


@dataclass(frozen=True, slots=True)
class Refinement:
    """One model before and after a refinement of its coordinates.

    Attributes
    ----------
    start, refined : Path
        The files before and after.
    accepted : bool
        Whether the refined one is taken.
    reason : str
        Why, in one sentence.
    before, after : Backbone
        Ramachandran, Cβ and omega of both.
    covalent_before, covalent_after : Covalent
        Bonds, angles and chiral centres of both.
    """

    start: Path
    refined: Path
    accepted: bool
    reason: str
    before: Backbone
    after: Backbone
    covalent_before: Covalent
    covalent_after: Covalent

    @property
    def path(self) -> Path:
        """The model to go on with."""
        return self.refined if self.accepted else self.start


def refine_coordinates(
    kept: Sequence[Path], map_: Map, refine: RefineCoordinates, folder: Path
) -> list[Refinement]:
    """Refine models against the map, and take only what does not spoil them: see `guard`.

    Parameters
    ----------
    kept : sequence of path
        Models.
    map_ : Map
    refine : callable
        ``refine(model, map, output)``: an engine's short minimisation with the map, or another
        program.
    folder : Path
        Where the refined models go, under the names of the models.

    Returns
    -------
    list of Refinement
        In the order given.

    Raises
    ------
    ParameterError
        If two models have one name.
    ModelFileError
        If the refinement of a model writes nothing, or nothing that can be read.
    MissingLibraryError
        If cctbx, which guards the backbone, is not installed.
    """
    names = [path.name for path in kept]
    for name in names:
        if names.count(name) > 1:
            raise ParameterError(f"two models to refine have the name {name}: rename one of them")
    make_folder(folder)
    outputs = [folder / path.name for path in kept]
    for path, output in zip(kept, outputs, strict=True):
        refine(path, map_, output)
        if not output.exists():
            raise ModelFileError(f"{path}: its refinement wrote no {output}")
    return guard(kept, outputs)


def guard(before: Sequence[Path], after: Sequence[Path]) -> list[Refinement]:
    """Refuse refined models that are worse molecules than before, or lost residues.

    A refinement at low resolution can fit the map by spoiling the backbone: servalcat's default
    weights took one model from none to 18 % outliers at 5 Å. Proteins are judged by their
    Ramachandran outliers, nucleotides, which have none, by bonds and angles more than 4 sigma
    off, and both by the hands of their chiral centres. None of the three may rise.

    Parameters
    ----------
    before, after : sequence of path
        The same models before and after a refinement.

    Returns
    -------
    list of Refinement
        In the order given.

    Raises
    ------
    ModelFileError
        If a file cannot be read, or cctbx fails.
    MissingLibraryError
        If cctbx is not installed, or there is neither OpenMM nor a monomer library.
    """
    models = [read_model(path) for path in (*before, *after)]
    judged = [
        _Judged(model, backbone, covalent_geometry(model))
        for model, backbone in zip(models, backbone_geometry(models), strict=True)
    ]
    pairs = zip(before, after, judged[: len(before)], judged[len(before) :], strict=True)
    return [
        Refinement(
            one,
            other,
            *_verdict(old, new),
            before=old.backbone,
            after=new.backbone,
            covalent_before=old.covalent,
            covalent_after=new.covalent,
        )
        for one, other, old, new in pairs
    ]


@dataclass(frozen=True, slots=True)
class _Judged:
    """One model, and what is said of it."""

    model: Model
    backbone: Backbone
    covalent: Covalent

    @property
    def nucleotide(self) -> Bool_N:
        """Shape (m,)."""
        return np.asarray(self.model.residues.atom_class == AtomClass.NUCLEIC)

    def counted(self) -> dict[str, tuple[int, int]]:
        """What must not rise: name → (bad ones, judged ones)."""
        nucleotides = int(self.nucleotide.sum())
        bad = int(self.covalent.outliers[self.nucleotide].sum())
        kinds = {
            "Ramachandran outliers": (self.backbone.n_outliers, self.backbone.n_evaluated),
            "bond and angle outliers of nucleotides": (bad, nucleotides),
            "wrong hands": (self.covalent.n_bad_chirals, len(self.covalent.chirals.z)),
        }
        return {name: counts for name, counts in kinds.items() if counts[1]}


def _verdict(before: _Judged, after: _Judged) -> tuple[bool, str]:
    told = []
    for what, (old, places) in before.counted().items():
        new, left = after.counted().get(what, (0, 0))
        if left < places:
            return False, (
                f"refused: {what} could be counted at {left} places after the refinement, at "
                f"{places} before"
            )
        if new > old:
            return False, f"refused: {what} rose, {old} → {new} of {left}"
        told.append(f"{what} {old} → {new} of {left}")
    return True, f"accepted: {', '.join(told)}"


def b_from_q(
    map_: Map, model: Model, *, resolution: float, sigma: float = 0.4
) -> tuple[Model, BFactorFit]:
    """Give a model the B factors that its Q-scores tell: B = f (1 - Q), f fitted to the map.

    Parameters
    ----------
    map_ : Map
    model : Model
    resolution : float
        Å.
    sigma : float
        Width of the Q-score's reference Gaussian, Å.

    Returns
    -------
    model : Model
        A copy with the new B factors.
    fit : BFactorFit

    Raises
    ------
    OverlayError
        If the model does not lie in the map.
    ParameterError
        If no atom has a Q-score.
    """
    scores = q_score(map_, model, sigma=sigma)
    # hydrogens show their parent's Q, which is not their own
    fit = fit_b_factors(
        map_, model, np.where(model.hydrogen, np.nan, scores.q), resolution=resolution
    )
    return with_columns(model, b_iso=fit.b.b_iso), fit


def with_columns(
    model: Model, *, xyz: Float_Nx3 | None = None, b_iso: Float_N | None = None
) -> Model:
    """Copy of a model with new positions or B factors, in its columns and in its structure.

    Parameters
    ----------
    model : Model
    xyz : ndarray, shape (n, 3), optional
        Å.
    b_iso : ndarray, shape (n,), optional
        Å².

    Returns
    -------
    Model
        Holds the one MODEL; no mmCIF document, which would say otherwise.
    """
    places = model.xyz if xyz is None else np.asarray(xyz, dtype=float)
    values = model.b_iso if b_iso is None else np.asarray(b_iso, dtype=float)
    structure = model.structure.clone()
    for index in reversed(range(len(structure))):
        if structure[index].num != model.number:
            del structure[index]
    at = {int(row) + 1: k for k, row in enumerate(model.row)}
    for site in structure[0].all():
        k = at[site.atom.serial]
        site.atom.pos = gemmi.Position(*places[k].tolist())
        site.atom.b_iso = float(values[k])
        site.atom.aniso = gemmi.SMat33f(0, 0, 0, 0, 0, 0)
    return replace(
        model,
        xyz=places,
        b_iso=values,
        structure=structure,
        document=None,
        model_numbers=(model.number,),
    )


def write_mmcif(model: Model, path: Path) -> Path:
    """Write a model's structure as mmCIF.

    Parameters
    ----------
    model : Model
    path : Path

    Returns
    -------
    Path
        The file written.

    Raises
    ------
    OutputError
        If the file cannot be written.
    """
    # gemmi's own write_file does not notice a full disk
    return write_text(path, model.structure.make_mmcif_document().as_string())
