"""``python -m atomsight``."""

from atomsight.cli import main

main()
