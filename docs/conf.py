"""Sphinx configuration; imports nothing but the standard library and needs no network."""

from importlib.metadata import version as installed_version

project = "atomsight"
author = "The atomsight developers"
copyright = "2026, the atomsight developers"
release = version = installed_version("atomsight")

extensions = ["myst_nb", "sphinx.ext.autodoc", "numpydoc"]
exclude_patterns = ["_build"]
nitpick_ignore_regex: list[tuple[str, str]] = []

html_theme = "furo"
html_title = f"atomsight {release}"
html_copy_source = False

# plots are shown by their pictures; their data are for Jupyter
suppress_warnings = ["mystnb.unknown_mime_type"]
nb_execution_mode = "off"  # the notebook is kept with its output
myst_heading_anchors = 3

autodoc_member_order = "bysource"
autodoc_typehints = "none"  # the docstrings give types and shapes
numpydoc_show_class_members = False
default_role = "literal"  # `names` in docstrings
