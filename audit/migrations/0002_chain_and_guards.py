"""The hash chain, and the refusal of every change: kept by the database, not by the code that writes."""

from django.db import migrations

CREATE = r"""
CREATE FUNCTION public.audit_chain_lock() RETURNS void
LANGUAGE sql VOLATILE SET search_path = pg_catalog, pg_temp
AS $$ SELECT pg_catalog.pg_advisory_xact_lock(5971830472916401) $$;
COMMENT ON FUNCTION public.audit_chain_lock() IS
  'One writer of the chain at a time. Whoever locks other rows and then audits takes this one first: no deadlocks.';

CREATE FUNCTION public.audit_entry_hash(e public.audit_entries) RETURNS text
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
AS $$
  SELECT pg_catalog.encode(pg_catalog.sha256(pg_catalog.convert_to(
    pg_catalog.jsonb_build_array(
      'v1', e.prev_hash, e.id,
      pg_catalog.to_char(e.at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US'),
      e.actor_kind, e.actor, e.role, e.action, e.subject_type, e.subject_id, e.parameter,
      e.before, e.after, e.reason, e.experiment, e.campaign, e.request_id
    )::text, 'UTF8')), 'hex')
$$;

CREATE FUNCTION public.audit_entry_chain() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  last_id bigint;
  last_hash text;
BEGIN
  PERFORM public.audit_chain_lock();
  SELECT a.id, a.hash INTO last_id, last_hash FROM public.audit_entries a ORDER BY a.id DESC LIMIT 1;
  NEW.id := coalesce(last_id, 0) + 1;
  NEW.at := clock_timestamp();
  NEW.prev_hash := coalesce(last_hash, repeat('0', 64));
  NEW.hash := public.audit_entry_hash(NEW);
  RETURN NEW;
END
$$;

CREATE FUNCTION public.append_only_guard() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  IF (SELECT r.rolsuper FROM pg_catalog.pg_roles r WHERE r.rolname = current_user) THEN
    IF TG_OP = 'DELETE' THEN RETURN OLD; END IF;
    RETURN NEW;
  END IF;
  -- The owner's flush between tests is the one TRUNCATE there is; a database that tests own is named test_.
  IF TG_OP = 'TRUNCATE' AND current_database() LIKE 'test\_%' THEN
    RETURN NULL;
  END IF;
  RAISE EXCEPTION '% is append-only: % refused', TG_TABLE_NAME, TG_OP USING ERRCODE = 'insufficient_privilege';
END
$$;

CREATE TRIGGER audit_entries_are_chained BEFORE INSERT ON public.audit_entries
  FOR EACH ROW EXECUTE FUNCTION public.audit_entry_chain();
CREATE TRIGGER audit_entries_never_change BEFORE UPDATE OR DELETE ON public.audit_entries
  FOR EACH ROW EXECUTE FUNCTION public.append_only_guard();
CREATE TRIGGER audit_entries_are_never_emptied BEFORE TRUNCATE ON public.audit_entries
  FOR EACH STATEMENT EXECUTE FUNCTION public.append_only_guard();
"""

DROP = """
DROP TRIGGER audit_entries_are_never_emptied ON public.audit_entries;
DROP TRIGGER audit_entries_never_change ON public.audit_entries;
DROP TRIGGER audit_entries_are_chained ON public.audit_entries;
DROP FUNCTION public.append_only_guard();
DROP FUNCTION public.audit_entry_chain();
DROP FUNCTION public.audit_entry_hash(public.audit_entries);
DROP FUNCTION public.audit_chain_lock();
"""


def grant(_apps, schema_editor):
    """SELECT and INSERT are all that the runtime login keeps."""
    role = schema_editor.connection.settings_dict.get("RUNTIME_ROLE")
    if not role or not schema_editor.connection.has_roles:
        return
    role = schema_editor.quote_name(role)
    for statement in (
        f"REVOKE UPDATE, DELETE, TRUNCATE ON public.audit_entries FROM {role}",
        f"GRANT SELECT, INSERT ON public.audit_entries TO {role}",
        f"GRANT EXECUTE ON FUNCTION public.audit_entry_hash(public.audit_entries) TO {role}",
        f"GRANT EXECUTE ON FUNCTION public.audit_chain_lock() TO {role}",
    ):
        schema_editor.execute(statement)


class Migration(migrations.Migration):
    dependencies = [("audit", "0001_initial")]
    operations = [migrations.RunSQL(CREATE, DROP), migrations.RunPython(grant, migrations.RunPython.noop)]
