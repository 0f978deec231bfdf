"""The walkthrough at the start of `docs/API.md`, run as it stands: from a token to a finished campaign with curl."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import threading
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.db import connections

from audit.models import AuditEntry
from goals.models import Campaign
from maas.client import get_client
from manager.foreground import campaign_follow
from manager.models import Approval
from tests.manager.world import dataset_load
from tuner.selectors import active_version

pytestmark = [pytest.mark.e2e, pytest.mark.skipif(not shutil.which("curl"), reason="no curl on this machine")]

PAGE = Path(__file__).parents[2] / "docs" / "API.md"
HEADING = "## From a token to a finished campaign\n"

# Every call also says its status on the error stream: `-f` alone would let a redirection pass.
PRELUDE = """set -euo pipefail
curl() { command curl --write-out '%{stderr}status=%{http_code}\\n' "$@"; }
"""


def _blocks(language: str) -> list[str]:
    """The fenced blocks of the walkthrough in one language, in the page's order."""
    section = PAGE.read_text(encoding="utf-8").partition(HEADING)[2].partition("\n## ")[0]
    return re.findall(rf"^```{language}\n(.*?)^```$", section, flags=re.MULTILINE | re.DOTALL)


def _token() -> str:
    """What the page's own `create_token` line prints."""
    (block,) = _blocks("sh")
    words = shlex.split(block.splitlines()[0], comments=True)
    assert words[:3] == ["python", "manage.py", "create_token"]
    said = StringIO()
    call_command(*words[2:], stdout=said)
    return said.getvalue().rpartition("Shown once: ")[2].strip()


def _worker(ended: threading.Event, failed: list[BaseException]) -> threading.Thread:
    """What the worker's process does: it takes the campaign once it runs, and follows it to its end."""

    def work() -> None:
        try:
            while not ended.wait(0.2):
                campaign = Campaign.objects.filter(status="running").first()
                if campaign is not None:
                    campaign_follow(campaign_id=campaign.id, client=get_client())
                    return
        except BaseException as error:  # told to the test's own thread
            failed.append(error)
        finally:
            connections.close_all()

    worker = threading.Thread(target=work, daemon=True)
    worker.start()
    return worker


def test_api_page__its_walkthrough_run_line_by_line__ends_a_campaign_applies_and_rolls_back(
    live_server: Any, tmp_path: Path
) -> None:
    dataset_load(tmp_path)
    blocks = _blocks("bash")
    assert len(blocks) == 5
    ended, failed = threading.Event(), list[BaseException]()
    worker = _worker(ended, failed)
    try:
        ran = subprocess.run(
            ["bash", "-c", PRELUDE + "\n".join(blocks)],
            env=os.environ | {"TOKEN": _token(), "API": f"{live_server.url}/api/v1"},
            capture_output=True, text=True, timeout=300, check=False,
        )  # fmt: skip
    finally:
        ended.set()
        worker.join(timeout=60)
    assert (worker.is_alive(), failed) == (False, [])
    assert ran.returncode == 0, ran.stderr[-2000:] + ran.stdout[-2000:]

    statuses = re.findall(r"status=(\d+)", ran.stderr)
    assert (
        len(statuses) >= "\n".join(blocks).count("curl -fsS") - 1
    )  # a short campaign may have ended at the first look
    assert {one[0] for one in statuses} == {"2"}

    campaign = Campaign.objects.get()
    assert campaign.status == "completed"
    assert f"campaign {campaign.id}: completed" in ran.stdout
    approval = Approval.objects.get()
    assert (approval.status, approval.applied_version) == ("applied", 2)
    assert active_version().version == 1
    latest = AuditEntry.objects.latest("id")
    assert (latest.reason, latest.actor) == ("only a try", "walkthrough")
