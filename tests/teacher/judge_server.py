"""A local endpoint that speaks the OpenAI protocol and answers the judge's questions by simple rules over words.

No model: it stands where one would, so that everything between the policy and the marks is real. Other tasks are
answered by the offline engine. As a program it serves until it is stopped, for trying the product by hand:
`python -m tests.teacher.judge_server`.
"""

from __future__ import annotations

import json
import time
from typing import Any

from llm.offline.phrases import is_abstention
from llm.text import sentences, stems
from tests.llm.server import ProtocolServer, _completion

_HALF = 0.6


class JudgeServer(ProtocolServer):
    """`faults` are met first, as in its parent; `judged` counts questions of the judge by kind."""

    def __enter__(self) -> JudgeServer:
        super().__enter__()
        return self

    def _answer(self, path: str, request: dict[str, Any]) -> dict[str, Any]:
        schema = request.get("response_format", {}).get("json_schema", {}).get("schema", {})
        rule = {"Relevance": _relevance, "Utilization": _utilization, "Hallucination": _hallucination}.get(
            schema.get("title", "")
        )
        if rule is None:
            return super()._answer(path, request)
        shown = json.loads(request["messages"][1]["content"])
        usage = {"prompt_tokens": 1000, "completion_tokens": 100, "total_tokens": 1100}
        return _completion(json.dumps(rule(shown), ensure_ascii=False), usage=usage)


def _holds(text: str, claim: str) -> bool:
    words = set(stems(claim))
    return bool(words) and len(words & set(stems(text))) >= _HALF * len(words)


def _claims(answer: str) -> list[str]:
    found = [text for text in sentences(answer) if stems(text) and not is_abstention(text)]
    return [] if is_abstention(answer) else found


def _relevance(shown: dict[str, Any]) -> dict[str, Any]:
    asked = set(stems(shown["question"]))
    relevant = [number for number, text in enumerate(shown["memories"], 1) if asked & set(stems(text))]
    return {"relevant": relevant, "reason": "by words"}


def _utilization(shown: dict[str, Any]) -> dict[str, Any]:
    claims = _claims(shown["answer"])
    used = [n for n, text in enumerate(shown["memories"], 1) if any(_holds(text, claim) for claim in claims)]
    outcome = "used" if used else "not_used" if claims else "abstained"
    available = bool(_relevance(shown)["relevant"])
    return {"outcome": outcome, "memories_used": used, "answer_was_available": available, "reason": "by words"}


def _hallucination(shown: dict[str, Any]) -> dict[str, Any]:
    given = [*shown["memories"], *shown["recent_exchanges"]]

    def verdict(claim: str) -> str:
        said = claim.casefold()
        right = any(fact.casefold() in shown["answer"].casefold() for fact in shown["known_to_be_right"])
        if not right and any(value.casefold() in said for value in shown["no_longer_true"]):
            return "contradicted"
        return "supported" if any(_holds(text, claim) for text in given) else "unsupported"

    claims = [{"claim": claim, "verdict": verdict(claim)} for claim in _claims(shown["answer"])]
    return {"claims": claims, "reason": "by words"}


def main() -> None:
    with JudgeServer() as server:
        print(server.url, flush=True)  # noqa: T201 - this is its output
        while True:
            time.sleep(3600)


if __name__ == "__main__":
    main()
