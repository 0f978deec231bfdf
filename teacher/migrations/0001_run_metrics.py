"""The view that turns recorded ids into metrics of one run. Formulas: reference.md, "Metrics"."""

from django.db import migrations

CREATE = """
CREATE VIEW teacher_run_metrics AS
SELECT
    e.pipeline_run_id AS run_id, e.batch, e.experiment, COALESCE(e.variant, '') AS variant, e.dataset, e.split,
    e.example_id, e.cluster, e.category, e.difficulty, e.parameter_version, e.cycle_type, e.client_kind,
    e.started_at, e.judge_version,
    (e.status = 'FAILED') AS failed,
    cardinality(e.expected_ids) AS expected,
    e.memories_found AS found,
    truth.hits,
    CASE WHEN e.status <> 'FAILED' AND cardinality(e.expected_ids) > 0
         THEN truth.hits::float8 / cardinality(e.expected_ids) END AS retrieval_recall,
    CASE WHEN e.status <> 'FAILED' AND e.example_id IS NOT NULL AND e.memories_found > 0
         THEN truth.hits::float8 / e.memories_found END AS retrieval_precision,
    CASE WHEN e.status <> 'FAILED' AND cardinality(e.expected_ids) > 0
         THEN (truth.hits > 0)::int::float8 END AS hit_rate,
    CASE WHEN e.status <> 'FAILED' AND cardinality(e.expected_ids) > 0
         THEN COALESCE(1.0 / truth.first_rank, 0)::float8 END AS mrr,
    CASE WHEN e.status <> 'FAILED' THEN (e.memories_found = 0)::int::float8 END AS no_context_rate,
    CASE WHEN e.memories_found > 0 THEN e.context_utilized::int::float8 END AS context_utilization,
    e.hallucination_detected::int::float8 AS hallucination_rate,
    e.latency_ms::float8 AS latency_ms,
    e.total_cost_usd::float8 AS token_cost,
    (e.prompt_tokens + e.completion_tokens)::float8 AS tokens,
    (e.retry_count > 0)::int::float8 AS retry_rate,
    e.avg_memory_age_days::float8 AS memory_age,
    e.tag_overlap_score::float8 AS tag_overlap,
    (NOT e.isolation_ok)::int AS isolation_violation,
    (e.memory_id IS NOT NULL)::int::float8 AS memory_growth
FROM sensor_events e
CROSS JOIN LATERAL (
    SELECT count(*) FILTER (WHERE f.id = ANY (e.expected_ids)) AS hits,
           min(f.place) FILTER (WHERE f.id = ANY (e.expected_ids)) AS first_rank
    FROM unnest(e.found_ids) WITH ORDINALITY AS f(id, place)
) AS truth
"""


class Migration(migrations.Migration):
    initial = True
    dependencies = [("sensor", "0002_monthly_partitions")]
    operations = [migrations.RunSQL(CREATE, "DROP VIEW teacher_run_metrics")]
