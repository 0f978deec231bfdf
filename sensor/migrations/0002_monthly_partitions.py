"""Makes `sensor_events` and `telemetry_events` partitioned by month, and the function that makes months ahead.

Rows outside the months that exist go to a DEFAULT partition, so that nothing is lost; when their month is made, they
move there. Reversible: the way back gathers the rows in ordinary tables.
"""

from django.db import migrations

KEYS = {"sensor_events": "started_at", "telemetry_events": "created_at"}
INDEXES = {
    "sensor_events": {
        "events_by_run": "pipeline_run_id",
        "events_by_batch_and_variant": "batch, variant",
        "events_by_experiment": "experiment, variant, split",
        "events_by_capture": "captured_at",
        "events_by_version": "parameter_version",
    },
    "telemetry_events": {
        "idx_telemetry_experiment": "experiment_id, variant",
        "idx_telemetry_cycle": "cycle_type, created_at",
        "idx_telemetry_pipeline": "pipeline_id",
        "idx_telemetry_created": "created_at",
    },
}


def _rebuild(table: str, *, partitioned: bool) -> str:
    """A new table of the same columns takes the name, the rows and the indexes of the old one."""
    key = KEYS[table]
    indexes = "".join(f"CREATE INDEX {name} ON public.{table} ({columns});" for name, columns in INDEXES[table].items())
    return f"""
    ALTER TABLE public.{table} RENAME TO {table}_before;
    CREATE TABLE public.{table} (LIKE public.{table}_before INCLUDING DEFAULTS INCLUDING CONSTRAINTS)
      {f"PARTITION BY RANGE ({key})" if partitioned else ""};
    ALTER TABLE public.{table} ALTER COLUMN id SET DEFAULT gen_random_uuid();
    {f"CREATE TABLE public.{table}_default PARTITION OF public.{table} DEFAULT;" if partitioned else ""}
    INSERT INTO public.{table} SELECT * FROM public.{table}_before;
    DROP TABLE public.{table}_before;
    ALTER TABLE public.{table} ADD CONSTRAINT {table}_pkey PRIMARY KEY (id{f", {key}" if partitioned else ""});
    {indexes}
    """  # noqa: S608  names of this file only


ENSURE = """
CREATE FUNCTION public.sensor_ensure_partitions(first timestamptz, last timestamptz) RETURNS integer
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  parent text; key text; part text; month timestamp; low timestamptz; high timestamptz; made integer := 0;
BEGIN
  IF first IS NULL OR last IS NULL OR last < first OR last > first + interval '20 years' THEN
    RAISE EXCEPTION 'partitions are made from a first to a later last month, at most 20 years apart';
  END IF;
  FOR parent, key IN VALUES ('sensor_events', 'started_at'), ('telemetry_events', 'created_at') LOOP
    month := date_trunc('month', first AT TIME ZONE 'UTC');
    WHILE month <= last AT TIME ZONE 'UTC' LOOP
      part := parent || to_char(month, '"_y"YYYY"m"MM');
      IF to_regclass('public.' || part) IS NULL THEN
        -- Two captures may want the same month at once; the second looks again when the first has committed.
        PERFORM pg_advisory_xact_lock(hashtext('sensor_ensure_partitions'));
        IF to_regclass('public.' || part) IS NULL THEN
          low := month AT TIME ZONE 'UTC';
          high := (month + interval '1 month') AT TIME ZONE 'UTC';
          EXECUTE format('CREATE TABLE public.%I (LIKE public.%I INCLUDING DEFAULTS INCLUDING CONSTRAINTS)', part, parent);
          -- Nobody may add a row of this month to the DEFAULT partition between the move and the attachment.
          EXECUTE format('LOCK TABLE public.%I IN ACCESS EXCLUSIVE MODE', parent || '_default');
          EXECUTE format('WITH moved AS (DELETE FROM public.%I WHERE %I >= %L AND %I < %L RETURNING *) '
                         'INSERT INTO public.%I SELECT * FROM moved', parent || '_default', key, low, key, high, part);
          -- ATTACH, not CREATE … PARTITION OF: it lets readers and writers of the other months go on.
          EXECUTE format('ALTER TABLE public.%I ATTACH PARTITION public.%I FOR VALUES FROM (%L) TO (%L)',
                         parent, part, low, high);
          made := made + 1;
        END IF;
      END IF;
      month := month + interval '1 month';
    END LOOP;
  END LOOP;
  RETURN made;
END $$;
"""
WINDOW = "SELECT public.sensor_ensure_partitions(now() - interval '1 month', now() + interval '3 months')"


def partition(_apps, schema_editor):
    runtime = schema_editor.quote_name(schema_editor.connection.settings_dict["RUNTIME_ROLE"])
    for table in KEYS:
        schema_editor.execute(_rebuild(table, partitioned=True), params=None)
    schema_editor.execute(ENSURE, params=None)  # None: its per cent signs are its own
    schema_editor.execute("REVOKE ALL ON FUNCTION public.sensor_ensure_partitions FROM PUBLIC")
    schema_editor.execute(f"GRANT EXECUTE ON FUNCTION public.sensor_ensure_partitions TO {runtime}")
    schema_editor.execute(WINDOW)


def gather(_apps, schema_editor):
    schema_editor.execute("DROP FUNCTION public.sensor_ensure_partitions")
    for table in KEYS:
        schema_editor.execute(_rebuild(table, partitioned=False), params=None)


class Migration(migrations.Migration):
    dependencies = [("sensor", "0001_initial")]

    operations = [migrations.RunPython(partition, gather)]
