"""The LLM judge: each question of a case is asked of a model once, checked, asked again when malformed, and kept.

What fails is missing, never a pass: a case of which one question has no valid answer gets no mark at all.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from typing import Any, NamedTuple

from pydantic import ValidationError

from kernel.canonical import stable_hash
from kernel.errors import DomainError
from llm.errors import MalformedOutput, ModelRefused, ModelTimeout, ModelUnavailable
from llm.prices import PRICES, Price, cost_usd
from llm.protocol import ChatMessage, ChatModel
from llm.text import count_tokens
from teacher.judges.answers import Answers, Kept, Key
from teacher.judges.protocol import Bill, Case, Marks
from teacher.judges.purse import Purse
from teacher.judges.questions import (
    Form,
    Hallucination,
    Question,
    Relevance,
    Utilization,
    payload,
    questions,
    version_of,
)

NO_MONEY = "JUDGE_NO_MONEY"
"""`Marks.failure` of a case that the purse did not allow: nothing is known of it, and it may be judged later."""
_OF_THE_KEY = frozenset({401, 403, 404})
"""Refusals that are of the key or the model's name; others are of the case."""
_WORKERS = 8
_BEAT_SECONDS = 1.0
_ANSWER_TOKENS = 400
"""What an answer is expected to take, when money is set aside for it."""
_ENGINE_TRIES = 3
"""A call that ends malformed or late was tried so often by the engine; each try may have to be paid for."""


class _Asked(NamedTuple):
    question: Question
    shown: dict[str, Any]
    key: Key


@dataclass(frozen=True, slots=True)
class _Said:
    """One question's end. `form` None: no valid answer, for the `reason` with this `failure` code."""

    form: Form | None
    cost_usd: float = 0.0
    calls: int = 1
    failure: str = ""
    reason: str = ""
    outage: bool = False


class LLMJudge:
    """Implements `teacher.judges.protocol.Judge`.

    `purse`: how much may be spent; None is without a limit. `on_wait` is called about once a second, by the caller's
    own thread, while answers are awaited.
    """

    samples = True

    def __init__(
        self,
        *,
        model: ChatModel,
        repeat: int = 0,
        purse: Purse | None = None,
        timeout: float = 60.0,
        workers: int = _WORKERS,
        on_wait: Callable[[], None] | None = None,
        prices: Mapping[str, Price] = PRICES,
    ):
        self.version = version_of(model.name)
        self.purse = purse
        self._model = model
        self._repeat = repeat
        self._timeout = timeout
        self._workers = workers
        self._on_wait = on_wait
        self._prices = prices
        self._answers = Answers(model=model.name, repeat=repeat)

    def judge(self, cases: Sequence[Case]) -> list[Marks]:
        """Marks of each case; the same question within and between calls is asked once."""
        asked = [_questions(case) for case in cases]
        every = {one.key: one for row in asked for one in row}
        kept = self._answers.find(every.keys())
        said = {
            key: _Said(one.question.read(kept[key], one.shown), calls=0) for key, one in every.items() if key in kept
        }
        new = self._ask_all([one for key, one in every.items() if key not in kept])
        paid: set[Key] = set()
        marks = []
        for case, row in zip(cases, asked, strict=True):
            marks.append(
                _marks(case, row, said | new, free={one.key for one in row if one.key in kept or one.key in paid})
            )
            paid |= {one.key for one in row}
        return marks

    def _ask_all(self, asked: Sequence[_Asked]) -> dict[Key, _Said]:
        """Ask in threads, which touch no database; keep what is valid even when the caller stops in between."""
        said: dict[Key, _Said] = {}
        if not asked:
            return said
        with ThreadPoolExecutor(max_workers=min(self._workers, len(asked))) as pool:
            running: dict[Future[_Said], _Asked] = {pool.submit(self._ask, one): one for one in asked}
            pending = set(running)
            try:
                while pending:
                    done, pending = wait(pending, timeout=_BEAT_SECONDS)
                    said |= {running[future].key: future.result() for future in done}
                    if pending and self._on_wait is not None:
                        self._on_wait()
            finally:
                for future in pending:
                    future.cancel()
                self._answers.keep(
                    {
                        key: Kept(one.form.model_dump(), one.cost_usd)
                        for key, one in said.items()
                        if one.form is not None
                    }
                )
        return said

    def _ask(self, one: _Asked) -> _Said:
        """One question, and once more with what was wrong when the answer is malformed."""
        messages = [
            ChatMessage(role="system", content=one.question.prompt),
            ChatMessage(role="user", content=payload(one.shown)),
        ]
        expected = self._expected(messages, one.question)
        purse = self.purse or Purse(float("inf"))
        reserved = purse.reserve(expected)
        if reserved is None:
            return _Said(None, calls=0, failure=NO_MONEY, reason="the money for this batch is spent")
        said = self._tried(one, messages)
        purse.settle(reserved=reserved, expected=expected, spent=said.cost_usd)
        return said

    def _tried(self, one: _Asked, messages: list[ChatMessage]) -> _Said:
        spent, calls, wrong = 0.0, 0, ""
        while calls < 2:
            calls += 1
            try:
                result = self._model.complete(
                    messages=messages,
                    task="judge",
                    temperature=0.0,
                    seed=self._repeat,
                    schema=one.question.schema,
                    timeout=self._timeout,
                )
            except DomainError as error:
                spent += self._lost(error, messages, one.question)
                return _Said(None, spent, calls, error.code, error.message, _is_outage(error))
            spent += result.cost_usd
            try:
                return _Said(one.question.read(result.data or {}, one.shown), spent, calls)
            except ValidationError as error:
                wrong = "; ".join(item["msg"] for item in error.errors()[:3])
                messages = [
                    *messages,
                    ChatMessage(role="assistant", content=result.text),
                    ChatMessage(
                        role="user", content=f"This is not valid: {wrong}. Answer again, with the whole object."
                    ),
                ]
        return _Said(None, spent, calls, MalformedOutput.code, f"the model's answer is not valid: {wrong}")

    def _expected(self, messages: Sequence[ChatMessage], question: Question) -> float:
        """What one try may cost, in USD: the texts and the form as we count them."""
        prompt = sum(count_tokens(message.content) for message in messages) + count_tokens(json.dumps(question.schema))
        return cost_usd(self._model.name, prompt_tokens=prompt, completion_tokens=_ANSWER_TOKENS, prices=self._prices)

    def _lost(self, error: DomainError, messages: Sequence[ChatMessage], question: Question) -> float:
        """What a call without a result may have cost: nobody tells, and a budget must not read that as free."""
        tries = {MalformedOutput.code: _ENGINE_TRIES, ModelTimeout.code: _ENGINE_TRIES, ModelUnavailable.code: 0}
        return tries.get(error.code, 1) * self._expected(messages, question)


def _is_outage(error: DomainError) -> bool:
    if isinstance(error, ModelRefused):
        return error.details.get("status") in _OF_THE_KEY or error.details.get("code") == "insufficient_quota"
    return isinstance(error, ModelUnavailable | ModelTimeout)


def _questions(case: Case) -> list[_Asked]:
    found = []
    for question in questions():
        shown = question.shows(case)
        if shown is not None:
            found.append(_Asked(question, shown, Key(stable_hash(shown), question.prompt_hash)))
    return found


def _marks(case: Case, asked: Sequence[_Asked], said: Mapping[Key, _Said], *, free: set[Key]) -> Marks:
    """Put the answers together. `free`: questions that were answered or paid for before."""
    bill, forms, failed = Bill(), [], None
    for one in asked:
        answer = said[one.key]
        forms.append(answer.form)
        bill += Bill(cached=1) if one.key in free else Bill(answer.calls, 0, answer.cost_usd)
        if answer.form is None:
            failed = answer if failed is None or answer.failure == NO_MONEY else failed
    if failed is not None:
        reasons = (f"not judged: {failed.reason}",)
        return Marks(None, None, reasons, bill=bill, failure=failed.failure, outage=failed.outage)
    relevant, used = None, _unused(case, available=False)
    hallucination, wrong = False, list[str]()
    for form in forms:
        if isinstance(form, Relevance):
            relevant = bool(form.relevant)
        elif isinstance(form, Utilization):
            used = form.outcome == "used" if form.outcome != "abstained" else _unused(case, form.answer_was_available)
        elif isinstance(form, Hallucination):
            wrong = [f"{item.verdict}: {item.claim}" for item in form.claims if item.verdict != "supported"]
            if form.claims and case.should_retrieve is False:
                wrong.append("claims something that was never told")
            hallucination = bool(wrong)
    return Marks(used, hallucination, tuple(wrong), retrieval_relevant=relevant, bill=bill)


def _unused(case: Case, available: bool) -> bool | None:
    """Of an answer that says it does not know: False when the context held an answer. Ids say so before the model."""
    held = case.hits > 0 if case.ids_known else available
    return False if held else None
