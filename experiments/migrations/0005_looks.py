"""Looks before the end of an experiment, and why one ended before its sample was complete."""

from django.db import migrations, models


def _list(help_text):
    return models.JSONField(db_default=models.Value([], models.JSONField()), default=list, help_text=help_text)


class Migration(migrations.Migration):
    dependencies = [("experiments", "0004_sample_digests")]

    operations = [
        migrations.AddField(
            model_name="experiment",
            name="look_sizes",
            field=_list("Examples at each planned look; empty: one look, at the end."),
        ),
        migrations.AddField(
            model_name="experiment",
            name="looks",
            field=_list("What each look before the end found."),
        ),
        migrations.AddField(
            model_name="experiment",
            name="closes_at",
            field=models.DateTimeField(
                blank=True, help_text="When it closes although its sample is not complete; empty: never.", null=True
            ),
        ),
        migrations.AddField(
            model_name="experiment",
            name="ended_early",
            field=models.TextField(
                blank=True, db_default="", default="", help_text="Why it ended before its sample was complete."
            ),
        ),
        migrations.AddField(
            model_name="experimentresult",
            name="looks",
            field=_list("Sizes of the looks, the verdict's own last; empty: one look."),
        ),
        migrations.AddField(
            model_name="experimentresult",
            name="horizon",
            field=models.PositiveIntegerField(blank=True, help_text="The planned end of those looks.", null=True),
        ),
    ]
