"""Every page, light and dark, before axe-core (`vendor/`, WCAG 2.2 AA): nothing serious, and a silent console.

The pages come from the site's own addresses, so that none is forgotten: one that is new must be opened here or named
among those that are not pages.
"""

from __future__ import annotations

import uuid
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.urls import reverse

from contracts.maas import RunRequest
from emulator.models import EmulationDialogue
from kernel.canonical import derive_uuid
from maas.access import as_service
from maas.client import get_client
from maas.models import TestDialog
from maas.test_runner.scripts import Row, scripts_load
from maas.test_runner.sessions import session_plan, session_play
from manager.models import Approval
from manager.reports.content import report_write
from manager.services.emulations import emulation_launch, emulation_play
from manager.services.policy import policy_current
from notifications.services.deliveries import notices_spread
from selflearn_site.pages.urls import app_name, urlpatterns
from sensor.models import SensorEvent
from sensor.services import runs_capture
from teacher.calibration.labelling import case_next, round_draw
from tests.e2e.conftest import Window
from tests.emulator.fakes import FakeMaas
from tests.emulator.makers import asks, plan, says, script
from tests.manager.world import ALICE, DATASET
from tests.notifications.makers import channel_made
from tests.pages.world import incident_made
from tests.teacher.calibration.makers import V, judged_runs

pytestmark = pytest.mark.e2e

AXE = (Path(__file__).parent / "vendor" / "axe.min.js").read_text()
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
SERIOUS = {"serious", "critical"}
NOT_PAGES = {
    "changes_export",  # a file
    "changes_verify",  # a click
    "chat_status", "chat_consent", "chat_feedback", "campaign_chart", "campaign_csv", "campaign_do",
    "experiment_replay", "experiment_export", "experiment_yaml", "experiment_spec", "approval_approve",
    "approval_reject", "rollback", "freeze", "unfreeze", "report_document", "golden_retire", "judges_draw",
    "judges_rejudge", "judges_skip", "judges_undo", "tests_run", "test_session_do", "emulation_do", "telemetry_chart",
    "telemetry_csv", "telemetry_hits", "telemetry_hits_csv", "telemetry_retention", "analytics_arms",
    "incident_resolve", "incident_acknowledge", "report_effects", "cycle_effects", "safety_now",
    "notification_resend", "notification_test", "parameter_history_chart", "factor_do",
    "memory_keep", "memory_prune", "pruning_do", "experiment_looks", "experiment_stop",
    "cycle_run", "cycle_schedule", "cycle_stop",
}  # fmt: skip
"""Addresses that take a click, or answer with a file. All others are opened."""
QUESTION = "Where did I buy the red cello?"


def addresses(arguments: dict[str, list[Any]]) -> list[str]:
    """Every page's address. A page that wants arguments which nobody gave fails here, not silently."""
    names = [str(pattern.name) for pattern in urlpatterns]
    assert set(names) >= NOT_PAGES, NOT_PAGES - set(names)
    return [reverse(f"{app_name}:{name}", args=arguments.get(name)) for name in names if name not in NOT_PAGES]


def filled(approval: Approval) -> dict[str, list[Any]]:
    """A world in which each page has something to show, and the arguments of the pages that want some."""
    channel_made("https://hooks.example.org/x")
    incident_made()
    notices_spread()
    report_write(campaign=approval.campaign)
    judged_runs(clean=3, invented=2)
    round_draw(actor=ALICE, judge_version=V, size=4)
    assert case_next(actor=ALICE) is not None
    story = script("d1", says("My cat is Tiger", "cat"), asks("Who purrs?", "cat"))
    batch = emulation_launch(plan=plan(story), actor=ALICE)
    emulation_play(batch_id=batch.pk, client=FakeMaas())
    with as_service():
        TestDialog.objects.all().delete()
    scripts_load(rows=[Row("cello", 1, "I bought a red cello.", ""), Row("cello", 2, QUESTION, "red")], actor=ALICE)
    session = session_play(session_id=session_plan(scenarios=[], actor=ALICE).pk)
    thread = uuid.uuid4()
    alice = derive_uuid("chat", get_user_model().objects.get(username="alice").pk)
    run = get_client().ask(RunRequest(user_id=alice, query=QUESTION, thread_id=thread)).run_id
    runs_capture(run_ids=[run])
    SensorEvent.objects.filter(pipeline_run_id=run).update(consent=True)
    return {
        "chat_thread": [thread],
        "campaign": [approval.campaign.number],
        "experiment": [approval.experiment.slug],
        "report": [approval.campaign.number],
        "cycle_report": [approval.campaign.number, 1],
        "golden_new": [run],
        "golden_set": [DATASET],
        "test_session": [session.pk],
        "emulation": [batch.pk],
        "emulation_dialogue": [batch.pk, EmulationDialogue.objects.filter(batch=batch).values_list("pk", flat=True)[0]],
        "run": [run],
        "factor": ["retrieval.top_k"],
        "policy_version": [policy_current().version],
    }


def issues(window: Window, *, scheme: str) -> list[str]:
    """What axe finds on the page that stands: `rule (impact): element: why`. In the dark only colours can differ."""
    if not window.page.evaluate("typeof axe !== 'undefined'"):
        window.page.evaluate(AXE)
    only = {"type": "tag", "values": RULES} if scheme == "light" else {"type": "rule", "values": ["color-contrast"]}
    sized = {"target-size": {"enabled": scheme == "light"}}  # of WCAG 2.2, and off unless asked for
    options = {"runOnly": only, "rules": sized, "resultTypes": ["violations"]}
    found = window.page.evaluate("options => axe.run(document, options)", options)
    return [
        f"{each['id']} ({each['impact']}): {node['target']}: {node['failureSummary']}"
        for each in found["violations"]
        if each["impact"] in SERIOUS
        for node in each["nodes"][:3]
    ]


def test_pages__all__are_open_to_everybody(window: Window, waiting: Approval) -> None:
    paths = addresses(filled(waiting))
    window.sign_in("alice")
    window.page.emulate_media(reduced_motion="reduce")
    wrong: list[str] = []
    for path in paths:
        for scheme in ("light", "dark"):
            window.page.emulate_media(color_scheme=scheme)
            if scheme == "light":
                answer = window.page.goto(window.base + path)
                assert answer.status == 200, path
            window.page.wait_for_function("want => document.documentElement.dataset.theme === want", arg=scheme)
            wrong += [f"{path} {scheme}: {each}" for each in issues(window, scheme=scheme)]
    assert not wrong, "\n".join(wrong)
