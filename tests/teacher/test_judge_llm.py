"""The LLM judge over real HTTP: what goes wrong is missing, what is kept is not asked again, money is held."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from kernel.errors import Conflict
from llm.openai_engine import OpenAIChat
from llm.prices import PRICES, Price
from teacher.judges.answers import KEPT, answers_prune
from teacher.judges.llm import NO_MONEY, LLMJudge
from teacher.judges.protocol import Case, Marks
from teacher.judges.purse import Purse
from teacher.judges.questions import Question, questions, version_of
from teacher.models import JudgeAnswer
from tests.llm.conftest import QUICK
from tests.llm.server import Fault, completion, error
from tests.teacher.judge_server import JudgeServer

pytestmark = pytest.mark.django_db

CONTEXT = "## Memories\n[1] 2025-03-02 | Anna: I moved to Kazan.\n[2] Oleg bought a bicycle.\n## Question\nWhere?"
USED = {"outcome": "used", "memories_used": [1], "answer_was_available": True, "reason": "it says so"}
NO_CLAIM: dict[str, Any] = {"claims": [], "reason": "nothing is claimed"}
TABLE = {**PRICES, "small-model": Price(100.0, 400.0)}
"""Dear enough that a few questions are dollars."""


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[JudgeServer]:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    with JudgeServer() as running:
        yield running


Make = Callable[..., LLMJudge]


@pytest.fixture
def made(server: JudgeServer) -> Make:
    """Judges that ask one question after the other, so that faults meet the question that they are meant for."""

    def make(**more: Any) -> LLMJudge:
        model = OpenAIChat(model="small-model", api_key="k", base_url=server.url, backoff=QUICK, price_table=TABLE)
        return LLMJudge(model=model, **{"workers": 1, "prices": TABLE, **more})

    return make


def case(answer: str = "Anna moved to Kazan.", **more: Any) -> Case:
    given: dict[str, Any] = {
        "answer": answer, "context": CONTEXT, "found": 2, "hits": 1, "should_retrieve": True, "key_facts": (),
        "forbidden": (), "query": "Where does Anna live?", **more,
    }  # fmt: skip
    return Case(**given)


def one(judge: LLMJudge, **more: Any) -> Marks:
    (found,) = judge.judge([case(**more)])
    return found


def said(*answers: Any) -> list[Fault]:
    return [completion(answer if isinstance(answer, str) else json.dumps(answer)) for answer in answers]


# --- what is asked ----------------------------------------------------------------------------------------------------


def test_request__of_a_case__has_the_prompt_the_case_as_json_and_temperature_zero(
    server: JudgeServer, made: Make
) -> None:
    one(made(), key_facts=("Kazan",), forbidden=("Samara",))

    request = server.requests[-1][1]
    system, shown = (message["content"] for message in request["messages"])
    assert (request["model"], request["temperature"]) == ("small-model", 0.0)
    assert "claims that it made up" in system
    assert json.loads(shown) == {
        "question": "Where does Anna live?",
        "memories": ["2025-03-02 | Anna: I moved to Kazan.", "Oleg bought a bicycle."],
        "recent_exchanges": [],
        "answer": "Anna moved to Kazan.",
        "known_to_be_right": ["Kazan"],
        "no_longer_true": ["Samara"],
    }
    assert request["response_format"]["json_schema"]["strict"] is True


def asked(server: JudgeServer) -> list[str]:
    return [body["response_format"]["json_schema"]["schema"]["title"] for _, body in server.requests]


def test_relevance__is_asked_only_where_ids_cannot_tell(server: JudgeServer, made: Make) -> None:
    known, unknown = made().judge([case(ids_known=True), case(ids_known=False, should_retrieve=None)])

    assert sorted(asked(server)) == ["Hallucination", "Relevance", "Utilization"]  # the others are the same questions
    assert (known.retrieval_relevant, unknown.retrieval_relevant) == (None, True)


def test_relevance__no_memory_that_is_relevant__is_false(server: JudgeServer, made: Make) -> None:
    server.faults.extend(said({"relevant": [], "reason": "no"}))

    assert one(made(), ids_known=False).retrieval_relevant is False


def test_use__nothing_found__is_not_asked(server: JudgeServer, made: Make) -> None:
    found = one(made(), found=0, hits=0, context="## Question\nWhere?")

    assert asked(server) == ["Hallucination"]
    assert (found.context_utilized, found.hallucination) == (None, True)


@pytest.mark.parametrize(("hits", "known", "used"), [(1, True, False), (0, True, None), (0, False, False)])
def test_use__abstention__is_weighed_by_ids_first_and_by_the_model_where_there_are_none(
    server: JudgeServer, made: Make, hits: int, known: bool, used: bool | None
) -> None:
    relevant = [] if known else said({"relevant": [1], "reason": ""})
    abstained = {"outcome": "abstained", "memories_used": [], "answer_was_available": True, "reason": ""}
    server.faults.extend([*relevant, *said(abstained, NO_CLAIM)])

    assert one(made(), hits=hits, ids_known=known).context_utilized is used


def test_reasons__of_a_claim__name_it_and_what_is_wrong_with_it(server: JudgeServer, made: Make) -> None:
    claims = [{"claim": "in Samara", "verdict": "contradicted"}, {"claim": "she moved", "verdict": "supported"}]
    server.faults.extend(said(USED, {"claims": claims, "reason": ""}))

    assert one(made()).reasons == ("contradicted: in Samara",)


# --- what goes wrong --------------------------------------------------------------------------------------------------


def missing(found: Marks) -> str:
    """The failure of a case that got no mark at all."""
    assert found.missing
    assert (found.context_utilized, found.hallucination, found.retrieval_relevant) == (None, None, None)
    assert found.reasons[0].startswith("not judged: ")
    return found.failure


def test_judge__answer_that_is_no_json__is_asked_again_and_then_missing(server: JudgeServer, made: Make) -> None:
    server.faults.extend([*said(USED), *said("I think it is fine.") * 3])

    assert missing(one(made())) == "MODEL_OUTPUT_MALFORMED"
    assert len(server.requests) == 4


def test_judge__answer_that_contradicts_itself__is_asked_again_once_with_what_is_wrong(
    server: JudgeServer, made: Make
) -> None:
    server.faults.extend(said({**USED, "memories_used": []}, USED, NO_CLAIM))

    found = one(made())

    assert (found.context_utilized, found.bill.calls) == (True, 3)
    assert "names at least one memory" in server.requests[1][1]["messages"][-1]["content"]


@pytest.mark.parametrize("wrong", [{**USED, "memories_used": [3]}, {**USED, "memories_used": [1, 1]}])
def test_judge__answer_that_is_invalid_twice__is_missing(
    server: JudgeServer, made: Make, wrong: dict[str, Any]
) -> None:
    server.faults.extend(said(wrong, wrong, NO_CLAIM))

    assert missing(one(made())) == "MODEL_OUTPUT_MALFORMED"
    assert len(server.requests) == 3


@pytest.mark.parametrize(
    ("faults", "code"),
    [
        ([error(500, "oops")] * 3, "MODEL_UNAVAILABLE"),
        ([error(429, "slow down")] * 3, "MODEL_UNAVAILABLE"),
        ([Fault(reset=True)] * 3, "MODEL_UNAVAILABLE"),
        ([error(401, "wrong key")], "MODEL_REFUSED"),
        ([completion(None, refusal="I would rather not")], "MODEL_REFUSED"),
        ([Fault(cut=True)] * 3, "MODEL_UNAVAILABLE"),
    ],
    ids=["500", "429", "reset", "401", "refusal", "cut"],
)
def test_judge__question_that_fails__leaves_the_whole_case_missing(
    server: JudgeServer, made: Make, faults: Sequence[Fault], code: str
) -> None:
    server.faults.extend(faults)

    assert missing(one(made())) == code


def test_judge__model_that_is_too_late__is_missing(server: JudgeServer, made: Make) -> None:
    server.faults.extend([Fault(delay=5.0)] * 6)

    assert missing(one(made(timeout=0.3))) == "MODEL_TIMEOUT"


def test_judge__rate_limit_that_passes__has_its_marks(server: JudgeServer, made: Make) -> None:
    server.faults.extend([error(429, "slow down", retry_after="0"), error(500, "oops")])

    assert one(made()).hallucination is False


def test_judge__one_case_that_fails__leaves_the_others_their_marks(server: JudgeServer, made: Make) -> None:
    server.faults.append(error(400, "content policy"))

    first, second = made().judge([case("Anna moved to Kazan."), case("Oleg bought a bicycle.")])

    assert (first.missing, second.hallucination) == (True, False)


def test_judge__many_at_once__gives_each_its_own_marks_in_their_order(server: JudgeServer, made: Make) -> None:
    cases = [case(f"Anna moved to Kazan {n}." if n % 2 else f"{n} parrots live in Lisbon.") for n in range(24)]

    found = made(workers=8).judge(cases)

    assert [each.hallucination for each in found] == [n % 2 == 0 for n in range(24)]


def test_wait__for_a_slow_answer__lets_the_caller_show_that_it_is_alive(
    server: JudgeServer, made: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("teacher.judges.llm._BEAT_SECONDS", 0.01)
    server.faults.append(Fault(delay=0.3))
    beats: list[int] = []

    one(made(on_wait=lambda: beats.append(1)))

    assert beats


def test_wait__caller_who_must_stop__stops_and_keeps_what_was_answered(
    server: JudgeServer, made: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("teacher.judges.llm._BEAT_SECONDS", 0.01)
    server.faults.extend([Fault(), Fault(delay=0.5)])

    def stop() -> None:
        if len(server.requests) > 1:
            raise Conflict("another worker has taken this over")

    with pytest.raises(Conflict):
        one(made(on_wait=stop))
    assert JudgeAnswer.objects.count() == 1


# --- what is kept -----------------------------------------------------------------------------------------------------


def test_cache__same_case_again__makes_no_call_and_costs_nothing(server: JudgeServer, made: Make) -> None:
    first = one(made())
    calls = len(server.requests)

    again = one(made())

    assert len(server.requests) == calls == 2
    assert (again.context_utilized, again.hallucination) == (first.context_utilized, first.hallucination)
    assert (again.bill.calls, again.bill.cached, again.bill.cost_usd) == (0, 2, 0.0)
    assert first.bill.cost_usd > 0


def test_cache__same_case_twice_in_one_call__is_asked_once(server: JudgeServer, made: Make) -> None:
    first, second = made().judge([case(), case()])

    assert len(server.requests) == 2
    assert (first.bill.calls, second.bill.calls, second.bill.cached) == (2, 0, 2)


@pytest.mark.parametrize(
    "other",
    [{"query": "Where?"}, {"answer": "In Kazan."}, {"key_facts": ("Kazan",)}, {"forbidden": ("Omsk",)},
     {"context": CONTEXT.replace("bicycle", "boat")}],
    ids=lambda item: next(iter(item)),
)  # fmt: skip
def test_cache__other_content__is_asked_anew(server: JudgeServer, made: Make, other: dict[str, Any]) -> None:
    one(made())
    calls = len(server.requests)

    one(made(), **other)

    assert len(server.requests) > calls


def test_cache__other_repeat__is_asked_anew_with_another_seed(server: JudgeServer, made: Make) -> None:
    one(made())
    one(made(repeat=1))

    assert [body["seed"] for _, body in server.requests] == [0, 0, 1, 1]


def test_cache__other_model__is_asked_anew(server: JudgeServer, made: Make) -> None:
    one(made())
    calls = len(server.requests)
    other = OpenAIChat(model="large-model", api_key="k", base_url=server.url, backoff=QUICK)

    one(LLMJudge(model=other))

    assert len(server.requests) == 2 * calls


def test_cache__other_prompt__is_asked_anew(server: JudgeServer, made: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    one(made())
    calls = len(server.requests)
    changed = [Question(each.name, each.prompt + " Be strict.", each.form, each.shows) for each in questions()]
    monkeypatch.setattr("teacher.judges.llm.questions", lambda: tuple(changed))

    one(made())

    assert len(server.requests) == 2 * calls


def test_cache__answer_that_nobody_needed_for_long__is_deleted(server: JudgeServer, made: Make) -> None:
    made().judge([case("Anna moved to Kazan."), case("Oleg bought a bicycle.")])
    JudgeAnswer.objects.update(used_at=timezone.now() - KEPT - timedelta(days=1))
    one(made(), answer="Oleg bought a bicycle.")  # needed again just now

    assert answers_prune() == 2
    assert JudgeAnswer.objects.count() == 2


def test_cache__failure__is_not_kept(server: JudgeServer, made: Make) -> None:
    server.faults.extend([error(400, "no"), error(400, "no")])
    one(made())

    assert JudgeAnswer.objects.count() == 0
    assert one(made()).hallucination is False


# --- money and version ------------------------------------------------------------------------------------------------


def test_purse__too_little_for_a_question__asks_nothing(server: JudgeServer, made: Make) -> None:
    assert missing(one(made(purse=Purse(0.01)))) == NO_MONEY
    assert server.requests == []


def test_purse__empty__still_gives_what_is_kept(server: JudgeServer, made: Make) -> None:
    one(made())

    assert one(made(purse=Purse(0))).hallucination is False


def test_purse__call_dearer_than_expected__raises_what_is_set_aside_for_the_next() -> None:
    purse = Purse(1.0)
    reserved = purse.reserve(0.25)
    assert reserved == 0.25

    purse.settle(reserved=reserved, expected=0.25, spent=0.5)

    assert purse.reserve(0.3) is None
    assert purse.reserve(0.25) == 0.5


def test_purse__spent__is_what_the_usage_says(server: JudgeServer, made: Make) -> None:
    found = one(made())

    assert found.bill.cost_usd == pytest.approx(2 * (1000 * 100 + 100 * 400) / 1_000_000)


def test_bill__malformed_to_the_end__is_counted_for_the_money_that_it_took(server: JudgeServer, made: Make) -> None:
    server.faults.extend([*said("no"), *said("no"), *said("no")])

    assert one(made()).bill.cost_usd > 0.14


def test_version__names_code_model_and_prompts() -> None:
    assert version_of("m").startswith("llm-1:m:v1-")
    assert version_of("m") != version_of("n")


def test_version__other_words_in_a_prompt__is_another(monkeypatch: pytest.MonkeyPatch) -> None:
    before = version_of("m")
    first, *rest = questions()
    changed = Question(first.name, first.prompt + " Be strict.", first.form, first.shows)
    monkeypatch.setattr("teacher.judges.questions.questions", lambda _version: (changed, *rest))

    assert version_of("m") != before
