"""`vmalab demo NAME`: a real program, moment by moment."""

from __future__ import annotations

from pathlib import Path

import click

from vmalab.cli.common import console, echo, wrapped
from vmalab.pictures.card import within
from vmalab.programs.files import write_whole
from vmalab.system.demos import TITLES, demo


@click.command(short_help="a real program that uses mremap")
@click.argument("name", type=click.Choice(sorted(TITLES)))
@click.option("--output", "page", metavar="PAGE.html", help="Write the story with its pictures as one HTML page.")
def command(name: str, page: str | None) -> None:
    """Run a small program that mremap was made for, or that shows how it works, on this machine's kernel.

    realloc: glibc's realloc of a large block.  collector: a garbage collector that moves a heap under a running
    program with MREMAP_DONTUNMAP and userfaultfd.  map_count: a process with as many VMAs as it may have.  pgoff: what
    a mapping of /dev/zero shows of vm_pgoff.  Where this kernel can't, a recording is shown.
    """
    story = demo(name)
    if page is None:
        out = console()
        for line in story.pictured().splitlines():
            out.print(wrapped(line, 0))
        return
    head = f'<!doctype html>\n<html lang="en">\n<meta charset="utf-8">\n<title>{story.title}</title>\n'
    write_whole(Path(page), f"{head}<main>{within(story._repr_html_())}</main>\n")
    echo(f"{page}: {len(story.moments)} moments, {story.machine}")
