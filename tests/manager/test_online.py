"""Questions of real users who agreed, asked again in a cycle beside the dialogues."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.utils import timezone
from pytest_django import Settings

from contracts.actor import Actor
from contracts.maas import RunAnswer, RunRequest
from emulator.models import EmulationBatch, EmulationTurn
from goals.models import Campaign
from maas.access import as_service
from maas.client import MaasClient, get_client
from manager.domain.lifecycle import CycleState
from manager.engine import emulating, evaluating
from manager.engine.context import Step, StepContext
from manager.engine.lease import NoLease
from manager.engine.screening import train_questions
from manager.foreground import campaign_follow
from manager.models import Cycle, JournalEntry
from manager.services.policy import policy_change
from sensor.models import SensorEvent
from teacher.services import batch_measure
from tests.manager.test_killed import LEASE, killed
from tests.manager.world import Sizes, campaign_make, dataset_load

pytestmark = pytest.mark.django_db(transaction=True)

VERA, PETR = uuid.UUID(int=71), uuid.UUID(int=72)
TALK = (
    (VERA, "My sister Vera moved to Kazan and works there as a potter."),
    (VERA, "Where did my sister Vera move?"),
    (VERA, "My sister Vera has a dog called Rex. What does my sister Vera work as?"),
    (PETR, "My dentist Petrov answers at +7 999 123-45-67."),
    (PETR, "At which number does my dentist Petrov answer? Not +7 999 765-43-21, is it?"),
)
"""Three messages that ask, one of which also tells something, and two that only tell."""
NUMBERS = ("123-45-67", "765-43-21")


@pytest.fixture
def campaign(transactional_db: None, tmp_path: Path) -> Campaign:
    dataset_load(tmp_path, sizes=Sizes(train=4, validation=3, golden=2))
    return campaign_make(cycles=3, dialogues=1)


def talk(*, consent: bool = True, at: datetime | None = None) -> None:
    """`at`: the client says when each was said, a minute apart; else it is now."""
    for number, (user, text) in enumerate(TALK):
        said = at + timedelta(minutes=number) if at else None
        get_client().ask(RunRequest(user_id=user, query=text, consent=consent, simulated_at=said))


def context(campaign: Campaign, number: int = 1, client: MaasClient | None = None) -> StepContext:
    cycle, _ = Cycle.objects.get_or_create(campaign=campaign, number=number, defaults={"state": CycleState.EMULATING})
    return StepContext(cycle=cycle, campaign=campaign, client=client or get_client(), lease=NoLease(), parallel=2)


def emulated(campaign: Campaign, number: int = 1, client: MaasClient | None = None) -> Step:
    """The step, and its data where the next step looks for them."""
    here = context(campaign, number, client)
    step = emulating.step(here)
    here.cycle.data |= step.data
    here.cycle.finished_at = timezone.now()  # so that another may be open
    here.cycle.save()
    return step


def online(number: int = 1) -> list[SensorEvent]:
    return list(SensorEvent.objects.filter(batch=f"{_prefix()}-k{number}-online").order_by("query"))


def _prefix() -> str:
    return f"c{Campaign.objects.get().number}"


def student(query: str, *values: Any) -> list[Any]:
    with as_service() as cursor:
        cursor.execute(query, list(values))
        return [tuple(row) for row in cursor.fetchall()]


def memories() -> list[Any]:
    return student("SELECT id, times_retrieved, times_used FROM lsm_storage WHERE user_id = ANY(%s) ORDER BY id",
                   [VERA, PETR])  # fmt: skip


class Dying:
    """A student whose caller is gone after so many answers to real people."""

    def __init__(self, answers: int):
        self._left, inner = answers, get_client()
        self._ask, self.submit, self.wait, self.feedback = inner.ask, inner.submit, inner.wait, inner.feedback

    def ask(self, request: RunRequest) -> RunAnswer:
        if request.user_id in (VERA, PETR):
            self._left -= 1
            if self._left < 0:
                raise ConnectionError("killed")
        return self._ask(request)


# --- asked again -----------------------------------------------------------------------------------------------------


def test_emulating__consented_questions__are_asked_again_and_told(campaign: Campaign) -> None:
    talk()

    step = emulated(campaign)

    assert step.data["online_batch"] == f"{_prefix()}-k1-online"
    assert step.notes[0].text.endswith("questions with truth, and 3 questions of real users who agreed")
    asked = online()
    assert sorted((event.user_id, event.query) for event in asked) == [
        (VERA, TALK[2][1]),
        (VERA, TALK[1][1]),
        (PETR, "At which number does my dentist Petrov answer? Not [phone], is it?"),
    ]
    assert {(e.client_kind, e.mode, e.cycle_type, e.split, e.parameter_version) for e in asked} == {
        ("emulator", "evaluation", "macro", "train", step.data["version"])
    }
    assert {(e.example_id, e.should_retrieve, e.expected_ids, e.key_facts) for e in asked} == {(None,) * 4}


@pytest.mark.parametrize("at", [None, datetime(2025, 3, 1, tzinfo=UTC)], ids=["now", "simulated"])
def test_emulating__question_asked_again__finds_what_was_known_then_and_changes_nothing(
    campaign: Campaign, at: datetime | None
) -> None:
    talk(at=at)
    before = memories()

    emulated(campaign)

    left = dict(student("SELECT user_query, memory_id FROM pipeline_runs WHERE mode = 'dialogue'"))
    found = {event.query: event.found_ids for event in online()}
    assert left[TALK[2][1]] is not None
    assert (found[TALK[1][1]], found[TALK[2][1]]) == ([left[TALK[0][1]]],) * 2  # not what is left by itself, or later
    assert memories() == before


def test_emulating__memory_with_a_number_in_it__is_kept_in_clear_nowhere_outside_the_student(
    campaign: Campaign,
) -> None:
    talk()

    emulated(campaign)

    answer = student("SELECT final_answer FROM pipeline_runs WHERE user_id = %s AND mode = 'evaluation'", PETR)[0][0]
    assert NUMBERS[0] in answer
    turn = EmulationTurn.objects.get(dialogue__user_id=PETR)
    event = SensorEvent.objects.get(user_id=PETR, mode="evaluation")
    kept = [turn.text, turn.answer_excerpt, event.query, event.context or "", event.answer or ""]
    assert not [text for text in kept if any(number in text for number in NUMBERS)]
    assert "[phone]" in turn.answer_excerpt


def test_emulating__nobody_agreed__is_as_if_there_were_no_pool(campaign: Campaign) -> None:
    talk(consent=False)

    step = emulated(campaign)

    assert set(step.data) == {"train_batch", "version"}
    assert step.notes[0].text.endswith("questions with truth")
    assert EmulationBatch.objects.count() == 1
    assert not student("SELECT 1 FROM pipeline_runs WHERE mode = 'evaluation' AND user_id = ANY(%s)", [VERA, PETR])


def test_emulating__policy_of_zero__asks_none(campaign: Campaign, alice: Actor) -> None:
    policy_change(actor=alice, reason="not yet", online_questions_per_cycle=0)
    talk()

    assert "online_batch" not in emulated(campaign).data


def test_emulating__policy_of_two__draws_two(campaign: Campaign, alice: Actor) -> None:
    policy_change(actor=alice, reason="few", online_questions_per_cycle=2)
    talk()

    step = emulated(campaign)

    assert len(online()) == 2
    assert step.notes[0].text.endswith("and 2 questions of real users who agreed")


def test_emulating__next_cycle__asks_the_real_questions_and_not_their_copies(campaign: Campaign) -> None:
    talk()
    emulated(campaign)

    emulated(campaign, 2)

    assert [event.query for event in online(2)] == [event.query for event in online(1)]
    assert not {event.pipeline_run_id for event in online(1)} & {event.pipeline_run_id for event in online(2)}


def test_emulating__consent_withdrawn_between_two_cycles__is_not_asked_in_the_next(campaign: Campaign) -> None:
    talk()
    emulated(campaign)
    with as_service() as cursor:
        cursor.execute("UPDATE pipeline_runs SET consent = false, updated_at = clock_timestamp() WHERE user_id = %s",
                       [VERA])  # fmt: skip

    emulated(campaign, 2)

    assert {event.user_id for event in online(1)} == {VERA, PETR}
    assert {event.user_id for event in online(2)} == {PETR}


# --- broken off ------------------------------------------------------------------------------------------------------


def test_emulating__broken_off_between_two_questions__goes_on_with_the_same_ones(campaign: Campaign) -> None:
    talk()
    with pytest.raises(ConnectionError):
        emulated(campaign, client=Dying(answers=1))
    assert len(student("SELECT 1 FROM pipeline_runs WHERE mode = 'evaluation' AND user_id = ANY(%s)", [VERA, PETR])) < 3
    talk()  # what is asked meanwhile waits for the next cycle

    emulated(campaign)

    runs = student("SELECT user_query FROM pipeline_runs WHERE mode = 'evaluation' AND user_id = ANY(%s)", [VERA, PETR])
    assert len(runs) == len(set(runs)) == len(online()) == 3


def test_emulating__repeated_before_it_was_committed__runs_and_tells_the_same(campaign: Campaign) -> None:
    talk()
    first = emulating.step(context(campaign))
    runs = student("SELECT id FROM pipeline_runs ORDER BY id")
    talk()
    more = student("SELECT count(*) FROM pipeline_runs")[0][0]

    second = emulating.step(context(campaign))

    assert (second.data, second.notes) == (first.data, first.notes)
    assert student("SELECT count(*) FROM pipeline_runs")[0][0] == more == len(runs) + len(TALK)
    assert len(online()) == 3


@pytest.mark.processes
def test_emulating__worker_killed_among_the_questions__leaves_them_to_the_next(
    campaign: Campaign, settings: Settings
) -> None:
    settings.MANAGER_LEASE_SECONDS = float(LEASE)
    talk()
    talk()
    killed(campaign, cycle=1, state="EMULATING", done=5)  # the dialogue has four turns, so this is the fifth of six
    assert EmulationBatch.objects.get(batch=f"{_prefix()}-k1-online").status == "running"

    emulated(campaign)

    runs = student("SELECT id FROM pipeline_runs WHERE mode = 'evaluation' AND user_id = ANY(%s)", [VERA, PETR])
    assert len(runs) == len(online()) == 6


def test_campaign__with_consented_questions__runs_to_its_end_and_tells_of_them(campaign: Campaign) -> None:
    talk()

    campaign_follow(campaign_id=campaign.id, client=get_client())

    campaign.refresh_from_db()
    assert campaign.status == "completed"
    told = JournalEntry.objects.filter(campaign=campaign, kind="emulated").order_by("id").values_list("text", flat=True)
    assert told
    assert all(text.endswith("and 3 questions of real users who agreed") for text in told)
    assert campaign.cycles.get(number=1).data["train"]["n"] == 4 + 3


# --- what they count for ---------------------------------------------------------------------------------------------


def test_evaluating__questions_without_truth__count_where_none_is_needed_and_nowhere_else(campaign: Campaign) -> None:
    talk()
    step = emulated(campaign)
    alone = batch_measure(batch=step.data["train_batch"]).to_json()

    both = evaluating.step(context(campaign)).data["train"]

    assert both["n"] == alone["n"] + 3
    for name in ("retrieval_recall", "retrieval_precision", "hit_rate", "mrr"):
        assert both["metrics"][name] == pytest.approx(alone["metrics"][name])  # summed in another order
        assert both["counts"][name] == alone["counts"][name]
    for name in ("hallucination_rate", "no_context_rate", "error_rate", "latency_p95"):
        assert both["counts"][name] == alone["counts"][name] + 3
    assert both["counts"]["context_utilization"] > alone["counts"]["context_utilization"]
    assert both["tokens"] > alone["tokens"]
    assert set(both["by_category"]) == set(alone["by_category"])


def test_evaluating__without_online_questions__measures_the_dialogues_alone(campaign: Campaign) -> None:
    step = emulated(campaign)

    both = evaluating.step(context(campaign)).data["train"]

    assert both == batch_measure(batch=step.data["train_batch"]).to_json()


def test_evaluating__online_questions__stay_out_of_validation_golden_and_screening(campaign: Campaign) -> None:
    talk()
    emulated(campaign)
    evaluating.step(context(campaign))

    real = SensorEvent.objects.filter(user_id__in=[VERA, PETR])
    assert set(real.values_list("split", flat=True)) == {None, "train"}
    assert SensorEvent.objects.filter(split="golden").exists()
    questions = train_questions(context(campaign))
    assert questions
    assert not {item.user_id for item in questions} & {VERA, PETR}
