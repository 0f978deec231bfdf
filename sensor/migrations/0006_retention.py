"""The policy of retention, and the two functions that take a month away: first out of sight, then off the disk.

The application owns no table, so these run as the owner; whatever they are told, they touch no other tables than the
two that are partitioned, and no month that is not older than two full months.
"""

import django.core.validators
from django.db import migrations, models

# What the others ask first: the name of the partition, or a refusal. Not for the application.
OLD_MONTH = """
CREATE FUNCTION public.sensor_old_month(parent text, month timestamptz) RETURNS text
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  low timestamp := date_trunc('month', month AT TIME ZONE 'UTC');
  newest timestamp := date_trunc('month', clock_timestamp() AT TIME ZONE 'UTC') - interval '3 months';
BEGIN
  IF parent IS NULL OR parent NOT IN ('sensor_events', 'telemetry_events') THEN
    RAISE EXCEPTION 'retention knows no table %', parent USING ERRCODE = 'insufficient_privilege';
  END IF;
  IF low IS NULL OR low > newest THEN
    RAISE EXCEPTION 'retention takes no month after %', to_char(newest, 'YYYY-MM')
      USING ERRCODE = 'insufficient_privilege';
  END IF;
  RETURN parent || to_char(low, '"_y"YYYY"m"MM');
END $$;
"""

# Rows of experiments and batches are looked for once more here, where nobody can add one any more.
DETACH = """
CREATE FUNCTION public.sensor_detach_month(parent text, month timestamptz, evidence_from timestamptz) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET lock_timeout = '3s' AS $$
DECLARE
  part text := public.sensor_old_month(parent, month);
  low timestamptz := date_trunc('month', month, 'UTC');
  kept boolean := false;
BEGIN
  IF NOT EXISTS (SELECT FROM pg_inherits WHERE inhrelid = to_regclass('public.' || part)
                 AND inhparent = to_regclass('public.' || parent)) THEN
    RETURN false;
  END IF;
  -- In the order of sensor_ensure_partitions, then in that of whoever reads and writes: the whole before its parts.
  PERFORM pg_advisory_xact_lock(hashtext('sensor_ensure_partitions'));
  EXECUTE format('LOCK TABLE ONLY public.%I IN ACCESS EXCLUSIVE MODE', parent);
  EXECUTE format('LOCK TABLE public.%I IN ACCESS EXCLUSIVE MODE', part);
  -- A stage's row is protected by its run's row as well; that one is looked at when its own month goes.
  IF low >= coalesce(evidence_from, '-infinity') THEN
    EXECUTE format('SELECT EXISTS (SELECT FROM public.%I WHERE experiment IS NOT NULL)', part) INTO kept;
    IF NOT kept AND parent = 'sensor_events' THEN
      EXECUTE format('SELECT EXISTS (SELECT FROM public.%I WHERE batch IS NOT NULL)', part) INTO kept;
    END IF;
    IF kept THEN
      RETURN false;
    END IF;
  END IF;
  EXECUTE format('ALTER TABLE public.%I DETACH PARTITION public.%I', parent, part);
  RETURN true;
END $$;
"""

DROP_MONTH = """
CREATE FUNCTION public.sensor_drop_month(parent text, month timestamptz) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET lock_timeout = '3s' AS $$
DECLARE
  part text := public.sensor_old_month(parent, month);
BEGIN
  IF to_regclass('public.' || part) IS NULL THEN
    RETURN false;
  END IF;
  IF EXISTS (SELECT FROM pg_inherits WHERE inhrelid = to_regclass('public.' || part)) THEN
    RAISE EXCEPTION '% is still in use', part USING ERRCODE = 'insufficient_privilege';
  END IF;
  EXECUTE format('DROP TABLE public.%I', part);
  RETURN true;
END $$;
"""
GRANTED = ("sensor_detach_month(text, timestamptz, timestamptz)", "sensor_drop_month(text, timestamptz)")


def make(_apps, schema_editor):
    runtime = schema_editor.quote_name(schema_editor.connection.settings_dict["RUNTIME_ROLE"])
    for function in (OLD_MONTH, DETACH, DROP_MONTH):
        schema_editor.execute(function, params=None)  # None: their per cent signs are their own
    schema_editor.execute(f"REVOKE ALL ON FUNCTION public.sensor_old_month(text, timestamptz) FROM PUBLIC, {runtime}")
    for function in GRANTED:
        schema_editor.execute(f"REVOKE ALL ON FUNCTION public.{function} FROM PUBLIC")
        schema_editor.execute(f"GRANT EXECUTE ON FUNCTION public.{function} TO {runtime}")


def unmake(_apps, schema_editor):
    for function in (*GRANTED, "sensor_old_month(text, timestamptz)"):
        schema_editor.execute(f"DROP FUNCTION public.{function}")


class Migration(migrations.Migration):
    dependencies = [("sensor", "0005_external_events")]

    operations = [
        migrations.CreateModel(
            name="RetentionPolicy",
            fields=[
                ("id", models.PositiveSmallIntegerField(default=1, editable=False, primary_key=True, serialize=False)),
                (
                    "production_months",
                    models.PositiveSmallIntegerField(
                        blank=True,
                        help_text="Full months, beside the current one, for which recorded runs and their stages are kept. Blank: for ever. At least 2. What the rollups have added up stays on the dashboard.",
                        null=True,
                        validators=[django.core.validators.MinValueValidator(2)],
                    ),
                ),
                (
                    "evidence_months",
                    models.PositiveSmallIntegerField(
                        blank=True,
                        help_text="The same for runs of experiments, campaigns and other batches, on which decisions rest. Blank: for ever, so that every decision stays explainable. Not fewer than for all other runs.",
                        null=True,
                        validators=[django.core.validators.MinValueValidator(2)],
                        verbose_name="months of experiments and batches",
                    ),
                ),
                (
                    "automatic",
                    models.BooleanField(
                        default=False,
                        help_text="The Sensor removes older rows by itself, every hour. Else only `manage.py sense --retention --apply` does; `manage.py sense --retention` shows beforehand what would go.",
                        verbose_name="apply automatically",
                    ),
                ),
                (
                    "recorded_from",
                    models.DateTimeField(
                        editable=False,
                        help_text="Runs that started before are never recorded again, since retention has removed that time.",
                        null=True,
                    ),
                ),
                (
                    "completed_at",
                    models.DateTimeField(
                        editable=False, help_text="When a retention last took away all that had to go.", null=True
                    ),
                ),
                ("updated_at", models.DateTimeField(auto_now=True)),
            ],
            options={
                "verbose_name": "retention",
                "verbose_name_plural": "retention",
                "db_table": "sensor_retention",
                "constraints": [
                    models.CheckConstraint(condition=models.Q(("id", 1)), name="there_is_one_retention"),
                    models.CheckConstraint(
                        condition=models.Q(("production_months__gte", 2), ("evidence_months__gte", 2)),
                        name="retention_keeps_two_months",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("evidence_months__isnull", True),
                            models.Q(
                                ("evidence_months__gte", models.F("production_months")),
                                ("production_months__isnull", False),
                            ),
                            _connector="OR",
                        ),
                        name="evidence_is_kept_as_long_as_the_rest",
                    ),
                ],
            },
        ),
        migrations.RunPython(make, unmake),
    ]
