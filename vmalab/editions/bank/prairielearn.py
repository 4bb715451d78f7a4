"""PrairieLearn: a course folder with a question for each kind, which draws a problem for each student and judges it.

A question is `info.json`, `question.html` and `server.py` (`generate` makes a variant, `grade` judges an answer).
What they need lies in `serverFilesCourse/`: the core of vmalab, the secret text, and `vmalab_bank.py`, which stands in
`static/prairielearn/`.  Students see nothing of that folder.
"""

from __future__ import annotations

import json
from pathlib import Path
from uuid import NAMESPACE_URL, uuid5

from vmalab.editions.bank.core import core_files
from vmalab.editions.bank.draw import FREE, Wanted, drawn, seed_of
from vmalab.errors import UsageError
from vmalab.words.wording import word

STATIC = Path(__file__).parents[1] / "static" / "prairielearn"

SERVER = """\
import vmalab_bank

FROM = {made!r}


def generate(data):
    vmalab_bank.generate(data, **FROM)


def grade(data):
    vmalab_bank.grade(data, **FROM)
"""

CHOICES = """\
<pl-multiple-choice answers-name="answer" order="fixed" hide-letter-keys="true">
  {{#params.choices}}
  <pl-answer correct="{{right}}" feedback="{{said}}"><code>{{text}}</code></pl-answer>
  {{/params.choices}}
</pl-multiple-choice>
"""

WRITTEN = """\
<pl-string-input answers-name="answer" label="Answer" size="100" remove-spaces="false"></pl-string-input>
"""

PAGE = """\
<pl-question-panel>
{{{{{{params.question}}}}}}
</pl-question-panel>
{answer}<pl-answer-panel>
{{{{{{params.explanation}}}}}}
</pl-answer-panel>
"""


def make(wanted: Wanted, folder: Path) -> None:
    """Write the course into `folder`: `infoCourse.json`, `questions/`, `serverFilesCourse/`."""
    topic = word("topic", wanted.topic)
    course = {
        "uuid": _uuid(wanted, "course"), "name": "vmalab", "title": "What mremap really does", "topics": [
            {"name": f"{wanted.topic} {topic}", "color": "blue1"},
        ],
    }  # fmt: skip
    _json(folder / "infoCourse.json", course)
    made = 0
    for kind in wanted.kinds:
        if drawn(wanted.secret, f"{wanted.topic}/{wanted.level}/{kind} 0", wanted.topic, wanted.level, kind) is None:
            if wanted.kind:
                raise UsageError(f"topic {wanted.topic}, level {wanted.level} has no problems of the kind {kind}")
            continue  # a kind that this level seldom has
        _question(wanted, kind, folder / "questions" / "vmalab" / f"{wanted.topic}-{wanted.level}-{kind}")
        made += 1
    if not made:
        raise UsageError(f"topic {wanted.topic}, level {wanted.level} has no problems")
    server = folder / "serverFilesCourse"
    for name, content in core_files():
        path = server / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    for module in ("__init__", "draw", "paper", "question"):
        path = server / "vmalab" / "editions" / "bank" / f"{module}.py"
        path.parent.mkdir(parents=True, exist_ok=True)
        source = Path(__file__).with_name(f"{module}.py").read_text(encoding="utf-8")
        path.write_text("" if module == "__init__" else source, encoding="utf-8")
    (server / "vmalab" / "editions" / "__init__.py").write_text("", encoding="utf-8")
    (server / "vmalab_bank.py").write_text(
        (STATIC / "vmalab_bank.py.txt").read_text(encoding="utf-8"), encoding="utf-8"
    )
    (server / "vmalab_secret.txt").write_text(wanted.secret, encoding="utf-8")


def _question(wanted: Wanted, kind: str, folder: Path) -> None:
    info = {
        "uuid": _uuid(wanted, kind), "title": f"{word('topic', wanted.topic).capitalize()}", "type": "v3",
        "topic": f"{wanted.topic} {word('topic', wanted.topic)}", "tags": ["vmalab", kind],
    }  # fmt: skip
    made = {"topic": wanted.topic, "level": wanted.level, "kind": kind, "count": wanted.count}
    folder.mkdir(parents=True)
    _json(folder / "info.json", info)
    page = PAGE.format(answer=WRITTEN if kind in FREE else CHOICES)
    (folder / "question.html").write_text(page, encoding="utf-8")
    (folder / "server.py").write_text(SERVER.format(made=made), encoding="utf-8")


def _uuid(wanted: Wanted, what: str) -> str:
    """The same for the same bank, so that building it again is no new question to PrairieLearn."""
    return str(uuid5(NAMESPACE_URL, f"{seed_of(wanted.secret, what)}/{wanted.topic}/{wanted.level}/{what}"))


def _json(path: Path, content: object) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")
