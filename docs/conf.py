"""Sphinx configuration."""

from importlib.metadata import version as version_of

project = "cem"
author = "The cem developers"
copyright = "the cem developers"
release = version_of("cemkit")
version = ".".join(release.split(".")[:2])

extensions = [
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
    "sphinx.ext.doctest",
    "sphinx.ext.viewcode",
    "numpydoc",
]
exclude_patterns = ["_build", "_kept", "performance.md"]
default_role = "py:obj"
nitpicky = False

autosummary_generate = True
autosummary_filename_map = {  # beside cem.estimate and so on, where case makes no difference
    name: f"{name}-result" for name in ("cem.Estimate", "cem.Expectation", "cem.curve.Curve")
}
autodoc_member_order = "bysource"
autodoc_typehints = "none"  # signatures stay readable; the text says what goes in
numpydoc_show_class_members = False
toc_object_entries_show_parents = "hide"
doctest_global_setup = "import numpy as np, cem"

templates_path = ["_templates"]
html_theme = "pydata_sphinx_theme"
html_title = f"cem {release}"
html_static_path = ["_static"]
html_css_files = ["cem.css"]
html_extra_path = ["performance.md", "_kept"]
html_show_sourcelink = False
html_sidebars = {
    page: [] for page in ("index", "quickstart", "theory", "studies/index", "architecture")
}
html_theme_options = {
    "show_prev_next": True,
    "navigation_with_keys": False,
    "secondary_sidebar_items": ["page-toc"],
    "header_links_before_dropdown": 6,
    "footer_start": ["copyright"],
    "footer_end": [],
}
