"""What `bench pages` fills a house with: telemetry by SQL, all else through the services that the product uses."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

from django.db import connection
from django.utils import timezone

from audit.models import AuditEntry
from audit.services import entry_append
from benchmarks.sensor_dashboard import telemetry_fill
from contracts.actor import component
from contracts.goal import Autonomy
from experiments.domain.lifecycle import ExperimentStatus
from experiments.services import experiment_transition
from goals.models import Campaign
from hypotheses.services import hypothesis_register
from manager.models import JournalEntry
from manager.services.approvals import approval_reject
from manager.services.campaigns import campaign_end
from selflearn_site.database.connection import wrapper
from sensor.services.rollups import rollups_fold
from tests.manager.world import ALICE, Sizes, approval_made, campaign_make, dataset_load, experiment_won
from tests.pages.world import cycle_measured, incident_made, report_made

CYCLES, PER_CAMPAIGN = 20, 20
SLUG = "bench-{}"

# Recorded runs over thirty days: half of real people, half of simulated ones in two arms of the experiments,
# one experiment after the other.
_RUNS = """
INSERT INTO public.sensor_events (pipeline_run_id, user_id, client_kind, mode, experiment, variant, cycle_type,
  thread_id, query, keywords, context, context_tokens, answer, found_ids, found_scores, used_ids, split, category,
  parameter_version, model, status, retry_count, asked_at, started_at, ended_at, latency_ms, prompt_tokens,
  completion_tokens, total_cost_usd, memories_found, memories_used, isolation_ok, hallucination_detected, captured_at)
SELECT gen_random_uuid(), md5('user ' || n %% 500)::uuid, CASE WHEN n %% 2 = 0 THEN 'user' ELSE 'emulator' END,
  CASE WHEN n %% 2 = 0 THEN 'dialogue' ELSE 'evaluation' END,
  CASE WHEN n %% 2 = 1 THEN 'bench-' || n * %(experiments)s / (%(runs)s + 1) END,
  CASE WHEN n %% 2 = 1 THEN CASE WHEN n %% 4 = 1 THEN 'baseline' ELSE 'variant' END END,
  CASE WHEN n %% 2 = 0 THEN 'online' ELSE 'macro' END, md5('thread ' || n / 12)::uuid,
  'Where did I buy kayak number ' || n || '?', '{kayak,buy,number}', 'A memory of a kayak.', 12, 'In Kazan.',
  ARRAY[gen_random_uuid()], ARRAY[0.5], ARRAY[gen_random_uuid()], CASE WHEN n %% 2 = 1 THEN 'validation' END,
  CASE WHEN n %% 2 = 1 THEN 'factual' END, 1, 'offline', 'COMPLETED', 0, t.at, t.at, t.at + interval '8 ms', 8, 40, 8,
  0.0001, 1, 1, true, n %% 9 = 0, t.at + interval '30 ms'
FROM generate_series(1, %(runs)s) AS n
CROSS JOIN LATERAL (SELECT %(until)s::timestamptz - %(span)s * (n::float8 / %(runs)s) - interval '1 s' AS at) AS t
"""


def furnish(*, events: int, experiments: int, audit_rows: int, say: Callable[[str], None]) -> None:
    """`events` telemetry rows of `events // 5` runs, so many experiments and rows of the change log."""
    until, span = timezone.now(), timedelta(days=30)
    telemetry_fill(events, span, until)
    values: dict[str, Any] = {"runs": events // 5, "experiments": experiments, "until": until, "span": span}
    with connection.cursor() as cursor:
        cursor.execute(_RUNS, values)
    rollups_fold()
    say(f"  {events:,} telemetry events of {events // 5:,} recorded runs")
    with tempfile.TemporaryDirectory() as folder:
        dataset_load(Path(folder), sizes=Sizes(train=2, validation=2, golden=2))
    for first in range(0, experiments, PER_CAMPAIGN):
        campaign = campaign_make(autonomy=Autonomy.SEMI_AUTO, cycles=CYCLES)
        for number in range(1, CYCLES):
            cycle_measured(campaign, number=number, recall=0.4 + number / 100)
        campaign.refresh_from_db()
        for number in range(first, min(first + PER_CAMPAIGN, experiments)):
            _experiment(campaign, number)
        report_made(campaign)
        if first + PER_CAMPAIGN < experiments:
            campaign_end(campaign_id=campaign.id, actor=ALICE, reason="the next one comes")
    say(f"  {experiments:,} experiments, each with a verdict and a hypothesis")
    while (left := audit_rows - AuditEntry.objects.count()) > 0:
        entry_append(actor=ALICE, action="policy.changed", subject_type="policy", subject_id="1", reason=f"row {left}")
    say(f"  {AuditEntry.objects.count():,} rows in the change log")
    incident_made()
    own = wrapper("default")
    with own.owner(), own.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE")


def _experiment(campaign: Campaign, number: int) -> None:
    """Run, judged and decided; every fiftieth waits for a person, or was rejected by one."""
    experiment = experiment_won(campaign, slug=SLUG.format(number), gained=40 if number % 3 else 2)
    hypothesis_register(
        campaign=campaign, factor=experiment.factor, from_value=number, to_value=number + 1, metric="retrieval_recall",
        direction="increase", base_version=1, actor=component("teacher"), rationale="measured on train",
        description=f"If retrieval.top_k goes from {number} to {number + 1}, then retrieval recall rises",
    )  # fmt: skip
    if number % 50 == 0:
        approval = approval_made(experiment)
        if number % 100 == 0:
            approval_reject(approval_id=approval.id, actor=ALICE, comment="not now")
    else:
        experiment_transition(
            slug=experiment.slug, target=ExperimentStatus.REJECTED, actor=component("manager"),
            reason="verdict inconclusive", decision="refused:verdict", decision_reason="not proved",
        )  # fmt: skip
    JournalEntry.objects.create(campaign=campaign, key=f"bench-{number}", kind="refused", text="refused", reason="no")
