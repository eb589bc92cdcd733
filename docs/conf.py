"""Settings of the documentation site; `make docs` builds it without the network."""

from __future__ import annotations

import sys
from pathlib import Path

import microtwin

sys.path.insert(0, str(Path(__file__).parent / "_ext"))

project = "microtwin"
author = "The microtwin authors"
copyright = "2026, The microtwin authors"
release = version = microtwin.__version__

extensions = [
    "myst_parser",
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
    "numpydoc",
    "api_pages",
    "mathml",
]
exclude_patterns = ["_build", "_ext"]
default_role = "py:obj"

myst_enable_extensions = ["deflist", "dollarmath"]
myst_heading_anchors = 3

# Types stand in the docstrings, once.
autodoc_typehints = "none"
autosummary_generate = False
numpydoc_show_class_members = False

html_theme = "furo"
html_title = f"microtwin {version}"
html_copy_source = False
html_static_path = ["_static"]
html_css_files = ["formulas.css"]
html_math_renderer = "mathml"
