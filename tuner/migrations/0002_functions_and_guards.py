"""The functions that alone write parameters, and the triggers that keep versions as they were.

Errors carry SQLSTATEs that `tuner.database` turns into errors of the domain: SL404 not found, SL409 someone was
first, SL422 a rule is broken, SL423 frozen.
"""

from django.db import migrations

FUNCTIONS = r"""
CREATE FUNCTION public.tuner_lock() RETURNS public.tuner_state
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $$
DECLARE state public.tuner_state;
BEGIN
  -- The change log's lock comes first here as everywhere, so that a writer of both never meets itself crosswise.
  PERFORM public.audit_chain_lock();
  SELECT * INTO state FROM public.tuner_state WHERE id = 1 FOR NO KEY UPDATE;
  IF NOT FOUND THEN
    RAISE EXCEPTION 'the tuner is not seeded yet: run migrate' USING ERRCODE = 'SL404';
  END IF;
  RETURN state;
END $$;

CREATE FUNCTION public.parameter_version_insert(
  p_parent int, p_kind text, p_groups jsonb, p_hash text, p_experiment text, p_variant text, p_reason text,
  p_actor text) RETURNS int
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $$
DECLARE next_version int;
BEGIN
  -- People count production versions (v1, v2, v3); arms of experiments are numbered apart, from a million on.
  SELECT coalesce(max(version), CASE p_kind WHEN 'experiment' THEN 1000000 ELSE 0 END) + 1 INTO next_version
    FROM public.experiment_parameters WHERE kind = p_kind;
  INSERT INTO public.experiment_parameters
    (version, parent_version, retrieval, context, llm, archivist, prompts, content_hash, is_active, kind,
     experiment, variant, reason, created_by)
  VALUES (next_version, p_parent, p_groups->'retrieval', p_groups->'context', p_groups->'llm',
          p_groups->'archivist', p_groups->'prompts', p_hash, false, p_kind, p_experiment, p_variant, p_reason,
          p_actor);
  RETURN next_version;
END $$;

CREATE FUNCTION public.seed_parameters(p_groups jsonb, p_hash text) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
DECLARE seeded int;
BEGIN
  INSERT INTO public.tuner_state (id, frozen, frozen_by, reason) VALUES (1, false, '', '') ON CONFLICT DO NOTHING;
  PERFORM public.tuner_lock();
  IF EXISTS (SELECT FROM public.experiment_parameters) THEN
    RETURN false;
  END IF;
  seeded := public.parameter_version_insert(
    NULL, 'production', p_groups, p_hash, NULL, NULL, 'defaults of the registry', 'component:tuner');
  UPDATE public.experiment_parameters SET is_active = true, stable_since = clock_timestamp() WHERE version = seeded;
  INSERT INTO public.parameter_activations (previous, version, action, actor, reason)
  VALUES (NULL, seeded, 'seed', 'component:tuner', 'defaults of the registry');
  RETURN true;
END $$;

CREATE FUNCTION public.prepare_experiment(p_experiment text, p_base int, p_arms jsonb, p_actor text)
RETURNS TABLE (arm_name text, arm_version int)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  arm record;
  found_hash text;
BEGIN
  PERFORM public.tuner_lock();
  IF NOT EXISTS (SELECT FROM public.experiment_parameters WHERE version = p_base) THEN
    RAISE EXCEPTION 'there is no parameter version %', p_base USING ERRCODE = 'SL404';
  END IF;
  FOR arm IN SELECT key, value FROM jsonb_each(p_arms) ORDER BY key LOOP
    SELECT p.version, p.content_hash INTO arm_version, found_hash FROM public.experiment_parameters p
      WHERE p.kind = 'experiment' AND p.experiment = p_experiment AND p.variant = arm.key;
    IF NOT FOUND THEN
      arm_version := public.parameter_version_insert(
        p_base, 'experiment', arm.value->'groups', arm.value->>'content_hash', p_experiment, arm.key,
        'arm ' || arm.key || ' of experiment ' || p_experiment, p_actor);
    ELSIF found_hash <> arm.value->>'content_hash' THEN
      RAISE EXCEPTION 'arm % of experiment % exists with other values', arm.key, p_experiment
        USING ERRCODE = 'SL409';
    END IF;
    arm_name := arm.key;
    RETURN NEXT;
  END LOOP;
END $$;

CREATE FUNCTION public.create_parameter_version(
  p_parent int, p_groups jsonb, p_hash text, p_experiment text, p_reason text, p_actor text) RETURNS int
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  PERFORM public.tuner_lock();
  IF NOT EXISTS (SELECT FROM public.experiment_parameters WHERE version = p_parent) THEN
    RAISE EXCEPTION 'there is no parameter version %', p_parent USING ERRCODE = 'SL404';
  END IF;
  RETURN public.parameter_version_insert(
    p_parent, 'production', p_groups, p_hash, p_experiment, NULL, p_reason, p_actor);
END $$;

CREATE FUNCTION public.activate_parameter_version(
  p_version int, p_expected_active int, p_experiment text, p_reason text, p_actor text) RETURNS int
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  state public.tuner_state := public.tuner_lock();
  current_active int;
  target public.experiment_parameters;
BEGIN
  IF state.frozen THEN
    RAISE EXCEPTION 'changes are frozen by %: %', state.frozen_by, state.reason USING ERRCODE = 'SL423';
  END IF;
  SELECT version INTO current_active FROM public.experiment_parameters WHERE is_active;
  IF current_active IS DISTINCT FROM p_expected_active THEN
    RAISE EXCEPTION 'version % is active, not %', current_active, p_expected_active USING ERRCODE = 'SL409';
  END IF;
  SELECT * INTO target FROM public.experiment_parameters WHERE version = p_version;
  IF NOT FOUND THEN
    RAISE EXCEPTION 'there is no parameter version %', p_version USING ERRCODE = 'SL404';
  END IF;
  IF target.kind <> 'production' THEN
    RAISE EXCEPTION 'version % belongs to experiment % and can never be active', p_version, target.experiment
      USING ERRCODE = 'SL422';
  END IF;
  IF target.is_active THEN
    RAISE EXCEPTION 'version % is active already', p_version USING ERRCODE = 'SL422';
  END IF;
  UPDATE public.experiment_parameters SET is_active = false WHERE version = current_active;
  UPDATE public.experiment_parameters SET is_active = true, rolled_back_at = NULL WHERE version = p_version;
  INSERT INTO public.parameter_activations (previous, version, action, actor, reason, experiment)
  VALUES (current_active, p_version, 'activate', p_actor, p_reason, p_experiment);
  RETURN current_active;
END $$;

CREATE FUNCTION public.rollback_parameters(p_expected_active int, p_reason text, p_actor text)
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
  WHERE p.kind = 'production' AND NOT p.is_active AND p.stable_since IS NOT NULL AND p.rolled_back_at IS NULL
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

CREATE FUNCTION public.confirm_stable_version(p_version int) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
DECLARE target public.experiment_parameters;
BEGIN
  PERFORM public.tuner_lock();
  SELECT * INTO target FROM public.experiment_parameters WHERE version = p_version;
  IF NOT FOUND THEN
    RAISE EXCEPTION 'there is no parameter version %', p_version USING ERRCODE = 'SL404';
  END IF;
  IF NOT target.is_active THEN
    RAISE EXCEPTION 'version % is not active, so it cannot be confirmed as stable', p_version
      USING ERRCODE = 'SL409';
  END IF;
  IF target.stable_since IS NOT NULL THEN
    RETURN false;
  END IF;
  UPDATE public.experiment_parameters SET stable_since = clock_timestamp() WHERE version = p_version;
  RETURN true;
END $$;

CREATE FUNCTION public.set_freeze(p_frozen boolean, p_reason text, p_actor text) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
DECLARE state public.tuner_state := public.tuner_lock();
BEGIN
  IF state.frozen = p_frozen THEN
    RETURN false;
  END IF;
  UPDATE public.tuner_state SET frozen = p_frozen, frozen_by = CASE WHEN p_frozen THEN p_actor ELSE '' END,
    reason = p_reason, at = clock_timestamp() WHERE id = 1;
  RETURN true;
END $$;

CREATE FUNCTION public.parameter_version_guard() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  pointers text[] := ARRAY['is_active', 'stable_since', 'rolled_back_at'];
BEGIN
  IF TG_OP = 'DELETE' THEN
    RAISE EXCEPTION 'a parameter version is never deleted' USING ERRCODE = 'insufficient_privilege';
  END IF;
  IF to_jsonb(NEW) - pointers IS DISTINCT FROM to_jsonb(OLD) - pointers THEN
    RAISE EXCEPTION 'the content of parameter version % never changes', OLD.version
      USING ERRCODE = 'insufficient_privilege';
  END IF;
  RETURN NEW;
END $$;

CREATE FUNCTION public.parameter_version_stays_active() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  IF NOT EXISTS (SELECT FROM public.experiment_parameters WHERE is_active) THEN
    RAISE EXCEPTION 'one parameter version must be active' USING ERRCODE = 'SL422';
  END IF;
  RETURN NULL;
END $$;

CREATE TRIGGER parameter_versions_never_change BEFORE UPDATE OR DELETE ON public.experiment_parameters
  FOR EACH ROW EXECUTE FUNCTION public.parameter_version_guard();
CREATE CONSTRAINT TRIGGER one_parameter_version_stays_active AFTER INSERT OR UPDATE ON public.experiment_parameters
  DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION public.parameter_version_stays_active();
CREATE TRIGGER parameter_versions_are_never_emptied BEFORE TRUNCATE ON public.experiment_parameters
  FOR EACH STATEMENT EXECUTE FUNCTION public.append_only_guard();
CREATE TRIGGER activations_never_change BEFORE UPDATE OR DELETE ON public.parameter_activations
  FOR EACH ROW EXECUTE FUNCTION public.append_only_guard();
CREATE TRIGGER activations_are_never_emptied BEFORE TRUNCATE ON public.parameter_activations
  FOR EACH STATEMENT EXECUTE FUNCTION public.append_only_guard();
"""

PUBLIC_FUNCTIONS = (
    "seed_parameters(jsonb, text)",
    "prepare_experiment(text, int, jsonb, text)",
    "create_parameter_version(int, jsonb, text, text, text, text)",
    "activate_parameter_version(int, int, text, text, text)",
    "rollback_parameters(int, text, text)",
    "confirm_stable_version(int)",
    "set_freeze(boolean, text, text)",
)
INNER_FUNCTIONS = (
    "tuner_lock()",
    "parameter_version_insert(int, text, jsonb, text, text, text, text, text)",
    "parameter_version_guard()",
    "parameter_version_stays_active()",
)
TABLES = "public.experiment_parameters, public.parameter_activations, public.tuner_state"

REVOKES = "".join(
    f"REVOKE ALL ON FUNCTION public.{signature} FROM PUBLIC;\n" for signature in (*PUBLIC_FUNCTIONS, *INNER_FUNCTIONS)
)

DROP = """
DROP TRIGGER activations_are_never_emptied ON public.parameter_activations;
DROP TRIGGER activations_never_change ON public.parameter_activations;
DROP TRIGGER parameter_versions_are_never_emptied ON public.experiment_parameters;
DROP TRIGGER one_parameter_version_stays_active ON public.experiment_parameters;
DROP TRIGGER parameter_versions_never_change ON public.experiment_parameters;
""" + "".join(f"DROP FUNCTION public.{signature};\n" for signature in (*PUBLIC_FUNCTIONS, *reversed(INNER_FUNCTIONS)))


def grant(_apps, schema_editor):
    """The runtime login reads the tables and calls the functions; it writes nothing itself."""
    role = schema_editor.connection.settings_dict.get("RUNTIME_ROLE")
    if not role or not schema_editor.connection.has_roles:
        return
    role = schema_editor.quote_name(role)
    schema_editor.execute(f"REVOKE INSERT, UPDATE, DELETE, TRUNCATE ON {TABLES} FROM {role}")
    schema_editor.execute(f"GRANT SELECT ON {TABLES} TO {role}")
    for signature in PUBLIC_FUNCTIONS:
        schema_editor.execute(f"GRANT EXECUTE ON FUNCTION public.{signature} TO {role}")


class Migration(migrations.Migration):
    dependencies = [("tuner", "0001_initial"), ("audit", "0002_chain_and_guards")]
    operations = [
        migrations.RunSQL(FUNCTIONS + REVOKES, DROP),
        migrations.RunPython(grant, migrations.RunPython.noop),
    ]
