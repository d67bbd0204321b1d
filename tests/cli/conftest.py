import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from atomsight.cli import main

PROGRAM = Path(sys.executable).with_name("atomsight")
NOTICE = "compiling kernels, once on this machine (about 10 s)\n"


@dataclass(frozen=True)
class Run:
    """What a command left behind."""

    code: int
    out: str
    err: str

    @property
    def error(self) -> str:
        """The one line that a refusal is."""
        assert self.code == 2, self.err
        assert self.out == ""
        lines = self.err.splitlines()
        assert len(lines) == 1, self.err
        assert self.err.startswith("atomsight: error: ")
        assert self.err.endswith("\n")
        return lines[0].removeprefix("atomsight: error: ")


@pytest.fixture
def atomsight(monkeypatch, capsys):
    """Run the command line in this process; whichever test is the first may compile kernels."""

    def run(*arguments: object) -> Run:
        monkeypatch.setattr(sys, "argv", ["atomsight", *map(str, arguments)])
        capsys.readouterr()
        code = 0
        try:
            main()
        except SystemExit as exc:
            code = exc.code if isinstance(exc.code, int) else int(exc.code is not None)
        out, err = capsys.readouterr()
        return Run(code, out, err.replace(NOTICE, ""))

    return run


@pytest.fixture
def shell(tmp_path):
    """Run the installed program."""

    def run(*arguments: object, before: tuple[str, ...] = (), **options: object) -> Run:
        """`before` stands before the program: another user, say; `options` are subprocess's."""
        done = subprocess.run(
            [*before, PROGRAM, *map(str, arguments)],
            check=False,
            capture_output=True,
            text=True,
            timeout=120,
            **{"cwd": tmp_path, **options},
        )
        return Run(done.returncode, done.stdout, done.stderr)

    return run
