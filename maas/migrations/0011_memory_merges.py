"""Merges of memories that say the same: done, refused with a reason, or undone."""

import uuid

from django.db import migrations, models
from django.db.models.functions import Now

RIGHTS = """
ALTER TABLE public.memory_merges ADD CONSTRAINT merge_keeps_a_memory_of_its_user
  FOREIGN KEY (kept, user_id) REFERENCES public.lsm_storage (id, user_id) ON DELETE CASCADE;
ALTER TABLE public.memory_merges ADD CONSTRAINT merge_drops_a_memory_of_its_user
  FOREIGN KEY (dropped, user_id) REFERENCES public.lsm_storage (id, user_id) ON DELETE CASCADE;
ALTER TABLE public.memory_merges ENABLE ROW LEVEL SECURITY;
ALTER TABLE public.memory_merges FORCE ROW LEVEL SECURITY;
CREATE POLICY memory_merges_service ON public.memory_merges TO maas_service USING (true) WITH CHECK (true);
CREATE POLICY memory_merges_owner ON public.memory_merges TO CURRENT_USER USING (true) WITH CHECK (true);
REVOKE ALL ON public.memory_merges FROM PUBLIC, maas_app, maas_request;
GRANT SELECT, INSERT, UPDATE, DELETE ON public.memory_merges TO maas_service;
"""


class Migration(migrations.Migration):
    dependencies = [("maas", "0010_memory_reviews")]

    operations = [
        migrations.CreateModel(
            name="MemoryMerge",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, primary_key=True, serialize=False)),
                ("user_id", models.UUIDField()),
                ("kept", models.UUIDField()),
                ("dropped", models.UUIDField()),
                ("questions", models.PositiveIntegerField()),
                ("refused", models.TextField(blank=True, db_default="", default="")),
                ("created_at", models.DateTimeField(db_default=Now())),
                ("undone_at", models.DateTimeField(null=True)),
            ],
            options={
                "db_table": "memory_merges",
                "constraints": [
                    models.UniqueConstraint(fields=["kept", "dropped"], name="two_memories_are_merged_once")
                ],
                "indexes": [models.Index(fields=["user_id"], name="merges_by_user")],
            },
        ),
        migrations.RunSQL(RIGHTS, migrations.RunSQL.noop),
    ]
