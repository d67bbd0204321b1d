"""How deep the dots on an atom's surface lie in another atom, where nothing hides them."""

import math

from atomsight.kernels.compilation import kernel
from atomsight.typing import Float_N, Float_Nx3, Int_N


@kernel
def depth_in(x: float, y: float, z: float, xyz: Float_Nx3, radius: Float_N, atom: int) -> float:
    """How deep a point lies in an atom, Å; negative outside."""
    dx = xyz[atom, 0] - x
    dy = xyz[atom, 1] - y
    dz = xyz[atom, 2] - z
    depth: float = radius[atom] - math.sqrt(dx * dx + dy * dy + dz * dz)
    return depth


@kernel
def deepest_dots(
    source: Int_N,
    target: Int_N,
    xyz: Float_Nx3,
    radius: Float_N,
    dots: Float_Nx3,
    dots_start: Int_N,
    dots_of: Int_N,
    hiding: Int_N,
    hiding_start: Int_N,
    rivals: Int_N,
    rivals_start: Int_N,
    least: float,
    deepest: Float_N,
) -> None:
    """Depth of the deepest dot of each source in its target, at least `least`; else -inf.

    A dot does not count inside an atom of the source's list `hiding`, nor where an atom of its
    list `rivals` is deeper. The atoms of source and target may stand in these lists.

    `dots` are the unit vectors of all radii, set s between ``dots_start[s]`` and
    ``dots_start[s + 1]``; ``dots_of[i]`` is the set of atom i.
    """
    for k in range(len(source)):
        i = source[k]
        j = target[k]
        best = -math.inf
        for d in range(dots_start[dots_of[i]], dots_start[dots_of[i] + 1]):
            x = xyz[i, 0] + radius[i] * dots[d, 0]
            y = xyz[i, 1] + radius[i] * dots[d, 1]
            z = xyz[i, 2] + radius[i] * dots[d, 2]
            depth = depth_in(x, y, z, xyz, radius, j)
            if depth < least or depth <= best:
                continue
            free = True
            for a in range(hiding_start[i], hiding_start[i + 1]):
                other = hiding[a]
                if other != i and depth_in(x, y, z, xyz, radius, other) > 0.0:
                    free = False
                    break
            if not free:
                continue
            for a in range(rivals_start[i], rivals_start[i + 1]):
                other = rivals[a]
                if other != j and depth_in(x, y, z, xyz, radius, other) > depth:
                    free = False
                    break
            if free:
                best = depth
        deepest[k] = best
