"""A client that a public generator made from the stored schema: it is complete, compiles, and completes a campaign."""

from __future__ import annotations

import compileall
import importlib
import json
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import pytest
from django.db import connections

from contracts.actor import Actor, Role
from goals.models import Campaign
from maas.client import get_client
from manager.foreground import campaign_follow
from selflearn_site.access.services import token_create
from selflearn_site.api.stored import schema_path
from tests.manager.world import DATASET, dataset_load
from tuner.selectors import active_version

# The generator writes `1and` for a constant of an optional field: Python reads it, and warns.
pytestmark = [pytest.mark.e2e, pytest.mark.filterwarnings("ignore:invalid decimal literal:SyntaxWarning")]

PACKAGE = "selflearn_client"
GOAL = (
    "Raise recall of memories to 95 % without losing precision; change only retrieval.min_tag_overlap; "
    "ask me before each change"
)


@pytest.fixture(scope="module")
def generated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder that holds the package, made anew. Any warning of the generator fails: it skips what it warns of."""
    folder = tmp_path_factory.mktemp("generated")
    (folder / "config.yaml").write_text("post_hooks: []\n")  # the client is not formatted
    made = subprocess.run(
        [
            sys.executable, "-m", "openapi_python_client", "generate", "--path", str(schema_path()), "--meta", "none",
            "--config", str(folder / "config.yaml"), "--output-path", str(folder / PACKAGE), "--fail-on-warning",
        ],
        capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    assert (made.returncode, "arning" in made.stdout + made.stderr) == (0, False), made.stdout + made.stderr
    return folder


def test_generated_client__from_the_stored_schema__has_every_operation_and_compiles(generated: Path) -> None:
    paths = json.loads(schema_path().read_text())["paths"]
    wanted = {one["operationId"] for path in paths.values() for one in path.values()}
    found = {file.stem for file in (generated / PACKAGE / "api").glob("*/*.py")} - {"__init__"}
    assert wanted
    assert found == wanted
    assert compileall.compile_dir(generated / PACKAGE, quiet=1)


def _worked_on(campaign: Campaign) -> None:
    """What the worker's process does with a campaign, in a thread with connections of its own."""
    failed: list[BaseException] = []

    def work() -> None:
        try:
            campaign_follow(campaign_id=campaign.id, client=get_client())
        except BaseException as error:  # told to the test's own thread
            failed.append(error)
        finally:
            connections.close_all()

    worker = threading.Thread(target=work, daemon=True)
    worker.start()
    worker.join(timeout=240)
    assert (worker.is_alive(), failed) == (False, [])


def test_generated_client__goal_start_wait_approve__puts_the_proved_version_in_force(
    generated: Path, live_server: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    dataset_load(tmp_path)
    root = Actor(kind="person", name="root", role=Role.META_USER)
    _, plain = token_create(name="generated client", role=Role.META_USER, actor=root)
    monkeypatch.syspath_prepend(str(generated))
    models = importlib.import_module(f"{PACKAGE}.models")
    client = importlib.import_module(f"{PACKAGE}.client").AuthenticatedClient(
        base_url=live_server.url, token=plain, raise_on_unexpected_status=True, timeout=60.0
    )

    def ask(operation: str, *path: object, **given: object) -> Any:
        """The typed answer of one operation (`group.operation`)."""
        return importlib.import_module(f"{PACKAGE}.api.{operation}").sync(*path, client=client, **given)

    body = models.GoalIn(text=GOAL, dataset=DATASET, cycles=1)
    goal = ask("goals.manager_api_goals_goal_create", body=body)
    assert (goal.text, goal.allowed_impacts) == (GOAL, ["retrieval.min_tag_overlap"])
    begun = ask("goals.manager_api_goals_start", goal.id, body=models.GoalReasonIn(reason="generated"))
    assert begun.campaigns[0].status == "running"

    _worked_on(Campaign.objects.get())
    assert ask("goals.manager_api_goals_goal", goal.id).campaigns[0].status == "completed"

    waiting = ask("approvals.manager_api_approvals_approvals", status=models.ApprovalStatus.PENDING)
    (request,) = waiting.items
    assert request.campaign_id == begun.campaigns[0].id
    decision = models.ApproveIn(comment="looked at it", seen=request.content_hash)
    decided = ask("approvals.manager_api_approvals_approve", request.id, body=decision)

    assert (decided.status, decided.applied_version) == ("applied", 2)
    assert active_version().version == 2
    changes = ask("changes.audit_api_changes", campaign=str(request.campaign_id)).items
    assert "generated client" in {one.actor for one in changes}
