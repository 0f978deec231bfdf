"""What every judge takes and gives. Callers depend on this, never on one judge."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

Name = Literal["offline", "llm"]


@dataclass(frozen=True, slots=True)
class Case:
    """One answered run.

    `should_retrieve` None: no ground truth is known. `hits`: expected memories among the found, which says something
    only when `ids_known`.
    """

    answer: str
    context: str
    found: int
    hits: int
    should_retrieve: bool | None
    key_facts: tuple[str, ...]
    forbidden: tuple[str, ...]
    query: str = ""
    ids_known: bool = True


@dataclass(frozen=True, slots=True)
class Bill:
    """What judging took: questions asked of a model, questions answered from what is kept, US dollars."""

    calls: int = 0
    cached: int = 0
    cost_usd: float = 0.0

    def __add__(self, other: Bill) -> Bill:
        return Bill(self.calls + other.calls, self.cached + other.cached, self.cost_usd + other.cost_usd)


@dataclass(frozen=True, slots=True)
class Marks:
    """`context_utilized` None: it does not apply, for the context held no answer and none was given.

    `retrieval_relevant` None: not asked, since ids tell more. `hallucination` None: this judge could not tell, the
    whole judgement is missing, and `failure` is the code of what went wrong. `outage`: it would have gone wrong with
    any case.
    """

    context_utilized: bool | None
    hallucination: bool | None
    reasons: tuple[str, ...]
    retrieval_relevant: bool | None = None
    bill: Bill = Bill()
    failure: str = ""
    outage: bool = False

    @property
    def missing(self) -> bool:
        return self.hallucination is None


class Judge(Protocol):
    """`version` changes with whatever may change a mark. `samples`: judging costs, so a sample must do."""

    version: str
    samples: bool

    def judge(self, cases: Sequence[Case]) -> list[Marks]:
        """Marks of each case, in their order. Never raises for a case: what fails is missing."""
        ...


@dataclass(frozen=True, slots=True)
class Judging:
    """Which judge judges, and how much of one batch at what price; the last two are for a judge that samples."""

    judge: Name = "offline"
    sample_per_batch: int = 400
    usd_per_batch: float = 1.0


OFFLINE = Judging()
