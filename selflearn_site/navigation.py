"""The one navigation: pages first, then the admin's lists behind them. Used by the admin's sidebar."""

from __future__ import annotations

from typing import Any

from django.urls import reverse_lazy
from django.utils.translation import gettext_lazy as _


def _page(title: Any, icon: str, link: str) -> dict[str, Any]:
    return {"title": title, "icon": icon, "link": link}


def _rows(title: Any, icon: str, model: str) -> dict[str, Any]:
    return {"title": title, "icon": icon, "link": reverse_lazy(f"admin:{model}_changelist")}


def _superuser(request: Any) -> bool:
    return bool(request.user.is_superuser)


def _at_home(request: Any) -> bool:
    """Every address begins with `/`: without this the dashboard would seem open everywhere."""
    return bool(request.path == "/")


SIDEBAR: list[dict[str, Any]] = [
    {
        "title": _("Learn"),
        "items": [
            {**_page(_("Dashboard"), "monitoring", "/"), "active": _at_home},
            _page(_("Chat"), "forum", "/chat/"),
            _page(_("Goals"), "flag", "/goals/"),
            _page(_("Experiments"), "experiment", "/experiments/"),
            _page(_("What is known"), "psychology", "/knowledge/"),
            _page(_("Upkeep"), "cycle", "/cycles/"),
            _page(_("Reports"), "description", "/reports/"),
            _rows(_("All goals"), "outlined_flag", "goals_learninggoal"),
            _rows(_("Campaigns"), "trending_up", "goals_campaign"),
            _rows(_("Cycles"), "cycle", "manager_cycle"),
            _rows(_("Hypotheses"), "lightbulb", "hypotheses_hypothesis"),
            _rows(_("All experiments"), "labs", "experiments_experiment"),
            _rows(_("Results"), "query_stats", "experiments_experimentresult"),
            _rows(_("Journal"), "menu_book", "manager_journalentry"),
        ],
    },
    {
        "title": _("Control"),
        "items": [
            _page(_("Approvals"), "approval", "/approvals/"),
            _page(_("Parameters"), "tune", "/parameters/"),
            _rows(_("Approval requests"), "how_to_reg", "manager_approval"),
            _page(_("Policy"), "gavel", "/policy/"),
            _rows(_("Policy as a row"), "gavel", "manager_policy"),
            _rows(_("Policy versions"), "history", "manager_policyversion"),
            _rows(_("Retention"), "auto_delete", "sensor_retentionpolicy"),
            _rows(_("Impact factors"), "tune", "tuner_factorsetting"),
            _rows(_("Parameters of one person"), "person_pin", "tuner_tenantparameters"),
            _rows(_("Freeze"), "ac_unit", "tuner_tunerstate"),
            _rows(_("Versions"), "layers", "tuner_parameterversion"),
            _rows(_("Activations"), "history", "tuner_parameteractivation"),
            _rows(_("Prompts"), "chat", "maas_systemprompt"),
            _rows(_("Prompt values"), "text_snippet", "tuner_promptvalue"),
            _rows(_("Notification channels"), "campaign", "notifications_channel"),
            _rows(_("API tokens"), "key", "access_apitoken"),
            {**_rows(_("Users"), "person", "auth_user"), "permission": _superuser},
            {**_rows(_("Groups"), "group", "auth_group"), "permission": _superuser},
        ],
    },
    {
        "title": _("Observe"),
        "items": [
            _page(_("Analytics"), "insights", "/analytics/"),
            _page(_("Changes"), "fact_check", "/changes/"),
            _page(_("Incidents"), "warning", "/incidents/"),
            _page(_("Notifications"), "notifications", "/notifications/"),
            _page(_("Teacher"), "school", "/teacher/"),
            _page(_("Judges"), "balance", "/judges/"),
            _page(_("What is recorded"), "monitor_heart", "/telemetry/"),
            _page(_("Runs"), "play_arrow", "/runs/"),
            _page(_("Safety"), "shield", "/safety/"),
            _page(_("System"), "dns", "/system/"),
            _rows(_("Change log"), "history_edu", "audit_auditentry"),
            _rows(_("Incident log"), "report", "incidents_incident"),
            _rows(_("Deliveries"), "outgoing_mail", "notifications_delivery"),
            _rows(_("Outbox"), "outbox", "notifications_notice"),
            _rows(_("Pipeline runs"), "play_arrow", "maas_pipelinerun"),
            _rows(_("Recorded runs"), "sensors", "sensor_sensorevent"),
            _rows(_("Stages"), "timer", "sensor_telemetryevent"),
            _rows(_("All emulations"), "groups", "emulator_emulationbatch"),
            _rows(_("Evaluation passes"), "checklist", "experiments_evaluationpass"),
            {**_rows(_("Failed tasks"), "error", "django_q_failure"), "permission": _superuser},
        ],
    },
    {
        "title": _("Data"),
        "items": [
            _page(_("Emulations"), "groups", "/emulations/"),
            _page(_("Scenarios"), "auto_stories", "/scenarios/"),
            _page(_("Memories"), "memory", "/memories/"),
            _page(_("Test Runner"), "quiz", "/tests/"),
            _rows(_("Data sets"), "dataset", "experiments_dataset"),
            _rows(_("Questions"), "help", "experiments_evaluationexample"),
            _page(_("Golden set"), "verified", "/golden/"),
            _rows(_("Golden examples"), "verified_user", "experiments_goldenexample"),
            _rows(_("Golden seals"), "lock", "experiments_goldenseal"),
            _rows(_("All memories"), "memory", "maas_memory"),
            _rows(_("Raw logs"), "list_alt", "maas_rawlog"),
            _rows(_("Ground truths"), "check_circle", "sensor_runtruth"),
            _rows(_("Judgements"), "balance", "sensor_runjudgement"),
            _rows(_("Dialogues"), "forum", "emulator_emulationdialogue"),
            _rows(_("Turns"), "sms", "emulator_emulationturn"),
            _rows(_("Test dialogues"), "list", "maas_testdialog"),
            _rows(_("Test sessions"), "playlist_play", "maas_testsession"),
            _rows(_("Test results"), "rule", "maas_testrun"),
        ],
    },
]
