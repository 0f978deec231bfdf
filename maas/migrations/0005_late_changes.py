"""Finds settled runs that a person spoke about later (feedback, consent withdrawn) without reading the others.

Settling writes `updated_at` before `finished_at`, so only what came later is in this index. It is no part of the
model's state: nothing but readers outside uses it.
"""

from django.db import migrations

INDEX = "CREATE INDEX runs_changed_late ON public.pipeline_runs (updated_at, id) WHERE updated_at > finished_at"


class Migration(migrations.Migration):
    dependencies = [("maas", "0004_test_sessions")]

    operations = [migrations.RunSQL(INDEX, "DROP INDEX public.runs_changed_late")]
