"""A sheet and its key as HTML that needs nothing else: to print from a browser, and for the PDF.

On a sheet is no seed and no level, nothing by which the problems could be made again.
"""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from vmalab.editions.bank.paper import FONTS, MONOSPACED, paper_svg
from vmalab.editions.bank.question import PICTURE, explanation_html, question_html, said_to
from vmalab.editions.exam.plan import Plan
from vmalab.teach.problems import Problem
from vmalab.teach.problems.choices import LETTERS

CSS = f"""
@page {{ size: A4; margin: 18mm 16mm 18mm 16mm;
  @bottom-right {{ content: counter(page) " of " counter(pages); font: 9pt {FONTS}; color: #333 }} }}
body {{ font: 10.5pt/1.4 {FONTS}; color: #000; background: #fff; max-width: 46em; margin: 0 auto; padding: 1em }}
h1 {{ font-size: 15pt; margin: 0 }}
h2 {{ font-size: 12pt; margin: 1.4em 0 .3em; border-top: 1px solid #555; padding-top: .5em }}
code {{ font: 9.5pt {MONOSPACED}; overflow-wrap: anywhere }} ol, ul {{ margin: .3em 0; padding-left: 2em }}
p {{ margin: .4em 0 }} svg {{ display: block; width: 100%; height: auto; margin: .3em 0 }}
section {{ break-inside: avoid }} .name {{ margin: .8em 0; border-bottom: 1px solid #555 }}
ol.choices {{ list-style: none; padding-left: 0 }} ol.choices li {{ margin: .3em 0 }}
.box {{ display: inline-block; width: 1em; height: 1em; border: 1.2px solid #000; margin-right: .6em;
  vertical-align: -.15em }}
.line {{ border-bottom: 1px solid #555; height: 2em }} .right {{ font-weight: bold }}
@media print {{ body {{ max-width: none; padding: 0 }} }}
"""


def sheet_html(plan: Plan, letter: str, problems: Sequence[Problem]) -> str:
    """What a student gets."""
    head = '<p class="name">Name:</p>'
    asked = "".join(_section(number, _asked(one) + _answer(one)) for number, one in enumerate(problems, 1))
    return _page(f"{plan.title} – {letter}", f"{plan.title}", letter, head + asked)


def key_html(plan: Plan, letter: str, problems: Sequence[Problem]) -> str:
    """What the lecturer keeps: the answers, the reasons, and what is behind each wrong choice."""
    told = "".join(_section(number, _key(one)) for number, one in enumerate(problems, 1))
    return _page(f"Key {letter}: {plan.title}", f"Key: {plan.title}", letter, told)


def _page(name: str, title: str, letter: str, body: str) -> str:
    return (
        f'<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8"><title>{escape(name)}</title>'
        f'<meta name="viewport" content="width=device-width"><style>{CSS}</style></head>\n'
        f"<body><main><h1>{escape(title)} <span>(sheet {letter})</span></h1>{body}</main></body></html>\n"
    )


def _section(number: int, body: str) -> str:
    return f"<section><h2>{number}.</h2>{body}</section>\n"


def _asked(one: Problem) -> str:
    return question_html(one, paper_svg(one.before, PICTURE))


def _answer(one: Problem) -> str:
    """Room for an answer."""
    if not one.choices:
        return '<div class="line"></div>' * (3 if one.goal else 2)
    boxes = "".join(
        f'<li><span class="box"></span>{letter} <code>{escape(choice.text)}</code></li>'
        for letter, choice in zip(LETTERS, one.choices, strict=False)
    )
    return f'<ol class="choices">{boxes}</ol>'


def _key(one: Problem) -> str:
    """The answer with its reasons; effort and kind, so that versions can be held side by side."""
    told = f"<p>{escape(one.question)} <em>({one.kind}; {escape(str(one.difficulty))})</em></p>"
    choices = "".join(
        f"<li{' class=right' if choice.right else ''}>{letter} <code>{escape(choice.text)}</code> "
        f"{escape(' '.join(said_to(one, index)[0 if choice.right else 1 :]))}</li>"
        for index, (letter, choice) in enumerate(zip(LETTERS, one.choices, strict=False))
    )
    listed = f'<ol class="choices">{choices}</ol>' if choices else ""
    return told + explanation_html(one) + listed
