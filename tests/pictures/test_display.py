"""How things show themselves in a notebook."""

from __future__ import annotations

import json
import re
from html.parser import HTMLParser

from attrs import evolve

from tests.sample_outcomes import gap_model, gap_move, outcome, random_outcomes, row
from tests.unpacked import unpacked
from vmalab.differences.compare import compare
from vmalab.differences.display import comparison_html
from vmalab.linux.addr import PAGE, page
from vmalab.linux.call import Mmap, Mremap, Munmap
from vmalab.machines.model import Model
from vmalab.machines.outcome import Snapshot
from vmalab.pictures.display import outcome_html, snapshot_html
from vmalab.pictures.export import outcome_page
from vmalab.pictures.scene import scene_of
from vmalab.programs.scenario import Scenario
from vmalab.words.explain import one_line

VOID = {"br", "img", "input", "meta", "link"}


class Reader(HTMLParser):
    """Checks that tags are balanced, and keeps the text outside style and the titles of pictures."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.text: list[str] = []
        self.attributes: list[tuple[str, dict[str, str | None]]] = []

    def unknown_decl(self, data):
        self.text.append(data.removeprefix("CDATA["))

    def handle_starttag(self, tag, attrs):
        self.attributes.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.attributes.append((tag, dict(attrs)))

    def handle_endtag(self, tag):
        assert tag == self.open.pop(), f"</{tag}>"

    def handle_data(self, data):
        if "style" not in self.open and "title" not in self.open:
            self.text.append(data)


def read(html: str) -> Reader:
    reader = Reader()
    reader.feed(html)
    reader.close()
    assert [] == reader.open
    return reader


def test_an_outcome_shows_the_call_the_result_the_words_and_the_maps():
    told = gap_move()
    text = " ".join(read(outcome_html(told)).text)
    assert "mremap(page 0, 5 pages, 5 pages, MREMAP_MAYMOVE | MREMAP_FIXED, page 64)" in text
    assert "✓ returns page 64" in text
    assert one_line(told).partition("[")[0] in text
    assert scene_of(told).text() in text
    for snapshot in (told.before, told.after):
        assert snapshot.maps() in text


def test_a_failure_is_told_by_a_sign_and_a_word():
    assert "✕ fails with EFAULT" in " ".join(read(outcome_html(gap_move("6.16"))).text)


def test_steps_are_listed_when_asked_for():
    assert "All 15 steps" not in outcome_html(gap_move())
    assert "All 15 steps" in outcome_html(gap_move(), steps=True)


def test_html_is_balanced_self_contained_and_the_same_every_time():
    for told in random_outcomes()[:80]:
        html = outcome_html(told)
        assert html == outcome_html(told)
        for _tag, attributes in read(html).attributes:
            assert not {"src", "href", "onclick", "onload"} & attributes.keys()


def test_the_table_has_every_vma_of_before_and_after():
    told = gap_move()
    rows = [tag for tag, _ in read(outcome_html(told)).attributes if tag == "tr"]
    assert 1 + len(told.before) + len(told.after) == len(rows)


def test_reprs_are_plain_and_stable():
    told = gap_move()
    call = "mremap(page 0, 5 pages, 5 pages, MREMAP_MAYMOVE | MREMAP_FIXED, page 64)"
    assert f"<Outcome: {call} = page 64 on model:6.18>" == repr(told)
    assert f"<Outcome: {call} = EFAULT on model:6.16>" == repr(gap_move("6.16"))
    assert told._repr_html_() == outcome_html(told)
    vm = gap_model()
    assert vm._repr_html_() == vm.mm._repr_html_() == snapshot_html(vm.snapshot())
    assert "<AddressSpace under Linux 6.18: 3 VMAs>" == repr(vm.mm)


def test_what_a_sanitizer_leaves_reads_as_words():
    """It drops the elements of an SVG and keeps their text, but for CDATA sections, which are comments to it."""
    html = re.sub(r"<style>.*?</style>", "", outcome_html(gap_move()), flags=re.DOTALL)
    (picture,) = re.findall(r"<svg.*?</svg>", html, re.DOTALL)
    left = re.sub(r"<!\[CDATA\[[^>]*>|<[^>]*>", "", picture)
    assert left.startswith(f"{scene_of(gap_move()).title}. A: pages 0 to 1 (2 pages), rw-p")
    assert "page that does not trust a notebook" in html.partition("<svg")[0]


def test_the_first_line_says_what_is_folded():
    for html in (outcome_html(gap_move()), snapshot_html(gap_model().snapshot())):
        assert "The result: a picture and its words." == html.partition("\n")[0]


def test_an_empty_address_space():
    text = " ".join(read(snapshot_html(Snapshot())).text)
    assert "no VMAs: every address is free" in text
    assert "(no VMAs)" in text


def test_text_is_escaped():
    told = outcome(Mmap(page(0), PAGE), None, "<b>", [row(0, 1, backing="<i>", pgoff=0)], [], machine="<u>")
    tags = {tag for tag, _ in read(outcome_html(told)).attributes}
    assert not {"b", "i", "u"} & tags


def two(release_a: str, release_b: str):
    steps = (
        Mmap(page(0), 2 * PAGE), Mmap(page(3), 2 * PAGE, 1),
        Mremap(page(0), 5 * PAGE, 5 * PAGE, 3, page(64)),
    )  # fmt: skip
    scenario = Scenario("gap", steps)
    return compare(Model(release_a).run(scenario), Model(release_b).run(scenario))


def test_a_comparison_shows_where_two_machines_differ():
    html = comparison_html(two("6.16", "6.17"))
    text = " ".join(read(html).text)
    assert "≠ model:6.16 and model:6.17 differ" in text
    assert "Call 3: the errno: EFAULT on model:6.16, success on model:6.17." in text
    assert "Call 3 on model:6.16. mremap failed with EFAULT" in re.sub(r"\s+", " ", text)
    assert 2 == html.count("<svg")
    assert "; differs from the other side" in html


def test_a_comparison_that_agrees_shows_one_picture():
    html = comparison_html(two("6.17", "6.18"))
    assert "✓ model:6.17 and model:6.18 agree on every step" in " ".join(read(html).text)
    assert 1 == html.count("<svg")


def test_a_comparison_shows_itself():
    told = two("6.16", "6.17")
    assert "<Comparison of 'gap': model:6.16 and model:6.17 differ>" == repr(told)
    assert comparison_html(told) == told._repr_html_()


BAD = """<img src=x onerror="alert('1')">"""


def test_whatever_a_row_holds_is_escaped_where_it_is_written() -> None:
    bad = evolve(row(0, 1, perms=BAD, backing=BAD), flags=(BAD,))
    told = outcome(Munmap(page(0), PAGE), 0, None, [bad], [bad], machine=BAD)
    for html in (outcome_html(told), snapshot_html(told.before, BAD), outcome_page(told, BAD)):
        assert BAD not in html and "<img" not in html
        found = re.search(r'id="data">([^<]*)<', html)
        if found:
            data = unpacked(found[1])
            assert "<img" not in json.dumps([data["head"], data["parts"], data["tail"]])
