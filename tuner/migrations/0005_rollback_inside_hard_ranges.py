"""A rollback passes over versions that hold a value which is impossible today: the caller, who knows the registry, says
which. Without such versions it goes where it went before."""

from django.db import migrations

BODY = r"""
CREATE FUNCTION public.rollback_parameters({parameters})
RETURNS TABLE (left_version int, active_version int)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  PERFORM public.tuner_lock();
  SELECT p.version INTO left_version FROM public.experiment_parameters p WHERE p.is_active;
  IF p_expected_active IS NOT NULL AND left_version IS DISTINCT FROM p_expected_active THEN
    RAISE EXCEPTION 'version % is active, not %', left_version, p_expected_active USING ERRCODE = 'SL409';
  END IF;
  -- The stable version that was active last, never one that was itself rolled back.
  SELECT p.version INTO active_version
  FROM public.experiment_parameters p JOIN public.parameter_activations a ON a.version = p.version
  WHERE p.kind = 'production' AND NOT p.is_active AND p.stable_since IS NOT NULL AND p.rolled_back_at IS NULL{skipping}
  ORDER BY a.id DESC LIMIT 1;
  IF NOT FOUND THEN
    RAISE EXCEPTION 'there is no stable version before version % to go back to', left_version
      USING ERRCODE = 'SL422';
  END IF;
  -- The seed is the last resort and stays one; any other version that is left has to prove itself anew.
  UPDATE public.experiment_parameters SET
    is_active = false,
    rolled_back_at = CASE WHEN parent_version IS NULL THEN NULL ELSE clock_timestamp() END,
    stable_since = CASE WHEN parent_version IS NULL THEN stable_since END
  WHERE version = left_version;
  UPDATE public.experiment_parameters SET is_active = true WHERE version = active_version;
  INSERT INTO public.parameter_activations (previous, version, action, actor, reason, experiment)
  SELECT left_version, active_version, 'rollback', p_actor, p_reason, p.experiment
  FROM public.experiment_parameters p WHERE p.version = left_version;
  RETURN NEXT;
END $$;
REVOKE ALL ON FUNCTION public.rollback_parameters({types}) FROM PUBLIC;
"""
BEFORE, AFTER = "int, text, text", "int, text, text, int[]"
_DROP = "DROP FUNCTION public.rollback_parameters({types});\n"
_OLD = BODY.format(parameters="p_expected_active int, p_reason text, p_actor text", skipping="", types=BEFORE)
_NEW = BODY.format(
    parameters="p_expected_active int, p_reason text, p_actor text, p_skip int[]",
    skipping="\n    AND p.version <> ALL (p_skip)",
    types=AFTER,
)


def _grant(schema_editor, types):
    role = schema_editor.connection.settings_dict.get("RUNTIME_ROLE")
    if role and schema_editor.connection.has_roles:
        name = schema_editor.quote_name(role)
        schema_editor.execute(f"GRANT EXECUTE ON FUNCTION public.rollback_parameters({types}) TO {name}")


def grant(_apps, schema_editor):
    _grant(schema_editor, AFTER)


def grant_back(_apps, schema_editor):
    _grant(schema_editor, BEFORE)


class Migration(migrations.Migration):
    dependencies = [("tuner", "0004_tenants")]

    operations = [
        migrations.RunPython(migrations.RunPython.noop, grant_back),
        migrations.RunSQL(_DROP.format(types=BEFORE) + _NEW, _DROP.format(types=AFTER) + _OLD),
        migrations.RunPython(grant, migrations.RunPython.noop),
    ]
