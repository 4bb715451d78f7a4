"""One output of a notebook: what stands around a picture, a table or a chart so that it can be shown anywhere.

Folded, it says in its first line what it is; not trusted, it reads as words; elsewhere it brings its own styles.
"""

from __future__ import annotations

import re

from vmalab.pictures.theme import style_for

_UNSEEN = (
    "The picture is not shown here: a page that does not trust a notebook leaves it out. "
    "Run the cell to see it; what it says stands here in words."
)
_SVG = re.compile(r"<svg.*?</svg>", re.DOTALL)
_SVG_TEXT = re.compile(r">([^<>]+)<(/title)?")


def card(body: str, style: bool = True, what: str = "a picture and its words") -> str:
    """`body` as one output of a notebook, with the styles that it needs.

    The first line says `what` it is: JupyterLab shows that line, and nothing more, of an output that is folded.
    Where a notebook is not trusted, styles and pictures are left out, and the texts in them must not run together.
    """
    if not style:
        return f'<div class="vml vml-card">{body}</div>'
    unseen = f'<p class="vml-unseen">{_UNSEEN}</p>' if "<svg" in body else ""
    body = unseen + _SVG.sub(_readable, body)
    return f'The result: {what}.\n<div class="vml vml-card">{style_for(body)}{body}</div>'


def within(output: str) -> str:
    """An output as a part of another one: without its first line."""
    return output.partition("\n")[2]


def _readable(picture: re.Match[str]) -> str:
    """The picture with its texts as CDATA sections: text in an SVG, and nothing in HTML, where a sanitizer looks.

    A sanitizer reads a title as text in any case, so titles are made to be sentences.
    """

    def kept(found: re.Match[str]) -> str:
        text, title = found.groups()
        if title:
            return f">{text}. </title"
        # what is escaped stays so: to whom a CDATA section is a comment, it ends at the first ">"
        return f"><![CDATA[{text}]]><" if text.strip() and "&" not in text else found[0]

    return _SVG_TEXT.sub(kept, picture[0])
