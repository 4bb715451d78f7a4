"""A call that failed: what its errno means, and what it had done by the time it was refused.

A system call that fails may have changed something all the same; what that is shows in the rows before and after it,
on every machine.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence

from vmalab.linux.addr import PAGE, WORD, page_align
from vmalab.linux.call import Mremap, Read, Touch
from vmalab.linux.flags import MREMAP_DONTUNMAP, MREMAP_FIXED
from vmalab.machines.outcome import Move, Outcome, Row
from vmalab.words.summary import Area, call_name, grown, inside
from vmalab.words.wording import clauses, listed, say, texts, word

KILLED = "KILLED"
"""What the live machine says when the process did not survive the call."""


def errno_name(errno: str) -> str:
    """How an error is called: its symbol, or the signal's name where an access ended with one (`SEGV` → `SIGSEGV`)."""
    return texts()["signal"].get(errno, errno)


def errno_meaning(errno: str) -> str:
    """What `errno` (`"EFAULT"`, `"SEGV"`) means for the calls of this package, as a phrase after "EFAULT means …".

    >>> errno_meaning("EEXIST")
    'that something exists already: a mapping where nothing may be replaced, or a page that was to be filled'
    """
    return texts()["errno"].get(errno) or word("errno", "unknown")


def failure(outcome: Outcome, rule: str | None) -> str:
    """The story of a call that failed, in one sentence without a full stop; `rule`: the clause of what refused it."""
    assert outcome.errno is not None
    ended, why = outcome.errno in texts()["signal"], rule or access_reason(outcome)
    if why is None:
        key, why = "ended_unexplained" if ended else "failed_unexplained", errno_meaning(outcome.errno)
    else:
        key = "ended" if ended else "failed"
    said = [say("outcome", key, call=call_name(outcome.call), errno=errno_name(outcome.errno), why=why)]
    done = damage(outcome)
    if done:
        said.append(say("outcome", "by_then", done=listed(done)))
    return clauses(said)


def full_reason(outcome: Outcome, rule: str | None) -> str:
    """The same in sentences: what the errno means, the rule, what had been done by then."""
    assert outcome.errno is not None
    said = [say("outcome", "reason_errno", errno=errno_name(outcome.errno), meaning=errno_meaning(outcome.errno))]
    why = rule or access_reason(outcome)
    said.append(word("outcome", "reason_no_rule") if why is None else say("outcome", "reason_rule", why=why))
    done = damage(outcome)
    if done:
        said.append(say("outcome", "reason_done", done=listed(done)))
    elif outcome.errno != KILLED:
        said.append(word("outcome", "reason_intact"))
    return " ".join(said)


def _access_ended(errno: str, row: Row) -> str:
    """Why a page that is mapped with the right to it can't be read, by the end of the access: the key of a refusal."""
    if errno == "BUS":
        return "past_file_end/shmem" if row.backing == "shmem" else "past_file_end/file"
    return "guard_hit" if errno == "SEGV" else "uffd_hit"


_NO_RIGHT = {"r": "not_readable", "w": "access_error.not_writable"}


def access_reason(outcome: Outcome) -> str | None:
    """Why a read or a write of pages ended early, as far as the rows after it tell; None for other calls."""
    call, errno, values = outcome.call, outcome.errno, outcome.values
    if not isinstance(call, Read | Touch) or errno not in ("SEGV", "BUS", "UFFD"):
        return None
    right = "r" if isinstance(call, Read) else "w"
    if values is None:
        numbers: Sequence[int] = range(page_align(call.length) // PAGE)
    else:
        numbers = [number for number, value in enumerate(values) if value is None][:1]
    for number in numbers:
        at = (call.addr // PAGE + number) * PAGE
        row = outcome.after.at(at)
        if row is None:
            return say("refusal", "not_mapped", at=at)
        if right not in row.perms:
            return say("refusal", _NO_RIGHT[right], vma=row)
        if values is not None:
            return say("refusal", _access_ended(errno, row), at=at, vma=row)
    return None


# --- what had been done ---


def damage(outcome: Outcome) -> list[str]:
    """What a failed call changed before it was refused, as phrases after "by then it had …"; empty for nothing.

    O(VMAs).
    """
    if outcome.errno == KILLED:
        return []  # with the process all is gone
    stacks: list[str] = []
    if isinstance(outcome.call, Touch | Read):
        stacks = [say("left", "stack", length=length, vma=row) for row, length in grown(outcome)]
    if isinstance(outcome.call, Read):
        return stacks  # else it only brings pages in
    before, after = _different(outcome.before.rows, outcome.after.rows)
    if not before and not after:
        return []
    moves = outcome.moves or _inferred_moves(outcome)
    said = [_moved(outcome, moves)] if moves else []
    found = _stretches(before, after, moves)
    gone = found.pop("unmapped", [])
    if stacks:
        del found["mapped"]
        said += stacks
    for move in moves:
        gone += inside(before, move.target, move.target + move.end - move.start)
    said += _unmapped(outcome, gone)
    said += [say("left", key, vmas=found[key]) for key in ("mapped", "changed", "pages", "anon_vma") if key in found]
    return said + _cuts(before, after, moves)


def _different(before: Sequence[Row], after: Sequence[Row]) -> tuple[list[Row], list[Row]]:
    """The rows of each side that the other side has not got just so."""
    old, new = {row.start: row for row in before}, {row.start: row for row in after}
    return (
        [row for row in before if new.get(row.start) != row],
        [row for row in after if old.get(row.start) != row],
    )


def _inferred_moves(outcome: Outcome) -> tuple[Move, ...]:
    """The moves of a machine that tells none: what lay in the old range and is now at its target instead."""
    call = outcome.call
    if outcome.steps or not isinstance(call, Mremap) or not call.flags & MREMAP_FIXED:
        return ()
    start, target = call.addr & WORD, call.new_addr & WORD
    found = []
    for piece in inside(outcome.before, start, start + page_align(call.old_len & WORD)):
        goal = target + piece.start - start
        there, stays = outcome.after.at(goal), outcome.after.at(piece.start) is not None
        if there is None or (there.perms, there.backing) != (piece.perms, piece.backing):
            break
        if stays and not (call.flags & MREMAP_DONTUNMAP and outcome.before.at(goal) is None):
            break
        found.append(Move(piece.start, piece.end, goal))
    return tuple(found)


def _moved(outcome: Outcome, moves: Sequence[Move]) -> str:
    return say("left", "moved", count=len(moves), length=sum(move.end - move.start for move in moves),
               target=moves[0].target)  # fmt: skip


def _stretches(before: Sequence[Row], after: Sequence[Row], moves: Sequence[Move]) -> dict[str, list[Area]]:
    """What differs between the rows, stretch by stretch, by its kind; what only moved is left out."""
    edges = sorted({edge for row in (*before, *after) for edge in (row.start, row.end)})
    found: dict[str, list[Area]] = {}
    old, new = iter([*before, None]), iter([*after, None])
    was, now = next(old), next(new)
    for low, high in itertools.pairwise(edges):
        while was is not None and was.end <= low:
            was = next(old)
        while now is not None and now.end <= low:
            now = next(new)
        a = was if was is not None and was.start <= low else None
        b = now if now is not None and now.start <= low else None
        kind = _kind(a, b, low, high)
        if kind is None or any(_covers(move, low) for move in moves):
            continue
        row = a or b
        assert row is not None
        areas = found.setdefault(kind, [])
        if areas and areas[-1].row is row and areas[-1].end == low:
            areas[-1].end = high
        else:
            areas.append(Area(row, low, high))
    return found


def _covers(move: Move, address: int) -> bool:
    length = move.end - move.start
    return move.start <= address < move.end or move.target <= address < move.target + length


def _kind(was: Row | None, now: Row | None, low: int, high: int) -> str | None:
    """What happened to [low, high): a key of the catalogue's group `left`, or None for nothing that shows."""
    if was is None or now is None:
        return None if was is now else ("mapped" if was is None else "unmapped")
    if (was.perms, was.backing, was.flags) != (now.perms, now.backing, now.flags):
        return "changed"
    if _pages(was, low, high) != _pages(now, low, high):
        return "pages"
    return "anon_vma" if was.anon_vma is None and now.anon_vma is not None else None


def _pages(row: Row, low: int, high: int) -> list[tuple[int, int, int]]:
    first, last = low // PAGE, high // PAGE
    clipped = [run.clip(first, last) for run in row.runs if run.start < last and first < run.end]
    return [(run.start, run.end, run.value) for run in clipped]


def _unmapped(outcome: Outcome, gone: Sequence[Area]) -> list[str]:
    """What is gone, told by the part of an mremap that it was for."""
    call = outcome.call
    parts: dict[str, list[Area]] = {}
    for area in sorted(gone, key=lambda area: area.start):
        key = "unmapped"
        if isinstance(call, Mremap):
            start, target = call.addr & WORD, call.new_addr & WORD
            new_len = page_align(call.new_len & WORD)
            if call.flags & MREMAP_FIXED and target <= area.start < target + new_len:
                key = "destination"
            elif start + new_len <= area.start < start + page_align(call.old_len & WORD):
                key = "tail"
        parts.setdefault(key, []).append(area)
    return [say("left", key, vmas=areas) for key, areas in parts.items()]


def _cuts(before: Sequence[Row], after: Sequence[Row], moves: Sequence[Move]) -> list[str]:
    """VMAs that were split and stay split, although both halves are alike."""
    said = []
    for low, high in itertools.pairwise(after):
        if any(_covers(move, low.end - PAGE) or _covers(move, high.start) for move in moves):
            continue
        if low.end == high.start and (low.perms, low.flags, low.backing) == (high.perms, high.flags, high.backing):
            whole = next((row for row in before if row.start < low.end < row.end), None)
            if whole is not None:
                said.append(say("left", "cut", vma=whole, at=low.end))
    return said
