"""The help texts are checked in, so that a change shows where it can be read.

After a change that is meant:  ATOMSIGHT_WRITE_HELP=1 python -m pytest tests/cli/test_help.py
"""

import os
from importlib.metadata import version
from pathlib import Path

import pytest
from typer.main import get_command

from atomsight.cli.app import app

FOLDER = Path(__file__).resolve().parents[2] / "docs" / "reference" / "help"
COMMANDS = {
    "atomsight": (),
    "atomsight-validate": ("validate",),
    "atomsight-q": ("q",),
    "atomsight-fsc-q": ("fsc-q",),
    "atomsight-fetch": ("fetch",),
    "atomsight-compare": ("compare",),
    "atomsight-converge": ("converge",),
    "atomsight-report": ("report",),
    "atomsight-local-resolution": ("local-resolution",),
    "atomsight-simulate": ("simulate",),
    "atomsight-degrade": ("degrade",),
    "atomsight-profile": ("profile",),
    "atomsight-batch": ("batch",),
    "atomsight-batch-run": ("batch", "run"),
    "atomsight-batch-plan": ("batch", "plan"),
    "atomsight-batch-summary": ("batch", "summary"),
    "atomsight-batch-script": ("batch", "script"),
    "atomsight-archive": ("archive",),
    "atomsight-archive-percentile": ("archive", "percentile"),
    "atomsight-archive-build": ("archive", "build"),
    "atomsight-archive-show": ("archive", "show"),
    "atomsight-archive-components": ("archive", "components"),
}
LAYOUT = "0.29"
"""Version of typer whose layout the texts have."""


@pytest.mark.parametrize("name", COMMANDS)
def test_help_is_as_written_down(shell, name):
    environment = {**os.environ, "COLUMNS": "100", "NO_COLOR": "1", "TERM": "dumb"}
    done = shell(*COMMANDS[name], "--help", env=environment)
    assert (done.code, done.err) == (0, "")
    path = FOLDER / f"{name}.txt"
    if os.environ.get("ATOMSIGHT_WRITE_HELP"):
        path.write_text(done.out, encoding="utf-8")
    if not version("typer").startswith(f"{LAYOUT}."):
        pytest.skip(f"typer {version('typer')} lays help out differently from {LAYOUT}")
    assert done.out == path.read_text(encoding="utf-8"), f"{path} is out of date: see above"


@pytest.mark.parametrize("name", [name for name, command in COMMANDS.items() if command])
def test_every_option_is_written_down_with_its_help(name):
    """Whatever the layout."""
    text = squeezed((FOLDER / f"{name}.txt").read_text(encoding="utf-8"))
    command = get_command(app)
    for step in COMMANDS[name]:
        command = command.commands[step]
    assert squeezed(command.help) in text
    for parameter in command.params:
        assert squeezed(parameter.help) in text
        for option in parameter.opts:
            if option.startswith("-"):
                assert option in text


def test_every_command_has_its_text():
    assert set(all_commands(get_command(app), "atomsight")) == set(COMMANDS)
    assert {path.stem for path in FOLDER.glob("*.txt")} == set(COMMANDS)


@pytest.mark.parametrize("name", ["atomsight", "atomsight-archive"])
def test_a_group_lists_its_commands(name):
    text = (FOLDER / f"{name}.txt").read_text(encoding="utf-8")
    command = get_command(app)
    for step in COMMANDS[name]:
        command = command.commands[step]
    for listed in command.commands:
        assert f"  {listed} " in text


def all_commands(command, name):
    """Its name, and those of the commands below it."""
    yield name
    for step, below in getattr(command, "commands", {}).items():
        yield from all_commands(below, f"{name}-{step}")


def test_minus_h_is_the_same(atomsight):
    assert atomsight("validate", "-h").out == atomsight("validate", "--help").out


def squeezed(text):
    return "".join(text.split())
