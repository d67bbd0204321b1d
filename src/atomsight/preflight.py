"""Before anything is scored: does the model lie in the map?"""

import numpy as np

from atomsight.density.map import Map
from atomsight.density.overlay import Overlay, find_remedies, overlay
from atomsight.errors import OverlayError
from atomsight.io.maps import OriginRule, origin_choices, read_map
from atomsight.model import Model


def require_overlay(
    model: Model,
    map_: Map,
    resolution: float | None,
    *,
    origin: OriginRule = "auto",
    force: bool = False,
) -> Overlay:
    """Refuse a model that does not lie in its map, and say what would help.

    Parameters
    ----------
    model : Model
    map_ : Map
        Whole, or the box around the model.
    resolution : float or None
        Å.
    origin : {"auto", "origin", "nstart", "zero"}
        How the map was read.
    force : bool
        Let it pass.

    Returns
    -------
    Overlay

    Raises
    ------
    OverlayError
        If the model does not lie in the map.
    """
    xyz = model.xyz[model.heavy]
    fit = overlay(map_, xyz, resolution=resolution)
    if fit.ok or force:
        return fit
    if map_.path is None:
        raise OverlayError(_refusal(model, map_, fit))
    whole = read_map(map_.path, origin=origin)
    remedies = find_remedies(whole, xyz, origin_choices(map_.path), resolution=resolution)
    advice = "; or ".join(remedy.advice for remedy in remedies[:2])
    raise OverlayError(_refusal(model, map_, fit, advice))


def _refusal(model: Model, map_: Map, fit: Overlay, advice: str = "") -> str:
    if not np.isfinite(fit.contrast):
        finding = (
            "none of its atoms is inside the map"
            if fit.inside == 0
            else "the map has no contrast at its atoms"
        )
    else:
        finding = (
            f"density at its atoms is {fit.density:.2f} σ above the mean, {fit.displaced:.2f} σ "
            f"at the same atoms displaced by {fit.displacement:g} Å"
        )
    help_ = (
        f"This would help: {advice}"
        if advice
        else "No other origin, shift or hand was found that helps: fit the model to the map first"
    )
    name = "the map" if map_.path is None else str(map_.path)
    return (
        f"{model.path}: this model does not lie in {name}: {finding}. "
        f"{help_}; --force scores it as it is"
    )
