"""Keeps child programs running, passes their lines on, and stops all of them within seconds."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import IO, Literal

EventKind = Literal["started", "line", "died", "stopped"]
FIRST_PAUSE, LONGEST_PAUSE = 1.0, 30.0
STEADY_SECONDS = 60.0
"""A child that ran this long is healthy again: its next pause is the first one."""
STOP_SECONDS = 8.0
POLL_SECONDS = 0.2


@dataclass(frozen=True)
class Event:
    process: str
    kind: EventKind
    text: str = ""


@dataclass
class _Child:
    name: str
    command: Sequence[str]
    process: subprocess.Popen[str] | None = None
    started: float = 0.0
    pause: float = FIRST_PAUSE
    due: float = field(default=0.0)


class Supervisor:
    """`run` blocks until `stop` is called, from a signal handler or from another thread."""

    def __init__(
        self,
        commands: Mapping[str, Sequence[str]],
        *,
        on_event: Callable[[Event], None],
        environment: Mapping[str, str] | None = None,
    ):
        self._children = [_Child(name=name, command=command) for name, command in commands.items()]
        self._on_event = on_event
        self._environment = {**os.environ, "PYTHONUNBUFFERED": "1", **(environment or {})}
        self._stopping = threading.Event()
        self._telling = threading.Lock()

    def stop(self) -> None:
        self._stopping.set()

    def run(self) -> None:
        try:
            while not self._stopping.is_set():
                for child in self._children:
                    self._tend(child)
                self._stopping.wait(POLL_SECONDS)
        finally:
            self._stop_all()

    def _tell(self, event: Event) -> None:
        with self._telling:
            self._on_event(event)

    def _tend(self, child: _Child) -> None:
        now = time.monotonic()
        if child.process is None:
            if now >= child.due:
                self._start(child)
            return
        code = child.process.poll()
        if code is None:
            return
        _signal(child, signal.SIGKILL, group=True)  # a program that died at once left its workers behind
        child.process = None
        if now - child.started > STEADY_SECONDS:
            child.pause = FIRST_PAUSE
        child.due = now + child.pause
        self._tell(Event(child.name, "died", f"exit code {code}; starts again in {child.pause:.0f} s"))
        child.pause = min(child.pause * 2, LONGEST_PAUSE)

    def _start(self, child: _Child) -> None:
        """In a session of its own: Ctrl-C reaches this program alone, which then stops the children in order."""
        child.process = subprocess.Popen(
            list(child.command),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            env=self._environment,
            start_new_session=True,
        )
        child.started = time.monotonic()
        self._tell(Event(child.name, "started", f"pid {child.process.pid}"))
        threading.Thread(target=self._pass_on, args=(child.name, child.process.stdout), daemon=True).start()

    def _pass_on(self, name: str, stream: IO[str]) -> None:
        for line in stream:
            self._tell(Event(name, "line", line.rstrip("\n")))

    def _stop_all(self) -> None:
        """SIGTERM to all at once, then SIGKILL to the groups of those that are still there."""
        running = [child for child in self._children if child.process is not None]
        for child in running:
            _signal(child, signal.SIGTERM, group=False)
        deadline = time.monotonic() + STOP_SECONDS
        for child in running:
            assert child.process is not None  # noqa: S101  chosen above
            with contextlib.suppress(subprocess.TimeoutExpired):
                child.process.wait(max(deadline - time.monotonic(), 0.1))
            _signal(child, signal.SIGKILL, group=True)
            code = child.process.wait()
            self._tell(Event(child.name, "stopped", f"exit code {code}"))


def _signal(child: _Child, number: signal.Signals, *, group: bool) -> None:
    assert child.process is not None  # noqa: S101  callers choose running children
    with contextlib.suppress(ProcessLookupError, PermissionError):
        if group:
            os.killpg(child.process.pid, number)
        elif child.process.poll() is None:
            child.process.send_signal(number)
