"""The example notebook: what it shows is what its code gives."""

import json
from pathlib import Path

import pytest

NOTEBOOK = Path(__file__).parents[2] / "docs" / "howto" / "notebook.ipynb"


def cells():
    found = json.loads(NOTEBOOK.read_text(encoding="utf-8"))["cells"]
    return [cell for cell in found if cell["cell_type"] == "code"]


def shown(cell):
    return {kind: text for output in cell["outputs"] for kind, text in output["data"].items()}


@pytest.fixture(scope="module")
def namespace(demo_data, tmp_path_factory):
    folder = tmp_path_factory.mktemp("notebook")
    (folder / ".cache").mkdir()
    (folder / ".cache" / "data").symlink_to(demo_data)
    values = {}
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        for i, cell in enumerate(cells()):
            *before, last = "".join(cell["source"]).splitlines()
            if cell["outputs"]:
                exec("\n".join(before), values)
                values[f"cell {i}"] = eval(last, values)
            else:
                exec("".join(cell["source"]), values)
    return values


def test_the_notebook_is_kept_with_its_output():
    with_output = [cell for cell in cells() if cell["outputs"]]
    assert len(with_output) >= 5
    assert not any("ename" in output for cell in with_output for output in cell["outputs"])


def test_numbers_are_what_the_code_gives(namespace):
    plain = 0
    for i, cell in enumerate(cells()):
        if not cell["outputs"]:
            continue
        value, kept = namespace[f"cell {i}"], shown(cell)
        if "image/png" not in kept:
            assert "".join(kept["text/plain"]) == repr(value)
            plain += 1
        if "text/html" in kept:
            assert "".join(kept["text/html"]) == value._repr_html_()
        if "application/vnd.plotly.v1+json" in kept:
            titles = (kept["application/vnd.plotly.v1+json"]["layout"]["title"]["text"],)
            assert titles == (value.layout.title.text,)
    assert plain >= 3


def test_no_program_of_others_is_kept():
    assert NOTEBOOK.stat().st_size < 1_500_000
    assert "<script" not in NOTEBOOK.read_text(encoding="utf-8")
