"""What to try where a limit was in the way, or where another call than mremap failed."""

from __future__ import annotations

from collections.abc import Iterator

from attrs import evolve

from vmalab.linux.addr import PAGE, page_align
from vmalab.linux.call import Limit, Madvise, Mmap, Mprotect, Mremap, Munlock, Touch
from vmalab.linux.flags import PROT_READ, PROT_WRITE
from vmalab.words.attempts.base import MANY, Attempt, Problem

# --- limits and locks, of any call ---

_LIMIT_OF = {"rlimit_as": "as", "rlimit_memlock": "memlock", "memlock_zero": "memlock"}
_HEADROOMS = (1, 2, 3, 4, 5, 6, 7, 8, 10, 12, 16, 24, 32, 64)


def more_allowed(problem: Problem) -> Iterator[Attempt]:
    key = problem.rule.rpartition(".")[2].partition("/")[0]
    values = problem.values
    resource = _LIMIT_OF.get(key, "map_count")
    if problem.rule.endswith("/data"):
        resource = "data"
    if resource == "map_count":
        rooms: tuple[int, ...] = _HEADROOMS
    elif "pages" in values:
        rooms = (values["pages"],)
    else:
        rooms = (page_align(problem.call.length) // PAGE,)
    for room in rooms:
        yield Attempt(f"allow/{resource}", (Limit(resource, room), problem.call), {"headroom": room})


def within_limit(problem: Problem) -> Iterator[Attempt]:
    values, call = problem.values, problem.call
    room = (values["limit"] - values["total"]) * PAGE
    if room <= 0 or "pages" not in values:
        return
    if isinstance(call, Mremap):
        if call.new_len > call.old_len:
            yield Attempt("only_room", (evolve(call, new_len=page_align(call.old_len) + room),), {"length": room},
                          part=True)  # fmt: skip
    elif room < page_align(call.length):
        yield Attempt("shorter", (evolve(call, length=room),), part=True)


def unlock_first(problem: Problem) -> Iterator[Attempt]:
    yield Attempt("unlock_first", (Munlock(problem.start, problem.end - problem.start), problem.call))


# --- the other calls ---


def mapped_parts(problem: Problem) -> Iterator[Attempt]:
    """The call on what is mapped in its range, stretch by stretch."""
    kept: list[tuple[int, int]] = []
    for piece in problem.pieces:
        if kept and kept[-1][1] == piece.start:
            kept[-1] = kept[-1][0], piece.end
        else:
            kept.append((piece.start, piece.end))
    if kept and len(kept) <= MANY:
        calls = tuple(evolve(problem.call, addr=low, length=high - low) for low, high in kept)
        yield Attempt("mapped_parts", calls)


def map_first(problem: Problem) -> Iterator[Attempt]:
    """Fill the holes of the range first."""
    position, holes = problem.start, []
    for piece in problem.pieces:
        if position < piece.start:
            holes.append((position, piece.start))
        position = piece.end
    if position < problem.end:
        holes.append((position, problem.end))
    if holes and len(holes) <= MANY and problem.end - problem.start <= 1 << 32:
        yield Attempt("map_first", (*(Mmap(low, high - low) for low, high in holes), problem.call))


def access_first(problem: Problem) -> Iterator[Attempt]:
    bare = [piece for piece in problem.pieces if piece.perms.startswith("---")]
    if bare and len(bare) <= MANY:
        yield Attempt("allow_access", (*(Mprotect(area.start, len(area), PROT_READ) for area in bare), problem.call))


def start_of_file(problem: Problem) -> Iterator[Attempt]:
    yield Attempt("start_of_file", (evolve(problem.call, pgoff=0),))


def without_growsdown(problem: Problem) -> Iterator[Attempt]:
    yield Attempt("without_growsdown", (evolve(problem.call, growsdown=False),))


def make_accessible(problem: Problem) -> Iterator[Attempt]:
    """Change the access first, where all is mapped but without the right; else only what has it."""
    call = problem.call
    want = PROT_READ | PROT_WRITE if isinstance(call, Touch) else PROT_READ
    letter = "w" if isinstance(call, Touch) else "r"
    pieces = problem.pieces
    poor = [piece for piece in pieces if letter not in piece.perms]
    if poor and sum(len(piece) for piece in pieces) == problem.end - problem.start:
        yield Attempt("allow_access", (*(Mprotect(piece.start, len(piece), want) for piece in poor), call))
    able = [piece for piece in pieces if letter in piece.perms]
    if able and len(able) <= MANY:
        calls = tuple(evolve(call, addr=piece.start, length=len(piece)) for piece in able)
        yield Attempt("able_parts", calls, part=True)


def remove_guards(problem: Problem) -> Iterator[Attempt]:
    yield Attempt("remove_guards", (Madvise(problem.start, problem.end - problem.start, "guard_remove"), problem.call))


def up_to(problem: Problem) -> Iterator[Attempt]:
    """Stop before the place that the step names."""
    at, call = problem.values["at"], problem.call
    if call.addr < at:
        yield Attempt("up_to", (evolve(call, length=at - call.addr),), {"at": at}, part=True)
