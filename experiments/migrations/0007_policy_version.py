"""The policy version that an experiment was decided under."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("experiments", "0006_standing_tests"),
    ]

    operations = [
        migrations.AddField(
            model_name="experiment",
            name="policy_version",
            field=models.PositiveIntegerField(help_text="The policy that it was decided under.", null=True),
        ),
    ]
