"""Rollups that are never wrong: triggers write what each statement changed, a fold adds it up, a view reads both.

Statement triggers on the two partitioned tables see inserts, late marks and deletions alike, and put signed sums into
`sensor_rollup_deltas` in the transaction that changed the rows. `sensor_rollups_fold` moves them into
`sensor_rollups`. Dropping or emptying a partition by its own name fires no trigger: rollups outlive their rows.
Reversible: the way back drops what was derived.
"""

from __future__ import annotations

import django.contrib.postgres.fields
from django.db import migrations, models

DIMENSIONS = "client_kind, cycle_type, split, experiment, variant, category, parameter_version"
NAMES = f"at, metric, stage, {DIMENSIONS}, value"

# The formulas of ids are those of `teacher_run_metrics` (a test compares them); the rest are recorded columns as they
# are. NULL: does not apply to this run, or is not known yet.
RUN_VALUES = """
SELECT e.ended_at AS at, v.metric, NULL::text AS stage, e.client_kind, e.cycle_type, e.split, e.experiment, e.variant,
       e.category, e.parameter_version, v.value
FROM {source} AS e
CROSS JOIN LATERAL (
  SELECT count(*) FILTER (WHERE f.id = ANY (e.expected_ids)) AS hits,
         min(f.place) FILTER (WHERE f.id = ANY (e.expected_ids)) AS first_rank
  FROM unnest(e.found_ids) WITH ORDINALITY AS f(id, place)
) AS truth
CROSS JOIN LATERAL (VALUES
  ('runs', 1::numeric),
  ('error_rate', (e.status = 'FAILED')::int::numeric),
  ('latency_ms', e.latency_ms::numeric),
  ('capture_lag_ms', round(extract(epoch FROM greatest(e.captured_at - e.ended_at, interval '0')) * 1000, 3)),
  ('token_cost', e.total_cost_usd::numeric),
  ('prompt_tokens', e.prompt_tokens::numeric),
  ('completion_tokens', e.completion_tokens::numeric),
  ('retry_rate', (e.retry_count > 0)::int::numeric),
  ('memories_found', e.memories_found::numeric),
  ('memories_used', e.memories_used::numeric),
  ('no_context_rate', CASE WHEN e.status <> 'FAILED' THEN (e.memories_found = 0)::int::numeric END),
  ('retrieval_recall', CASE WHEN e.status <> 'FAILED' AND cardinality(e.expected_ids) > 0
                            THEN truth.hits::numeric / cardinality(e.expected_ids) END),
  ('retrieval_precision', CASE WHEN e.status <> 'FAILED' AND e.example_id IS NOT NULL AND e.memories_found > 0
                               THEN truth.hits::numeric / e.memories_found END),
  ('hit_rate', CASE WHEN e.status <> 'FAILED' AND cardinality(e.expected_ids) > 0
                    THEN (truth.hits > 0)::int::numeric END),
  ('mrr', CASE WHEN e.status <> 'FAILED' AND cardinality(e.expected_ids) > 0
               THEN coalesce(1::numeric / truth.first_rank, 0) END),
  ('context_utilization', CASE WHEN e.memories_found > 0 THEN e.context_utilized::int::numeric END),
  ('hallucination_rate', e.hallucination_detected::int::numeric),
  ('retrieval_relevant', e.retrieval_relevant::int::numeric),
  ('user_satisfaction', e.feedback_score::numeric),
  ('memory_age', round(e.avg_memory_age_days::numeric, 9)),
  ('tag_overlap', round(e.tag_overlap_score::numeric, 9)),
  ('isolation_violation', (NOT e.isolation_ok)::int::numeric),
  ('memory_growth', (e.memory_id IS NOT NULL)::int::numeric)
) AS v(metric, value)
WHERE v.value IS NOT NULL
"""
STAGE_VALUES = """
SELECT s.created_at AS at, v.metric, s.stage::text AS stage, NULL::text AS client_kind, s.cycle_type::text AS cycle_type,
       NULL::text AS split, s.experiment, s.variant::text AS variant, NULL::text AS category, s.parameter_version, v.value
FROM {source} AS s
CROSS JOIN LATERAL (VALUES
  ('stage_rows', 1::numeric),
  ('latency_ms', s.latency_ms::numeric),
  ('hit_rate', s.hit_rate::int::numeric)
) AS v(metric, value)
WHERE s.stage IS NOT NULL AND v.value IS NOT NULL
"""
SOURCES = {"sensor_events": RUN_VALUES, "telemetry_events": STAGE_VALUES}

# A logarithmic histogram (as in DDSketch, Masson et al. 2019): bin i holds (1.01^(i-1), 1.01^i], so that the middle of a
# bin is within 0.5 % of each value in it. `sensor/domain/rollup.py` holds the same numbers.
HISTOGRAMS = """
-- Bodies that are parsed once: the first is put into the statements that call it, as none with a SET ever is.
CREATE FUNCTION public.sensor_bin(metric text, value numeric) RETURNS bigint
LANGUAGE sql IMMUTABLE
RETURN CASE WHEN metric NOT IN ('latency_ms', 'capture_lag_ms') THEN NULL
            WHEN value < 0.001 THEN -32768
            ELSE ceil(ln(value::float8) / ln(1.01::float8))::bigint END;
CREATE FUNCTION public.sensor_histogram_add(one bigint[], other bigint[]) RETURNS bigint[]
LANGUAGE sql IMMUTABLE
BEGIN ATOMIC
  SELECT CASE WHEN count(*) > 0 THEN ARRAY[array_agg(bin ORDER BY bin), array_agg(n ORDER BY bin)] END
  FROM (
    SELECT bin, sum(n)::bigint AS n FROM (
      SELECT unnest(one[1:1]) AS bin, unnest(one[2:2]) AS n
      UNION ALL SELECT unnest(other[1:1]), unnest(other[2:2])
    ) AS every GROUP BY bin HAVING sum(n) <> 0
  ) AS summed;
END;
"""

_SUMMED = f"""
  INSERT INTO public.sensor_rollup_deltas (bucket, metric, stage, {DIMENSIONS}, n, total, histogram)
  SELECT bucket, metric, stage, {DIMENSIONS}, sum(n), sum(total),
         CASE WHEN bool_or(bin IS NOT NULL AND n <> 0) THEN
           ARRAY[array_agg(bin ORDER BY bin) FILTER (WHERE n <> 0), array_agg(n ORDER BY bin) FILTER (WHERE n <> 0)]
         END
  FROM (
    -- Minutes are kept of the last two days only; what is older comes in by the hour.
    SELECT date_trunc(CASE WHEN at < now() - interval '2 days' THEN 'hour' ELSE 'minute' END, at, 'UTC') AS bucket,
           metric, stage, {DIMENSIONS},
           public.sensor_bin(metric, value) AS bin, sum(sign)::bigint AS n, sum(sign * value) AS total
    FROM ({{signed}}) AS signed
    GROUP BY 1, 2, 3, {DIMENSIONS}, bin
  ) AS binned
  GROUP BY bucket, metric, stage, {DIMENSIONS}
  HAVING bool_or(n <> 0 OR total <> 0);
"""  # noqa: S608  names of this file only


def _trigger(table: str, event: str) -> str:
    """A statement trigger of its own for each kind of change, since each sees other transition tables."""
    signs = {"insert": {"new_rows": 1}, "delete": {"old_rows": -1}, "update": {"new_rows": 1, "old_rows": -1}}[event]
    signed = " UNION ALL ".join(
        f"SELECT {sign} AS sign, {NAMES} FROM ({SOURCES[table].format(source=rows)}) AS {rows}_values"  # noqa: S608
        for rows, sign in signs.items()
    )
    referencing = " ".join(f"{rows.split('_')[0].upper()} TABLE AS {rows}" for rows in signs)
    name = f"{table}_roll_{event}"
    return f"""
    CREATE FUNCTION public.{name}() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    BEGIN {_SUMMED.format(signed=signed)} RETURN NULL; END $$;
    CREATE TRIGGER {name} AFTER {event.upper()} ON public.{table} REFERENCING {referencing}
      FOR EACH STATEMENT EXECUTE FUNCTION public.{name}();
    """


_KEY = f"grain, bucket, metric, stage, {DIMENSIONS}"
FOLD = f"""
CREATE FUNCTION public.sensor_rollups_fold(most integer, minutes_since timestamptz) RETURNS integer
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE taken integer;
BEGIN
  -- Whoever else is folding may be in a long transaction. Nothing is wrong meanwhile, so nobody waits.
  IF NOT pg_try_advisory_xact_lock(hashtext('sensor_rollups_fold')) THEN
    RETURN 0;
  END IF;
  WITH due AS MATERIALIZED (
    DELETE FROM public.sensor_rollup_deltas
    WHERE id IN (SELECT id FROM public.sensor_rollup_deltas ORDER BY id LIMIT most) RETURNING *
  ), grained AS (
    SELECT 'hour' AS grain, date_trunc('hour', bucket, 'UTC') AS bucket, metric, stage, {DIMENSIONS}, n, total, histogram FROM due
    UNION ALL
    SELECT 'day', date_trunc('day', bucket, 'UTC'), metric, stage, {DIMENSIONS}, n, total, histogram FROM due
    UNION ALL
    -- Minutes and fives are for the last hours at a glance: by stage, or by who asked.
    SELECT short.grain, short.bucket, metric, stage, client_kind, CASE WHEN stage IS NULL THEN cycle_type END,
           NULL, NULL, NULL, NULL, NULL, n, total, histogram
    FROM due CROSS JOIN LATERAL (VALUES
      ('minute', bucket), ('five', date_bin('5 minutes', bucket, '2000-01-01 00:00:00+00'))
    ) AS short(grain, bucket)
    WHERE due.bucket >= minutes_since
  ), exploded AS (
    SELECT {_KEY}, NULL::bigint AS bin, n, total FROM grained
    UNION ALL
    SELECT {_KEY}, b.bin, b.n, 0 FROM grained
      CROSS JOIN LATERAL (SELECT unnest(histogram[1:1]) AS bin, unnest(histogram[2:2]) AS n) AS b
      WHERE histogram IS NOT NULL
  ), binned AS (
    SELECT {_KEY}, bin, sum(n)::bigint AS n, sum(total) AS total FROM exploded GROUP BY {_KEY}, bin
  ), summed AS (
    SELECT {_KEY}, coalesce(sum(n) FILTER (WHERE bin IS NULL), 0)::bigint AS n,
           coalesce(sum(total) FILTER (WHERE bin IS NULL), 0) AS total,
           CASE WHEN bool_or(bin IS NOT NULL AND n <> 0) THEN
             ARRAY[array_agg(bin ORDER BY bin) FILTER (WHERE bin IS NOT NULL AND n <> 0),
                   array_agg(n ORDER BY bin) FILTER (WHERE bin IS NOT NULL AND n <> 0)] END AS histogram
    FROM binned GROUP BY {_KEY}
  ), kept AS (
    INSERT INTO public.sensor_rollups AS r ({_KEY}, n, total, histogram)
    SELECT {_KEY}, n, total, histogram FROM summed WHERE n <> 0 OR total <> 0 OR histogram IS NOT NULL
    ON CONFLICT ({_KEY}) DO UPDATE
      SET n = r.n + excluded.n, total = r.total + excluded.total,
          histogram = CASE WHEN r.histogram IS NULL THEN excluded.histogram
                           WHEN excluded.histogram IS NULL THEN r.histogram
                           ELSE public.sensor_histogram_add(r.histogram, excluded.histogram) END
  )
  SELECT count(*) INTO taken FROM due;
  DELETE FROM public.sensor_rollups WHERE n = 0 AND total = 0 AND histogram IS NULL;
  RETURN taken;
END $$;

CREATE FUNCTION public.sensor_rollups_prune(grain_to_prune text, before timestamptz) RETURNS integer
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE gone integer;
BEGIN
  IF grain_to_prune NOT IN ('minute', 'five', 'hour') OR before > now() - interval '2 hours' THEN
    RAISE EXCEPTION 'only minutes and hours older than two hours are pruned; days stay';
  END IF;
  DELETE FROM public.sensor_rollups WHERE grain = grain_to_prune AND bucket < before;
  GET DIAGNOSTICS gone = ROW_COUNT;
  RETURN gone;
END $$;
"""  # noqa: S608  names of this file only

# What is folded and what waits, in one snapshot: exact at every moment.
NOW = f"""
CREATE VIEW public.sensor_rollups_now AS
SELECT {_KEY}, n, total, histogram FROM public.sensor_rollups
UNION ALL
SELECT g.grain, date_bin(g.width, d.bucket, '2000-01-01 00:00:00+00'), d.metric, d.stage,
       {", ".join(f"d.{name.strip()}" for name in DIMENSIONS.split(","))}, d.n, d.total, d.histogram
FROM public.sensor_rollup_deltas AS d CROSS JOIN (VALUES
  ('minute', interval '1 minute'), ('five', interval '5 minutes'), ('hour', interval '1 hour'), ('day', interval '1 day')
) AS g(grain, width)
"""  # noqa: S608  names of this file only

# Counts what was recorded before there were rollups.
HISTORY = """
INSERT INTO public.sensor_rollup_deltas (bucket, metric, stage, {dimensions}, n, total, histogram)
SELECT bucket, metric, stage, {dimensions}, sum(n), sum(total),
       CASE WHEN bool_or(bin IS NOT NULL) THEN ARRAY[array_agg(bin ORDER BY bin), array_agg(n ORDER BY bin)] END
FROM (
  SELECT date_trunc(CASE WHEN at < now() - interval '2 days' THEN 'hour' ELSE 'minute' END, at, 'UTC') AS bucket,
         metric, stage, {dimensions}, public.sensor_bin(metric, value) AS bin, count(*) AS n, sum(value) AS total
  FROM ({values}) AS every GROUP BY 1, 2, 3, {dimensions}, bin
) AS binned GROUP BY bucket, metric, stage, {dimensions}
"""


def derive(_apps, schema_editor):
    runtime = schema_editor.quote_name(schema_editor.connection.settings_dict["RUNTIME_ROLE"])
    schema_editor.execute(HISTOGRAMS, params=None)
    for table, values in SOURCES.items():
        for event in ("insert", "update", "delete"):
            schema_editor.execute(_trigger(table, event), params=None)
        schema_editor.execute(
            HISTORY.format(dimensions=DIMENSIONS, values=values.format(source=f"public.{table}")), params=None
        )
    schema_editor.execute(FOLD, params=None)
    schema_editor.execute(NOW, params=None)
    # Nobody writes a rollup by hand, not even the application.
    for table in ("sensor_rollups", "sensor_rollup_deltas"):
        schema_editor.execute(f"REVOKE INSERT, UPDATE, DELETE ON public.{table} FROM {runtime}")
    schema_editor.execute(f"GRANT SELECT ON public.sensor_rollups_now TO {runtime}")
    for function in ("sensor_rollups_fold", "sensor_rollups_prune"):
        schema_editor.execute(f"REVOKE ALL ON FUNCTION public.{function} FROM PUBLIC")
        schema_editor.execute(f"GRANT EXECUTE ON FUNCTION public.{function} TO {runtime}")
    for function in ("sensor_bin", "sensor_histogram_add"):
        schema_editor.execute(f"GRANT EXECUTE ON FUNCTION public.{function} TO {runtime}")


def forget(_apps, schema_editor):
    schema_editor.execute("DROP VIEW public.sensor_rollups_now")
    for function in ("sensor_rollups_fold", "sensor_rollups_prune"):
        schema_editor.execute(f"DROP FUNCTION public.{function}")
    for table in SOURCES:
        for event in ("insert", "update", "delete"):
            schema_editor.execute(f"DROP TRIGGER {table}_roll_{event} ON public.{table}")
            schema_editor.execute(f"DROP FUNCTION public.{table}_roll_{event}()")
    for function in ("sensor_histogram_add", "sensor_bin"):
        schema_editor.execute(f"DROP FUNCTION public.{function}")


def _columns() -> list[tuple[str, models.Field]]:
    histogram = django.contrib.postgres.fields.ArrayField(
        base_field=django.contrib.postgres.fields.ArrayField(base_field=models.BigIntegerField(), size=None),
        help_text="bins and how many values each holds; NULL where percentiles are not asked for",
        null=True,
        size=None,
    )
    return [
        ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
        ("bucket", models.DateTimeField(help_text="its beginning, UTC")),
        ("metric", models.TextField()),
        ("stage", models.TextField(help_text="NULL: of the run as a whole", null=True)),
        ("client_kind", models.TextField(null=True)),
        ("cycle_type", models.TextField(null=True)),
        ("split", models.TextField(null=True)),
        ("experiment", models.TextField(null=True)),
        ("variant", models.TextField(null=True)),
        ("category", models.TextField(null=True)),
        ("parameter_version", models.IntegerField(null=True)),
        ("n", models.BigIntegerField(help_text="how many values are known")),
        ("total", models.DecimalField(decimal_places=20, help_text="their sum", max_digits=60)),
        ("histogram", histogram),
    ]


KEY = [name.strip() for name in _KEY.split(",")]


class Migration(migrations.Migration):
    dependencies = [("sensor", "0003_late_facts")]

    operations = [
        migrations.CreateModel(
            name="Rollup",
            fields=[
                *_columns(),
                (
                    "grain",
                    models.TextField(
                        choices=[("minute", "minute"), ("five", "five minutes"), ("hour", "hour"), ("day", "day")]
                    ),
                ),
            ],
            options={
                "db_table": "sensor_rollups",
                "indexes": [
                    models.Index(
                        condition=models.Q(("n", 0)),
                        fields=["n"],
                        name="rollups_without_values",
                    ),
                ],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("grain__in", ["minute", "five", "hour", "day"])), name="rollup_grain_known"
                    ),
                    models.UniqueConstraint(
                        fields=("grain", "metric", "bucket", *KEY[3:]),
                        name="one_rollup_per_bucket_and_dimensions",
                        nulls_distinct=False,
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="RollupDelta",
            fields=_columns(),
            options={"db_table": "sensor_rollup_deltas"},
        ),
        migrations.RunPython(derive, forget),
    ]
