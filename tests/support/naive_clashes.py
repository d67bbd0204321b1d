"""Clashes again, in plain loops over all pairs of atoms: slow, and easy to read."""

import math

from atomsight.ensemble.geometry.clashes import sphere_dots

WITHIN = {("N", "CA"), ("CA", "C"), ("C", "O"), ("CA", "CB"), ("N", "H"), ("CA", "HA")}
WITHIN |= {("CB", "HB1"), ("CB", "HB2"), ("CB", "HB3")}


def bonded(atom, residue):
    """Neighbours of each atom of a polyalanine, by name."""
    n = len(atom)
    neighbours = [set() for _ in range(n)]
    for i in range(n):
        for j in range(n):
            pair = (atom[i], atom[j])
            inside = residue[i] == residue[j] and pair in WITHIN
            if inside or (residue[i] + 1 == residue[j] and pair == ("C", "N")):
                neighbours[i].add(j)
                neighbours[j].add(i)
    return neighbours


def distances_in_bonds(start, neighbours, most):
    steps = {start: 0}
    edge = [start]
    for step in range(1, most + 1):
        edge = [b for a in edge for b in neighbours[a] if b not in steps]
        steps |= dict.fromkeys(edge, step)
    return steps


def naive_clashes(model, radius, donor, acceptor):
    """Overlap of every clashing pair (i, j), i < j; nothing is charged and nothing is water."""
    xyz, hydrogen = model.xyz, model.hydrogen
    neighbours = bonded(model.atom.tolist(), model.residue.tolist())
    n = len(xyz)
    near = []
    for i in range(n):
        steps = distances_in_bonds(i, neighbours, 4)
        near.append({j for j, s in steps.items() if s <= 3 or hydrogen[i] or hydrogen[j]})
    found = {}
    for i in range(n):
        others = [j for j in range(n) if j not in near[i]]
        for dot in sphere_dots(float(radius[i])):
            point = [float(x + radius[i] * d) for x, d in zip(xyz[i], dot, strict=True)]
            if any(math.dist(point, xyz[j]) < radius[j] for j in near[i] if j != i):
                continue
            depth, j = max((radius[j] - math.dist(point, xyz[j]), j) for j in others)
            bond = (donor[i] and acceptor[j]) or (donor[j] and acceptor[i])
            overlap = depth - (0.6 if bond else 0.0)
            if overlap >= 0.4:
                pair = (min(i, j), max(i, j))
                found[pair] = max(found.get(pair, 0.0), overlap)
    return found
