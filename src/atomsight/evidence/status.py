"""Why an atom has, or has not, a value: one code an atom, shared by all measures."""

from enum import IntEnum

import numpy as np

from atomsight.kernels import q_score as _kernel


class Status(IntEnum):
    """What became of an atom. Everything but OK, PARTLY_OUTSIDE and HYDROGEN goes with NaN."""

    OK = _kernel.OK
    """Computed from map values alone."""
    PARTLY_OUTSIDE = _kernel.PARTLY_OUTSIDE
    """Computed, but some points lie outside the map and count as 0, as in MapQ."""
    OUTSIDE = _kernel.OUTSIDE
    """All points lie outside the map."""
    NO_SHELLS = _kernel.NO_SHELLS
    """Other atoms are so near that no shell keeps enough points."""
    NOT_FINITE = _kernel.NOT_FINITE
    """The map holds NaN or Inf here."""
    CONSTANT = _kernel.CONSTANT
    """The map is constant here (masked away, for instance)."""
    HYDROGEN = 6
    """Not scored; shows the value of the atom it is bound to."""
    NOT_SELECTED = 7
    """Left out by the selection."""
    NO_POSITION = 8
    """The file gives no coordinates."""

    NEVER_BELOW = 9
    """The correlation stays above the threshold up to Nyquist: no resolution can be read off."""
    LOW_FREQUENCY = 10
    """The correlation falls below the threshold before the first shell: no agreement here."""
    OUTSIDE_MASK = 11
    """Left out by the mask."""

    @property
    def label(self) -> str:
        """The name as it stands in tables."""
        return self.name.lower()


STATUS_LABELS = np.array([status.label for status in Status])
"""Labels by code, for tables."""
