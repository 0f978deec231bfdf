"""Who may see whose rows, the pair of run and user, and the channel `pipeline_events`."""

from django.db import migrations

RLS_TABLES = ("pipeline_runs", "raw_logs", "lsm_storage")
OPEN_TABLES = ("system_prompts", "test_dialogs", "test_runs")
OWN_USER = "user_id = (SELECT NULLIF(current_setting('maas.user_id', true), '')::uuid)"


def _rls(table: str) -> str:
    return f"""
    ALTER TABLE public.{table} ENABLE ROW LEVEL SECURITY;
    ALTER TABLE public.{table} FORCE ROW LEVEL SECURITY;
    CREATE POLICY {table}_own_user ON public.{table} TO maas_request USING ({OWN_USER}) WITH CHECK ({OWN_USER});
    CREATE POLICY {table}_service ON public.{table} TO maas_service USING (true) WITH CHECK (true);
    CREATE POLICY {table}_owner ON public.{table} TO CURRENT_USER USING (true) WITH CHECK (true);
    REVOKE ALL ON public.{table} FROM PUBLIC, maas_app;
    GRANT SELECT, INSERT, UPDATE ON public.{table} TO maas_request;
    GRANT SELECT, INSERT, UPDATE, DELETE ON public.{table} TO maas_service;
    """


def _undo_rls(table: str) -> str:
    return f"""
    DROP POLICY {table}_own_user ON public.{table};
    DROP POLICY {table}_service ON public.{table};
    DROP POLICY {table}_owner ON public.{table};
    ALTER TABLE public.{table} NO FORCE ROW LEVEL SECURITY;
    ALTER TABLE public.{table} DISABLE ROW LEVEL SECURITY;
    REVOKE ALL ON public.{table} FROM maas_request, maas_service;
    """


GRANTS = f"""
GRANT USAGE ON SCHEMA public TO maas_request, maas_service;
GRANT SELECT ON {", ".join(OPEN_TABLES)} TO maas_app, maas_request;
GRANT SELECT, INSERT, UPDATE, DELETE ON {", ".join(OPEN_TABLES)} TO maas_service;
GRANT USAGE, SELECT ON SEQUENCE raw_logs_id_seq TO maas_request, maas_service;
GRANT USAGE, SELECT ON SEQUENCE system_prompts_id_seq, test_dialogs_id_seq, test_runs_id_seq TO maas_service;
"""

# A foreign key looks past row-level security; the pair keeps a log with the user of its run.
PAIR = """
ALTER TABLE public.raw_logs ADD CONSTRAINT raw_log_has_the_user_of_its_run
  FOREIGN KEY (pipeline_run_id, user_id) REFERENCES public.pipeline_runs (id, user_id) ON DELETE CASCADE;
"""

NOTIFY = """
CREATE FUNCTION public.pipeline_events_notify() RETURNS trigger LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  PERFORM pg_catalog.pg_notify('pipeline_events', pg_catalog.json_build_object(
    'id', NEW.id, 'status', NEW.status,
    'operation', CASE WHEN TG_OP = 'INSERT' THEN 'INSERT'
                      WHEN NEW.status IS DISTINCT FROM OLD.status THEN 'UPDATE' ELSE 'SETTLED' END)::text);
  RETURN NULL;
END $$;
CREATE TRIGGER run_is_announced AFTER INSERT ON public.pipeline_runs
  FOR EACH ROW EXECUTE FUNCTION public.pipeline_events_notify();
CREATE TRIGGER run_change_is_announced AFTER UPDATE ON public.pipeline_runs FOR EACH ROW
  WHEN (NEW.status IS DISTINCT FROM OLD.status OR (OLD.finished_at IS NULL AND NEW.finished_at IS NOT NULL))
  EXECUTE FUNCTION public.pipeline_events_notify();
"""
UNDO_NOTIFY = """
DROP TRIGGER run_is_announced ON public.pipeline_runs;
DROP TRIGGER run_change_is_announced ON public.pipeline_runs;
DROP FUNCTION public.pipeline_events_notify();
"""

# Room on each page lets the many small updates of a run and of a memory's counters stay where they are.
ROOM = """
ALTER TABLE public.pipeline_runs SET (fillfactor = 60);
ALTER TABLE public.lsm_storage SET (fillfactor = 85);
"""


class Migration(migrations.Migration):
    dependencies = [("maas", "0001_initial")]

    operations = [
        migrations.RunSQL(PAIR, "ALTER TABLE public.raw_logs DROP CONSTRAINT raw_log_has_the_user_of_its_run;"),
        migrations.RunSQL(
            "".join(map(_rls, RLS_TABLES)) + GRANTS,
            "".join(map(_undo_rls, RLS_TABLES)) + f"REVOKE ALL ON {', '.join(OPEN_TABLES)} FROM maas_request;",
        ),
        migrations.RunSQL(NOTIFY, UNDO_NOTIFY),
        migrations.RunSQL(ROOM, migrations.RunSQL.noop),
    ]
