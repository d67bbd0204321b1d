"""Judge a small protein from plain numbers: Q, attainable Q, pull."""

import numpy as np

import atomsight as ats
from atomsight.evidence.attainable_q import AttainableQ
from atomsight.evidence.displacement import DIRECTIONS, Displacement
from atomsight.evidence.q_score import QScoreOptions, QScores
from atomsight.evidence.status import Status
from atomsight.model import AtomClass
from tests.support.scene import make_model

BACKBONE, SIDE = ("N", "CA", "C", "O", "CB"), ("CG", "OD1", "ND2")
N = len(BACKBONE) + len(SIDE)
USUAL = 0.6
NOTHING = ats.map_from_array(np.zeros((4, 4, 4), dtype=np.float32), 1.0)


def protein(count, names=BACKBONE + SIDE):
    return make_model(
        np.arange(3.0 * count * len(names)).reshape(-1, 3),
        atom=names * count,
        element=[name[0] for name in names] * count,
        residue=np.repeat(np.arange(count), len(names)),
        residues=[("A", i + 1, "", "ASN", AtomClass.PROTEIN) for i in range(count)],
    )


def judged(model, q, expected, *, noise=0.0, resolution=3.0, half_status=None, status=None, **more):
    """Judge a model from one value for all atoms, or one an atom."""
    n = len(model)

    def column(values):
        return np.broadcast_to(np.asarray(values, dtype=float), (n,)).copy()

    scores = QScores(
        column(q), np.zeros(n, dtype=np.uint8) if status is None else status, QScoreOptions()
    )
    # two fields whose standard deviation (n - 1) is the noise
    step = column(noise) / np.sqrt(2.0)
    fields = np.array([column(expected) - step, column(expected) + step])
    attainable = AttainableQ(fields, np.zeros(n), np.ones(n), NOTHING, NOTHING)
    if half_status is None:
        half_status = np.full(n, Status.OK, dtype=np.uint8)
    return ats.judge(model, scores, attainable, column(resolution), half_status, **more)


def aside(model, pull, climb=0.0, names=BACKBONE + SIDE):
    """A pull and a climb of each residue, in standard deviations: shared out among its atoms."""
    chosen = np.isin(model.atom, names)
    one = chosen / np.bincount(model.residue, weights=chosen)[model.residue]

    def each(values):
        return one * np.broadcast_to(values, len(model.residues))[model.residue]

    columns = np.zeros((3, len(DIRECTIONS), len(model)))
    columns[0, 4] = each(pull)
    # a noise whose difference between two sides is 1
    columns[1, 7] = np.sqrt(2.0) * each(climb)
    columns[2] = np.sqrt(2.0) * one
    return Displacement(*columns, np.zeros(len(model)))


def on(model, residue, names, value, rest):
    """One value for some atoms of one residue, another for the rest."""
    chosen = (model.residue == residue) & np.isin(model.atom, names)
    return np.where(chosen, value, rest)
