"""The architecture: rooms in one row, small files, and public names that say what they do."""

import ast
import importlib
import inspect
import re
from functools import cache
from pathlib import Path

import pytest

import atomsight

PACKAGE = Path(atomsight.__file__).parent
ROOMS = (
    "errors",
    "typing",
    "processes",
    "model",
    "kernels",
    "density",
    "io",
    "evidence",
    "archive",
    "summary",
    "verdict",
    "preflight",
    "half_maps",
    "ensemble",
    "findings",
    "outcome",
    "entry_source",
    "comparison",
    "local_resolution_map",
    "export",
    "report",
    "validation",
    "output",
    "batch",
    "cli",
)
"""A room imports from rooms before it, and from itself. The package's face imports them all."""

FACE = ("__init__", "__main__")
ONLY_IN = {
    "typer": ("cli",),
    "rich": ("cli",),
    "polars": ("export", "archive", "batch"),
    "numba": ("kernels",),
    "matplotlib": ("report",),
    "iotbx": ("ensemble",),
    "mmtbx": ("ensemble",),
    "openmm": ("ensemble",),
    "pdbfixer": ("ensemble",),
    "dask": ("batch",),
    "distributed": ("batch",),
    "pebble": ("batch",),
    "psutil": ("batch",),
    "urllib3": ("io",),
}
"""Libraries that belong to one room."""

MOST_LINES = 400


def modules() -> dict[str, Path]:
    """Name below the package → file; a folder's `__init__` has the folder's name."""
    found = {}
    for path in sorted(PACKAGE.rglob("*.py")):
        parts = path.relative_to(PACKAGE).with_suffix("").parts
        name = ".".join(parts[:-1] if len(parts) > 1 and parts[-1] == "__init__" else parts)
        found[name] = path
    return found


MODULES = modules()


@cache
def tree(name: str) -> ast.Module:
    return ast.parse(MODULES[name].read_text(encoding="utf-8"))


def room(name: str) -> str:
    return name.partition(".")[0]


@cache
def imported(name: str) -> frozenset[str]:
    """Full names of all modules that a module imports, wherever in it."""
    found = set()
    for node in ast.walk(tree(name)):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{name}: relative import"
            base = node.module or ""
            below = {f"{base}.{alias.name}" for alias in node.names}
            known = {full for full in below if full.removeprefix("atomsight.") in MODULES}
            found |= known or {base}
    return frozenset(found)


def own_imports(name: str) -> set[str]:
    """Modules of this package that a module imports."""
    return {
        full.removeprefix("atomsight.")
        for full in imported(name)
        if full.startswith("atomsight.") or full == "atomsight"
    }


def test_every_module_stands_in_a_known_room():
    assert {room(name) for name in MODULES} == {*ROOMS, *FACE}


@pytest.mark.parametrize("name", [n for n in MODULES if n not in FACE])
def test_imports_go_one_way(name):
    here = ROOMS.index(room(name))
    for other in own_imports(name):
        assert other != "atomsight", "import the module itself, not the package's face"
        assert ROOMS.index(room(other)) <= here, f"{name} imports {other}"


def test_modules_import_each_other_in_no_circle():
    state: dict[str, bool] = {}

    def visit(name: str, way: tuple[str, ...]) -> None:
        assert state.get(name) is not False, " → ".join((*way, name))
        if name in state:
            return
        state[name] = False
        for other in own_imports(name):
            visit(other, (*way, name))
        state[name] = True

    for name in MODULES:
        if name not in FACE:
            visit(name, ())


@pytest.mark.parametrize(("library", "rooms"), ONLY_IN.items())
def test_libraries_of_one_room_stay_there(library, rooms):
    users = {
        room(name)
        for name in MODULES
        if any(full.split(".")[0] == library for full in imported(name))
    }
    assert users == set(rooms)


@pytest.mark.parametrize("name", MODULES)
def test_no_file_is_long(name):
    assert len(MODULES[name].read_text(encoding="utf-8").splitlines()) <= MOST_LINES


@pytest.mark.parametrize("path", sorted(Path(__file__).parent.rglob("*.py")), ids=lambda p: p.stem)
def test_no_test_file_is_long(path):
    assert len(path.read_text(encoding="utf-8").splitlines()) <= MOST_LINES


def test_every_public_name_can_be_imported_and_says_what_it_is():
    for name in atomsight.__all__:
        thing = getattr(atomsight, name)
        assert inspect.getdoc(thing), name
        assert (thing.__doc__ or "").strip(), name


def test_public_names_are_listed_once_and_in_order():
    assert list(atomsight.__all__) == sorted(set(atomsight.__all__))
    assert set(atomsight.__all__) == set(atomsight._MODULE_OF)
    assert dir(atomsight) == sorted(atomsight.__all__)


def test_type_checkers_see_the_same_public_names():
    guarded = [node for node in tree("__init__").body if isinstance(node, ast.If)]
    seen = {
        (node.module, alias.name)
        for block in guarded
        for node in block.body
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
    }
    assert seen == {(f"atomsight.{home}", name) for name, home in atomsight._MODULE_OF.items()}


def test_other_names_are_no_attributes():
    with pytest.raises(AttributeError, match="nonsense"):
        _ = atomsight.nonsense


def test_the_package_loads_nothing_heavy_until_it_is_used():
    assert {full.split(".")[0] for full in imported("__init__")} <= {
        "importlib",
        "typing",
        "atomsight",
    }


def public_functions() -> dict[str, ast.FunctionDef]:
    """Functions and methods without an underscore, outside the command line."""
    found = {}
    for name in MODULES:
        if room(name) == "cli":
            continue  # there a docstring is the text of --help
        for node in tree(name).body:
            members = node.body if isinstance(node, ast.ClassDef) else [node]
            if isinstance(node, ast.ClassDef) and node.name.startswith("_"):
                continue
            found |= {
                f"{name}.{member.name}": member
                for member in members
                if isinstance(member, ast.FunctionDef) and not member.name.startswith("_")
            }
    return found


def is_inner_kernel(function: ast.FunctionDef) -> bool:
    """A compiled function that only kernels call: its arguments are those of the kernel."""
    return any(isinstance(d, ast.Name) and d.id == "kernel" for d in function.decorator_list)


def sections(function: ast.FunctionDef) -> set[str]:
    return set(re.findall(r"^(\w+)\n-+$", ast.get_docstring(function) or "", re.MULTILINE))


FUNCTIONS = public_functions()
IN_ONE_LINE: tuple[str, ...] = ()
"""Their one argument is a path, and one line says everything."""


@pytest.mark.parametrize("name", FUNCTIONS)
def test_public_functions_describe_what_they_take_and_give(name):
    function = FUNCTIONS[name]
    assert ast.get_docstring(function)
    arguments = [*function.args.posonlyargs, *function.args.args, *function.args.kwonlyargs]
    taken = [a.arg for a in arguments if a.arg not in ("self", "cls")]
    if not taken or is_inner_kernel(function) or name in IN_ONE_LINE:
        return
    text = ast.get_docstring(function) or ""
    assert "Parameters" in sections(function)
    described = text.split("Parameters\n----------\n")[1]
    for argument in taken:
        assert re.search(rf"\b{re.escape(argument)}\b", described), argument
    gives = function.returns is not None and ast.unparse(function.returns) != "None"
    yields = "Iterator" in ast.unparse(function.returns or ast.Constant(None))
    if gives and not yields:
        assert "Returns" in sections(function)


@pytest.mark.parametrize("name", MODULES)
def test_every_module_says_what_it_is_for(name):
    assert ast.get_docstring(tree(name)) or not MODULES[name].read_text(encoding="utf-8").strip()


def test_every_public_class_describes_its_fields():
    for name in atomsight.__all__:
        thing = getattr(atomsight, name)
        fields = getattr(thing, "__dataclass_fields__", {})
        for field in fields:
            described = " ".join(base.__doc__ or "" for base in thing.__mro__)
            assert re.search(rf"\b{field}\b", described), f"{name}.{field}"


def test_modules_import_alone():
    for name in MODULES:
        if name != "__main__":
            importlib.import_module("atomsight" if name == "__init__" else f"atomsight.{name}")
