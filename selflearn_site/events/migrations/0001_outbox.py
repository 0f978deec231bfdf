import django.db.models.functions.datetime
from django.db import migrations, models

# Table, events and kind, columns that are told. An update is told when one of the named columns has changed.
_TOLD = (
    ("journal_entries", "journal", "INSERT", "", "campaign_id,cycle_number,kind,text,reason,experiment"),
    ("cycles", "cycle", "INSERT OR UPDATE", "state,progress", "id,campaign_id,number,type,state,outcome,progress"),
    ("upkeep_cycles", "cycle", "INSERT OR UPDATE", "state,progress", "id,type,state,progress"),
    ("experiment_results", "verdict", "INSERT", "", "experiment_id,verdict"),
    ("approvals", "approval", "INSERT OR UPDATE", "status", "id,campaign_id,kind,status"),
    ("incidents", "incident", "INSERT OR UPDATE", "status", "id,kind,severity,title,status"),
)
# The definer's rights: whoever may write the row need not be able to write the outbox.
_FUNCTION = """
ALTER TABLE site_events ADD COLUMN xid xid8 NOT NULL DEFAULT pg_current_xact_id();
CREATE INDEX site_events_in_order ON site_events (xid, id);
CREATE FUNCTION public.site_event_tell() RETURNS trigger
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
  INSERT INTO public.site_events (kind, data) VALUES (TG_ARGV[0], told);
  RETURN NULL;
END $$;
"""
_ON = "".join(
    f"CREATE TRIGGER {table}_told AFTER {when} ON {table} FOR EACH ROW "
    f"EXECUTE FUNCTION site_event_tell('{kind}', '{moves}', '{columns}');\n"
    for table, kind, when, moves, columns in _TOLD
)
_OFF = "".join(f"DROP TRIGGER {row[0]}_told ON {row[0]};\n" for row in _TOLD) + "DROP FUNCTION site_event_tell();"


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        ("manager", "0010_upkeep_cycles"),
        ("incidents", "0001_initial"),
        ("experiments", "0001_initial"),
    ]

    operations = [
        migrations.CreateModel(
            name="Event",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("kind", models.CharField(max_length=20)),
                ("data", models.JSONField()),
                ("at", models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
            ],
            options={
                "db_table": "site_events",
                "ordering": ["id"],
                "indexes": [models.Index(fields=["at"], name="site_event_age")],
            },
        ),
        migrations.RunSQL(_FUNCTION + _ON, _OFF),
    ]
