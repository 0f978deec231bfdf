from django.db import migrations

# A writer holds, from before its first id until after its commit, a shared lock whose number is the last id given
# before. 0x5E is the space of these locks; the rest of the number is the id. Locks of this kind are the database's own.
_TELL = """
CREATE OR REPLACE FUNCTION public.site_event_tell() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  told jsonb; now_row jsonb := to_jsonb(NEW); old_row jsonb; moved boolean;
BEGIN
  IF TG_OP = 'UPDATE' THEN
    old_row := to_jsonb(OLD);
    SELECT bool_or(now_row->c IS DISTINCT FROM old_row->c) INTO moved FROM unnest(string_to_array(TG_ARGV[1], ',')) c;
    IF NOT moved THEN RETURN NULL; END IF;
  END IF;
  SELECT jsonb_object_agg(c, now_row->c) INTO told FROM unnest(string_to_array(TG_ARGV[2], ',')) c;
%(lock)s
  INSERT INTO public.site_events (kind, data) VALUES (TG_ARGV[0], told);
  RETURN NULL;
END $$;
"""
# Once a transaction: the setting is undone with the savepoint that loses the lock.
_LOCK = """  IF coalesce(current_setting('selflearn.event_writer', true), '') = '' THEN
    PERFORM pg_advisory_xact_lock_shared((94::bigint << 48) | CASE WHEN s.is_called THEN s.last_value ELSE 0 END)
    FROM public.site_events_id_seq s;
    PERFORM set_config('selflearn.event_writer', 'yes', true);
  END IF;"""
_DROP = "DROP INDEX site_events_in_order; ALTER TABLE site_events DROP COLUMN xid;"
_ADD = """
ALTER TABLE site_events ADD COLUMN xid xid8 NOT NULL DEFAULT pg_current_xact_id();
CREATE INDEX site_events_in_order ON site_events (xid, id);
"""


class Migration(migrations.Migration):
    dependencies = [("events", "0001_outbox")]

    operations = [migrations.RunSQL(_DROP + _TELL % {"lock": _LOCK}, _ADD + _TELL % {"lock": ""})]
