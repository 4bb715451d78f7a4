"""What a move costs: the parts of its time, and which level of the page tables decides."""

from __future__ import annotations

COST_TERMS: dict[str, str] = {
    "calls": "a system call",
    "vmas": "a moved VMA",
    "pte": "a moved PTE",
    "pmd": "a moved PMD entry (2 MiB)",
    "pud": "a moved PUD entry (1 GiB)",
    "tables": "a new table for PTEs",
}
"""What one of each term of the cost model is."""

COST_PRESENT: dict[str, str] = {
    "all": "every page",
    "huge": "every page, in huge pages where they fit,",
    "sparse": "one page in each 2 MiB",
    "none": "no page",
}

COST_WHY: dict[str, str] = {
    "nothing": "Nothing is present, so there is nothing to move but the VMA.",
    "apart": (
        "Source and destination lie differently within their 2 MiB, so the PTE of each present page moves alone, into "
        "a page table that the destination needs."
    ),
    "short": "Both lie alike within their 2 MiB, but no whole 2 MiB is in the range, so each PTE moves alone.",
    "pmd": (
        "Both lie alike within their 2 MiB, so a whole page table of 512 PTEs moves with the one PMD entry above it."
    ),
    "pmd_rest": (
        "Both lie alike within their 2 MiB: each whole page table of 512 PTEs moves with the one PMD entry above it, "
        "the rest PTE by PTE."
    ),
    "huge_pmd": "Both lie alike within their 2 MiB, so each huge page moves with the PMD entry that maps it.",
    "huge_pmd_rest": (
        "Both lie alike within their 2 MiB: each huge page moves with the PMD entry that maps it, the rest PTE by PTE."
    ),
    "huge_apart": (
        "Source and destination lie differently within their 2 MiB, so each huge page gets a PTE for each of its pages "
        "first (the time for that is not in the sum), and then these move one by one."
    ),
    "pud": (
        "Both lie alike within their 1 GiB, so a whole table of 512 PMD entries moves with the one PUD entry above it."
    ),
}
"""Which level the kernel can move at, and why (`move_pgt_entry()` in mm/mremap.c)."""

COSTS: dict[str, str] = {
    "move": "Moving {pages:size}, {present:@cost_present} present, takes about {ns:duration}. {why:@cost_why}",
    "measured": "Measured with the same counts: {median:duration} (middle half {low:duration} to {high:duration}).",
    "parts": "About {ns:duration}: {parts:text}",
    "part": "{count:number} × {term:@cost_term}, {ns:duration}",
    "single": "{ns:duration}",
    "sum": "{count:number} × {each:duration} = {ns:duration}",
    "none": "none",
    "source": (
        "Times are fitted to measurements on Linux {kernel:text}, {processor:text}: half of those moves lie within "
        "{half:number} % of the fit, the worst is {worst:number} % off."
    ),
    "chart": "Measured moves of one VMA, time by size, both axes logarithmic. {lines:text}. {here:text}.",
    "line": "{name:@cost_line}: {first:duration} for {start:size} to {last:duration} for {end:size}",
    "points": "{name:@cost_line}, {size:size}: {points:text}",
    "point": "{name:text} {median:duration}",
    "tip": (
        "{name:@cost_line}, {size:size}, {variant:text}: {median:duration}, the middle half {low:duration} to "
        "{high:duration}"
    ),
    "here": "This move: about {ns:duration} for {size:size}",
    "this": "this move",
    "axis": "size (pages)",
    "sum_of_all": "all of it",
    "from": "source",
    "to": "destination",
    "grid_axis": "after a boundary of 1 GiB; from line to line: one page table, 512 PTEs",
    "by_pte": "{count:number} PTE",
    "by_pmd": "1 PMD",
    "by_pud": "in a PUD",
    "empty": "no page present",
    "grid": (
        "The grid of 2 MiB. The source begins {source:number} pages after one of its lines, the destination "
        "{target:number}. {why:text}"
    ),
    "grid_alike": "They lie alike in it.",
    "grid_apart": "They do not lie alike in it.",
}

COST_LINES: dict[str, str] = {
    "aligned": "aligned alike",
    "a page off": "a page off",
    "nothing present": "nothing present",
    "sparse": "one page in each 2 MiB",
}
"""The measured moves of one VMA, by what they have in common."""
