"""The site as data: what Sphinx reads, in which way, and how pages look. `nox -s docs` builds it (docs/building.md)."""

import os
import sys
from importlib.util import find_spec
from pathlib import Path

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE))  # for the folder `website` beside this file; the packages are the installed ones

import anna  # noqa: E402

project, author, version = "anna", "the authors of anna", anna.__version__
html_title = "anna"
extensions = ["myst_nb", "sphinx.ext.autodoc", "website.made", "website.drawings", "website.equations"]

# Sources are the repository itself, so that links between its pages hold in both.
root_doc = "docs/index"
include_patterns = ["docs/**.md", "ARCHITECTURE.md", "CHANGELOG.md", "CONTRIBUTING.md", "SECURITY.md"]
exclude_patterns = [".*", "build*", "dist", "anna", "lenet", "sim", "tests", "benchmarks", "examples", "tools"]

# Markdown as the repository's viewers read it.
myst_enable_extensions = ["dollarmath"]
myst_fence_as_directive = ["math"]
myst_heading_anchors = 4
highlight_language = "text"
smartquotes = False  # --option stays --option

# Tutorials run in an empty folder against the installed packages; one that does not run ends the build.
os.environ["TERM"] = "dumb"  # commands print no progress
nb_execution_mode = "force"
nb_execution_in_temp = True
nb_execution_raise_on_error = True
nb_execution_timeout = 600  # seconds for a cell
nb_merge_streams = True
tutorials = {path: path.read_text(encoding="utf-8") for path in sorted((HERE / "tutorials").glob("*.md"))}
nb_execution_excludepatterns = [
    f"docs/tutorials/{path.name}" for path, text in tutorials.items() if "import torch" in text and find_spec("torch") is None
]

# The reference.
autodoc_typehints = "signature"
autodoc_member_order = "bysource"
toc_object_entries = False
autodoc_typehints_format = "short"
default_role = "code"  # docstrings write names in `single quotes`

# The look. Nothing comes from elsewhere: fonts are the reader's own, and equations are MathML.
html_theme = "furo"
html_static_path = ["website/static"]
html_css_files = ["site.css"]
html_additional_pages = {"index": "front.html"}
templates_path = ["website/templates"]
html_copy_source = False
html_show_copyright = False
html_math_renderer = "mathml"
pygments_style = "friendly"
pygments_dark_style = "native"
html_theme_options = {"navigation_with_keys": True}
