"""The colours of every picture, light and dark, and the style sheet that all of them share.

Colour only repeats what a letter, a pattern or a word says too.  `tests/test_theme.py` holds every pair
against WCAG AA.
In JupyterLab the ground and the text follow the lab's own theme; elsewhere the system's light or dark is taken.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from functools import cache, lru_cache
from pathlib import Path

# name → (light, dark).  "box-*" are fills of VMAs by what may be done with them, "edge-*" their outlines; "scheme" is
# what the browser's own controls follow.
COLOURS: Mapping[str, tuple[str, str]] = {
    "ground": ("#ffffff", "#111111"),
    "text": ("#1b1f24", "#eceff3"),
    "quiet": ("#57606a", "#a8b1bb"),
    "line": ("#7b8490", "#8b949e"),
    "soft": ("#e4e8ec", "#2d333b"),
    "panel": ("#f5f7f9", "#1b1f24"),
    "box-rw": ("#d9e8fc", "#14304f"),
    "edge-rw": ("#1f5fae", "#6cb0ff"),
    "box-r": ("#d8f0dd", "#153620"),
    "edge-r": ("#1a7437", "#63cc82"),
    "box-x": ("#fde4cf", "#4a280c"),
    "edge-x": ("#a04400", "#ffab66"),
    "box-none": ("#ececee", "#2b2e33"),
    "edge-none": ("#62676e", "#a3a9b1"),
    "accent": ("#8a2da5", "#dc9bf0"),
    "move": ("#b06fc4", "#8d4fa3"),
    "target": ("#9a4b00", "#ffb26b"),
    "good": ("#1a7437", "#63cc82"),
    "bad": ("#b3261e", "#ff9a91"),
    "focus": ("#0b57d0", "#a8c7fa"),
    "scheme": ("light", "dark"),
}

FROM_JUPYTER: Mapping[str, str] = {"ground": "--jp-layout-color0", "text": "--jp-content-font-color0"}
"""Colours that JupyterLab's theme sets itself where there is one.  (Its white and #111 are ours too.)"""

DARK_PLACES = (
    '[data-jp-theme-light="false"] .vml',
    'html[data-theme="dark"] .vml',
    '[data-vscode-theme-kind="vscode-dark"] .vml',
    '[data-vscode-theme-kind="vscode-high-contrast"] .vml',
    ".vml.vml-dark",
)
LIGHT_PLACES = (
    '[data-jp-theme-light="true"] .vml',
    'html[data-theme="light"] .vml',
    '[data-vscode-theme-kind="vscode-light"] .vml',
    ".vml.vml-light",
)
"""Where the page says what it is: JupyterLab and nbconvert, the built book, VS Code, and by hand."""


def _variables(which: int, used: Collection[str], *, inherit: bool = True) -> str:
    return "".join(
        f"--vml-{name}:var({FROM_JUPYTER[name]},{pair[which]});" if inherit and name in FROM_JUPYTER
        else f"--vml-{name}:{pair[which]};"
        for name, pair in COLOURS.items() if name in used
    )  # fmt: skip


def variables_css(used: Collection[str] = COLOURS.keys()) -> str:
    """The colours (those `used`) as custom properties of `.vml`: light, dark, and where each holds.

    On paper always light, whatever the screen shows.
    """
    dark = _variables(1, used)
    return (
        f".vml{{{_variables(0, used)}}}"
        f"@media screen{{@media (prefers-color-scheme:dark){{.vml:not({','.join(LIGHT_PLACES)}){{{dark}}}}}"
        f"{','.join(DARK_PLACES)}{{{dark}}}}}"
        f"@media print{{.vml.vml.vml{{{_variables(0, FROM_JUPYTER.keys() & used, inherit=False)}}}}}"
    )


def picture_css() -> str:
    """All that a picture needs, colours included; every selector begins with `.vml`."""
    return variables_css() + stylesheet("picture.css")


def words_css() -> str:
    """What of the picture's styles a card without a picture needs."""
    return variables_css() + "".join(rule for rule in _RULE.findall(stylesheet("picture.css")) if _plain(rule))


def _plain(rule: str) -> bool:
    return _reaches(rule, frozenset({"vml", "vml-card", "vml-veil", "vml-table", "vml-scroll"}), _TAGS)


FIRST_LINE = ".jp-RenderedHTML:has(>.vml){font-size:0}"
"""The first line of an output says what it is where the output is folded; unfolded one sees it."""

_TAGS = frozenset("p ul ol li b code table caption thead tbody tr th td details summary".split())
_RULE = re.compile(r"@media[^{]+\{(?:[^{}]+\{[^}]*\})*\}|[^{}@]+\{[^}]*\}")
_COLOUR = re.compile(r"--vml-([a-z-]+)")


def style_for(html: str) -> str:
    """A style element with what of the picture's styles `html` needs: each output of a notebook must bring its own."""
    classes = frozenset(" ".join(set(re.findall(r'class="([^"]+)"', html))).split())
    tags = frozenset(re.findall(r"<([a-z]+)", html))
    needed = _needed(classes | {"vml"}, tags | {"style"}, frozenset(_COLOUR.findall(html)))
    return f"<style>{FIRST_LINE}{needed}</style>"


@lru_cache(maxsize=256)
def _needed(classes: frozenset[str], tags: frozenset[str], colours: frozenset[str]) -> str:
    rules = [rule for rule in _RULE.findall(stylesheet("picture.css")) if _reaches(rule, classes, tags)]
    text = "".join(rules)
    return variables_css(colours | set(_COLOUR.findall(text))) + text


def _reaches(rule: str, classes: frozenset[str], tags: frozenset[str]) -> bool:
    """Whether a selector of `rule` can match where these classes and tags are; errs on the side of yes."""
    if rule.startswith("@media"):
        return True
    selectors = re.sub(r"\([^)]*\)|\[[^\]]*\]|:[a-z-]+", "", rule.partition("{")[0])
    return any(
        classes.issuperset(re.findall(r"\.([\w-]+)", one)) and tags.issuperset(re.findall(r"(?:^| )([a-z]+)", one))
        for one in selectors.split(",")
    )


@cache
def stylesheet(name: str) -> str:
    """The text of `widgets/static/NAME`, without comments and line ends."""
    text = (Path(__file__).parents[1] / "widgets" / "static" / name).read_text(encoding="utf-8")
    return re.sub(r"/\*.*?\*/|\n\s*", "", text, flags=re.DOTALL)
