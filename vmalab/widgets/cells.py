"""A lesson's code cells outside of a notebook: what must run before a cell, so that it can be run at any moment.

A notebook's cells share their names, and a reader who runs them out of order meets what a later cell has left there.
Here a cell is run in names of its own, after those before it that it builds on, and after no others.
"""

from __future__ import annotations

import ast
from collections.abc import Sequence
from functools import cache
from typing import Any


def needed(codes: Sequence[str], index: int) -> list[int]:
    """The cells before `index` that the cell there builds on, in order: those that make or change a name it uses.

    >>> needed(["a = [1]", "b = 2", "a.append(3)", "print(b)", "a"], 4)
    [0, 2]

    A cell that can't be read as Python builds on nothing, and nothing on it.  O(code of the cells before it).
    """
    wanted = set(_names(codes[index])[0])
    found = []
    for earlier in range(index - 1, -1, -1):
        used, made = _names(codes[earlier])
        if (used | made) & wanted and not _only_shows(codes[earlier]):
            found.append(earlier)
            wanted = (wanted - (made - used)) | used
    return found[::-1]


def value_of(code: str, names: dict[str, Any], called: str) -> Any:
    """Run a cell's code in `names`; the value of its last line, None where that is a statement.

    `called`: what tracebacks call the code.  What the code raises is raised here.
    """
    tree = ast.parse(code, called)
    last = tree.body.pop() if tree.body and isinstance(tree.body[-1], ast.Expr) else None
    exec(compile(tree, called, "exec"), names)
    if not isinstance(last, ast.Expr):
        return None
    return eval(compile(ast.Expression(last.value), called, "eval"), names)


@cache
def _names(code: str) -> tuple[frozenset[str], frozenset[str]]:
    """The names that a cell takes from those before it, and those that it makes (or makes anew)."""
    try:
        tree = ast.parse(code)
    except (SyntaxError, ValueError):
        return frozenset(), frozenset()
    used: set[str] = set()
    made: set[str] = set()
    for statement in tree.body:
        nodes = list(ast.walk(statement))
        loads = {node.id for node in nodes if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load)}
        inside = {node.arg for node in nodes if isinstance(node, ast.arg)}
        used |= loads - made - inside
        made |= {node.id for node in nodes if isinstance(node, ast.Name) and not isinstance(node.ctx, ast.Load)}
        made |= {node.name for node in nodes if isinstance(node, ast.FunctionDef | ast.ClassDef)}
        made |= {
            (alias.asname or alias.name).partition(".")[0]
            for node in nodes
            if isinstance(node, ast.Import | ast.ImportFrom)
            for alias in node.names
        }
        # what is assigned under a condition, or added to, may also be what was there before
        if isinstance(statement, ast.AugAssign) and isinstance(statement.target, ast.Name):
            used.add(statement.target.id)
    return frozenset(used), frozenset(made)


@cache
def _only_shows(code: str) -> bool:
    """Whether a cell is one call of a function, such as `Stepper(out)`, which changes none of its arguments."""
    try:
        body = ast.parse(code).body
    except (SyntaxError, ValueError):
        return True
    shown = body[0].value if len(body) == 1 and isinstance(body[0], ast.Expr) else None
    return isinstance(shown, ast.Name) or (isinstance(shown, ast.Call) and isinstance(shown.func, ast.Name))
