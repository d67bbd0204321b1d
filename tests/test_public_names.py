import inspect
import subprocess
import sys
from importlib.resources import files

import pytest

import atomsight

HEAVY = {"numba", "polars", "scipy", "gemmi", "numpy", "rich", "typer"}


def loaded_by(statement):
    """Which heavy libraries are loaded after a statement, in a fresh interpreter."""
    code = f"{statement}\nimport sys\nprint(*sorted(set(sys.modules) & set({sorted(HEAVY)})))"
    done = subprocess.run(
        [sys.executable, "-c", code], check=True, capture_output=True, text=True, timeout=60
    )
    return set(done.stdout.splitlines()[-1].split())


def test_importing_the_package_loads_nothing_heavy():
    assert loaded_by("import atomsight") == set()


def test_errors_can_be_named_without_loading_anything_heavy():
    assert loaded_by("from atomsight import InputError, AtomsightError") == set()


def test_looking_around_loads_nothing_heavy():
    assert loaded_by("import atomsight; dir(atomsight); atomsight.__all__") == set()


def test_reading_a_map_does_not_load_kernels_and_tables():
    assert loaded_by("from atomsight import read_map") & {"numba", "polars", "rich"} == set()


@pytest.mark.parametrize("name", atomsight.__all__)
def test_every_public_name_is_there_and_described(name):
    value = getattr(atomsight, name)
    assert value.__name__ == name
    assert inspect.getdoc(value)
    assert value.__module__.startswith("atomsight.")


@pytest.mark.parametrize("name", atomsight.__all__)
def test_public_functions_say_what_goes_in_and_comes_out(name):
    value = getattr(atomsight, name)
    if inspect.isclass(value):
        return
    text = inspect.getdoc(value)
    for parameter in inspect.signature(value).parameters:
        assert parameter in text
    assert "Returns\n-------" in text


def test_names_are_sorted_and_listed_once():
    assert atomsight.__all__ == sorted(atomsight.__all__)
    assert len(set(atomsight.__all__)) == len(atomsight.__all__)
    assert set(atomsight._MODULE_OF) == set(atomsight.__all__)
    assert dir(atomsight) == atomsight.__all__


def test_type_checkers_see_the_same_names():
    source = inspect.getsource(atomsight)
    block = source[source.index("if TYPE_CHECKING:") : source.index("_HOME")]
    words = set(block.replace(",", " ").split())
    assert set(atomsight.__all__) <= words
    for module, names in atomsight._HOME.items():
        line = block[block.index(f"from atomsight.{module} import") :].split("from atomsight.")[1]
        assert all(name in line for name in names)


def test_an_unknown_name_is_an_attribute_error():
    with pytest.raises(AttributeError, match="module 'atomsight' has no attribute 'q_scores'"):
        _ = atomsight.q_scores
    assert not hasattr(atomsight, "__wrapped__")


def test_star_import_brings_the_public_names():
    names: dict[str, object] = {}
    exec("from atomsight import *", names)
    assert set(atomsight.__all__) <= set(names)


def test_the_package_says_that_it_is_typed():
    assert files("atomsight").joinpath("py.typed").is_file()


@pytest.mark.parametrize(
    ("name", "parent"),
    [
        ("InputError", "AtomsightError"),
        ("MapFileError", "InputError"),
        ("ModelFileError", "InputError"),
        ("OverlayError", "InputError"),
        ("ArchiveFileError", "InputError"),
        ("ParameterError", "InputError"),
        ("MissingLibraryError", "InputError"),
        ("ExternalProgramError", "InputError"),
        ("FetchError", "InputError"),
        ("OutputError", "AtomsightError"),
    ],
)
def test_errors_form_one_tree(name, parent):
    assert getattr(atomsight, name).__base__ is getattr(atomsight, parent)


def test_warnings_are_user_warnings():
    assert issubclass(atomsight.AtomsightWarning, UserWarning)
