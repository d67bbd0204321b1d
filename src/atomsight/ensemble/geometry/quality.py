"""All that is judged of a model without its map, in one place."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from atomsight.ensemble.geometry.clashes import Clashes, clashes
from atomsight.ensemble.geometry.covalent import Covalent, covalent_geometry
from atomsight.ensemble.geometry.ramachandran import Backbone, backbone_geometry
from atomsight.model import Model


@dataclass(frozen=True, slots=True)
class Quality:
    """Geometry of one model.

    Attributes
    ----------
    backbone : Backbone
        Ramachandran, Cβ, omega.
    covalent : Covalent
        Bonds, angles, chiral centres.
    clashes : Clashes
    """

    backbone: Backbone
    covalent: Covalent
    clashes: Clashes

    def row(self) -> dict[str, float]:
        """One row of a table of models.

        Returns
        -------
        dict
            Column → value; NaN where the model has no residue to judge.
        """
        backbone, covalent = self.backbone, self.covalent
        return {
            "ramachandran_favoured_percent": backbone.favoured_percent,
            "ramachandran_outliers_percent": backbone.outliers_percent,
            "c_beta_outliers": backbone.n_c_beta_outliers,
            "cis_peptides": backbone.n_cis,
            "twisted_peptides": backbone.n_twisted,
            "bond_outliers": covalent.n_bond_outliers,
            "angle_outliers": covalent.n_angle_outliers,
            "bad_chirals": covalent.n_bad_chirals,
            "clashscore": self.clashes.clashscore,
        }


def model_quality(models: Sequence[Model], *, monomers: Path | None = None) -> list[Quality]:
    """Judge the geometry of models.

    Parameters
    ----------
    models : sequence of Model
        With hydrogens.
    monomers : Path, optional
        Folder of a monomer library; see `covalent_geometry`.

    Returns
    -------
    list of Quality
        In the order given.

    Raises
    ------
    MissingLibraryError
        If cctbx is not installed, or there is neither a monomer library nor OpenMM.
    ModelFileError
        If a model lacks its hydrogens, or cctbx fails.
    """
    # what is quick and may refuse comes first
    touching = [clashes(model) for model in models]
    covalent = [covalent_geometry(model, monomers=monomers) for model in models]
    backbones = backbone_geometry(models)
    return [Quality(*parts) for parts in zip(backbones, covalent, touching, strict=True)]
