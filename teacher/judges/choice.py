"""Which judge a policy means, and whether there is one."""

from __future__ import annotations

from collections.abc import Callable

from django.conf import settings

from kernel.errors import InvalidInput
from llm.errors import ModelRefused
from llm.factory import get_chat_model
from llm.prices import prices_from
from llm.protocol import ChatModel
from teacher.judges.llm import LLMJudge
from teacher.judges.offline import OfflineJudge
from teacher.judges.protocol import Judging
from teacher.judges.purse import Purse

_INSTEAD = "or set the policy's judge to offline"


def judge_model() -> ChatModel:
    """The model that judges. Raises `InvalidInput`, with what to do, when none is configured."""
    name = str(getattr(settings, "SELFLEARN_JUDGE_MODEL", "") or "")
    if getattr(settings, "SELFLEARN_LLM", "offline") == "offline" or not name:
        raise InvalidInput(
            "no model is configured that could judge: set SELFLEARN_LLM=openai, SELFLEARN_JUDGE_MODEL and "
            f"OPENAI_API_KEY or OPENAI_BASE_URL, {_INSTEAD}",
            details={"field": "judge"},
        )
    try:
        return get_chat_model(name)
    except ModelRefused as error:
        raise InvalidInput(f"the model that judges cannot be asked: {error.message}; {_INSTEAD}") from error


def judge_of(
    judging: Judging, *, repeat: int = 0, purse: Purse | None = None, on_wait: Callable[[], None] | None = None
) -> OfflineJudge | LLMJudge:
    """The judge that is meant. Raises `InvalidInput` when a model is meant and none is configured."""
    if judging.judge == "offline":
        return OfflineJudge()
    prices = prices_from(getattr(settings, "SELFLEARN_PRICES", None))
    return LLMJudge(model=judge_model(), repeat=repeat, purse=purse, on_wait=on_wait, prices=prices)
