"""Tables of atomic profiles: one row a radius, and one row an atom with its fitted Gaussian."""

from pathlib import Path

import numpy as np

from atomsight.evidence.profile import AtomProfiles
from atomsight.export.columns import atom_keys
from atomsight.export.tables import frame, write_csv
from atomsight.model import Model

_KEYS = ("model", "chain", "label_asym", "number", "icode", "residue", "atom", "altloc")


def write_profiles(profiles: AtomProfiles, model: Model, folder: Path) -> list[Path]:
    """Write profiles.csv and profile_fits.csv.

    Parameters
    ----------
    profiles : AtomProfiles
    model : Model
        That they are of.
    folder : Path

    Returns
    -------
    list of Path
        The files written.

    Raises
    ------
    OutputError
        If a file cannot be written.
    """
    all_keys = atom_keys(model)
    keys = {name: all_keys[name][profiles.atom] for name in _KEYS}
    count, radii = profiles.mean.shape
    with np.errstate(invalid="ignore", divide="ignore"):  # no fit: NaN
        shape = np.exp(-0.5 * (profiles.radius[None, :] / profiles.fit_sigma[:, None]) ** 2)
    fitted = profiles.fit_a[:, None] * shape + profiles.fit_b[:, None]
    rows = {name: np.repeat(column, radii) for name, column in keys.items()}
    rows |= {
        "radius": np.tile(profiles.radius, count),
        "n_points": profiles.n_points.ravel(),
        "n_outside": profiles.n_outside.ravel(),
        "mean": profiles.mean.ravel(),
        "sd": profiles.sd.ravel(),
        "fit": fitted.ravel(),
        "reference": np.tile(profiles.reference, count),
    }
    fits = keys | {
        "q": profiles.q,
        "fit_a": profiles.fit_a,
        "fit_b": profiles.fit_b,
        "fit_sigma": profiles.fit_sigma,
        "fit_sigma_error": profiles.fit_sigma_error,
        "fit_error": profiles.fit_error,
    }
    return [
        write_csv(frame(rows), folder / "profiles.csv"),
        write_csv(frame(fits), folder / "profile_fits.csv"),
    ]
