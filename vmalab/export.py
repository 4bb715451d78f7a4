"""One self-contained page that plays an outcome: no kernel, no network, no Python needed to read it.

Below the player stands the same picture as a still one with its words, for a browser without scripts and for paper.
"""

from __future__ import annotations

from html import escape
from pathlib import Path

from vmalab.display import outcome_html
from vmalab.frames import as_json, player_data
from vmalab.outcome import Outcome
from vmalab.theme import picture_css, stylesheet

_PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title>
<style>{css}
body{{margin:0 auto;max-width:1140px;padding:16px;background:var(--vml-ground)}}
h1{{font-size:1.3em;margin:0 0 12px;overflow-wrap:anywhere}}
</style>
</head>
<body class="vml">
<main>
<h1>{title}</h1>
<div id="player"></div>
<noscript>{still}</noscript>
<details><summary>Before and after as text</summary>{still}</details>
</main>
<script type="application/json" id="data">{data}</script>
<script type="module">
{script}
mount(document.getElementById("player"), JSON.parse(document.getElementById("data").textContent));
</script>
</body>
</html>
"""


def outcome_page(outcome: Outcome, title: str = "") -> str:
    """The page as text.  `title` stands for the call itself if not given."""
    data = player_data(outcome)
    script = (Path(__file__).parent / "widgets" / "static" / "player.js").read_text(encoding="utf-8")
    return _PAGE.format(
        title=escape(title or data["title"]),
        css=picture_css() + stylesheet("controls.css"),
        still=outcome_html(outcome, style=False),
        # inside a script element only "</" and "<!--" could end it too early
        data=as_json(data).replace("<", "\\u003c"),
        script=script,
    )
