"""Consent and the time of feedback on recorded runs, which may change after the run was recorded; and indexes that
find what may be learnt from, and who is a real person."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("sensor", "0002_monthly_partitions")]

    operations = [
        migrations.AddField(
            model_name="sensorevent",
            name="feedback_at",
            field=models.DateTimeField(null=True),
        ),
        migrations.AddField(
            model_name="sensorevent",
            name="consent",
            field=models.BooleanField(db_default=False, default=False, help_text="may be learnt from, until withdrawn"),
        ),
        migrations.AlterField(
            model_name="sensorevent",
            name="feedback_score",
            field=models.SmallIntegerField(help_text="1 to 5; the person's latest word", null=True),
        ),
        migrations.AddIndex(
            model_name="sensorevent",
            index=models.Index(
                condition=models.Q(("consent", True)), fields=["started_at"], name="events_with_consent"
            ),
        ),
        migrations.AddIndex(
            model_name="sensorevent",
            index=models.Index(
                condition=models.Q(("client_kind", "user")), fields=["user_id"], name="events_of_real_users"
            ),
        ),
    ]
