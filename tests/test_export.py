"""The page that plays an outcome without a kernel.  What it does in a browser: tests/browser/test_player.py."""

from __future__ import annotations

import json
import re

from tests.pictured import gap_move, outcome, row
from vmalab.addr import PAGE, page
from vmalab.call import Munmap
from vmalab.export import outcome_page
from vmalab.frames import player_data


def test_the_page_is_complete_in_itself():
    html = outcome_page(gap_move())
    assert [] == re.findall(r"""(?:src|href)=|@import|url\((?!#)""", html)
    assert {"http://www.w3.org/2000/svg"} == set(re.findall(r"https?://[^\s\"'<)]+", html))
    assert html == outcome_page(gap_move())


def test_it_holds_the_data_of_the_player():
    told = gap_move()
    found = re.search(r'<script type="application/json" id="data">(.*?)</script>', outcome_page(told), re.DOTALL)
    assert found is not None
    assert player_data(told) == json.loads(found[1])


def test_no_text_can_end_the_script():
    told = outcome(
        Munmap(page(0), PAGE), 0, None, [row(0, 1, backing="</script><!--", pgoff=0)], [], machine="</title>"
    )
    html = outcome_page(told, title="</title><script>")
    assert 2 == html.count("</script>")
    assert "<title>&lt;/title&gt;&lt;script&gt;</title>" in html
    assert "<!--" not in html


def test_the_still_picture_is_there_without_scripts():
    html = outcome_page(gap_move())
    assert re.search(r"<noscript><div class=\"vml vml-card\">.*<svg", html, re.DOTALL)
