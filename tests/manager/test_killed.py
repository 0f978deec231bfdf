"""Workers killed for real in the middle of a cycle, and others that go on."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from django.conf import settings
from django.db import connections
from pytest_django import Settings

from goals.models import Campaign
from maas.access import as_service
from maas.client import get_client
from manager.foreground import campaign_follow
from tests.manager.story import Story, campaign_begin, recorded_ids, run_ids, story_of

pytestmark = [pytest.mark.processes, pytest.mark.django_db(transaction=True)]
LEASE = "1.5"


def killed(campaign: Campaign, *, cycle: int, state: str, done: int) -> None:
    """A worker advances the campaign and is killed inside answers, once `done` pieces of work are done in `state`."""
    names = [connections[alias].settings_dict["NAME"] for alias in ("default", "maas")]
    worker = subprocess.Popen(
        [
            sys.executable,
            "-m",
            "tests.manager.campaign_process",
            *names,
            str(campaign.id),
            LEASE,
            str(cycle),
            state,
            str(done),
        ],
        stdout=subprocess.PIPE,
        text=True,
        cwd=Path(settings.BASE_DIR),
        env={**os.environ, "PYTHONPATH": str(settings.BASE_DIR), "LOG_LEVEL": "ERROR"},
    )
    assert worker.stdout is not None
    try:
        assert worker.stdout.readline().strip() == "hanging"
        assert campaign.cycles.get(number=cycle).state == state
    finally:
        worker.send_signal(signal.SIGKILL)
        worker.communicate()
    with as_service() as cursor:  # what the killed worker was answering is free at once, not in a minute
        cursor.execute(
            "UPDATE pipeline_runs SET lease_until = clock_timestamp() - interval '1 s' WHERE lease_until > now()"
        )


def test_campaign__workers_killed_while_emulating_and_tuning__ends_as_if_nothing_had_happened(
    undisturbed: Story, tmp_path: Path, settings: Settings
) -> None:
    settings.MANAGER_LEASE_SECONDS = float(LEASE)
    campaign = campaign_begin(tmp_path)
    killed(campaign, cycle=1, state="EMULATING", done=5)
    killed(campaign, cycle=2, state="TUNING", done=30)
    campaign_follow(campaign_id=campaign.id, client=get_client())
    campaign.refresh_from_db()
    assert campaign.status == "completed"
    assert story_of(campaign) == undisturbed
    assert sorted(run_ids()) == sorted(recorded_ids())
