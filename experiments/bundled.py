"""The bundled data set: validation and golden stories told to MaaS once; their questions become examples.

The stories are told through the same client as any other dialogue, so that the student itself writes the memories
that later questions search. Before a story is told, its person's everyday notes are imported, as for every synthetic
user. Told once, they are frozen: evaluation runs leave nothing behind.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, time, timedelta
from functools import partial
from pathlib import Path

from django.db import connections

from contracts.actor import Actor
from contracts.maas import RunRequest
from emulator.domain.scenario import Scenario
from emulator.everyday import background
from emulator.library import bundled_scenarios, load_scenario
from experiments.datasets import dataset_store
from experiments.domain.examples import ExampleValue
from experiments.golden_files import BUNDLED, files_problems
from experiments.models import Dataset
from kernel.canonical import derive_seed, derive_uuid
from kernel.errors import Conflict
from maas.client import MaasClient, memories_import

__all__ = ["BUNDLED", "bundled_prepare", "golden_stories"]

GOLDEN_STORIES = Path(__file__).parent / "golden"
_TURN = timedelta(minutes=2)


def golden_stories() -> list[Scenario]:
    """The stories behind the golden set. They are read here and nowhere else.

    Raises `Conflict` when the files are not the ones that were sealed.
    """
    problems = files_problems(GOLDEN_STORIES)
    if problems:
        raise Conflict(f"{'; '.join(problems)}: restore it, or seal it anew with `manage.py seal_golden`")
    return [load_scenario(path) for path in sorted(GOLDEN_STORIES.glob("*.json"))]


def bundled_prepare(
    *,
    client: MaasClient,
    actor: Actor,
    on_progress: Callable[[int, int], None] | None = None,
    parallel: int = 2,
) -> Dataset:
    """Make the bundled data set, or return it when it is there. Killed half-way, it goes on where it was."""
    existing = Dataset.objects.filter(name=BUNDLED).first()
    if existing is not None:
        return existing
    stories = [("validation", story) for story in bundled_scenarios("validation")]
    stories += [("golden", story) for story in golden_stories()]
    total = sum(1 for _, story in stories for _ in story.statements())
    done = 0

    def said() -> None:
        nonlocal done
        done += 1
        if on_progress is not None:
            on_progress(done, total)

    with ThreadPoolExecutor(max_workers=parallel, thread_name_prefix="story") as pool:
        told = list(pool.map(partial(_tell_and_close, client=client, said=said), stories))
    values: dict[str, list[ExampleValue]] = {"train": [], "validation": [], "golden": []}
    for (split, story), memories in zip(stories, told, strict=True):
        values[split] += _questions(split, story, memories)
    report = {
        "stories": {
            split: [story.id for name, story in stories if name == split] for split in ("validation", "golden")
        },
        "memories": sum(len(memories) for memories in told),
        "statements": total,
    }
    return dataset_store(name=BUNDLED, source="bundled scenarios", values=values, report=report, actor=actor)


def _user(split: str, story: Scenario) -> uuid.UUID:
    return derive_uuid("bundled-user", split, story.id)


def _at(story: Scenario, day: int, position: int) -> datetime:
    morning = datetime.combine(story.starts_on, time(9), tzinfo=UTC)
    return morning + timedelta(days=day) + _TURN * position


def _tell_and_close(
    item: tuple[str, Scenario], *, client: MaasClient, said: Callable[[], None]
) -> dict[str, uuid.UUID]:
    try:
        return _tell(item[0], item[1], client=client, said=said)
    finally:
        connections.close_all()


def _tell(split: str, story: Scenario, *, client: MaasClient, said: Callable[[], None]) -> dict[str, uuid.UUID]:
    """Import the person's notes, and say every statement of the story in order.

    Returns event id → memory that MaaS made of it.
    A statement that MaaS did not keep gets an id that can never be found: forgetting it costs recall, as it should.
    """
    memories: dict[str, uuid.UUID] = {}
    user = _user(split, story)
    memories_import(background(user_id=user, story=story))
    for thread, position, turn in story.turns():
        if turn.query is not None:
            continue
        run_id = derive_uuid("bundled-run", split, story.id, thread.id, position)
        answer = client.ask(
            RunRequest(
                user_id=user,
                query=turn.text,
                run_id=run_id,
                thread_id=derive_uuid("bundled-thread", split, story.id, thread.id),
                client_kind="emulator",
                mode="dialogue",
                simulated_at=_at(story, thread.day, position),
                cycle_type="macro",
                seed=derive_seed("bundled", story.id, thread.id, position),
            )
        )
        for event in turn.events:
            memories[event.id] = answer.memory_id or derive_uuid("memory-not-made", run_id)
        if turn.events:
            said()
    return memories


def _questions(split: str, story: Scenario, memories: dict[str, uuid.UUID]) -> list[ExampleValue]:
    """A question that expects a statement also expects what said it again before the question, as in emulation."""
    repeats: dict[str, list[str]] = {}
    values = []
    for thread, position, turn in story.turns():
        for event in turn.events:
            if event.repeats:
                repeats.setdefault(event.repeats, []).append(event.id)
        if turn.query is None:
            continue
        expects = [name for event in turn.query.expects for name in (event, *repeats.get(event, ()))]
        values.append(
            ExampleValue(
                external_id=f"{story.id}/{turn.query.id}",
                user_id=_user(split, story),
                query=turn.text,
                asked_at=_at(story, thread.day, position),
                expected_memory_ids=tuple(dict.fromkeys(memories[name] for name in expects)),
                should_retrieve=turn.query.should_retrieve,
                category=turn.query.category,
                difficulty=turn.query.difficulty,
                cluster=f"{story.family}/{turn.query.id}",
                key_facts=turn.query.key_facts,
                forbidden=turn.query.forbidden,
            )
        )
    return values
