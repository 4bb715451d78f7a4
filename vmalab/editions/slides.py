"""Slides: a page for each lesson with the lesson's players in it, complete in itself, so that it needs no network.

One idea, one picture, one slide: what a lesson shows gets a slide, with a sentence or two above it.  What stands around
it in the lesson, and what to ask, are speaker notes (the key S opens them).  Of exercises the titles are shown; cells
of the machine that one sits at, and cells to answer in, are left out.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from attrs import define, field
from nbformat import NotebookNode
from nbformat.v4 import new_markdown_cell

from vmalab.editions.folder import copy_pictures
from vmalab.editions.pages import page, shared_files
from vmalab.editions.source import gives_away, read, tags, title

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

    nb, plays = page(nb)
    arrange(nb)
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


MOST = 25
"""Slides of a lesson."""

SAID = 45
"""Words on a slide, about; the rest is for whoever speaks."""

CODE = 3
"""Lines of code on a slide; of a longer cell the call that it ends with, and all of it in the notes."""


@define
class Slide:
    """One slide.  `shown`: the cell with the picture; `worth`: what has least gives way where there are too many."""

    text: str
    notes: list[str] = field(factory=list)
    shown: NotebookNode | None = None
    worth: int = 9


def arrange(nb: NotebookNode) -> None:
    """Put slides in place of the cells of `nb`, whose outputs are those of a page."""
    found = list(_slides(nb.cells))
    while len(found) > MOST:
        least = min(one.worth for one in found)
        gone = next(at for at in range(len(found) - 1, 0, -1) if found[at].worth == least)
        found[gone - 1].notes += found.pop(gone).notes
    cells = []
    for one in found:
        cells.append(_cell(one.text, "slide"))
        if one.shown is not None:
            one.shown.metadata["slideshow"] = {"slide_type": "-"}
            one.shown.source = shortly(one.shown.source)
            cells.append(one.shown)
        cells.append(_cell("\n\n".join(filter(None, one.notes)), "notes"))
    nb.cells = cells


def _cell(text: str, kind: str) -> NotebookNode:
    cell: NotebookNode = new_markdown_cell(text, metadata={"slideshow": {"slide_type": kind}})
    return cell


def _slides(cells: Iterable[NotebookNode]) -> Iterable[Slide]:
    """A slide for the title, the goals, each thing that is shown, and the exercises."""
    heading, aside = "", []
    exercises: list[str] = []
    for cell in cells:
        if cell.cell_type == "markdown":
            source = cell.source
            if source.startswith("# "):
                yield Slide(source.partition("\n|")[0], [source])
                continue
            if source.startswith("## Goals"):
                yield Slide(source.partition("\n**")[0], [source])
                continue
            exercises += re.findall("^### (Exercise .*)", source, re.MULTILINE)
            if exercises:
                aside.append(source)
                continue
            if found := re.match("#{2,3} (.*)", source):
                heading = found[1]
            aside.append(source)
        elif not exercises and "live" not in tags(cell) and (worth := _worth(cell)):
            ask = QUESTION if worth == 4 else BEFORE if gives_away(cell) else LOOK
            code = f"```python\n{cell.source}\n```"
            yield Slide(f"## {heading}\n\n{lead(aside)}", [ask, *aside, code], cell, worth)
            aside = []
    if exercises:
        yield Slide("## Exercises\n\n" + "\n".join(f"- {name}" for name in exercises), aside)


LOOK = "**Ask:** What do you see? What is mapped where, and which pages are present?"
BEFORE = "**Ask before you go on:** What will the call do, and what will be there afterwards?"
QUESTION = "**Ask:** Everybody chooses before anything is pressed; two who chose differently explain it to one another."
"""What to ask, by what is shown: a state, an outcome, a question."""


def _html(cell: NotebookNode) -> str:
    return "".join(output.get("data", {}).get("text/html", "") for output in cell.get("outputs", ()))


def _worth(cell: NotebookNode) -> int:
    """How much a slide needs what a cell shows: 4 a question, 3 what plays, 2 a picture, 1 a table, 0 nothing."""
    html = _html(cell)
    if "vml-card" not in html and "data-play" not in html:
        return 0
    if re.match(r"(Question|Predict)\(", cell.source):
        return 4
    return 3 if "data-play" in html else 2 if "<svg" in html else 1


def shortly(code: str) -> str:
    r"""The code of a cell, or the last thing that it does where it is long.

    >>> shortly("vm = Model()\nvm.mmap(page(0), PAGE)\nout = vm.munmap(page(0), PAGE)\nout")
    'out = vm.munmap(page(0), PAGE)'
    """
    if len(code.splitlines()) <= CODE:
        return code
    does = [one for one in ast.parse(code).body if not (isinstance(one, ast.Expr) and isinstance(one.value, ast.Name))]
    last = ast.get_source_segment(code, does[-1]) or ""
    return last if len(last.splitlines()) <= CODE else ""


def lead(texts: Iterable[str]) -> str:
    r"""The sentences that stand above a picture: the first paragraph of the last of `texts` that has one.

    >>> lead(["## Part", "One. Two.\n\n```c\nint x;\n```"])
    'One. Two.'
    """
    for text in reversed(list(texts)):
        bare = re.sub(r"```.*?```|<details>.*?</details>", "", text, flags=re.DOTALL)
        for paragraph in bare.split("\n\n"):
            paragraph = paragraph.strip()
            if not paragraph or re.match(r"[#|>$<]|- |\d+\. ", paragraph):
                continue
            said: list[str] = []
            for sentence in re.split(r"(?<=[.?:!]) (?=[A-Z`*])", " ".join(paragraph.split())):
                if said and len(" ".join([*said, sentence]).split()) > SAID:
                    break
                said.append(sentence)
            return " ".join(said)
    return ""


def reveal(name: str) -> str:
    """A file of reveal.js as text; sphinx-revealjs brings them along."""
    found = find_spec("sphinx_revealjs")
    if found is None or not found.submodule_search_locations:
        raise ModuleNotFoundError("No module named 'sphinx_revealjs'", name="sphinx_revealjs")
    return (Path(found.submodule_search_locations[0]) / "_static" / "revealjs" / name).read_text(encoding="utf-8")
