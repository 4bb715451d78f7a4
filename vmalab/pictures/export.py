"""One self-contained page that plays an outcome, or a whole program: no kernel, no network, no Python to read it.

Below the player stands the same picture as a still one with its words, for a browser without scripts and for paper.
"""

from __future__ import annotations

from html import escape
from pathlib import Path
from typing import Any

from vmalab.machines.machine import Played
from vmalab.machines.outcome import Outcome
from vmalab.pictures.display import outcome_html
from vmalab.pictures.frames import as_json, player_data
from vmalab.pictures.theme import picture_css, stylesheet

SCRIPTS = ("picture.js", "player.js", "program.js")
"""Of `widgets/static`: what a page of several calls needs; one call does without the last."""

_PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title>
<style>{css}
body{{margin:0 auto;max-width:1140px;padding:16px;background:var(--vml-ground)}}
h1{{font-size:1.3em;margin:0 0 12px;overflow-wrap:anywhere}}
h2{{font-size:1.1em;margin:16px 0 4px;overflow-wrap:anywhere}}
.vml-program .vml-steps{{margin-bottom:12px}}
</style>
</head>
<body class="vml">
<main>
<h1>{title}</h1>
{about}<div id="player"></div>
<noscript>{still}</noscript>
<details><summary>Before and after as text</summary>{still}</details>
</main>
<script type="application/json" id="data">{data}</script>
<script type="module">
{script}
{mount}(document.getElementById("player"), JSON.parse(document.getElementById("data").textContent));
</script>
</body>
</html>
"""


def outcome_page(outcome: Outcome, title: str = "") -> str:
    """The page of one call, as text.  `title` stands for the call itself if not given."""
    data = player_data(outcome)
    return _page(title or data["title"], "", outcome_html(outcome, style=False), data, SCRIPTS[:2], "mount")


def program_page(played: Played, title: str = "") -> str:
    """The page of a whole program, as text: its calls to choose from, each with its player.

    `title` stands for the scenario's name if not given.  O(frames of all calls).
    """
    count = len(played.outcomes)
    about = f"{count} call{'' if count == 1 else 's'} on {played.machine}."
    if played.error is not None:
        about += f" It could not be run to its end: {played.error}."
    calls = [player_data(outcome) for outcome in played.outcomes]
    stills = [
        f"<h2>{number}. {escape(told['title'])}</h2>{outcome_html(outcome, style=False)}"
        for number, (outcome, told) in enumerate(zip(played.outcomes, calls, strict=True), 1)
    ]
    return _page(
        title or played.scenario.name, f"<p>{escape(about)}</p>", "".join(stills), {"calls": calls}, SCRIPTS,
        "mountProgram",
    )  # fmt: skip


def _page(title: str, about: str, still: str, data: dict[str, Any], scripts: tuple[str, ...], mount: str) -> str:
    static = Path(__file__).parents[1] / "widgets" / "static"
    return _PAGE.format(
        title=escape(title),
        about=about,
        css=picture_css() + stylesheet("controls.css"),
        still=still,
        # inside a script element only "</" and "<!--" could end it too early
        data=as_json(data).replace("<", "\\u003c"),
        script="".join((static / name).read_text(encoding="utf-8") for name in scripts),
        mount=mount,
    )
