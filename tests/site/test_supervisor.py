"""Child programs are kept running and stop together."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from selflearn_site.processes import supervisor as module
from selflearn_site.processes.supervisor import Event, Supervisor
from tests.site.servers import ROOT, own_server

pytestmark = pytest.mark.processes

SLEEPER = [sys.executable, "-c", "import time; print('awake', flush=True); time.sleep(60)"]
STUBBORN = [
    sys.executable,
    "-c",
    "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('awake', flush=True); time.sleep(60)",
]


class Recorder:
    def __init__(self) -> None:
        self.events: list[Event] = []
        self._changed = threading.Condition()

    def __call__(self, event: Event) -> None:
        with self._changed:
            self.events.append(event)
            self._changed.notify_all()

    def wait_for(self, enough: Callable[[list[Event]], bool]) -> None:
        with self._changed:
            assert self._changed.wait_for(lambda: enough(self.events), timeout=30), self.events


def _count(events: list[Event], kind: str) -> int:
    return sum(event.kind == kind for event in events)


def _pid(event: Event) -> int:
    return int(event.text.removeprefix("pid "))


@contextmanager
def running(commands: dict[str, list[str]], recorder: Recorder) -> Iterator[Supervisor]:
    one = Supervisor(commands, on_event=recorder)
    thread = threading.Thread(target=one.run)
    thread.start()
    try:
        yield one
    finally:
        one.stop()
        thread.join(30)
        assert not thread.is_alive()


def test_supervisor__stopped__ends_every_child() -> None:
    recorder = Recorder()
    with running({"a": SLEEPER, "b": SLEEPER}, recorder):
        recorder.wait_for(lambda events: _count(events, "line") == 2)
    pids = [_pid(event) for event in recorder.events if event.kind == "started"]
    assert _count(recorder.events, "stopped") == 2
    for pid in pids:
        with pytest.raises(ProcessLookupError):
            os.kill(pid, 0)


def test_supervisor__child_ignores_sigterm__is_killed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "STOP_SECONDS", 0.2)
    recorder = Recorder()
    with running({"stubborn": STUBBORN}, recorder):
        recorder.wait_for(lambda events: _count(events, "line") == 1)
    assert recorder.events[-1] == Event("stubborn", "stopped", "exit code -9")


def test_supervisor__child_dies__starts_it_again_after_a_pause(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "FIRST_PAUSE", 0.1)
    recorder = Recorder()
    with running({"a": SLEEPER}, recorder):
        recorder.wait_for(lambda events: _count(events, "line") == 1)
        os.kill(_pid(recorder.events[0]), signal.SIGKILL)
        recorder.wait_for(lambda events: _count(events, "line") == 2)
    assert [event.kind for event in recorder.events].count("died") == 1


def test_supervisor__child_dies_again_and_again__waits_longer_each_time() -> None:
    recorder = Recorder()
    one = Supervisor({"a": [sys.executable, "-c", "raise SystemExit(3)"]}, on_event=recorder)
    one._children[0].pause = 2.0
    thread = threading.Thread(target=one.run)
    thread.start()
    recorder.wait_for(lambda events: _count(events, "died") == 1)
    one.stop()
    thread.join(30)
    assert one._children[0].pause == 4.0
    assert "exit code 3; starts again in 2 s" in recorder.events[1].text


def test_up__sigterm__ends_with_zero_and_stops_processes_and_database() -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [sys.executable, str(ROOT / "manage.py"), "up", "--port", str(port), "--json"]
    with own_server() as server:
        process = subprocess.Popen(
            command,
            cwd=ROOT,
            env={**os.environ, "SELFLEARN_VAR": str(server.var)},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        assert process.stdout is not None
        first = process.stdout.readline()
        process.send_signal(signal.SIGTERM)
        rest = process.communicate(timeout=60)[0]
        assert '"event": "started"' in first
        assert process.returncode == 0, rest
        assert '"event": "stopped"' in rest
        assert not server.is_alive()
