"""One self-contained page that plays an outcome, or a whole program: no kernel, no network, no Python to read it.

What the player needs is packed (JSON, deflate, base64), a program's calls some together, so that a page grows as the
calls do and opens at once.  Below the player stands the same as text and still pictures, for a browser without scripts
and for paper: of a long program each call in words, and the address space at the end.

The page's content security policy lets nothing be loaded and no script run but the one that is written here.
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Iterable, Iterator
from hashlib import sha256
from html import escape
from pathlib import Path

from vmalab.errors import UsageError
from vmalab.machines.machine import Played
from vmalab.machines.outcome import Outcome, diff
from vmalab.pictures.display import outcome_html, snapshot_html
from vmalab.pictures.frames import as_json, packed, player_data
from vmalab.pictures.theme import picture_css, stylesheet
from vmalab.programs.calltext import call_text, span
from vmalab.words.explain import one_line, reason

SCRIPTS = ("dom.js", "picture.js", "player.js", "unpack.js", "program.js")
"""Of `widgets/static`: what a page of several calls needs; one call does without the last."""

TOGETHER = 16
"""So many calls are packed together: they have most of their markup in common."""

ALL_PICTURED = 12
"""Of a program with so many calls each has its still pictures."""

MOST_CALLS = 10_000
"""Calls of one page."""

_PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; base-uri 'none'; form-action 'none'; \
img-src data:; style-src 'unsafe-inline'; script-src 'sha256-{allowed}'">
<title>{title}</title>
<style>{css}
body{{margin:0 auto;max-width:1140px;padding:16px;background:var(--vml-ground)}}
h1{{font-size:1.3em;margin:0 0 12px;overflow-wrap:anywhere}}
h2{{font-size:1.1em;margin:16px 0 4px;overflow-wrap:anywhere}}
.vml-program .vml-steps{{margin-bottom:12px}}
@media print{{#player,#stills summary{{display:none}}}}
</style>
</head>
<body class="vml">
<main>
<h1>{title}</h1>
{about}<div id="player"></div>
<details id="stills" open><summary>As text and still pictures</summary>{still}</details>
</main>
<script type="text/plain" id="data">{data}</script>
<script type="module">{script}</script>
</body>
</html>
"""


def outcome_page(outcome: Outcome, title: str = "") -> str:
    """The page of one call, as text.  `title` stands for the call itself if not given."""
    data = player_data(outcome)
    mount = "async (host, text) => mount(host, await unpack(text))"
    return _page(title or data["title"], "", outcome_html(outcome, style=False), packed(data), SCRIPTS[:-1], mount)


def program_page(played: Played, title: str = "") -> str:
    """The page of a whole program, as text: its calls to choose from, each with its player.

    `title` stands for the scenario's name if not given.  O(frames of all calls and the VMAs near to them).
    Raises UsageError for a program of more than `MOST_CALLS` calls.
    """
    count = len(played.outcomes)
    if count > MOST_CALLS:
        raise UsageError(f"{count} calls are too many for a page, {MOST_CALLS} are the most: choose some of them")
    about = f"{count} call{'' if count == 1 else 's'} on {played.machine}."
    if played.error is not None:
        about += f" It could not be run to its end: {played.error}."
    calls: list[tuple[str, bool, str]] = []
    groups = []
    for first in range(0, count, TOGETHER):
        told = [player_data(outcome.near()) for outcome in played.outcomes[first : first + TOGETHER]]
        calls += [(one["call"], one["ok"], one["result"]) for one in told]
        groups.append(packed(told))
    data = as_json({"calls": calls, "groups": groups, "together": TOGETHER}).replace("<", "\\u003c")
    return _page(
        title or played.scenario.name,
        f"<p>{escape(about)}</p>",
        "".join(_stills(played)),
        data,
        SCRIPTS,
        "mountProgram",
    )


def timeline_page(title: str, data: str, steps: str, still: str) -> str:
    """The page of a program over time (`widgets/program.py`), as text.  `data`: its timeline, packed; `steps`: the
    players of its calls, as JSON."""
    both = f'{{"data":"{data}","steps":{steps}}}'
    return _page(
        title, "", still, both, ("dom.js", "picture.js", "unpack.js", "player.js", "overtime.js"), "mountOverTime"
    )


def _stills(played: Played) -> Iterator[str]:
    """Every call without scripts: in pictures where they are few, else in words, and then the end as a picture."""
    few = len(played.outcomes) <= ALL_PICTURED
    for number, outcome in enumerate(played.outcomes, 1):
        yield f"<h2>{number}. {escape(call_text(outcome.call))}</h2>"
        yield outcome_html(outcome, style=False) if few else "".join(_words(outcome.near()))
    if not few:
        yield f"<h2>At the end</h2>{snapshot_html(played.final, style=False)}"


def _words(outcome: Outcome) -> Iterator[str]:
    yield f"<p>{escape(reason(outcome) if outcome.errno else one_line(outcome))}</p>"
    changed = [
        f"<li>{change.kind}: {escape(span(change.row.start, change.row.end))} {escape(change.row.perms)}</li>"
        for change in diff(outcome.before, outcome.after)
    ]
    if changed:
        yield f"<ul>{''.join(changed)}</ul>"


def _page(title: str, about: str, still: str, data: str, scripts: Iterable[str], mount: str) -> str:
    static = Path(__file__).parents[1] / "widgets" / "static"
    script = "".join((static / name).read_text(encoding="utf-8") for name in scripts) + f"unfold({mount});\n"
    return _PAGE.format(
        title=escape(title),
        about=about,
        css=picture_css() + stylesheet("controls.css"),
        still=still,
        data=data,
        script=script,
        allowed=b64encode(sha256(script.encode()).digest()).decode(),
    )
