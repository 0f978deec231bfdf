"""Versions that hold for one person alone. Written by one function, which a version of an experiment cannot pass."""

from django.db import migrations, models
from django.db.models.functions import Now

FUNCTION = r"""
CREATE FUNCTION public.set_tenant_parameters(p_user uuid, p_version int, p_reason text, p_actor text) RETURNS int
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  state public.tuner_state := public.tuner_lock();
  before int;
BEGIN
  SELECT version INTO before FROM public.tenant_parameters WHERE user_id = p_user;
  IF p_version IS NULL THEN
    -- Back to production protects, as a rollback does: it works while changes are frozen.
    DELETE FROM public.tenant_parameters WHERE user_id = p_user;
    RETURN before;
  END IF;
  IF state.frozen THEN
    RAISE EXCEPTION 'changes are frozen by %: %', state.frozen_by, state.reason USING ERRCODE = 'SL423';
  END IF;
  IF NOT EXISTS (SELECT FROM public.experiment_parameters WHERE version = p_version) THEN
    RAISE EXCEPTION 'there is no parameter version %', p_version USING ERRCODE = 'SL404';
  END IF;
  IF EXISTS (SELECT FROM public.experiment_parameters WHERE version = p_version AND kind <> 'production') THEN
    RAISE EXCEPTION 'version % belongs to an experiment and holds for nobody', p_version USING ERRCODE = 'SL422';
  END IF;
  IF EXISTS (SELECT FROM public.experiment_parameters WHERE version = p_version AND rolled_back_at IS NOT NULL) THEN
    RAISE EXCEPTION 'version % was rolled back', p_version USING ERRCODE = 'SL422';
  END IF;
  INSERT INTO public.tenant_parameters (user_id, version, reason, set_by) VALUES (p_user, p_version, p_reason, p_actor)
  ON CONFLICT (user_id) DO UPDATE SET version = p_version, reason = p_reason, set_by = p_actor, set_at = clock_timestamp();
  RETURN before;
END $$;
REVOKE ALL ON FUNCTION public.set_tenant_parameters(uuid, int, text, text) FROM PUBLIC;
"""


def grant(_apps, schema_editor):
    role = schema_editor.connection.settings_dict.get("RUNTIME_ROLE")
    if not role or not schema_editor.connection.has_roles:
        return
    role = schema_editor.quote_name(role)
    schema_editor.execute(f"REVOKE INSERT, UPDATE, DELETE, TRUNCATE ON public.tenant_parameters FROM {role}")
    schema_editor.execute(f"GRANT SELECT ON public.tenant_parameters TO {role}")
    schema_editor.execute(f"GRANT EXECUTE ON FUNCTION public.set_tenant_parameters(uuid, int, text, text) TO {role}")


class Migration(migrations.Migration):
    dependencies = [("tuner", "0003_factor_settings")]

    operations = [
        migrations.CreateModel(
            name="TenantParameters",
            fields=[
                ("user_id", models.UUIDField(primary_key=True, serialize=False)),
                ("version", models.IntegerField()),
                ("reason", models.TextField()),
                ("set_by", models.TextField()),
                ("set_at", models.DateTimeField(db_default=Now())),
            ],
            options={
                "verbose_name": "parameters of one person",
                "verbose_name_plural": "parameters of one person",
                "db_table": "tenant_parameters",
                "ordering": ("-set_at",),
            },
        ),
        migrations.RunSQL(FUNCTION, "DROP FUNCTION public.set_tenant_parameters(uuid, int, text, text);"),
        migrations.RunPython(grant, migrations.RunPython.noop),
    ]
