"""A fingerprint of each sample, for results from now on; older ones keep an empty list and are replayed as a whole."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("experiments", "0003_discovery_ledger")]

    operations = [
        migrations.AddField(
            model_name="experimentresult",
            name="sample_digests",
            field=models.JSONField(
                db_default=models.Value([], models.JSONField()),
                default=list,
                help_text="Example, arm and fingerprint of each sample; empty for results that are older than these.",
            ),
        ),
    ]
