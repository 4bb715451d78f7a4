"""Profiles: which release is meant, and the table of behaviours.  Whether a release behaves so: test_releases.py."""

from __future__ import annotations

from itertools import pairwise

import attrs
import pytest

from tests.tiny_language import RELEASES
from vmalab.errors import ProfileError
from vmalab.linux.profile import MEASURED, Behaviour, KernelProfile, behaviours, profile

# Semantics 13.4: the switches that a model needs, in the measured releases.  The columns are
# 6.1, 6.12, 6.16, 6.17, 6.18.15, 6.18.44, 6.19, 7.0, 7.1, 7.2, 7.3, and v3.
SWITCHES = {
    "order_of_6_17": "---yyyyyyyyy",
    "order_of_6_15": "--y---------",
    "checks_before_unmap": "---yyyyyyyyy",
    "multi_vma_move": "---yyyyyyyyy",
    "realigns_moves": "-yyyyyyyyyyy",
    "faulted_joins_unfaulted": "--yyyyyyyyyy",
    "copy_forgets_fork_child": "--yy-------y",
    "copy_forgets_anon_vma": "--yy-------y",
    "dontunmap_stays_apart": "---------yy-",
    "dontunmap_resets_pgoff": "---------yy-",
    "dontunmap_splits_locked": "---------yy-",
    "dontunmap_loses_account": "--y--------y",
    "dontunmap_leaks_locked_vm": "--yyyyyyy--y",
    "headroom_of_7_1": "--------yyy-",
    "headroom_counts_dontunmap": "---------yy-",
    "read_only_drops_account": "-yyyyyyyyyyy",
    "right_merge_first": "y-----------",
    "guard_flag": "-----yyyyyy-",
    "thp_aligned_mmap": "-yyyyyyyyyyy",
    "thp_aligns_odd_lengths": "------------",
    "thp_aligned_dev_zero": "----yyyyyyy-",
    "uffd_asks_size_of_dev_zero": "-yyyyyyyyyyy",
    "uffd_past_shared_end_is_enomem": "--------yyy-",
    "uffd_copy_replaces_guards": "yyyyyy-----y",
    "uffd_prepares_anon_vma_first": "-yyyyyyyyyyy",
    "populate_stops_at_gaps": "-yyyyyyyyyyy",
    "uffd_keeps_wp": "----------y-",
    "uffd_compares_first_pgoff": "y-----------",
    "uffd_makes_writable": "-yyyyyyyyyyy",
    "uffd_protects_many": "-yyyyyyyyyyy",
    "mremap_clears_uffd_wp": "-yyyyyyyyyyy",
    "seals_checked_late": "y-----------",
    "mseal": "-yyyyyyyyyyy",
    "guard_regions": "--yyyyyyyyyy",
    "guard_regions_in_files": "--yyyyyyyyyy",
    "private_files_have_anon_pgoff": "----------y-",
    "guard_gives_files_anon_vma": "--yyy------y",
    "huge_zero_becomes_huge": "--yyyyyyyyyy",
    "empty_tables_reclaimed": "--yyyyyyyyyy",
    "seal_protects_dev_zero": "---yyyyyyyyy",
    "mseal_skips_after_merge": "---yy------y",
    "mmap_cuts_first": "-yyyyyyyyyyy",
    "eligibility_checked_late": "-----------y",
    "target_range_always_checked": "-----------y",
}


@pytest.mark.parametrize("name", SWITCHES)
def test_where_a_behaviour_holds(name: str) -> None:
    assert SWITCHES[name] == "".join("y" if getattr(profile(release), name) else "-" for release in (*RELEASES, "v3"))


def test_the_table_is_whole() -> None:
    fields = [attribute.name for attribute in attrs.fields(KernelProfile)]
    assert [*fields] == ["release", "measured", *(behaviour.name for behaviour in behaviours())]
    assert set(SWITCHES) == {behaviour.name for behaviour in behaviours()}


@pytest.mark.parametrize("behaviour", behaviours(), ids=lambda behaviour: behaviour.name)
def test_every_behaviour_says_what_it_means_and_how_to_see_it(behaviour: Behaviour) -> None:
    assert len(behaviour.meaning) > 20 and not behaviour.meaning.endswith(".")
    assert behaviour.see and behaviour.releases
    numbers = [tuple(int(n) for n in bound.split(".")) for span in behaviour.spans for bound in span if bound]
    assert all(first < second for first, second in pairwise(numbers))
    # the releases before, at and after each of its boundaries
    for since, until in behaviour.spans:
        if since:
            assert getattr(profile(since + ".0" if since.count(".") == 1 else since), behaviour.name)
        if until:
            assert not getattr(profile(until + ".0" if until.count(".") == 1 else until), behaviour.name)


def test_the_bugs_are_named_as_bugs() -> None:
    bugs = {behaviour.name for behaviour in behaviours() if behaviour.bug}
    assert {
        "dontunmap_loses_account", "dontunmap_leaks_locked_vm", "copy_forgets_anon_vma", "copy_forgets_fork_child",
        "mseal_skips_after_merge", "uffd_compares_first_pgoff",
    } == bugs  # fmt: skip


@pytest.mark.parametrize(
    ("spans", "words"),
    [
        ((("6.17", None),), "6.17 and later"),
        ((("6.16", "7.2"),), "6.16 until before 7.2"),
        (((None, "6.2"),), "before 6.2"),
        (((None, None),), "all"),
        ((), "no release"),
        (((None, "6.2"), ("7.0", None)), "before 6.2, 7.0 and later"),
    ],
)
def test_spans_in_words(spans: tuple[tuple[str | None, str | None], ...], words: str) -> None:
    assert words == Behaviour("x", "", spans).releases


def test_a_span_holds_up_to_its_end() -> None:
    behaviour = Behaviour("x", "", (("6.16", "6.18.8"),))
    assert [False, True, True, True, False, False] == [
        behaviour.holds(version) for version in ((6, 15), (6, 16), (6, 17, 9), (6, 18, 7), (6, 18, 8), (6, 19))
    ]


# --- names of releases ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "release", "measured"),
    [
        ("6.18.44", "6.18.44", True),
        ("6.18", "6.18", True),
        ("6.18.15+deb13-cloud-amd64", "6.18.15", True),
        ("6.1.0-42-cloud-amd64", "6.1.0", True),
        ("6.13", "6.13", False),
        ("6.15.3", "6.15.3", False),
        ("7.3.4", "7.3.4", True),
        ("6.17-rc1", "6.17", True),
        ("v3", "v3", False),
    ],
)
def test_a_release_by_name(name: str, release: str, measured: bool) -> None:
    found = profile(name)
    assert (release, measured) == (found.release, found.measured)


def test_a_series_stands_for_the_point_release_that_was_measured() -> None:
    for series, point in MEASURED.items():
        assert attrs.evolve(profile(point), release=series) == profile(series)
    assert attrs.evolve(profile("6.1.176"), release="6.1.0") == profile("6.1.0")
    assert profile("6.18.15") != attrs.evolve(profile("6.18.44"), release="6.18.15")


@pytest.mark.parametrize("name", ["", "six", "6", "v6.1", "6.1.2.3", "6.17.", " 6.17", "V3", "v4"])
def test_no_such_name(name: str) -> None:
    with pytest.raises(ProfileError, match=r"no such release: .*expected a kernel release such as"):
        profile(name)


@pytest.mark.parametrize("name", ["5.15", "6.0.9", "7.4", "8.0", "2.6.32"])
def test_releases_that_no_profile_describes(name: str) -> None:
    with pytest.raises(ProfileError, match=rf"no profile for Linux {name}; the model knows 6.1 to 7.3"):
        profile(name)


def test_profiles_are_kept_and_frozen() -> None:
    assert profile("6.17") is profile("6.17")
    with pytest.raises(attrs.exceptions.FrozenInstanceError):
        profile("6.17").multi_vma_move = False  # type: ignore[misc]


def test_profiles_in_words() -> None:
    assert ("Linux 6.17", "version 3 of the patch") == (str(profile("6.17")), str(profile("v3")))
