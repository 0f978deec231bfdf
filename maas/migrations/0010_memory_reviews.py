"""Memories that are set aside and can be brought back, and what is put up for review.

What is set aside is hidden by the policy of the requesting role itself: no search, list or count of the person's own
sees it, whichever statement asks. The service role sees it, and alone sets aside and brings back.
"""

import django.db.models.deletion
from django.db import migrations, models
from django.db.models import Q

OWN_USER = "user_id = (SELECT NULLIF(current_setting('maas.user_id', true), '')::uuid)"

HIDE = f"""
ALTER POLICY lsm_storage_own_user ON public.lsm_storage
  USING ({OWN_USER} AND set_aside_at IS NULL) WITH CHECK ({OWN_USER} AND set_aside_at IS NULL);
"""
SHOW = f"ALTER POLICY lsm_storage_own_user ON public.lsm_storage USING ({OWN_USER}) WITH CHECK ({OWN_USER});"

REVIEWS = """
ALTER TABLE public.memory_reviews ADD CONSTRAINT review_has_the_user_of_its_memory
  FOREIGN KEY (memory_id, user_id) REFERENCES public.lsm_storage (id, user_id) ON DELETE CASCADE;
ALTER TABLE public.memory_reviews ENABLE ROW LEVEL SECURITY;
ALTER TABLE public.memory_reviews FORCE ROW LEVEL SECURITY;
CREATE POLICY memory_reviews_service ON public.memory_reviews TO maas_service USING (true) WITH CHECK (true);
CREATE POLICY memory_reviews_owner ON public.memory_reviews TO CURRENT_USER USING (true) WITH CHECK (true);
REVOKE ALL ON public.memory_reviews FROM PUBLIC, maas_app, maas_request;
GRANT SELECT, INSERT, UPDATE, DELETE ON public.memory_reviews TO maas_service;
"""


class Migration(migrations.Migration):
    dependencies = [("maas", "0009_runs_of_people")]

    operations = [
        migrations.AddField("memory", "set_aside_at", models.DateTimeField(null=True)),
        migrations.AddField("memory", "set_aside_for", models.TextField(null=True)),
        migrations.AddConstraint(
            "memory",
            models.CheckConstraint(
                condition=Q(set_aside_at__isnull=True, set_aside_for__isnull=True)
                | Q(set_aside_at__isnull=False, set_aside_for__isnull=False),
                name="what_is_set_aside_says_for_what",
            ),
        ),
        migrations.AddIndex(
            "memory",
            models.Index(fields=["set_aside_for"], condition=Q(set_aside_at__isnull=False), name="memories_set_aside"),
        ),
        migrations.CreateModel(
            name="MemoryReview",
            fields=[
                (
                    "memory",
                    models.OneToOneField(
                        db_constraint=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        primary_key=True,
                        related_name="review",
                        serialize=False,
                        to="maas.memory",
                    ),
                ),
                ("user_id", models.UUIDField()),
                ("score", models.FloatField(null=True)),
                ("low_since", models.DateTimeField(null=True)),
                ("reasons", models.JSONField(default=list, db_default=models.Value([], models.JSONField()))),
                ("flagged_at", models.DateTimeField(null=True)),
                ("kept_at", models.DateTimeField(null=True)),
                ("kept_by", models.TextField(blank=True, db_default="", default="")),
            ],
            options={"db_table": "memory_reviews"},
        ),
        migrations.AddIndex(
            "memoryreview",
            models.Index(fields=["flagged_at"], condition=Q(flagged_at__isnull=False), name="reviews_flagged"),
        ),
        migrations.RunSQL(HIDE, SHOW),
        migrations.RunSQL(REVIEWS, migrations.RunSQL.noop),
    ]
