"""A local server that speaks the OpenAI protocol over real HTTP, and fails as it is told to.

What it answers comes from the offline engine, so that one conformance suite can expect the same of both.
"""

from __future__ import annotations

import json
import threading
from collections import deque
from collections.abc import Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, NamedTuple

from llm.errors import ModelRefused
from llm.offline import OfflineModel
from llm.protocol import ChatMessage


class Fault(NamedTuple):
    """What one request meets instead of an answer."""

    status: int = 200
    body: str | None = None
    """Sent as it is; None answers as usual (after `delay`)."""
    headers: Mapping[str, str] = {}
    delay: float = 0.0
    cut: bool = False
    """Promise the whole answer, send half of it and close."""
    stream: bool = False
    """Send the body in chunks instead of naming its length; with `cut`, no chunk ends it."""
    reset: bool = False
    """Close without a word."""


def error(status: int, message: str, *, param: str | None = None, code: str | None = None, **headers: str) -> Fault:
    body = json.dumps({"error": {"message": message, "type": "error", "param": param, "code": code}})
    return Fault(status=status, body=body, headers={name.replace("_", "-"): value for name, value in headers.items()})


def completion(content: str | None, **choice: Any) -> Fault:
    """A well-formed response with this content."""
    return Fault(body=json.dumps(_completion(content, **choice)))


def _completion(
    content: str | None, *, usage: Any = None, finish_reason: str = "stop", **message: Any
) -> dict[str, Any]:
    body: dict[str, Any] = {
        "id": "c1",
        "object": "chat.completion",
        "created": 1,
        "model": "small-model-2025",
        "choices": [
            {
                "index": 0,
                "finish_reason": finish_reason,
                "message": {"role": "assistant", "content": content, **message},
            }
        ],
    }
    if usage is not None:
        body["usage"] = usage
    return body


class ProtocolServer:
    """Start with `with`; `url` is the base URL. `faults` are met first, one a request; `requests` were received."""

    def __init__(self) -> None:
        self.faults: deque[Fault] = deque()
        self.requests: list[tuple[str, dict[str, Any]]] = []
        self._offline = OfflineModel()
        owner = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                owner.serve(self)

            def log_message(self, *_: Any) -> None:
                return

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self._server.block_on_close = False
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}/v1"
        self._stopped = threading.Event()

    def __enter__(self) -> ProtocolServer:
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stopped.set()
        self._server.shutdown()
        self._server.server_close()

    def serve(self, handler: BaseHTTPRequestHandler) -> None:
        request = json.loads(handler.rfile.read(int(handler.headers["content-length"])))
        self.requests.append((handler.path, request))
        fault = self.faults.popleft() if self.faults else Fault()
        if fault.delay:
            self._stopped.wait(fault.delay)
        if fault.reset:
            handler.close_connection = True
            return
        body = fault.body if fault.body is not None else json.dumps(self._answer(handler.path, request))
        payload = body.encode()
        try:
            handler.send_response(fault.status)
            handler.send_header("content-type", "application/json")
            if fault.stream:
                handler.send_header("transfer-encoding", "chunked")
            else:
                handler.send_header("content-length", str(len(payload)))
            for name, value in fault.headers.items():
                handler.send_header(name, value)
            handler.end_headers()
            half = payload[: len(payload) // 2] if fault.cut else payload
            if fault.stream:
                handler.wfile.write(b"%x\r\n%b\r\n" % (len(half), half) + (b"" if fault.cut else b"0\r\n\r\n"))
            else:
                handler.wfile.write(half)
        except OSError:  # the client that timed out has gone
            return
        if fault.cut:
            handler.wfile.flush()
            handler.close_connection = True

    def _answer(self, path: str, request: dict[str, Any]) -> dict[str, Any]:
        if path.endswith("/embeddings"):
            return self._embeddings(request)
        messages = [ChatMessage(**message) for message in request["messages"]]
        form = request.get("response_format", {})
        task: Any = form.get("json_schema", {}).get("name") or self._task(messages)
        options = {name: request[name] for name in ("temperature", "seed", "max_tokens") if name in request}
        result = self._offline.complete(messages=messages, task=task, **options)
        wanted = form.get("json_schema", {}).get("schema", {})
        content = result.text
        if wanted.get("additionalProperties") is False:
            content = json.dumps(
                {name: value for name, value in (result.data or {}).items() if name in wanted["properties"]}
            )
        usage = result.usage
        told = {
            "prompt_tokens": usage.prompt_tokens,
            "completion_tokens": usage.completion_tokens,
            "total_tokens": usage.prompt_tokens + usage.completion_tokens,
        }
        return _completion(content, usage=told)

    @staticmethod
    def _task(messages: list[ChatMessage]) -> str:
        try:
            asked = json.loads(messages[-1].content)
        except ValueError:
            return "answer"
        if "query" in asked:
            return "keywords"
        if "user" in asked:
            return "summary"
        raise ModelRefused("no task")

    @staticmethod
    def _embeddings(request: dict[str, Any]) -> dict[str, Any]:
        if not all(text.strip() for text in request["input"]):
            raise AssertionError("real endpoints refuse an empty input")
        size = request.get("dimensions", 4)
        rows = [
            {"object": "embedding", "index": index, "embedding": [float(len(text)), *[1.0] * (size - 1)]}
            for index, text in enumerate(request["input"])
        ]
        # Out of order on purpose: the index is what counts.
        return {
            "object": "list",
            "model": request["model"],
            "data": rows[::-1],
            "usage": {"prompt_tokens": 1, "total_tokens": 1},
        }
