"""Which cases are drawn: about as many of each kind, every category met, the same for everybody, nothing told."""

from __future__ import annotations

import random
import uuid
from collections import Counter
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from teacher.calibration.drawing import Candidate, Drawn, allocation, draw, marks_of, stratum_of


def candidates(sizes: dict[str, int]) -> list[Candidate]:
    return [
        Candidate(
            run_id=uuid.UUID(int=hash((stratum, place)) % 2**128),
            content_hash=f"{stratum}-{place}",
            stratum=stratum,
            category=("factual", "temporal", "multi_hop")[place % 3],
            language=("en", "ru")[place % 2],
        )
        for stratum, size in sizes.items()
        for place in range(size)
    ]


USUAL = {"h-c+r0": 800, "h-c-r0": 60, "h-c0r0": 100, "h+c+r0": 30, "h+c-r0": 40}


def hallucinations(drawn: Drawn) -> int:
    return sum(item.stratum.startswith("h+") for item in drawn.cases)


def test_draw__hallucinations_are_rare__half_of_the_cases_are() -> None:
    drawn = draw(candidates(USUAL), size=50, seed=1)
    assert len(drawn.cases) == 50
    assert hallucinations(drawn) == 25
    assert drawn.frame == USUAL


def test_draw__same_seed_in_any_order_of_the_runs__is_the_same() -> None:
    runs = candidates(USUAL)
    shuffled = random.Random(3).sample(runs, len(runs))
    assert draw(runs, size=50, seed=7).cases == draw(shuffled, size=50, seed=7).cases
    assert draw(runs, size=50, seed=8).cases != draw(runs, size=50, seed=7).cases


def test_draw__within_a_stratum__category_and_language_keep_their_shares() -> None:
    drawn = draw(candidates({"h-c+r0": 600, "h+c-r0": 600}), size=120, seed=2)
    assert Counter(item.category for item in drawn.cases) == {"factual": 40, "temporal": 40, "multi_hop": 40}
    assert abs(Counter(item.language for item in drawn.cases)["ru"] - 60) <= 4


def test_draw__many_seeds__every_case_of_a_stratum_is_as_likely() -> None:
    runs = candidates({"h+c-r0": 12, "h-c+r0": 30})
    seen = Counter(item.content_hash for seed in range(2000) for item in draw(runs, size=12, seed=seed).cases)
    shares = {
        stratum: [count / 2000 for name, count in seen.items() if name.startswith(stratum)]
        for stratum in ("h+c-r0", "h-c+r0")
    }
    assert len(shares["h+c-r0"]) == 12
    assert all(abs(share - 0.5) < 0.05 for share in shares["h+c-r0"])
    assert all(abs(share - 0.2) < 0.05 for share in shares["h-c+r0"])


def test_draw__last_mark_known__next_one_is_no_surer_than_a_coin() -> None:
    same = total = 0
    for seed in range(100):
        marks = [item.stratum[1] for item in draw(candidates(USUAL), size=50, seed=seed).cases]
        same += sum(a == b for a, b in pairwise(marks))
        total += len(marks) - 1
    assert 0.35 < same / total < 0.65


def test_draw__half_of_the_order__holds_about_half_of_each_kind() -> None:
    for seed in range(30):
        first = draw(candidates(USUAL), size=50, seed=seed).cases[:25]
        assert 8 <= sum(item.stratum.startswith("h+") for item in first) <= 17


@given(
    st.dictionaries(
        st.sampled_from(["h+c+r0", "h+c-r0", "h+c0r0", "h-c+r0", "h-c-r0", "h-c0r0"]), st.integers(1, 400), min_size=1
    ),
    st.integers(1, 200),
)
def test_allocation__any_frame__gives_all_places_and_overdraws_nothing(frame: dict[str, int], size: int) -> None:
    found = allocation(frame, size=size)
    assert sum(found.values()) == min(size, sum(frame.values()))
    assert all(0 < n <= frame[name] for name, n in found.items())


def test_stratum__of_marks__is_read_back() -> None:
    marks = {"hallucination": True, "context": None, "relevance": False}
    assert marks_of(stratum_of(hallucination=True, context=None, relevant=False)) == marks
