"""Live capture: what is notified is recorded, and what was not is found."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from io import StringIO

import pytest
from django.core.management import call_command
from django.db import DatabaseError, connections

from sensor import listener
from sensor.models import SensorEvent
from tests.sensor import factories

PATIENCE = 20.0


@contextmanager
def listening() -> Iterator[Callable[[int], None]]:
    """The listener in a thread of its own; gives a function that waits until so many runs are recorded in all."""
    stop, changed = threading.Event(), threading.Condition()
    total = 0

    def count(new: int) -> None:
        nonlocal total
        with changed:
            total += new
            changed.notify_all()

    def work() -> None:
        try:
            listener.listen(stop=stop, on_capture=count)
        finally:
            connections.close_all()

    def wait_for(runs: int) -> None:
        with changed:
            assert changed.wait_for(lambda: total >= runs, timeout=PATIENCE), f"{total} of {runs} recorded"

    thread = threading.Thread(target=work)
    thread.start()
    try:
        yield wait_for
    finally:
        stop.set()
        thread.join(timeout=PATIENCE)


@pytest.mark.django_db(transaction=True)
def test_listen__runs_before_and_during__are_all_recorded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(listener, "SWEEP_SECONDS", 3600.0)
    factories.run()
    with listening() as wait_for:
        wait_for(1)
        for _ in range(5):
            factories.run()
        factories.settle(factories.run(finished_at=None))
        wait_for(7)

    assert SensorEvent.objects.count() == 7


@pytest.mark.django_db(transaction=True)
def test_listen__database_goes_away__catches_up_after_reconnecting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(listener, "RETRY_SECONDS", (0.05,))
    real, broken = listener._settled, threading.Event()

    def settled_or_broken(connection: object, **options: float) -> object:
        if not broken.is_set():
            broken.set()
            factories.run()  # its notification is lost with the connection
            raise DatabaseError("the server closed the connection")
        return real(connection, **options)

    monkeypatch.setattr(listener, "_settled", settled_or_broken)
    with listening() as wait_for:
        wait_for(1)

    assert SensorEvent.objects.count() == 1


@pytest.mark.django_db
@pytest.mark.parametrize("option", ["--once", "--backfill"])
def test_sense__once_or_backfill__records_what_happened_while_down_and_ends(option: str) -> None:
    factories.run()
    factories.run(status="FAILED", final_answer=None, error_message="no answer", error_type="TimeoutError")
    out = StringIO()

    call_command("sense", option, "--json", stdout=out)

    assert json.loads(out.getvalue())["captured"] == 2
    assert SensorEvent.objects.count() == 2
