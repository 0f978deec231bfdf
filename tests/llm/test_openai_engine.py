"""The openai engine against a server that fails in every way that servers do."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import openai
import pytest

from llm.errors import MalformedOutput, ModelRefused, ModelTimeout, ModelUnavailable
from llm.openai_engine import OpenAIChat
from llm.openai_retry import Attempts, Backoff
from llm.prices import Price
from llm.protocol import Usage
from tests.llm import cast
from tests.llm.conftest import QUICK
from tests.llm.server import Fault, ProtocolServer, completion, error

QUESTION = "Where does my sister live?"


@pytest.mark.parametrize(
    "fault",
    [
        error(429, "slow down", retry_after="0"),
        error(429, "slow down"),
        error(500, "oops"),
        error(503, "busy"),
        error(408, "late"),
        Fault(reset=True),
        Fault(cut=True),
        Fault(stream=True, cut=True),
        Fault(body="<html>not json"),
        Fault(body='{"choices": []}'),
        completion(""),
    ],
    ids=["429 told", "429", "500", "503", "408", "reset", "cut", "cut stream", "not json", "no choice", "empty"],
)
def test_complete__fault_passes__is_tried_again(server: ProtocolServer, openai_model: OpenAIChat, fault: Fault) -> None:
    server.faults.append(fault)
    assert "Hamburg" in cast.ask(openai_model, QUESTION, timeout=10).text
    assert len(server.requests) == 2


@pytest.mark.parametrize(
    ("fault", "expected"),
    [
        (error(429, "slow down"), ModelUnavailable),
        (error(500, "oops"), ModelUnavailable),
        (Fault(reset=True), ModelUnavailable),
        (Fault(cut=True), ModelUnavailable),
        (Fault(stream=True, cut=True), ModelUnavailable),
        (Fault(body="<html>not json"), ModelUnavailable),
        (Fault(body='{"choices": []}'), MalformedOutput),
        (Fault(body='{"choices": {"a": 1}}'), MalformedOutput),
        (Fault(body='"text"'), MalformedOutput),
        (Fault(body="[1]"), MalformedOutput),
        (completion(["not", "text"]), MalformedOutput),  # type: ignore[arg-type]  # what a broken server sends
        (completion("fine", usage="many"), MalformedOutput),
        (completion("fine", usage={"prompt_tokens": "many", "completion_tokens": 1}), MalformedOutput),
    ],
)
def test_complete__fault_stays__is_raised_after_three_tries(
    server: ProtocolServer, openai_model: OpenAIChat, fault: Fault, expected: type[Exception]
) -> None:
    server.faults.extend([fault] * 5)
    with pytest.raises(expected):
        cast.ask(openai_model, QUESTION, timeout=10)
    assert len(server.requests) == 3


@pytest.mark.parametrize(
    "fault",
    [
        error(401, "bad key"),
        error(404, "no such model"),
        error(400, "too long"),
        error(429, "pay first", code="insufficient_quota"),
    ],
    ids=["401", "404", "400", "quota"],
)
def test_complete__request_refused__is_not_tried_again(
    server: ProtocolServer, openai_model: OpenAIChat, fault: Fault
) -> None:
    server.faults.append(fault)
    with pytest.raises(ModelRefused):
        cast.ask(openai_model, QUESTION)
    assert len(server.requests) == 1


def test_complete__model_refuses_in_words__is_refused(server: ProtocolServer, openai_model: OpenAIChat) -> None:
    server.faults.append(completion(None, refusal="I cannot help with that"))
    with pytest.raises(ModelRefused):
        cast.ask(openai_model, QUESTION)


def test_complete__server_hangs__is_a_timeout_within_the_callers_budget(
    server: ProtocolServer, openai_model: OpenAIChat
) -> None:
    server.faults.extend([Fault(delay=30)] * 3)
    with pytest.raises(ModelTimeout):
        cast.ask(openai_model, QUESTION, timeout=0.3)
    assert len(server.requests) <= 3


def test_complete__one_late_answer__is_tried_again(server: ProtocolServer, openai_model: OpenAIChat) -> None:
    server.faults.append(Fault(delay=30))
    assert "Hamburg" in cast.ask(openai_model, QUESTION, timeout=3).text


def test_complete__nobody_listens__is_unavailable() -> None:
    with ProtocolServer() as gone:
        url = gone.url
    model = OpenAIChat(model="m", api_key="k", base_url=url, backoff=QUICK)
    with pytest.raises(ModelUnavailable):
        cast.ask(model, QUESTION, timeout=2)


def test_complete__content_is_no_json__is_asked_again_then_malformed(
    server: ProtocolServer, openai_model: OpenAIChat
) -> None:
    server.faults.extend([completion("I would say: sister")] * 3)
    with pytest.raises(MalformedOutput):
        cast.keywords(openai_model, QUESTION)
    assert len(server.requests) == 3


@pytest.mark.parametrize("wrapping", ["{}", "```json\n{}\n```", "Here it is: {} I hope this helps."])
def test_complete__json_wrapped_in_words__is_read(
    server: ProtocolServer, openai_model: OpenAIChat, wrapping: str
) -> None:
    body = json.dumps({"keywords": ["dog"], "is_small_talk": False, "language": "en"})
    server.faults.append(completion(wrapping.replace("{}", body)))
    assert cast.keywords(openai_model, "dog")["keywords"] == ["dog"]


def test_complete__server_without_json_schema__is_asked_for_an_object_from_then_on(
    server: ProtocolServer, openai_model: OpenAIChat
) -> None:
    server.faults.append(error(400, "response_format json_schema is not supported", param="response_format"))
    cast.keywords(openai_model, "my sister Anna", schema=cast.KEYWORDS_SCHEMA)
    cast.keywords(openai_model, "my brother Boris", schema=cast.KEYWORDS_SCHEMA)
    forms = [request.get("response_format", {}).get("type") for _, request in server.requests]
    assert forms == ["json_schema", "json_object", "json_object"]
    assert "JSON schema" in server.requests[-1][1]["messages"][0]["content"]


def test_complete__server_without_any_json_mode__is_asked_in_words(
    server: ProtocolServer, openai_model: OpenAIChat
) -> None:
    server.faults.extend([error(400, "unknown field response_format")] * 2)
    assert cast.keywords(openai_model, "my sister Anna")["keywords"][0] == "Anna"
    assert "response_format" not in server.requests[-1][1]


def test_complete__server_refuses_a_parameter__is_asked_without_it(
    server: ProtocolServer, openai_model: OpenAIChat
) -> None:
    server.faults.append(error(400, "Unsupported parameter: 'temperature'", param="temperature"))
    server.faults.append(error(400, "Unsupported parameter: 'max_tokens'", param="max_tokens"))
    cast.ask(openai_model, QUESTION, temperature=0.5, max_tokens=50)
    last = server.requests[-1][1]
    assert "temperature" not in last
    assert last["max_completion_tokens"] == 50


def test_complete__server_counts_no_tokens__usage_is_estimated(
    server: ProtocolServer, openai_model: OpenAIChat
) -> None:
    server.faults.append(completion("In Hamburg."))
    result = cast.ask(openai_model, QUESTION)
    assert result.usage.prompt_tokens > 20
    assert result.usage.completion_tokens == 3


def test_complete__server_answers_in_chunks__is_read(server: ProtocolServer, openai_model: OpenAIChat) -> None:
    server.faults.append(Fault(stream=True))
    assert "Hamburg" in cast.ask(openai_model, QUESTION).text
    assert len(server.requests) == 1


@pytest.mark.parametrize(
    "output",
    ['{"keywords": "dog"}', '{"keywords": ["dog"], "is_small_talk": 0, "language": "en"}', "no object", "[]", "{"],
)
def test_complete__output_misses_the_schema_once__is_asked_again_and_both_tries_are_paid(
    server: ProtocolServer, openai_model: OpenAIChat, output: str
) -> None:
    usage = {"prompt_tokens": 1000, "completion_tokens": 10}
    good = json.dumps({"keywords": ["dog"], "is_small_talk": False, "language": "en"})
    server.faults.extend([completion(output, usage=usage), completion(good, usage=usage)])
    result = openai_model.complete(messages=cast.user("dog"), task="keywords", schema=cast.KEYWORDS_SCHEMA)
    assert result.data == json.loads(good)
    assert len(server.requests) == 2
    assert result.usage == Usage(prompt_tokens=2000, completion_tokens=20)


def test_complete__usage_told__is_priced_by_the_models_entry(server: ProtocolServer) -> None:
    table = {"small-model": Price(2.0, 10.0)}
    model = OpenAIChat(model="small-model", api_key="k", base_url=server.url, backoff=QUICK, price_table=table)
    server.faults.append(completion("In Hamburg.", usage={"prompt_tokens": 1500, "completion_tokens": 200}))
    assert cast.ask(model, QUESTION).cost_usd == pytest.approx(0.003 + 0.002)


@pytest.mark.parametrize(
    "complaint",
    [
        "'response_format.type' must be 'text'",
        "Structured output is not supported by this model",
        "failed to parse grammar",
        "Invalid JSON schema: unsupported keyword",
    ],
)
def test_complete__server_refuses_the_form_in_its_own_words__is_asked_in_another(
    server: ProtocolServer, openai_model: OpenAIChat, complaint: str
) -> None:
    server.faults.append(error(400, complaint))
    assert cast.keywords(openai_model, "my sister Anna")["keywords"][0] == "Anna"
    assert [r.get("response_format", {}).get("type") for _, r in server.requests] == ["json_schema", "json_object"]


def test_complete__context_too_long_with_a_schema__is_refused_at_once(
    server: ProtocolServer, openai_model: OpenAIChat
) -> None:
    server.faults.append(error(400, "maximum context length is 4096 tokens"))
    with pytest.raises(ModelRefused):
        cast.keywords(openai_model, "my sister Anna")
    assert len(server.requests) == 1


def test_complete__schema_is_closed__is_asked_strictly(server: ProtocolServer, openai_model: OpenAIChat) -> None:
    cast.keywords(openai_model, "my sister Anna")
    assert server.requests[0][1]["response_format"]["json_schema"]["strict"] is True


def test_complete__plain_answer__has_no_data(openai_model: OpenAIChat) -> None:
    assert cast.ask(openai_model, QUESTION).data is None


class _Time:
    """A clock that only sleeping and working move."""

    def __init__(self) -> None:
        self.now = 0.0
        self.slept: list[float] = []

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds


def test_attempts__all_late__never_outlast_the_deadline() -> None:
    time = _Time()
    shares: list[float] = []

    def late(seconds: float) -> None:
        shares.append(seconds)
        time.now += seconds
        raise MalformedOutput("again")

    attempts = Attempts(limit=3, timeout=30, backoff=Backoff(), clock=lambda: time.now, sleep=time.sleep)
    with pytest.raises(MalformedOutput):
        attempts.run(late)
    assert time.now <= 30
    assert shares[0] == pytest.approx(10)


def _waits(server: ProtocolServer, fault: Fault) -> list[float]:
    """Seconds slept before the second try, when the first meets `fault` over real HTTP."""
    time = _Time()
    attempts = Attempts(limit=2, timeout=60, backoff=Backoff(), clock=lambda: time.now, sleep=time.sleep)
    client = openai.OpenAI(api_key="k", base_url=server.url, max_retries=0)
    server.faults.append(fault)
    attempts.run(lambda _: client.embeddings.create(model="e", input=["a"], encoding_format="float"))
    return time.slept


def test_attempts__server_names_a_wait__is_waited_for_as_long(server: ProtocolServer) -> None:
    assert _waits(server, error(429, "slow down", retry_after="7")) == [7.0]


def test_attempts__server_names_a_date__is_waited_for_until_then(server: ProtocolServer) -> None:
    moment = format_datetime(datetime.now(UTC) + timedelta(seconds=20), usegmt=True)
    (waited,) = _waits(server, error(503, "back soon", retry_after=moment))
    assert 5 < waited <= 20


@pytest.mark.parametrize("headers", [{}, {"retry_after": "soon"}])
def test_attempts__server_names_no_wait__backs_off_by_itself(server: ProtocolServer, headers: dict[str, str]) -> None:
    (waited,) = _waits(server, error(429, "slow down", **headers))
    assert 0.25 <= waited <= 0.5


def test_attempts__server_names_a_wait_beyond_the_deadline__gives_up_at_once(
    server: ProtocolServer, openai_model: OpenAIChat
) -> None:
    server.faults.append(error(429, "slow down", retry_after="3600"))
    with pytest.raises(ModelUnavailable):
        cast.ask(openai_model, QUESTION, timeout=5)
    assert len(server.requests) == 1


@pytest.mark.parametrize("tried", [1, 2, 3, 9])
def test_backoff__later_tries__wait_longer_up_to_the_longest(tried: int) -> None:
    whole = min(8.0, 0.5 * 2 ** (tried - 1))
    assert whole / 2 <= Backoff().seconds(tried) <= whole
