"""The queue by age, and how often each stage of a run was tried."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("maas", "0005_late_changes")]

    operations = [
        migrations.AddField(
            model_name="pipelinerun",
            name="stage_tries",
            field=models.JSONField(db_default=models.Value({}, models.JSONField()), default=dict),
        ),
        migrations.AddIndex(
            model_name="pipelinerun",
            index=models.Index(
                condition=models.Q(
                    models.Q(("status__in", ["COMPLETED", "FAILED"]), _negated=True),
                    ("needs_archive", True),
                    _connector="OR",
                ),
                fields=["created_at", "id"],
                name="runs_open_by_age",
            ),
        ),
    ]
