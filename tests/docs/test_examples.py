"""README.md and docs/ say what is true: examples run, tables are complete, links lead somewhere."""

import doctest
import os
import re
import shlex
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

import gemmi
import pytest

import atomsight as ats
from tests.support.archive_server import Site, serving

REPOSITORY = Path(__file__).resolve().parents[2]
DOCS = REPOSITORY / "docs"
README = REPOSITORY / "README.md"
PAGES = [README, *sorted(p for p in DOCS.rglob("*.md") if "_build" not in p.parts)]
HOWTO = sorted((DOCS / "howto").glob("*.md"))
DEMO_COMMAND = "atomsight validate .cache/data/5ni1.cif .cache/data/emd_3488.mrc -o demo-results"

NOT_RUN = {"make", "pip", "python3", "atomsight-env/bin/pip", "chimerax", "dask"}
COMPILATION = re.compile(r"compiling kernels.*\n")
BLOCK = re.compile(r"^```console\n(.*?)^```$", re.MULTILINE | re.DOTALL)
PYTHON_BLOCK = re.compile(r"^```pycon\n(.*?)^```$", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"\]\(([^)\s]+)\)")
HEADING = re.compile(r"^#+ (.*)$", re.MULTILINE)
MOST_LINES = 150
ELISION = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE


@dataclass(frozen=True)
class Step:
    """A command line of a console block, and what the page says of it."""

    command: str
    shown: str
    code: int


def name(page: Path) -> str:
    return page.relative_to(REPOSITORY).as_posix()


def steps(page: Path) -> Iterator[Step]:
    for block in BLOCK.findall(page.read_text(encoding="utf-8")):
        pieces = re.split(r"^\$ ", block, flags=re.MULTILINE)
        assert not pieces[0], f"{name(page)}: a console block begins with a command"
        lines = [piece.partition("\n")[::2] for piece in pieces[1:]]
        for (command, shown), (after, value) in zip(lines, [*lines[1:], ("", "")], strict=True):
            if command != "echo $?":
                yield Step(command, shown, int(value) if after == "echo $?" else 0)


def runs(page: Path) -> list[Step]:
    return [step for step in steps(page) if shlex.split(step.command)[0] == "atomsight"]


def make(page: str, folder: Path) -> Path:
    """Run the first Python example of a how-to in a folder, and return its .cache."""
    examples = PYTHON_BLOCK.findall((DOCS / "howto" / page).read_text(encoding="utf-8"))
    command = [sys.executable, "-c", doctest.script_from_examples(examples[0])]
    (folder / ".cache").mkdir(exist_ok=True)
    subprocess.run(command, cwd=folder, check=True)
    return folder / ".cache"


@pytest.fixture(scope="session")
def half_maps(demo_data: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Half maps and their mean, made by the first example of docs/howto/half_maps.md."""
    folder = tmp_path_factory.mktemp("half-maps")
    (folder / ".cache").mkdir()
    (folder / ".cache" / "data").symlink_to(demo_data)
    return make("half_maps.md", folder) / "half-maps"


@pytest.fixture(scope="session")
def entries(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A table of entries, made by the first example of docs/howto/archive.md."""
    return make("archive.md", tmp_path_factory.mktemp("entries")) / "entries.csv"


@pytest.fixture(scope="session")
def converged(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A table of mean RMSDs, made by the first example of docs/howto/converge.md."""
    return make("converge.md", tmp_path_factory.mktemp("converged")) / "converged.csv"


@pytest.fixture(scope="session")
def manifest(demo_data: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A manifest, made by the first example of docs/howto/batch.md."""
    folder = tmp_path_factory.mktemp("batch")
    (folder / ".cache").mkdir()
    (folder / ".cache" / "data").symlink_to(demo_data)
    return make("batch.md", folder) / "manifest.csv"


@pytest.fixture(scope="session")
def mirror(demo_data: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Address of a server of the files that the first example of docs/howto/fetch.md makes."""
    folder = tmp_path_factory.mktemp("mirror")
    (folder / ".cache").mkdir()
    (folder / ".cache" / "data").symlink_to(demo_data)
    root = make("fetch.md", folder) / "mirror"
    files = (path for path in root.rglob("*") if path.is_file())
    site = Site({f"/{path.relative_to(root)}": path.read_bytes() for path in files})
    with serving(site):
        yield site.url


@pytest.fixture
def folder(
    tmp_path: Path,
    demo_data: Path,
    half_maps: Path,
    entries: Path,
    converged: Path,
    manifest: Path,
    mirror: str,
    monkeypatch: pytest.MonkeyPatch,
) -> Path:
    """A folder with the demo's files, the half maps and the tables that the pages name."""
    monkeypatch.setenv("ATOMSIGHT_EMDB_BASE", f"{mirror}/emdb")
    monkeypatch.setenv("ATOMSIGHT_PDB_BASE", f"{mirror}/pdb")
    monkeypatch.setenv("ATOMSIGHT_CACHE", str(tmp_path / "cache"))
    (tmp_path / ".cache").mkdir()
    (tmp_path / ".cache" / "data").symlink_to(demo_data)
    for file in demo_data.iterdir():
        if not file.name.startswith("."):
            (tmp_path / file.name).symlink_to(file)
    for file in half_maps.iterdir():
        (tmp_path / file.name).symlink_to(file)
    for table in (entries, converged, manifest):
        (tmp_path / table.name).symlink_to(table)
    return tmp_path


def run(step: Step, folder: Path) -> str:
    """Run a step as its page says; returns what it prints on both streams."""
    settings = ("COLUMNS", "FORCE_COLOR", "TTY_COMPATIBLE", "LINES")
    done = subprocess.run(
        [sys.executable, "-m", *shlex.split(step.command)],
        cwd=folder,
        env={k: v for k, v in os.environ.items() if k not in settings} | {"PYTHONUTF8": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
        check=False,
    )
    assert done.returncode == step.code, f"{step.command}\n{done.stdout}"
    return COMPILATION.sub("", done.stdout)


@pytest.mark.parametrize("page", [p for p in PAGES if runs(p)], ids=name)
def test_shell_examples_run_and_print_what_the_page_shows(page: Path, folder: Path) -> None:
    for step in runs(page):
        printed = run(step, folder)
        if step.shown:
            same = doctest.OutputChecker().check_output(step.shown, printed, ELISION)
            assert same, f"{step.command}\nshown:\n{step.shown}\nprinted:\n{printed}"


def test_every_shell_command_is_run_or_known_not_to_be() -> None:
    commands = [step.command for page in PAGES for step in steps(page)]
    unknown = [c for c in commands if shlex.split(c)[0] not in NOT_RUN | {"atomsight"}]
    assert not unknown
    assert sum(len(runs(page)) for page in PAGES) >= 15


def test_shell_examples_are_all_in_console_blocks() -> None:
    for page in PAGES:
        text = page.read_text(encoding="utf-8")
        outside = BLOCK.sub("", text)
        assert not re.search(r"^\s*\$ ", outside, re.MULTILINE), name(page)
        assert not re.search(r"^```(sh|bash|shell)\b", text, re.MULTILINE), name(page)


def test_demo_table_of_the_readme_is_what_the_program_prints(folder: Path) -> None:
    (step,) = [step for step in runs(README) if step.command == DEMO_COMMAND]
    printed = [line.rstrip() for line in run(step, folder).rstrip().splitlines()]
    assert step.shown.rstrip().splitlines() == printed


def test_demo_command_of_the_readme_is_that_of_the_makefile() -> None:
    recipe = (REPOSITORY / "Makefile").read_text(encoding="utf-8")
    recipe = recipe.replace("$(BIN)/", "").replace("$(DATA)", ".cache/data")
    assert f"\t{DEMO_COMMAND}\n" in recipe


@pytest.mark.parametrize(
    "page", [README, *HOWTO, *sorted((DOCS / "measures").glob("*.md"))], ids=name
)
def test_page_has_examples_that_run(page: Path) -> None:
    examples = doctest.DocTestParser().get_examples(page.read_text(encoding="utf-8"))
    assert examples or runs(page)


def test_python_examples_are_found_and_none_is_skipped() -> None:
    parser = doctest.DocTestParser()
    examples = [e for p in PAGES for e in parser.get_examples(p.read_text(encoding="utf-8"))]
    assert len(examples) >= 60
    assert not [e.source for e in examples if e.options.get(doctest.SKIP)]


def test_check_runs_the_python_examples() -> None:
    recipe = (REPOSITORY / "Makefile").read_text(encoding="utf-8")
    assert "pytest -q --doctest-modules --doctest-glob='*.md' README.md docs src\n" in recipe


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_links_lead_to_files_and_headings(page: Path) -> None:
    for link in LINK.findall(page.read_text(encoding="utf-8")):
        if link.startswith(("https://", "http://")):
            continue
        path, _, heading = link.partition("#")
        target = (page.parent / path).resolve() if path else page
        assert target.is_file(), f"{name(page)}: {link}"
        if heading:
            assert heading in anchors(target), f"{name(page)}: {link}"


def anchors(page: Path) -> set[str]:
    """Headings of a page, as links name them."""
    titles = HEADING.findall(page.read_text(encoding="utf-8"))
    return {re.sub(r"[^\w -]", "", title.lower()).replace(" ", "-") for title in titles}


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_pages_are_short(page: Path) -> None:
    assert len(page.read_text(encoding="utf-8").splitlines()) <= MOST_LINES


@pytest.mark.parametrize("page", [p for p in PAGES if p.parent != DOCS and p != README], ids=name)
def test_index_lists_the_page(page: Path) -> None:
    entry = page.relative_to(DOCS).with_suffix("").as_posix()
    assert f"\n{entry}\n" in (DOCS / "index.md").read_text(encoding="utf-8")


def test_api_page_documents_every_public_name() -> None:
    pages = ("api.md", "api_scores.md", "api_ensemble.md")
    text = "".join((DOCS / "reference" / page).read_text(encoding="utf-8") for page in pages)
    documented = re.findall(r"^\.\. auto(?:function|class|exception):: (\w+)$", text, re.MULTILINE)
    assert sorted(documented) == sorted(ats.__all__)


def test_statuses_page_lists_every_status() -> None:
    text = (DOCS / "reference" / "statuses.md").read_text(encoding="utf-8")
    assert [s.label for s in ats.Status if f"`{s.label}`" not in text] == []


def test_files_page_lists_every_file_column_and_key(
    demo_data: Path, half_maps: Path, tmp_path: Path
) -> None:
    pl = pytest.importorskip("polars")
    pages = ("files.md", "tables.md")
    text = "".join((DOCS / "reference" / page).read_text(encoding="utf-8") for page in pages)
    named = set(re.findall(r"`([^`\s]+)`", text))
    halves = ats.HalfMapOptions(half_maps / "half1.mrc", half_maps / "half2.mrc", box=8)
    options = ats.Options(orientations=2, half_maps=halves)
    result = ats.validate(demo_data / "5ni1.cif", half_maps / "full.mrc", options)
    for path in ats.write_results(result, tmp_path):
        file = path.relative_to(tmp_path).as_posix()
        assert file.replace("5ni1", "<model>").replace("full", "<map>") in named
        if path.suffix == ".parquet":
            assert set(pl.read_parquet_schema(path)) <= named
        if path.suffix == ".csv" and path.parent in (tmp_path, tmp_path / "curves"):
            assert set(pl.read_csv(path, n_rows=0).columns) <= named
        if path.suffix == ".cif" and "__Q__" in path.name:
            loop = gemmi.cif.read(str(path)).sole_block().find_loop("_atom_site.Q-score").get_loop()
            ours = loop.tags[loop.tags.index("_atom_site.Q-score") + 1 :]
            assert {tag.removeprefix("_atom_site.") for tag in ours} <= named
        if path.name == "summary.json":
            assert set(re.findall(r'^  "(\w+)"', path.read_text(), re.MULTILINE)) <= named


def test_command_line_page_shows_the_help_of_every_command() -> None:
    text = (DOCS / "reference" / "command_line.md").read_text(encoding="utf-8")
    commands = [path.stem for path in (DOCS / "reference" / "help").glob("*.txt")]
    shown = re.findall(r"^```\{literalinclude\} help/([\w-]+)\.txt$", text, re.MULTILINE)
    assert sorted(shown) == sorted(commands)  # tests/cli/test_help.py knows them all


def test_citation_and_changelog_name_the_version() -> None:
    project = tomllib.loads((REPOSITORY / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    citation = (REPOSITORY / "CITATION.cff").read_text(encoding="utf-8")
    changelog = (REPOSITORY / "CHANGELOG.md").read_text(encoding="utf-8")
    assert f"\nversion: {project['version']}\n" in citation
    # the program's own licence first, then that of the table that comes with it
    assert f"\nlicense: {project['license'].split(' AND ')[0]}\n" in citation
    assert project["version"] in changelog
    assert project["version"] == version("atomsight")
