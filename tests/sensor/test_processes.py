"""The Sensor as a process of its own: killed, started again, and told to end."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from collections.abc import Callable

import pytest
from django.conf import settings
from django.db import connections

from sensor.models import SensorEvent, TelemetryEvent
from tests.sensor import factories

PATIENCE = 60.0
SENSE = """
import json, sys, django
from django.conf import settings
for alias, name in json.loads(sys.argv[1]).items():
    settings.DATABASES[alias]["NAME"] = name
django.setup()
from django.core.management import call_command
call_command("sense", "--json")
"""


def start() -> subprocess.Popen[str]:
    names = {alias: connections[alias].settings_dict["NAME"] for alias in ("default", "maas")}
    return subprocess.Popen(
        [sys.executable, "-c", SENSE, json.dumps(names)], cwd=settings.BASE_DIR, stdout=subprocess.PIPE, text=True
    )


def eventually(happened: Callable[[], bool]) -> bool:
    deadline = time.monotonic() + PATIENCE
    while not happened() and time.monotonic() < deadline:
        time.sleep(0.05)
    return happened()


@pytest.mark.processes
@pytest.mark.django_db(transaction=True)
def test_sense__killed_started_again_and_told_to_end__records_each_run_once() -> None:
    first = start()
    try:
        for _ in range(20):
            factories.run()
        assert eventually(SensorEvent.objects.exists)
    finally:
        first.kill()
        first.wait(timeout=PATIENCE)

    for _ in range(20):
        factories.run()
    second = start()
    try:
        assert eventually(lambda: SensorEvent.objects.count() == 40)
        second.send_signal(signal.SIGTERM)
        out, _ = second.communicate(timeout=PATIENCE)
    finally:
        second.kill()

    assert second.returncode == 0
    assert 20 <= json.loads(out)["captured"] <= 40
    assert TelemetryEvent.objects.count() == 200
