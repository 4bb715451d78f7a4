"""The catalogue against the model: every step that `vmalab.linux.mm` can note has a text, and no text is left over.

The pairs of function and key are read off the source of `vmalab.linux.mm`, so that a new step without words fails here
before anybody meets it.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest
from attrs import field, frozen

import vmalab
from vmalab.words import explain, wording
from vmalab.words.catalogue import TEXTS
from vmalab.words.explain import CASES, entry

PACKAGE = Path(vmalab.__file__).parent
EMITTERS = {"note": 0, "replace": 0, "put_pages": 0, "clear_pages": 0, "note_pages": 0, "Step": 0, "Refusal": 1}
"""What notes a step → the position of its argument `func`; the key follows it."""


@frozen
class Site:
    """One place in `vmalab.linux.mm` that notes a step."""

    where: str
    refused: bool
    funcs: frozenset[str]
    keys: frozenset[str]
    values: frozenset[str]


@frozen
class Function:
    """A function of `vmalab.linux.mm`, for looking up what its names stand for."""

    module: ast.Module
    node: ast.FunctionDef
    is_method: bool = False
    parameters: list[str] = field(init=False)

    @parameters.default
    def _names(self) -> list[str]:
        names = [argument.arg for argument in (*self.node.args.posonlyargs, *self.node.args.args)]
        return names[1:] if self.is_method else names

    def default(self, name: str) -> ast.expr | None:
        arguments = self.node.args
        for argument, value in zip(reversed(arguments.args), reversed(arguments.defaults), strict=False):
            if argument.arg == name:
                return value
        for argument, value in zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True):
            if argument.arg == name:
                return value
        return None

    def has(self, name: str) -> bool:
        return name in self.parameters or name in [argument.arg for argument in self.node.args.kwonlyargs]


def called(call: ast.Call) -> str:
    """The name of what is called."""
    return call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")


@cache
def functions() -> list[Function]:
    found = []
    for path in sorted((PACKAGE / "linux" / "mm").glob("*.py")):
        module = ast.parse(path.read_text(), str(path))
        for node in ast.walk(module):
            if isinstance(node, ast.ClassDef):
                found += [Function(module, method, True) for method in node.body if isinstance(method, ast.FunctionDef)]
        methods = {id(function.node) for function in found}
        found += [
            Function(module, node)
            for node in ast.walk(module)
            if isinstance(node, ast.FunctionDef) and id(node) not in methods
        ]
    return found


def strings(expression: ast.expr | None, function: Function, trail: tuple[tuple[str, str], ...] = ()) -> set[str]:
    """All strings that `expression` in `function` can be."""
    if isinstance(expression, ast.Constant):
        return {expression.value} if isinstance(expression.value, str) else set()
    if isinstance(expression, ast.IfExp):
        return strings(expression.body, function, trail) | strings(expression.orelse, function, trail)
    if not isinstance(expression, ast.Name):
        return set()
    name = expression.id
    found: set[str] = set()
    for scope in (function.node, function.module):
        for node in ast.walk(scope) if scope is function.node else scope.body:
            for target, value in assigned(node):
                if target == name:
                    found |= strings(value, function, trail)
    if function.has(name) and (function.node.name, name) not in trail:
        found |= passed(function, name, (*trail, (function.node.name, name)))
    return found


def assigned(node: ast.AST) -> Iterator[tuple[str, ast.expr]]:
    """The names that a statement gives a value, one by one, with the value."""
    if not isinstance(node, ast.Assign) or len(node.targets) != 1:
        return
    target = node.targets[0]
    if isinstance(target, ast.Name):
        yield target.id, node.value
    elif isinstance(target, ast.Tuple):
        sides = [node.value.body, node.value.orelse] if isinstance(node.value, ast.IfExp) else [node.value]
        for side in sides:
            if isinstance(side, ast.Tuple):
                for one, value in zip(target.elts, side.elts, strict=True):
                    if isinstance(one, ast.Name):
                        yield one.id, value


def passed(function: Function, name: str, trail: tuple[tuple[str, str], ...]) -> set[str]:
    """All strings that callers pass as parameter `name`, and its default."""
    found = strings(function.default(name), function, trail)
    for caller in functions():
        for node in ast.walk(caller.node):
            if not isinstance(node, ast.Call) or called(node) != function.node.name:
                continue
            values = [keyword.value for keyword in node.keywords if keyword.arg == name]
            if name in function.parameters and function.parameters.index(name) < len(node.args):
                values.append(node.args[function.parameters.index(name)])
            for value in values:
                found |= strings(value, caller, trail)
    return found


def given(expression: ast.expr, function: Function) -> set[str]:
    """The keys of the dict that `expression` in `function` is."""
    if isinstance(expression, ast.Dict):
        return {key.value for key in expression.keys if isinstance(key, ast.Constant)}
    assert isinstance(expression, ast.Name)
    values = [value for node in ast.walk(function.node) for name, value in assigned(node) if name == expression.id]
    return set.union(*(given(value, function) for value in values))


@cache
def sites() -> list[Site]:
    found = []
    for function in functions():
        if function.node.name in {*EMITTERS, "__init__"}:
            continue
        for node in ast.walk(function.node):
            if not isinstance(node, ast.Call) or called(node) not in EMITTERS:
                continue
            name, first = called(node), EMITTERS[called(node)]
            if any(keyword.arg is None for keyword in node.keywords):
                continue  # madvise hands a refusal on, values and all
            values = {keyword.arg for keyword in node.keywords if keyword.arg}
            if name == "Step":
                values = given(node.args[2], function)
            if name == "clear_pages":
                values |= {"start", "end"}
            if name == "replace":
                values.add("removed")
            found.append(
                Site(
                    f"{function.node.name}:{node.lineno}",
                    name == "Refusal",
                    frozenset(strings(node.args[first], function)),
                    frozenset(strings(node.args[first + 1], function)),
                    frozenset(values),
                )
            )
    return found


def pairs() -> set[tuple[str, str, bool]]:
    return {(func, key, site.refused) for site in sites() for func in site.funcs for key in site.keys}


def names_of(func: str, key: str, refused: bool) -> list[str]:
    """The catalogue keys that `narrate` may choose for it."""
    name = entry(func, key, refused)
    group = TEXTS["refusal" if refused else "step"]
    if name in group:
        return [name]
    case = CASES.get(name) or CASES.get(key)
    return [f"{name}/{one}" for one in case[0]] if case else [name]


def needed(group: str, key: str) -> set[str]:
    """The names of the values that a text needs, those of the texts it puts in included."""
    found: set[str] = set()
    for _, names, kind in wording.placeholders(TEXTS[group][key]):
        found.update(names)
        if kind.startswith("@"):
            for inner in TEXTS[kind[1:]]:
                found |= needed(kind[1:], inner)
    return found


def missing(group: str, key: str, values: frozenset[str]) -> set[str]:
    lacking = set()
    for name in needed(group, key) - values:
        if name not in wording.DERIVED or not set(wording.DERIVED[name][0]) <= values:
            lacking.add(name)
    return lacking


# --- every step has words ---


def test_every_site_is_understood() -> None:
    assert [] == [site.where for site in sites() if not site.funcs or not site.keys]
    assert len(sites()) > 100


def test_every_step_has_a_text() -> None:
    lacking = [
        (func, key, name)
        for func, key, refused in pairs()
        for name in names_of(func, key, refused)
        if name not in TEXTS["refusal" if refused else "step"]
    ]
    assert [] == lacking


def test_every_placeholder_has_a_value() -> None:
    lacking = [
        (site.where, name, gone)
        for site in sites()
        for func in site.funcs
        for key in site.keys
        for name in names_of(func, key, site.refused)
        if (gone := missing("refusal" if site.refused else "step", name, site.values))
    ]
    assert [] == lacking


def test_every_background_has_its_values() -> None:
    lacking = [
        (site.where, name, gone)
        for site in sites()
        for func in site.funcs
        for key in site.keys
        for name in names_of(func, key, site.refused)
        if name in TEXTS["more"] and (gone := missing("more", name, site.values))
    ]
    assert [] == lacking


def test_every_function_has_its_file() -> None:
    assert {func for func, _, _ in pairs()} == set(TEXTS["file"])


# --- no words are left over ---


def test_no_text_of_a_step_is_unused() -> None:
    for group, refused in (("step", False), ("refusal", True)):
        used = {name for func, key, was in pairs() if was == refused for name in names_of(func, key, refused)}
        assert set(TEXTS[group]) == used


def test_backgrounds_belong_to_steps() -> None:
    assert set(TEXTS["more"]) <= set(TEXTS["step"]) | set(TEXTS["refusal"])


def test_every_case_is_used() -> None:
    keys = {key for _, key, _ in pairs()} | {entry(*pair) for pair in pairs()}
    assert set(CASES) <= keys


WORDS = PACKAGE / "words"


@cache
def quoted_words() -> str:
    """The code of those who use the catalogue, as text."""
    pictures = (PACKAGE / "pictures" / name for name in ("svgcosts.py", "svggrid.py"))
    paths = [*WORDS.glob("*.py"), *(WORDS / "attempts").glob("*.py"), *pictures]
    return "\n".join(path.read_text() for path in paths)


@pytest.mark.parametrize("group", ["outcome", "left", "advice", "cost", "glue", "special"])
def test_no_other_text_is_unused(group: str) -> None:
    calls = (
        "mprotect madvise mlock munlock mseal uffd uffd_unregister uffd_copy uffd_zeropage".split()
    )  # told under their own names
    code = quoted_words()
    unused = [
        key
        for key in TEXTS[group]
        if key not in calls
        and f'"{key}"' not in code
        and f'f"{key.partition("/")[0]}/{{' not in code
        and not re.search(rf'f"{re.escape(key.rpartition("_")[0])}_', code)
    ]
    assert [] == unused


# --- the texts themselves ---

ALL = [(group, key) for group, entries in TEXTS.items() for key in entries]
BY_FORMAT = {"plural", "glue"}
"""Groups that are filled in with `str.format`: their placeholders have no kind."""


@pytest.mark.parametrize(("group", "key"), ALL)
def test_texts_are_well_formed(group: str, key: str) -> None:
    text = TEXTS[group][key]
    assert "!" not in text
    assert "  " not in text
    assert text == text.strip() or group == "glue"
    for _, names, kind in wording.placeholders(text):
        if names and kind:
            assert kind in wording.KINDS or kind.removeprefix("@") in TEXTS
        elif names:
            assert group in BY_FORMAT or group == "advice"


def test_steps_are_sentences_and_refusals_are_clauses() -> None:
    assert [] == [key for key, text in TEXTS["step"].items() if not text.endswith((".", "husk}"))]
    clauses = {**TEXTS["refusal"], **TEXTS["outcome"], **TEXTS["left"]}
    assert [] == [key for key, text in clauses.items() if text.endswith(".") and not key.startswith("reason_")]
    assert [] == [key for key, text in clauses.items() if re.match("The |A |What ", text) and "reason" not in key]


def test_no_text_is_written_twice() -> None:
    seen: dict[str, str] = {}
    for group, key in ALL:
        text = TEXTS[group][key]
        if len(text) < 30 or group in ("more", "file"):
            continue
        assert text not in seen, f"{group}.{key} says the same as {seen[text]}"
        seen[text] = f"{group}.{key}"


def test_placeholders_of_two_values() -> None:
    assert [("", ("start", "end"), "span"), (" and ", ("a",), "")] == wording.placeholders("{start..end:span} and {a}")


# --- another language ---


def test_a_translation_replaces_every_sentence() -> None:
    """Nothing that a learner reads as a sentence is written outside the catalogue."""
    step = vmalab_step()
    before = explain.narrate(step)
    wording.use({group: {key: mark(text) for key, text in entries.items()} for group, entries in TEXTS.items()})
    try:
        assert "«EFAULT: «nothing is mapped at page 3, where the old range starts».»" == explain.narrate(step)
        assert "«1 VMA»" == wording.number_of("VMAs", 1)
    finally:
        wording.use(TEXTS)
    assert before == explain.narrate(step)


def mark(text: str) -> str:
    return "|".join(f"«{part}»" for part in text.split("|"))


def vmalab_step() -> explain.Step:
    from vmalab.linux.addr import page
    from vmalab.linux.mm.trace import Step

    return Step("check_prep_vma", "nothing_at_addr", {"start": page(3)}, "EFAULT")
