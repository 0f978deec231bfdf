"""The title says the news."""

from __future__ import annotations

import pytest

from selflearn_site.pages.headline import (
    CampaignNews,
    Movement,
    Way,
    approvals_news,
    changes_news,
    experiment_news,
    experiments_news,
    goals_news,
    home_news,
    hypotheses_news,
    incidents_news,
    parameters_news,
    way_of,
)


def recall(way: Way, *, met: bool = False) -> Movement:
    return Movement("recall", way, met, True, start=".410", now=".520", target=".600")


def precision(way: Way, *, met: bool = True) -> Movement:
    return Movement("precision", way, met, False)


def news(status: str, *movements: Movement) -> CampaignNews:
    return CampaignNews(number=3, status=status, movements=movements)


def test_home__nothing_yet__says_what_to_do() -> None:
    assert home_news(campaign=None, waiting=0) == "Nothing has been learnt yet: say what should get better."


@pytest.mark.parametrize(
    ("campaign", "waiting", "expected"),
    [
        (
            news("running", recall("rising"), precision("holding")),
            2,
            "Recall is rising; precision holds. Two changes wait for you.",
        ),
        (
            news("running", recall("holding"), precision("falling")),
            0,
            "Recall has not moved yet; precision gives a little. Nothing waits for you.",
        ),
        (news("running", recall("falling")), 0, "Recall is falling. Nothing waits for you."),
        (
            news("running", recall("rising"), precision("falling", met=False)),
            1,
            "Recall is rising; precision is worse than the goal allows. One change waits for you.",
        ),
        (
            news("completed", recall("rising", met=True)),
            0,
            "Recall has reached its target. Nothing waits for you.",
        ),
        (
            news("completed", recall("rising"), precision("rising")),
            0,
            "Recall rose from .410 to .520, short of .600; precision rose too. Nothing waits for you.",
        ),
        (
            news("completed", Movement("cost", "falling", None, True, start="$2", now="$1", target="")),
            0,
            "Cost fell from $2 to $1. Nothing waits for you.",
        ),
        (news("stopped", recall("holding")), 0, "Recall stayed at .520, short of .600. Nothing waits for you."),
        (
            news("paused", recall("rising")),
            0,
            "Recall is rising. Campaign 3 is paused. Nothing waits for you.",
        ),
        (news("failed", recall("rising")), 0, "Campaign 3 failed and can go on. Nothing waits for you."),
        (news("planned"), 0, "Campaign 3 is planned and has not begun. Nothing waits for you."),
        (
            news("running"),
            0,
            "Campaign 3 has begun and measures where things stand. Nothing waits for you.",
        ),
        (news("stopped"), 12, "Campaign 3 ended before anything was measured. 12 changes wait for you."),
    ],
)
def test_home__campaign__says_how_it_goes_and_what_waits(campaign: CampaignNews, waiting: int, expected: str) -> None:
    assert home_news(campaign=campaign, waiting=waiting) == expected


def test_home__trouble__is_said_before_what_waits() -> None:
    text = home_news(campaign=news("running", recall("rising")), waiting=1, incidents=2, frozen=True)
    assert text == "Recall is rising. Two incidents are open. Changes are frozen. One change waits for you."


@pytest.mark.parametrize(
    ("start", "now", "share", "expected"),
    [
        (0.41, 0.52, True, "rising"),
        (0.41, 0.405, True, "holding"),
        (0.41, 0.30, True, "falling"),
        (400.0, 412.0, False, "holding"),
        (400.0, 500.0, False, "rising"),
        (None, 0.5, True, "unknown"),
        (0.5, None, True, "unknown"),
    ],
)
def test_way__small_moves__hold(start: float | None, now: float | None, share: bool, expected: Way) -> None:
    assert way_of(start, now, share=share) == expected


@pytest.mark.parametrize(
    ("status", "verdict", "decision", "version", "expected"),
    [
        ("applied", "winner", "applied", 7, "Recall +.044, proved and applied as version 7."),
        ("rolled_back", "winner", "applied", 7, "Recall +.044, proved, but rolled back later."),
        ("rejected", "winner", "refused:golden", None, "Recall +.044, proved, but the golden set does not agree."),
        ("rejected", "winner", "refused:guard", None, "Recall +.044, proved, but a guard refuses the change."),
        ("rejected", "winner", "refused:person", None, "Recall +.044, proved, but rejected by a person."),
        ("rejected", "winner", "refused:expired", None, "Recall +.044, proved, but not applied."),
        ("analyzed", "winner", "", None, "Recall +.044, proved; it waits for a decision."),
        ("rejected", "inconclusive", "refused:verdict", None, "Recall +.044: not proved, so nothing changes."),
        ("rejected", "loser", "refused:verdict", None, "Recall +.044: the variant is worse, so nothing changes."),
        ("planned", "", "", None, "This experiment waits for its start."),
        ("completed", "", "", None, "The sample is complete; the verdict is being made."),
    ],
)
def test_experiment__state__is_said(
    status: str, verdict: str, decision: str, version: int | None, expected: str
) -> None:
    text = experiment_news(
        metric="recall", status=status, verdict=verdict, decision=decision, change="+.044", version=version
    )
    assert text == expected


def test_experiment__lost_by_a_guard_alone__names_the_guard() -> None:
    text = experiment_news(
        metric="hallucination", status="rejected", verdict="loser", decision="refused:verdict", change="+.000",
        version=None, broken="precision −.075",
    )  # fmt: skip
    assert text == "Hallucination +.000, but precision −.075 is beyond its margin, so nothing changes."


def test_lists__empty_or_not__say_what_is_there() -> None:
    assert approvals_news(1) == "One change waits for you."
    assert goals_news(goals=0, running=0) == "No goal has been set yet."
    assert goals_news(goals=2, running=1) == "Two goals; one campaign is running."
    assert experiments_news(total=0, applied=0, waiting=0, running=0) == "No experiment has run yet."
    assert (
        experiments_news(total=12, applied=1, waiting=2, running=0)
        == "12 experiments: one was applied, two wait for you."
    )
    assert (
        experiments_news(total=1, applied=0, waiting=0, running=1)
        == "One experiment: none were applied, one is running."
    )
    assert hypotheses_news(total=16, confirmed=9, open_=0) == "16 hypotheses: nine confirmed, none open."
    assert parameters_news(version=7, since="14:21", frozen=True) == (
        "Version 7 has been active since 14:21. Changes are frozen."
    )
    assert changes_news(total=0, filtered=True) == "Nothing matches these filters."
    assert incidents_news(0) == "No incident is open."
    assert incidents_news(2) == "Two incidents are open."
    assert incidents_news(2, 1) == "Two incidents are open; one is being looked into."
    assert incidents_news(0, 3) == "No incident waits for anybody; three are being looked into."
