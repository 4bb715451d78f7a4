"""What the lessons call, so that no logic stands in a notebook.

    side_by_side(vm, "6.16", "6.17")    the same program under two kernels, as pictures
    same_calls(vm, "6.17")              the same program under another kernel: its last call
    real_kernels(vm, "6.16", "6.17")    models, and recordings of real kernels, one line each
    on_this_machine(vm)                 the same on this machine's kernel, or on a recording where that can't be
    range_rules("6.16", "6.17")         which operations may span several VMAs, tried out
    complaints("6.16", "6.17")          in which order mremap complains, tried out
    stops("6.17")                       how far a move comes, obstacle by obstacle, tried out
    counters(vm, "6.17", "7.3")         VMAs, VmSize and VmLck after a program, as the models count
    errno_rules("6.16", "6.17")         which errno wins where two things are wrong, tried out
    order_of_checks()                   what mremap checks first, release by release
    merge_rules("6.17"), anon_rules("6.12", "6.17"), return_rules("6.17")    what becomes one VMA, tried out
    neighbours(vm)                      what keeps the VMAs that touch apart
    recorded_process(), this_process()  a real process as /proc/self/maps and smaps show it
    rules_that_differ("v3", "6.17")     the named rules in which two releases differ; all_rules(): every one
    suspect(3)                          a model with a planted fault
    hunt(suspect(3)), hunt_here()       random programs until one is answered differently; on this machine
    agreement_table(), left_out()       how true the model is
    signed_table(), signed_steps(move)  how true its steps are: the kernel's own traces
    entries_moved(vm), measure_here("many")    what a move costs: counted, measured; saved, noise, costs_table …
    traced("grow")                      a real program as strace saw it: why a call did what it did
    demo("realloc")                     a real program in miniature, moment by moment
    examine()                           what this machine can show
    snapshot_table(vm.snapshot())       an address space, steps, changes, differences as tables
    charts, recorded()                  measurements of this and other machines, and their charts
    where_kept("seen_vma")              a name in the code of the model's mremap
    exercise("4.2"), check("4.2", …)    a starting point, and words on an answer
    OwnProblems("…")                    problems that a course has drawn for each student

answers.py      one program on several machines, as data, text and table
rules.py        rules as tables, tried out
order.py        the order of checks, as tables, and tried out
obstacles.py    what stops a move, as a table, tried out
accounting.py   what a process is charged for, release by release
trials.py       programs on models, held against recordings
suspects.py     planted faults, and the search for them
evidence.py     how true the model is
costs.py        what moves cost
gain.py         a test before a course and one after it
merges.py       what merges, as tables, tried out; neighbours in one address space
programs.py     real programs, as strace saw them
procfs.py       /proc/self/maps and smaps of a real process
feedback.py     words on an answer
predictions.py  predictions of a call, judged
own_problems.py the problems of a course that are each student's own
exercises/      the exercises, a file for each lesson; what checks them, and runs a learner's code safely
problems/       problems that never run out, by seed
misconceptions/ beliefs that are not so, each as a machine
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from vmalab.differences.live_answers import on_this_machine
    from vmalab.differences.say import differences_table
    from vmalab.machines.measure import recorded
    from vmalab.pictures import charts
    from vmalab.pictures.tables import changes_table, snapshot_table, steps_table
    from vmalab.system.demos import demo
    from vmalab.system.doctor import examine
    from vmalab.teach.accounting import counters
    from vmalab.teach.answers import real_kernels, same_calls, side_by_side
    from vmalab.teach.costs import costs_table, entries_moved, measure_here, middle_halves, noise, saved, where_measured
    from vmalab.teach.evidence import agreement_table, left_out
    from vmalab.teach.exercises import check, checks, exercise
    from vmalab.teach.feedback import Feedback, no_answer, not_yet, solved
    from vmalab.teach.gain import compare_tests, gains_table, read_marks
    from vmalab.teach.merges import anon_rules, merge_rules, neighbours, return_rules
    from vmalab.teach.obstacles import stops
    from vmalab.teach.order import complaints, errno_rules, order_of_checks
    from vmalab.teach.own_problems import OwnProblems
    from vmalab.teach.problems.topics import Topic, add_topic
    from vmalab.teach.procfs import recorded_process, this_process
    from vmalab.teach.programs import traced
    from vmalab.teach.questions import Choice, MultipleChoice, add_questions
    from vmalab.teach.questions.ran import on, on_each
    from vmalab.teach.questions.votes import class_votes
    from vmalab.teach.rules import all_rules, range_rules, rules_that_differ, where_kept
    from vmalab.teach.signatures import signed_steps, signed_table
    from vmalab.teach.suspects import blind_program, calls_of, hunt, hunt_here, random_program, suspect

_HOMES = {
    "Choice": "teach.questions",
    "Feedback": "teach.feedback",
    "MultipleChoice": "teach.questions",
    "OwnProblems": "teach.own_problems",
    "Topic": "teach.problems.topics",
    "add_questions": "teach.questions",
    "add_topic": "teach.problems.topics",
    "agreement_table": "teach.evidence",
    "all_rules": "teach.rules",
    "anon_rules": "teach.merges",
    "blind_program": "teach.suspects",
    "calls_of": "teach.suspects",
    "changes_table": "pictures.tables",
    "charts": "pictures",
    "check": "teach.exercises",
    "checks": "teach.exercises",
    "class_votes": "teach.questions.votes",
    "compare_tests": "teach.gain",
    "complaints": "teach.order",
    "costs_table": "teach.costs",
    "counters": "teach.accounting",
    "demo": "system.demos",
    "differences_table": "differences.say",
    "entries_moved": "teach.costs",
    "errno_rules": "teach.order",
    "examine": "system.doctor",
    "exercise": "teach.exercises",
    "gains_table": "teach.gain",
    "hunt": "teach.suspects",
    "hunt_here": "teach.suspects",
    "left_out": "teach.evidence",
    "measure_here": "teach.costs",
    "merge_rules": "teach.merges",
    "middle_halves": "teach.costs",
    "neighbours": "teach.merges",
    "no_answer": "teach.feedback",
    "noise": "teach.costs",
    "not_yet": "teach.feedback",
    "on": "teach.questions.ran",
    "on_each": "teach.questions.ran",
    "on_this_machine": "differences.live_answers",
    "order_of_checks": "teach.order",
    "random_program": "teach.suspects",
    "range_rules": "teach.rules",
    "read_marks": "teach.gain",
    "real_kernels": "teach.answers",
    "recorded": "machines.measure",
    "recorded_process": "teach.procfs",
    "return_rules": "teach.merges",
    "rules_that_differ": "teach.rules",
    "same_calls": "teach.answers",
    "saved": "teach.costs",
    "side_by_side": "teach.answers",
    "signed_steps": "teach.signatures",
    "signed_table": "teach.signatures",
    "solved": "teach.feedback",
    "snapshot_table": "pictures.tables",
    "steps_table": "pictures.tables",
    "stops": "teach.obstacles",
    "suspect": "teach.suspects",
    "this_process": "teach.procfs",
    "traced": "teach.programs",
    "where_kept": "teach.rules",
    "where_measured": "teach.costs",
}

__all__ = [
    "Choice",
    "Feedback",
    "MultipleChoice",
    "OwnProblems",
    "Topic",
    "add_questions",
    "add_topic",
    "agreement_table",
    "all_rules",
    "anon_rules",
    "blind_program",
    "calls_of",
    "changes_table",
    "charts",
    "check",
    "checks",
    "class_votes",
    "compare_tests",
    "complaints",
    "costs_table",
    "counters",
    "demo",
    "differences_table",
    "entries_moved",
    "errno_rules",
    "examine",
    "exercise",
    "gains_table",
    "hunt",
    "hunt_here",
    "left_out",
    "measure_here",
    "merge_rules",
    "middle_halves",
    "neighbours",
    "no_answer",
    "noise",
    "not_yet",
    "on",
    "on_each",
    "on_this_machine",
    "order_of_checks",
    "random_program",
    "range_rules",
    "read_marks",
    "real_kernels",
    "recorded",
    "recorded_process",
    "return_rules",
    "rules_that_differ",
    "same_calls",
    "saved",
    "side_by_side",
    "signed_steps",
    "signed_table",
    "snapshot_table",
    "solved",
    "steps_table",
    "stops",
    "suspect",
    "this_process",
    "traced",
    "where_kept",
    "where_measured",
]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    home = f"vmalab.{_HOMES[name]}"
    return import_module(f"{home}.{name}") if name == "charts" else getattr(import_module(home), name)


def __dir__() -> list[str]:
    return sorted(__all__)
