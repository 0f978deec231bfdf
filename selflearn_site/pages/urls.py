"""Addresses of the pages."""

from __future__ import annotations

from django.urls import path

from selflearn_site.pages.views import (
    approvals,
    campaigns,
    changes,
    chat,
    experiments,
    goals,
    golden,
    home,
    lists,
    parameters,
    test_runner,
)

app_name = "pages"
urlpatterns = [
    path("", home.home, name="home"),
    path("chat/", chat.chat, name="chat"),
    path("chat/consent/", chat.chat_consent, name="chat_consent"),
    path("chat/<uuid:thread_id>/", chat.chat, name="chat_thread"),
    path("chat/<uuid:thread_id>/<uuid:run_id>.json", chat.chat_status, name="chat_status"),
    path("chat/<uuid:thread_id>/<uuid:run_id>/feedback/", chat.chat_feedback, name="chat_feedback"),
    path("goals/", goals.goals, name="goals"),
    path("goals/new/", goals.goal_new, name="goal_new"),
    path("campaigns/<int:number>/", campaigns.campaign, name="campaign"),
    path("campaigns/<int:number>/progress.json", campaigns.campaign_chart, name="campaign_chart"),
    path("campaigns/<int:number>/progress.csv", campaigns.campaign_csv, name="campaign_csv"),
    path("campaigns/<int:number>/<slug:verb>/", campaigns.campaign_do, name="campaign_do"),
    path("experiments/", experiments.experiments, name="experiments"),
    path("experiments/<slug:slug>/", experiments.experiment, name="experiment"),
    path("experiments/<slug:slug>/replay/", experiments.experiment_replay, name="experiment_replay"),
    path("experiments/<slug:slug>/export.json", experiments.experiment_export, name="experiment_export"),
    path("hypotheses/", lists.hypotheses, name="hypotheses"),
    path("approvals/", approvals.approvals, name="approvals"),
    path("approvals/<uuid:approval_id>/approve/", approvals.approval_approve, name="approval_approve"),
    path("approvals/<uuid:approval_id>/reject/", approvals.approval_refuse, name="approval_reject"),
    path("parameters/", parameters.parameters, name="parameters"),
    path("parameters/rollback/", parameters.rollback, name="rollback"),
    path("parameters/freeze/", parameters.freeze, name="freeze"),
    path("parameters/unfreeze/", parameters.unfreeze, name="unfreeze"),
    path("changes/", changes.changes, name="changes"),
    path("reports/", lists.reports, name="reports"),
    path("reports/<int:number>/", lists.report, name="report"),
    path("reports/<int:number>/document.html", lists.report_document, name="report_document"),
    path("golden/", golden.golden, name="golden"),
    path("golden/add/", golden.golden_choose, name="golden_choose"),
    path("golden/add/<uuid:run_id>/", golden.golden_new, name="golden_new"),
    path("golden/sets/<slug:name>/", golden.golden_set, name="golden_set"),
    path("golden/sets/<slug:name>/retire/", golden.golden_retire, name="golden_retire"),
    path("tests/", test_runner.tests, name="tests"),
    path("tests/run/", test_runner.tests_run, name="tests_run"),
    path("tests/<uuid:session_id>/", test_runner.test_session, name="test_session"),
    path("tests/<uuid:session_id>/<slug:verb>/", test_runner.test_session_do, name="test_session_do"),
    path("incidents/", lists.incidents, name="incidents"),
    path("incidents/<int:incident_id>/resolve/", lists.incident_settle, name="incident_resolve"),
]
