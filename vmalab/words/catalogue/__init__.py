"""Every text that explains something, with named placeholders: the one place to write, correct and translate them.

    steps.py     what happened inside a call, one sentence a step
    refusals.py  why a call was refused, one clause a rule
    outcomes.py  a whole call in one sentence, and what a failed call leaves behind
    advice.py    what would have made a call work
    costs.py     what a move costs
    words.py     errnos, reasons, limits, plurals: the words that other texts are built from
    misconceptions.py  what learners believe that is not so, and what is true instead
    problems.py  what problems ask, and what is said to an answer
    sources.py   the third depth: where in the kernel, which commit, which man page

Texts only; `vmalab.words.wording` fills them in and `vmalab.words.explain` chooses among them.  A placeholder is
`{name:kind}`:
the name of a value of the step, and how to write it (`{start:place}` "page 64", `{length:size}` "5 pages",
`{vma:vma}` "[0 to 1 rw-p]"); kinds of two values join their names with dots (`{start..end:span}` "pages 0 to 4").
`{why:@merge}` puts in the text of group `merge` that the value names.

A translation is a dict of the same shape as `TEXTS`, given to `vmalab.words.wording.use`.
"""

from __future__ import annotations

from vmalab.words.catalogue.advice import ADVICE, HELP
from vmalab.words.catalogue.costs import COST_LINES, COST_PRESENT, COST_TERMS, COST_WHY, COSTS
from vmalab.words.catalogue.misconceptions import BELIEFS, TRUTHS
from vmalab.words.catalogue.outcomes import LEFT, OUTCOMES
from vmalab.words.catalogue.problems import KINDS, NEAR, QUESTIONS, TOPICS
from vmalab.words.catalogue.problems import WORDS as QUIZ
from vmalab.words.catalogue.refusals import REFUSALS
from vmalab.words.catalogue.sources import FILES, MORE
from vmalab.words.catalogue.steps import STEPS
from vmalab.words.catalogue.words import (
    CALL_NAMES,
    ERRNOS,
    GLUE,
    IN_PLACE,
    MERGE_REASONS,
    NOT_ALLOWED,
    PLURALS,
    RESOURCES,
    SIDES,
    SIGNALS,
    SPECIALS,
)

Texts = dict[str, dict[str, str]]

TEXTS: Texts = {
    "step": STEPS,
    "refusal": REFUSALS,
    "outcome": OUTCOMES,
    "left": LEFT,
    "advice": ADVICE,
    "help": HELP,
    "belief": BELIEFS,
    "truth": TRUTHS,
    "cost": COSTS,
    "cost_term": COST_TERMS,
    "cost_present": COST_PRESENT,
    "cost_why": COST_WHY,
    "cost_line": COST_LINES,
    "errno": ERRNOS,
    "signal": SIGNALS,
    "merge": MERGE_REASONS,
    "not_allowed": NOT_ALLOWED,
    "in_place": IN_PLACE,
    "side": SIDES,
    "resource": RESOURCES,
    "call": CALL_NAMES,
    "special": SPECIALS,
    "plural": PLURALS,
    "glue": GLUE,
    "topic": TOPICS,
    "question": QUESTIONS,
    "question_kind": KINDS,
    "near": NEAR,
    "quiz": QUIZ,
    "more": MORE,
    "file": FILES,
}
"""Group → key → text."""
