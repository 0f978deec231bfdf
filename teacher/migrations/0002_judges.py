"""Judging of batches, the answers that it paid for, and the view that reads the marks of the judge in force."""

from importlib import import_module

from django.db import migrations, models
from django.db.models.functions import Now

WITHOUT = import_module("teacher.migrations.0001_run_metrics").CREATE

# Marks of different judges are never averaged together. Which judge counts for a batch says teacher_batch_judgings;
# without a row there, what stands on the run. The run's row holds the latest mark of any judge: where that is another
# one, the mark of the judge in force is read where all marks are kept. `left_out`: only a sample was to be judged, and
# this run is not in it. (A run of the sample whose judgement failed has a judgement without marks: it is missing.)
CREATE = """
CREATE OR REPLACE VIEW teacher_run_metrics AS
SELECT
    e.pipeline_run_id AS run_id, e.batch, e.experiment, COALESCE(e.variant, '') AS variant, e.dataset, e.split,
    e.example_id, e.cluster, e.category, e.difficulty, e.parameter_version, e.cycle_type, e.client_kind,
    e.started_at, CASE WHEN mark.own THEN e.judge_version ELSE j.judge_version END AS judge_version,
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
    CASE WHEN e.memories_found > 0
         THEN (CASE WHEN mark.own THEN e.context_utilized ELSE j.context_utilized END)::int::float8
         END AS context_utilization,
    (CASE WHEN mark.own THEN e.hallucination_detected ELSE j.hallucination_detected END)::int::float8
         AS hallucination_rate,
    e.latency_ms::float8 AS latency_ms,
    e.total_cost_usd::float8 AS token_cost,
    (e.prompt_tokens + e.completion_tokens)::float8 AS tokens,
    (e.retry_count > 0)::int::float8 AS retry_rate,
    e.avg_memory_age_days::float8 AS memory_age,
    e.tag_overlap_score::float8 AS tag_overlap,
    (NOT e.isolation_ok)::int AS isolation_violation,
    (e.memory_id IS NOT NULL)::int::float8 AS memory_growth,
    (COALESCE(b.sampled, false) AND NOT mark.own AND j.id IS NULL) AS left_out
FROM sensor_events e
LEFT JOIN teacher_batch_judgings b ON b.batch = e.batch AND b.in_force
LEFT JOIN sensor_judgements j ON j.run_id = e.pipeline_run_id AND j.judge_version = b.judge_version AND j.repeat = 0
    AND e.judge_version IS DISTINCT FROM b.judge_version
CROSS JOIN LATERAL (SELECT b.judge_version IS NULL OR e.judge_version IS NOT DISTINCT FROM b.judge_version) AS mark(own)
CROSS JOIN LATERAL (
    SELECT count(*) FILTER (WHERE f.id = ANY (e.expected_ids)) AS hits,
           min(f.place) FILTER (WHERE f.id = ANY (e.expected_ids)) AS first_rank
    FROM unnest(e.found_ids) WITH ORDINALITY AS f(id, place)
) AS truth
"""


def grant(_apps, schema_editor):
    """A judging is never deleted; an answer that nobody needs any more is."""
    runtime = schema_editor.quote_name(schema_editor.connection.settings_dict["RUNTIME_ROLE"])
    for table, rights in (
        ("batch_judgings", "SELECT, INSERT, UPDATE"),
        ("judge_answers", "SELECT, INSERT, UPDATE, DELETE"),
    ):
        schema_editor.execute(f"REVOKE ALL ON public.teacher_{table} FROM PUBLIC")
        schema_editor.execute(f"REVOKE ALL ON public.teacher_{table} FROM {runtime}")
        schema_editor.execute(f"GRANT {rights} ON public.teacher_{table} TO {runtime}")
        schema_editor.execute(f"GRANT USAGE ON SEQUENCE public.teacher_{table}_id_seq TO {runtime}")


class Migration(migrations.Migration):
    dependencies = [("teacher", "0001_run_metrics")]
    operations = [
        migrations.CreateModel(
            name="BatchJudging",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("batch", models.TextField()),
                ("judge_version", models.TextField()),
                (
                    "repeat",
                    models.SmallIntegerField(
                        default=0, help_text="0 counts; others measure the judge's own steadiness"
                    ),
                ),
                ("in_force", models.BooleanField(default=False)),
                (
                    "sampled",
                    models.BooleanField(
                        default=False, help_text="only a sample is judged, both arms of an example together"
                    ),
                ),
                ("runs", models.PositiveIntegerField(default=0, help_text="runs of the batch that have an answer")),
                ("chosen", models.PositiveIntegerField(default=0, help_text="of them, runs of the sample")),
                ("judged", models.PositiveIntegerField(default=0, help_text="runs that got marks")),
                (
                    "missing",
                    models.PositiveIntegerField(
                        default=0, help_text="runs whose judgement failed: neither passed nor not"
                    ),
                ),
                ("calls", models.PositiveIntegerField(default=0, help_text="questions that a model was asked")),
                (
                    "cached",
                    models.PositiveIntegerField(default=0, help_text="questions that had been answered before"),
                ),
                ("cost_usd", models.DecimalField(decimal_places=8, default=0, max_digits=14)),
                (
                    "stopped",
                    models.TextField(blank=True, help_text="why not all of the sample was judged; empty when it was"),
                ),
                ("bound_at", models.DateTimeField(db_default=Now())),
                ("judged_at", models.DateTimeField(null=True)),
            ],
            options={
                "db_table": "teacher_batch_judgings",
                "constraints": [
                    models.UniqueConstraint(
                        fields=("batch", "judge_version", "repeat"), name="one_judging_per_batch_version_and_repeat"
                    ),
                    models.UniqueConstraint(
                        condition=models.Q(("in_force", True)), fields=("batch",), name="one_judge_in_force_per_batch"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("repeat", 0), ("in_force", False), _connector="OR"),
                        name="repeats_are_never_in_force",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="JudgeAnswer",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "content_hash",
                    models.CharField(help_text="of what the model was shown of the case", max_length=64),
                ),
                (
                    "prompt_hash",
                    models.CharField(help_text="of the prompt, the form of the answer and the code", max_length=64),
                ),
                ("model", models.TextField()),
                ("repeat", models.SmallIntegerField(default=0)),
                ("answer", models.JSONField()),
                ("cost_usd", models.DecimalField(decimal_places=8, max_digits=14)),
                ("answered_at", models.DateTimeField(db_default=Now())),
                (
                    "used_at",
                    models.DateTimeField(
                        db_default=Now(), help_text="when it was last needed; what nobody needs is deleted"
                    ),
                ),
            ],
            options={
                "db_table": "teacher_judge_answers",
                "indexes": [models.Index(fields=["used_at"], name="judge_answers_by_use")],
                "constraints": [
                    models.UniqueConstraint(
                        fields=("content_hash", "prompt_hash", "model", "repeat"), name="one_judge_answer_per_question"
                    )
                ],
            },
        ),
        migrations.RunPython(grant, migrations.RunPython.noop),
        migrations.RunSQL(CREATE, f"DROP VIEW teacher_run_metrics; {WITHOUT}"),
    ]
