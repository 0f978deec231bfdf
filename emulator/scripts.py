"""Scenarios into dialogue scripts: who says what, when, and what each question should find."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, time, timedelta

from emulator.domain.scenario import Query, Scenario, Thread
from emulator.domain.script import DialogueScript, QueryTruth, ScriptTurn
from emulator.generator import scenario_variant
from emulator.library import bundled_scenarios
from kernel.canonical import derive_seed, derive_uuid
from kernel.errors import InvalidInput

_VARIANT_SPAN = 1_000_000
_FIRST_HOUR, _HOURS = 7, 15


def scenario_scripts(
    *, dialogues: int, seed: int, user_salt: str, split: str = "train", scenarios: Sequence[str] = ()
) -> list[DialogueScript]:
    """Scripts of `dialogues` threads: families in turn, each person's threads whole and in order.

    The seed chooses where the round of families starts and which variants are played; a family comes again with its
    next variant. Scenarios of fixed text (validation) are played once each, so there may be fewer than asked for.
    `scenarios` narrows the choice to these ids or families. Raises `InvalidInput` for unknown names or no dialogues.
    """
    if dialogues < 1:
        raise InvalidInput("at least one dialogue is needed", details={"field": "dialogues"})
    pool = _chosen(bundled_scenarios(split), scenarios)
    start = seed % len(pool)
    pool = pool[start:] + pool[:start]
    scripts: list[DialogueScript] = []
    rounds = 0
    while len(scripts) < dialogues:
        for scenario in pool:
            fixed = scenario.split != "train"
            if fixed and rounds:
                return scripts
            number = 0 if fixed else derive_seed("variants", seed, scenario.family) % _VARIANT_SPAN + rounds
            scripts += dialogue_scripts(scenario, number=number, user_salt=user_salt)[: dialogues - len(scripts)]
            if len(scripts) >= dialogues:
                break
        rounds += 1
    return scripts


def dialogue_scripts(scenario: Scenario, *, number: int = 0, user_salt: str) -> list[DialogueScript]:
    """All threads of one variant of a scenario, as one synthetic user says them.

    A question that expects a statement also expects what repeated it before the question.
    """
    if scenario.split == "golden":
        raise InvalidInput(f"scenario {scenario.id} is golden: it is never played")
    told = scenario_variant(scenario, number=number)
    user = derive_uuid("synthetic-user", user_salt, scenario.id, number)
    repeats: dict[str, list[str]] = {}
    scripts = []
    for ordinal, thread in enumerate(told.threads):
        name = f"{scenario.id}:{number}:{thread.id}"
        began = _begins(told, thread)
        turns = []
        for position, turn in enumerate(thread.turns):
            for event in turn.events:
                if event.repeats:
                    repeats.setdefault(event.repeats, []).append(event.id)
            turns.append(
                ScriptTurn(
                    text=turn.text,
                    simulated_at=began + timedelta(minutes=3 * position),
                    event_ids=tuple(event.id for event in turn.events),
                    supersedes=tuple(event.supersedes for event in turn.events if event.supersedes),
                    query=_truth(turn.query, repeats) if turn.query else None,
                )
            )
        scripts.append(
            DialogueScript(
                dialogue=name,
                example=name,
                user_id=user,
                thread_id=derive_uuid("synthetic-thread", user, thread.id),
                scenario=scenario.id,
                variant=number,
                cluster=scenario.family,
                split=scenario.split,
                language=scenario.language,
                persona=scenario.persona,
                goal=told.goal,
                ordinal=ordinal,
                turns=tuple(turns),
            )
        )
    return scripts


def _chosen(pool: tuple[Scenario, ...], names: Sequence[str]) -> tuple[Scenario, ...]:
    known = {scenario.id for scenario in pool} | {scenario.family for scenario in pool}
    unknown = sorted(set(names) - known)
    if unknown:
        raise InvalidInput(
            f"unknown scenarios: {', '.join(unknown)}; there are {', '.join(sorted(known))}",
            details={"field": "scenarios", "unknown": unknown},
        )
    return tuple(s for s in pool if not names or s.id in names or s.family in names)


def _begins(scenario: Scenario, thread: Thread) -> datetime:
    """A thread starts at an hour of the waking day that depends on the thread alone."""
    minutes = derive_seed("hour", scenario.family, thread.id) % (_HOURS * 60)
    day = datetime.combine(scenario.starts_on, time(_FIRST_HOUR), tzinfo=UTC)
    return day + timedelta(days=thread.day, minutes=minutes)


def _truth(query: Query, repeats: dict[str, list[str]]) -> QueryTruth:
    expects = [name for event in query.expects for name in (event, *repeats.get(event, ()))]
    return QueryTruth(
        id=query.id,
        kind=query.kind,
        category=query.category,
        difficulty=query.difficulty,
        should_retrieve=query.should_retrieve,
        expects=tuple(dict.fromkeys(expects)),
        key_facts=query.key_facts,
        forbidden=query.forbidden,
    )
