"""maps, smaps, and what readelf prints of a core file."""

from __future__ import annotations

from vmalab.programs.procmaps import Entry, entry, looks_like, read_core, read_maps

MAPS = """\
55d323f16000-55d323f18000 r--p 00001000 fe:00 260131                     /usr/bin/cat
55d357d85000-55d357da6000 rw-p 00000000 00:00 0                          [heap]
7f98b6284000-7f98b62a6000 rw-p 00000000 00:00 0 
"""  # noqa: W291
CORE = """
Elf file type is CORE (Core file)
Program Headers:
  Type           Offset   VirtAddr           PhysAddr           FileSiz  MemSiz   Flg Align
  NOTE           0x000040 0x0000000000000000 0x0000000000000000 0x000308 0x000000 R   0x4
  LOAD           0x002000 0x0000000000400000 0x0000000000000000 0x001000 0x001000 R E 0x1000
  LOAD           0x003000 0x0000000000600000 0x0000000000000000 0x001000 0x002000 RW  0x1000

Displaying notes found at file offset 0x00000040 with length 0x00000308:
  Owner                Data size \tDescription
  CORE                 0x0000006c\tNT_FILE (mapped files)
    Page size: 4096
                 Start                 End         Page Offset
    0x0000000000400000  0x0000000000401000  0x0000000000000002
        /tmp/a out
"""


def test_maps():
    found, odd = read_maps(MAPS.split("\n"))
    assert [] == odd
    assert Entry(0x55D323F16000, 0x55D323F18000, "r--p", 0x1000, "fe:00", 260131, "/usr/bin/cat") == found[0]
    assert ["/usr/bin/cat", "[heap]", ""] == [one.name for one in found]
    assert [True, False, False] == [one.is_file for one in found]


def test_smaps_have_flags_and_private_pages():
    text = f"{MAPS.splitlines()[0]}\nSize: 8 kB\nAnonymous: 4 kB\nVmFlags: rd mr mw me \n"
    (found,), odd = read_maps(text.split("\n"))
    assert [] == odd
    assert (4096, frozenset({"rd", "mr", "mw", "me"})) == (found.anonymous, found.codes)


def test_lines_that_are_none_are_named():
    found, odd = read_maps(["nonsense", *MAPS.split("\n"), "55d3-zz r--p"])
    assert 3 == len(found)
    assert [(1, "nonsense"), (6, "55d3-zz r--p")] == odd


def test_a_file_may_be_called_like_the_heap_and_hold_any_character():
    line = "7f98b6284000-7f98b62a6000 rw-p 00000000 fe:00 12 /x/[heap]"
    assert entry(line).is_file
    odd_name = "7f98b6284000-7f98b62a6000 rw-p 00000000 fe:00 12 /a\u2028b\x85c"
    found, odd = read_maps([odd_name])
    assert ([], "/a\u2028b\x85c") == (odd, found[0].name)


def test_a_core_file_with_its_rights():
    found, odd = read_core(CORE.split("\n"))
    assert [] == odd
    assert [
        Entry(0x400000, 0x401000, "r-xp", 0x2000, name="/tmp/a out"),
        Entry(0x600000, 0x602000, "rw-p"),
    ] == found
    assert "core" == looks_like(CORE)
    assert "maps" == looks_like(MAPS)
    assert "" == looks_like("hello\n")


def test_notes_alone_tell_no_rights():
    (found,), _ = read_core(CORE[CORE.index("Displaying") :].split("\n"))
    assert (False, "/tmp/a out", 0x2000) == (found.rights, found.name, found.offset)
