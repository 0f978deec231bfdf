"""What reaches the Sensor as messages: what a judge says of a run, and runs of a MaaS that runs elsewhere."""

from __future__ import annotations

import uuid
from datetime import datetime, timedelta
from typing import Annotated, Any, Literal

from pydantic import AwareDatetime, BeforeValidator, Field, ValidationInfo, field_validator

from contracts.base import Message, Part


class Judgement(Message):
    """Marks of one judge version. None: this judge could not tell (counted as missing, never as passed)."""

    run_id: uuid.UUID
    judge_version: str
    retrieval_relevant: bool | None = None
    context_utilized: bool | None = None
    hallucination_detected: bool | None = None
    reasons: tuple[str, ...] = ()


LONGEST_RUN = timedelta(days=31)
"""From its start to its end; nothing that lasts longer can be stored as a latency that means something."""
MOST_FOUND = 500
_NO_NUL = r"^[^\x00]*$"
_LONGEST_MS = LONGEST_RUN / timedelta(milliseconds=1)


def _storable(value: Any) -> Any:
    """Free text may hold a NUL that a model or a file left there. PostgreSQL keeps none; the run is worth more.

    Half of a surrogate pair is no character at all; which one was meant cannot be told.
    """
    if type(value) is str:
        if not value.isascii():
            value.encode()  # its UnicodeEncodeError is a ValueError
        if "\x00" in value:
            return value.replace("\x00", "")
    return value


def _moment(value: Any) -> Any:
    """A number could be seconds or milliseconds, and a year beyond these cannot be stored in every zone."""
    if type(value) is str:
        if value[4:5] == "-" and "1900" <= value[:4] <= "2199":
            return value
    elif isinstance(value, datetime) and 1900 <= value.year <= 2199:
        return value
    raise ValueError("a time is ISO 8601 text with a time zone, of the years 1900 to 2199")


Moment = Annotated[AwareDatetime, BeforeValidator(_moment)]
Name = Annotated[str, Field(min_length=1, max_length=100, pattern=_NO_NUL)]
Word = Annotated[str, Field(max_length=200, pattern=_NO_NUL)]
Text = Annotated[str, BeforeValidator(_storable), Field(max_length=200_000)]
Count = Annotated[int, Field(strict=True, ge=0, le=2_000_000_000)]
Milliseconds = Annotated[float, Field(strict=True, ge=0, le=_LONGEST_MS, allow_inf_nan=False)]
Flag = Annotated[bool, Field(strict=True)]


class ExternalMemory(Part):
    """A memory that a foreign run found. What is left out was not told, and nothing is concluded from it."""

    id: uuid.UUID = Field(description="The memory, in its own MaaS.")
    score: Annotated[float, Field(strict=True, allow_inf_nan=False)] | None = Field(
        default=None, description="What it was ranked by; higher is better."
    )
    user_id: uuid.UUID | None = Field(
        default=None, description="Whose memory it is. Without it the run's `isolation_ok` is null: it cannot be told."
    )
    created_at: Moment | None = Field(default=None, description="From when it is, in the user's own time.")
    tags: Annotated[tuple[Word, ...], Field(max_length=200)] | None = Field(
        default=None, description="What it is found by; compared with the run's keywords."
    )


class ExternalRun(Message):
    """One finished run of a MaaS that runs elsewhere, with its stages: what `POST /telemetry` takes.

    Times carry a zone; durations are milliseconds, costs US dollars. NUL characters are taken out of free text and
    refused in words and names. Nothing else is changed, and nothing that is not told is made up.
    """

    schema_version: Literal[1] = 1
    event_id: uuid.UUID = Field(description="The sender's own id of this message. The same id again writes nothing.")
    pipeline_run_id: uuid.UUID = Field(description="The run. A run is recorded once.")
    user_id: uuid.UUID = Field(description="Who asked.")
    client_kind: Literal["user", "emulator"] = Field(
        description="`user` is a person: addresses and numbers in the texts are masked before they are kept."
    )
    mode: Literal["dialogue", "evaluation"] = "dialogue"
    thread_id: uuid.UUID | None = Field(default=None, description="The conversation.")
    experiment: Name | None = Field(default=None, description="The experiment's slug; null in production.")
    variant: Annotated[str, Field(min_length=1, max_length=50, pattern=_NO_NUL)] | None = Field(
        default=None, description="The arm of that experiment."
    )
    cycle_type: Literal["micro", "macro", "deep", "online"] = "online"
    seed: Annotated[int, Field(strict=True, ge=-(2**63), lt=2**63)] | None = None
    parameter_version: Count | None = Field(default=None, description="The parameters that it ran with.")

    query: Annotated[str, BeforeValidator(_storable), Field(min_length=1, max_length=20_000, pattern=r"\S")]
    keywords: Annotated[tuple[Word, ...], Field(max_length=500)] = ()
    context: Text | None = Field(default=None, description="What the model was given to answer from.")
    context_tokens: Count | None = None
    found: Annotated[tuple[ExternalMemory, ...], Field(max_length=MOST_FOUND)] = Field(
        default=(), description="The memories that were found, best first, each once."
    )
    used_ids: Annotated[tuple[uuid.UUID, ...], Field(max_length=MOST_FOUND)] | None = Field(
        default=None, description="Memories that entered the context, each once; null: not told."
    )
    memory_id: uuid.UUID | None = Field(default=None, description="The memory that the run left.")

    status: Literal["COMPLETED", "FAILED"]
    answer: Text | None = Field(default=None, validate_default=True, description="A COMPLETED run has one.")
    error_type: Name | None = None
    error_message: Text | None = None
    retry_count: Count = 0
    asked_at: Moment | None = Field(
        default=None, description="When it was asked in the user's own, perhaps simulated, time. Null: `started_at`."
    )
    started_at: Moment = Field(description="By the real clock.")
    ended_at: Moment = Field(description="By the real clock; not before `started_at`, at most 31 days after it.")
    stages: dict[Literal["analyzer", "assembler", "responder", "archivist"], Milliseconds] = Field(
        default_factory=dict, description="Milliseconds of each stage that the run reached."
    )
    latency_ms: Milliseconds | None = Field(
        default=None, description="From request to answer. Null: from `started_at` to `ended_at`."
    )
    model: Name | None = None
    prompt_tokens: Count | None = None
    completion_tokens: Count | None = None
    cost_usd: Annotated[float, Field(strict=True, ge=0, le=900_000, allow_inf_nan=False)] | None = None
    feedback_score: Annotated[int, Field(strict=True, ge=1, le=5)] | None = None
    feedback_at: Moment | None = None
    consent: Flag = Field(default=False, description="The person lets this exchange be learnt from, masked.")

    @field_validator("found")
    @classmethod
    def _each_found_once(cls, found: tuple[ExternalMemory, ...]) -> tuple[ExternalMemory, ...]:
        if len({memory.id for memory in found}) != len(found):
            raise ValueError("a memory stands in it twice")
        return found

    @field_validator("used_ids")
    @classmethod
    def _each_used_once(cls, used: tuple[uuid.UUID, ...] | None) -> tuple[uuid.UUID, ...] | None:
        if used is not None and len(set(used)) != len(used):
            raise ValueError("a memory stands in it twice")
        return used

    @field_validator("answer")
    @classmethod
    def _completed_has_an_answer(cls, answer: str | None, info: ValidationInfo) -> str | None:
        if answer is None and info.data.get("status") == "COMPLETED":
            raise ValueError("a COMPLETED run has an answer")
        return answer

    @field_validator("ended_at")
    @classmethod
    def _ends_after_it_started(cls, ended: datetime, info: ValidationInfo) -> datetime:
        started = info.data.get("started_at")
        if started is not None and ended < started:
            raise ValueError("it lies before started_at")
        if started is not None and ended - started > LONGEST_RUN:
            raise ValueError(f"it lies more than {LONGEST_RUN.days} days after started_at")
        return ended


Fact = Annotated[str, Field(min_length=1, max_length=2000, pattern=_NO_NUL)]


class ExternalTruth(Message):
    """What a posted run should have found and said: what `POST /telemetry/truths` takes. A later one replaces it.

    The golden set is sealed here and takes no rows from outside, so there is no such split.
    """

    schema_version: Literal[1] = 1
    pipeline_run_id: uuid.UUID = Field(description="A run that was posted before.")
    example_id: Name = Field(description="The question, the same under every arm and repeat.")
    batch: Name = Field(description="The pass that the run belongs to; kept as `external:` and this name.")
    dataset: Name
    split: Literal["train", "validation"] = "train"
    cluster: Name | None = Field(
        default=None, description="Questions that are not independent share it. Null: `example_id`."
    )
    should_retrieve: Flag = Field(description="Whether the person's memories hold an answer.")
    expected_memory_ids: Annotated[tuple[uuid.UUID, ...], Field(max_length=MOST_FOUND)] = ()
    key_facts: Annotated[tuple[Fact, ...], Field(max_length=50)] = Field(
        default=(), description="What a right answer holds."
    )
    forbidden: Annotated[tuple[Fact, ...], Field(max_length=50)] = Field(
        default=(), description="What no answer may hold."
    )
    category: Name = "factual"
    difficulty: Literal["easy", "medium", "hard"] = "medium"

    @field_validator("expected_memory_ids")
    @classmethod
    def _each_expected_once(cls, expected: tuple[uuid.UUID, ...]) -> tuple[uuid.UUID, ...]:
        if len(set(expected)) != len(expected):
            raise ValueError("a memory stands in it twice")
        return expected


class ExternalJudgement(Message):
    """What a judge elsewhere said of a posted run: what `POST /telemetry/judgements` takes. The first said stands.

    Null: the judge could not tell, which counts as missing and never as passed.
    """

    schema_version: Literal[1] = 1
    pipeline_run_id: uuid.UUID = Field(description="A run that was posted before.")
    judge_version: Name = Field(description="Judge, model and prompt; kept as `external:` and this name.")
    retrieval_relevant: Flag | None = None
    context_utilized: Flag | None = None
    hallucination_detected: Flag | None = Field(default=None, validate_default=True)
    reasons: Annotated[tuple[Fact, ...], Field(max_length=20)] = ()

    @field_validator("hallucination_detected")
    @classmethod
    def _says_something(cls, invented: bool | None, info: ValidationInfo) -> bool | None:
        others = (info.data.get(name, "faulty") for name in ("retrieval_relevant", "context_utilized"))
        if invented is None and all(other is None for other in others):
            raise ValueError("a judgement says at least one of the three marks")
        return invented
