"""The site: the whole course as static pages, made by Sphinx with myst-nb and the book theme.

It needs no server and no network: opened from disk it has its players, its search, the guide and the reference.
Nothing in it is fetched from elsewhere; links to manuals and to the kernel's sources are links and nothing more.
"""

from __future__ import annotations

import io
import os
import re
import shutil
import tempfile
import warnings
from collections.abc import Mapping
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

import nbformat

import vmalab
from vmalab.editions.folder import copy_pictures
from vmalab.editions.live import editor, parts
from vmalab.editions.pages import first_sight, page, shared_files
from vmalab.editions.reference import docstring, reference_pages
from vmalab.editions.source import read
from vmalab.errors import UsageError
from vmalab.programs import data
from vmalab.widgets.builder import CallBuilder
from vmalab.widgets.livepage import builder_page

if TYPE_CHECKING:
    from vmalab.editions import Order

CONFIG: Mapping[str, Any] = {
    "project": "vmalab",
    "author": "The vmalab authors",
    "copyright": "The vmalab authors, Apache License 2.0",
    "release": vmalab.__version__,
    "html_title": "vmalab",
    "language": "en",
    "extensions": ["myst_nb", "sphinx.ext.autodoc"],
    "html_theme": "sphinx_book_theme",
    "html_theme_options": {
        "show_toc_level": 2,
        "show_navbar_depth": 1,
        "home_page_in_toc": True,
        "use_download_button": False,
        "use_fullscreen_button": False,
        "navbar_persistent": [],  # the search stands at the side
    },
    "html_context": {"default_mode": "auto"},
    "html_static_path": ["_static"],
    "html_css_files": ["vmalab.css"],
    "html_copy_source": False,
    "html_show_sourcelink": False,
    "html_show_search_summary": False,  # it would fetch pages, which a page from disk may not
    "nb_execution_mode": "off",
    "nb_code_prompt_show": "Show the {type}",
    "nb_code_prompt_hide": "Hide the {type}",
    "nb_ipywidgets_js": {},  # nothing from elsewhere; the players are our own
    "myst_enable_extensions": ["attrs_inline", "colon_fence", "deflist"],
    "myst_heading_anchors": 4,
    "autodoc_typehints": "signature",
    "autodoc_default_options": {"exclude-members": "__weakref__, __init__", "ignore-module-all": True},
    "suppress_warnings": ["mystnb.unknown_mime_type", "ref.python"],
}

_ARROW = '<summary><span class="toctree-toggle"'
_NAMED = _ARROW.replace("<summary>", '<summary aria-label="the pages of this part">')

INDEX = """\
# One call, many VMAs

```{raw} html
%(first)s
```

What does Linux's `mremap(2)` really do to a process's virtual memory areas? Eleven lessons, with a model of the kernel
that tells every step. %(try)s

```{toctree}
:caption: Lessons
:maxdepth: 1

%(lessons)s
```

```{toctree}
:caption: More
:maxdepth: 2

%(more)s
```
"""


TRY = """\
Python runs in these pages: change any call and run it, answer the exercises; nothing is installed and nothing is sent
anywhere. <a href="play.html">The call builder alone</a> fills a screen."""

READ = """\
On these pages you can read them all and step through every call. To change something and run it yourself, you need the
lessons in JupyterLab: install vmalab, then `vmalab lab`."""


def make(order: Order, folder: Path) -> None:
    """Write the site into `folder`.  Raises UsageError with the first of what Sphinx has to complain about."""
    with tempfile.TemporaryDirectory(prefix="vmalab-site-") as name:
        source = Path(name) / "source"
        scripts = write_source(order, source)
        complaints = sphinx(source, Path(name) / "html", Path(name) / "doctrees", scripts, live=not order.static)
        shutil.copytree(Path(name) / "html", folder, dirs_exist_ok=True)  # myst-nb writes beside what it makes
        if not order.static:
            (folder / "play.html").write_text(
                builder_page(CallBuilder(), scripts="_static/vmalab.js"), encoding="utf-8"
            )
    if complaints:
        raise UsageError(f"the site can't be built: {complaints[0]}")


def write_source(order: Order, source: Path) -> dict[str, str]:
    """Write what Sphinx reads, laid out as in the repository; for each page with players the name of its script."""
    static = source / "_static"
    (source / "notebooks").mkdir(parents=True)
    (static / "plays").mkdir(parents=True)
    scripts = {}
    os.environ.setdefault("MPLBACKEND", "agg")  # charts are drawn and not shown
    live = not order.static
    for path in order.lessons:
        nb, script = page(read(path), path.stem if live else "")
        nbformat.write(nb, source / "notebooks" / path.name)
        scripts[f"notebooks/{path.stem}"] = f"plays/{path.stem}.js"
        (static / "plays" / f"{path.stem}.js").write_text(script, encoding="utf-8")
    copy_pictures(order.lessons, source / "notebooks")
    for name, text in shared_files(live).items():
        (static / name).write_text(text, encoding="utf-8")
    if live:
        for name, text in {**parts(), "editor.js": editor()}.items():
            (static / name).write_text(text, encoding="utf-8")
    guide = data.docs()
    if guide.is_dir():
        shutil.copytree(guide, source / "docs")
    (source / "reference").mkdir()
    for name, text in reference_pages().items():
        (source / "reference" / f"{name}.rst").write_text(text, encoding="utf-8")
    more = [*(["docs/index"] if guide.is_dir() else []), "reference/index"]
    first, script = first_sight(live)
    (static / "plays" / "index.js").write_text(script, encoding="utf-8")
    index = INDEX % {
        "first": first, "try": TRY if live else READ, "lessons": "\n".join(scripts), "more": "\n".join(more),
    }  # fmt: skip
    (source / "index.md").write_text(index, encoding="utf-8")
    return {**scripts, "index": "plays/index.js"}


def absent(*names: str) -> list[str]:
    """Those of these packages that can't be imported here, where the extra that brings them is not installed."""
    found = []
    for name in names:
        try:
            import_module(name)
        except ImportError:
            found.append(name)
    return found


def sphinx(source: Path, folder: Path, doctrees: Path, scripts: Mapping[str, str], *, live: bool = False) -> list[str]:
    """Run Sphinx; what it complained about, with places in the source.  `live`: the pages run Python."""
    from sphinx.application import Sphinx
    from sphinx.util.docutils import docutils_namespace, patch_docutils

    said = io.StringIO()
    with patch_docutils(), docutils_namespace(), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # what its extensions use of Sphinx is no concern of the lessons'
        settings = {**CONFIG, "autodoc_mock_imports": absent("nbgrader")}
        app = Sphinx(
            source, None, folder, doctrees, "html", confoverrides=settings, status=None, warning=said, freshenv=True
        )

        def add_scripts(app: Any, pagename: str, template: str, context: Any, doctree: Any) -> None:
            if pagename in scripts:
                app.add_js_file(scripts[pagename])
                if live:
                    app.add_js_file("editor.js")
                app.add_js_file("vmalab.js")

        def read_docstring(app: Any, what: str, name: str, thing: Any, options: Any, lines: list[str]) -> None:
            lines[:] = docstring(lines)

        app.connect("html-page-context", add_scripts)
        app.connect("autodoc-process-docstring", read_docstring)
        app.build()
    for pattern in (".buildinfo", "objects.inv", "*.map", "*webpack-macros.html"):  # nobody reads these
        for path in folder.rglob(pattern):
            path.unlink()
    for path in folder.rglob("*.html"):  # the theme's arrows have no name
        path.write_text(path.read_text(encoding="utf-8").replace(_ARROW, _NAMED), encoding="utf-8")
    text = re.sub(r"\x1b\[[0-9;]*m", "", said.getvalue()).replace(f"{source}{os.sep}", "")
    return [line for line in text.splitlines() if "WARNING" in line or "ERROR" in line]
