"""Ramachandran, Cβ deviation and omega of each residue, as MolProbity defines them."""

import importlib.util
import json
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import Any

import numpy as np

from atomsight.ensemble.geometry.conformers import main_conformer
from atomsight.errors import MissingLibraryError, ModelFileError
from atomsight.model import AtomClass, Model
from atomsight.typing import Bool_N, Float_N, Status_N

C_BETA_OUTLIER = 0.25
"""Å; a Cβ further than this from its ideal place is an outlier (Lovell et al. 2003)."""

_ATOMS = ("N", "CA", "C", "O", "CB")
_WORKER = "atomsight.ensemble.geometry.cctbx_worker"
_LAST_LINES = 5


class Region(IntEnum):
    """Where a residue lies in its Ramachandran plot (Lovell et al. 2003; Top8000 contours)."""

    OUTLIER = 0
    ALLOWED = 1
    FAVOURED = 2
    NOT_EVALUATED = 3
    """An end of a chain, a residue beside a gap, or no standard amino acid."""

    @property
    def label(self) -> str:
        """The name as it stands in tables."""
        return self.name.lower()


class Peptide(IntEnum):
    """Conformation of the peptide bond before a residue."""

    TRANS = 0
    CIS = 1
    TWISTED = 2
    """More than 30° from both cis and trans."""
    NOT_EVALUATED = 3

    @property
    def label(self) -> str:
        """The name as it stands in tables."""
        return self.name.lower()


@dataclass(frozen=True, slots=True)
class Backbone:
    """Backbone geometry, one row a residue of the model.

    Attributes
    ----------
    region : ndarray of uint8, shape (m,)
        `Region`.
    score : ndarray, shape (m,)
        Ramachandran score in percent: the share of reference residues with a less likely φ, ψ.
    phi, psi, omega : ndarray, shape (m,)
        Degrees; omega is that of the peptide bond before the residue.
    c_beta_deviation : ndarray, shape (m,)
        Distance of Cβ from its ideal place, Å.
    peptide : ndarray of uint8, shape (m,)
        `Peptide`.
    proline : ndarray of bool, shape (m,)
        Residues whose peptide bond may be cis.
    """

    region: Status_N
    score: Float_N
    phi: Float_N
    psi: Float_N
    omega: Float_N
    c_beta_deviation: Float_N
    peptide: Status_N
    proline: Bool_N

    @property
    def n_evaluated(self) -> int:
        """Residues with a place in a Ramachandran plot."""
        return int(np.count_nonzero(self.region != Region.NOT_EVALUATED))

    @property
    def n_outliers(self) -> int:
        """Ramachandran outliers."""
        return int(np.count_nonzero(self.region == Region.OUTLIER))

    @property
    def favoured_percent(self) -> float:
        """Share of evaluated residues in favoured regions, NaN where there are none."""
        return _percent(int(np.count_nonzero(self.region == Region.FAVOURED)), self.n_evaluated)

    @property
    def outliers_percent(self) -> float:
        """Share of evaluated residues that are outliers, NaN where there are none."""
        return _percent(self.n_outliers, self.n_evaluated)

    @property
    def n_c_beta_outliers(self) -> int:
        """Residues whose Cβ deviation is 0.25 Å or more."""
        with np.errstate(invalid="ignore"):
            return int(np.count_nonzero(self.c_beta_deviation >= C_BETA_OUTLIER))

    @property
    def n_twisted(self) -> int:
        """Peptide bonds more than 30° from both cis and trans."""
        return int(np.count_nonzero(self.peptide == Peptide.TWISTED))

    @property
    def n_cis(self) -> int:
        """Cis peptide bonds before residues other than proline."""
        return int(np.count_nonzero((self.peptide == Peptide.CIS) & ~self.proline))


def backbone_geometry(models: Sequence[Model]) -> list[Backbone]:
    """Judge the backbones of models by cctbx, all of them in one worker process.

    Of alternative conformers the most occupied one is judged. Neighbours along the chain are
    those whose C-N distance is at most 2 Å, so a gap in the numbering ends nothing and a gap in
    space does.

    Parameters
    ----------
    models : sequence of Model

    Returns
    -------
    list of Backbone
        In the order given.

    Raises
    ------
    MissingLibraryError
        If cctbx is not installed.
    ModelFileError
        If cctbx fails on these models; the message shows its last lines.

    References
    ----------
    Lovell et al. (2003), Proteins 50, 437-450; Williams et al. (2018), Protein Sci. 27, 293-315.
    """
    if not models:
        return []
    if importlib.util.find_spec("mmtbx") is None:
        raise MissingLibraryError(
            "Ramachandran, Cβ and omega need cctbx, which is not installed: "
            "run: pip install 'atomsight[ensemble]'"
        )
    request = json.dumps([_request(model) for model in models])
    # not an option of the user's: our own module, in the interpreter that runs us
    done = subprocess.run(  # noqa: S603
        [sys.executable, "-m", _WORKER], input=request, capture_output=True, text=True, check=False
    )
    if done.returncode != 0:
        said = "\n".join((done.stderr or done.stdout).strip().splitlines()[-_LAST_LINES:])
        paths = ", ".join(str(model.path) for model in models[:3])
        raise ModelFileError(
            f"{paths}: cctbx could not judge the backbone (exit code {done.returncode}):\n{said}"
        )
    # cctbx may talk on stdout before the answer
    answers = json.loads(done.stdout[done.stdout.index("[{") :])
    return [_backbone(model, answer) for model, answer in zip(models, answers, strict=True)]


def _request(model: Model) -> dict[str, list[Any]]:
    """Backbone atoms of proteins, residue by residue."""
    wanted = (
        np.isin(model.atom, _ATOMS)
        & (model.atom_class == AtomClass.PROTEIN)
        & model.heavy
        & main_conformer(model)
    )
    rows = np.flatnonzero(wanted)
    rows = rows[np.argsort(model.residue[rows], kind="stable")]
    residue, residues = model.residue[rows], model.residues
    return {
        "row": residue.tolist(),
        "chain": residues.chain[residue].tolist(),
        "name": residues.name[residue].tolist(),
        "atom": model.atom[rows].tolist(),
        "element": model.element[rows].tolist(),
        "xyz": model.xyz[rows].tolist(),
    }


def _backbone(model: Model, answer: dict[str, list[list[float]]]) -> Backbone:
    count = len(model.residues)

    def column(key: str, place: int) -> Float_N:
        values = np.full(count, np.nan)
        for row in answer[key]:
            values[int(row[0])] = row[place]
        return values

    def codes(key: str, place: int, absent: int) -> Status_N:
        values = column(key, place)
        return np.where(np.isnan(values), absent, values).astype(np.uint8)

    return Backbone(
        region=codes("ramachandran", 1, Region.NOT_EVALUATED),
        score=column("ramachandran", 2),
        phi=column("ramachandran", 3),
        psi=column("ramachandran", 4),
        omega=column("omega", 1),
        c_beta_deviation=column("c_beta", 1),
        peptide=codes("omega", 2, Peptide.NOT_EVALUATED),
        proline=np.asarray(model.residues.name == "PRO"),
    )


def _percent(part: int, whole: int) -> float:
    return 100.0 * part / whole if whole else float("nan")
