"""Slides: a page for each lesson with the lesson's players in it, complete in itself, so that it needs no network.

A section of the lesson is a column of slides, a text with the cells below it one slide.  What answers a prediction
comes with the next key press.  Solutions and hints are speaker notes (the key S opens them), and the cells to answer in
are left out.
"""

from __future__ import annotations

import re
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from nbformat import NotebookNode

from vmalab.editions.folder import copy_pictures
from vmalab.editions.pages import page, shared_files
from vmalab.editions.source import answers, check_call, gives_away, read, title

if TYPE_CHECKING:
    from vmalab.editions import Order

_STATIC = Path(__file__).parent / "static"


def make(order: Order, folder: Path) -> None:
    """Write `LESSON.html` for each lesson, and the pictures that they show, into `folder`."""
    copy_pictures(order.lessons, folder)
    for path in order.lessons:
        (folder / f"{path.stem}.html").write_text(slides(read(path)), encoding="utf-8")


def slides(nb: NotebookNode) -> str:
    """The page of slides of a lesson; `nb` is changed."""
    from nbconvert.exporters import SlidesExporter

    arrange(nb)
    nb, plays = page(nb)
    files = shared_files()
    styles = [reveal("dist/reset.css"), reveal("dist/reveal.css"), files["vmalab.css"]]
    styles.append((_STATIC / "slides.css").read_text(encoding="utf-8"))
    scripts = [reveal("dist/reveal.js"), reveal("plugin/notes/notes.js"), plays, files["vmalab.js"]]
    # inside a script element only "</script" and "<!--" could end it too early
    script = "\n".join(scripts).replace("</script", "<\\/script").replace("<!--", "<\\!--")
    exporter = SlidesExporter(extra_template_basedirs=[str(_STATIC)], template_name="slides")
    text, _ = exporter.from_notebook_node(
        nb, {"vmalab": {"title": title(nb), "css": "\n".join(styles), "script": script}}
    )
    return str(text)


def arrange(nb: NotebookNode) -> None:
    """Say of each cell of `nb` where it stands: nbconvert's `slide_type`."""
    asked = [*(cell.id for cell in answers(nb)), *(cell.id for cell in nb.cells if cell.cell_type == "code"
                                                   and check_call(cell.source))]  # fmt: skip
    for cell in nb.cells:
        cell.metadata["slideshow"] = {"slide_type": "skip" if cell.id in asked else kind(cell)}
        cell.source = cell.source.replace("<details>\n<summary><b>Reveal", "<details open>\n<summary><b>Reveal")


def kind(cell: NotebookNode) -> str:
    """Where a cell stands: `slide`, `subslide`, `fragment` (comes with the next key), `notes`, or `-`, as the last."""
    if cell.cell_type == "code":
        return "fragment" if gives_away(cell) else "-"
    if "<summary>Hint" in cell.source or "<summary>Solution" in cell.source:
        return "notes"
    if "<summary><b>Reveal" in cell.source:
        return "fragment"
    return "slide" if re.match("#{1,2} ", cell.source) else "subslide"


def reveal(name: str) -> str:
    """A file of reveal.js as text; sphinx-revealjs brings them along."""
    found = find_spec("sphinx_revealjs")
    if found is None or not found.submodule_search_locations:
        raise ModuleNotFoundError("No module named 'sphinx_revealjs'", name="sphinx_revealjs")
    return (Path(found.submodule_search_locations[0]) / "_static" / "revealjs" / name).read_text(encoding="utf-8")
