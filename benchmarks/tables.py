"""Tables of figures, and how they are drawn."""

from rich.table import Table

Row = dict[str, float | str]
Tables = dict[str, dict[str, Row]]
"""Title → row → column → figure."""


def drawn(title: str, rows: dict[str, Row]) -> Table:
    """Draw one table for the terminal.

    Parameters
    ----------
    title : str
    rows : dict
        Row → column → figure; a row may lack columns.

    Returns
    -------
    rich.table.Table
    """
    columns = list(dict.fromkeys(column for row in rows.values() for column in row))
    table = Table("", title=title, title_justify="left", title_style="bold")
    for column in columns:
        table.add_column(column, justify="right")
    for name, row in rows.items():
        table.add_row(name, *(_shown(row.get(column, "")) for column in columns))
    return table


def _shown(value: float | str) -> str:
    if isinstance(value, str):
        return value
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.3g}"
