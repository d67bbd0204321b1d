"""What a person sees in the terminal of a data set as a whole."""

from rich.text import Text

from atomsight.batch.outliers import RULES
from atomsight.batch.summary import Summary
from atomsight.cli.show import console, show_files
from atomsight.cli.terminal import printable


def show_overview(found: Summary) -> None:
    """Print what a data set says.

    Parameters
    ----------
    found : Summary
    """
    screen = console()
    failed = found.failures.height
    lines = [f"{found.rows.height} entries: {found.rows.height - failed} done, {failed} failed"]
    steps = found.failures["step"].value_counts().sort("count", "step", descending=[True, False])
    lines += [f"failed at '{step}': {count}" for step, count in steps.iter_rows()]
    rules = dict(found.outliers["rule"].value_counts().iter_rows())
    lines += [f"{rule.title}: {rules[rule.key]}" for rule in RULES if rule.key in rules]
    if found.residues is not None:
        lines.append(f"residues: {found.residues.text}")
    own = found.archive
    lines.append(
        f"archive: none, {own.reason}" if own.archive is None else f"archive: {own.archive.label}"
    )
    lines += [f"note: {note}" for note in found.notes]
    for line in lines:
        screen.print(Text(printable(line)))
    show_files(found.folder, [found.folder / path for path in found.files])
