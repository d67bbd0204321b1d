"""Colours of the figures, that read on white and on dark grey.

Mid tones of Okabe and Ito's palette, which colour-blind readers tell apart.
"""

from atomsight.report.figure import Role

BLUE, ORANGE, VERMILION, GREEN, GREY = "#1a80c1", "#e69f00", "#d55e00", "#009e73", "#8c8c8c"

ROLES = {
    Role.MAIN: BLUE,
    Role.SECOND: VERMILION,
    Role.THIRD: GREEN,
    Role.MUTED: GREY,
    Role.ENTRY: ORANGE,
}
STRIP = (VERMILION, "#c9c9c9", BLUE)
"""From low over middle to high."""

OUTLINE = "#333333"
"""Around the marks of the model at hand."""
