"""The command that plays dialogues and has them recorded."""

from __future__ import annotations

import json

import pytest
from django.core.management import CommandError, call_command

from sensor.models import SensorEvent

pytestmark = pytest.mark.django_db(transaction=True, databases=["default", "maas"])


def test_emulate__two_dialogues__are_played_and_every_run_is_recorded_once(capsys: pytest.CaptureFixture[str]) -> None:
    call_command("emulate", "--dialogues", "2", "--turns", "6", "--seed", "4", "--batch", "cmd", "--json")
    shown = json.loads(capsys.readouterr().out)

    assert (shown["status"], shown["dialogues"]["done"], shown["turns"]["failed"]) == ("completed", 2, 0)
    assert SensorEvent.objects.count() == shown["turns"]["done"]
    assert SensorEvent.objects.filter(batch="cmd").count() == shown["queries"]


def test_emulate__again__records_nothing_twice(capsys: pytest.CaptureFixture[str]) -> None:
    for _ in range(2):
        call_command("emulate", "--dialogues", "1", "--turns", "3", "--batch", "again", "--json")
    done = json.loads(capsys.readouterr().out.splitlines()[-1])["turns"]["done"]

    assert SensorEvent.objects.count() == done


def test_emulate__unknown_scenario__is_bad_usage() -> None:
    with pytest.raises(CommandError) as caught:
        call_command("emulate", "--dialogues", "2", "--scenarios", "nobody")
    assert caught.value.returncode == 2
