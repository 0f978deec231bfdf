"""What a campaign paid for, each thing once."""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("goals", "0001_initial")]

    operations = [
        migrations.CreateModel(
            name="CampaignSpend",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("what", models.TextField()),
                ("tokens", models.BigIntegerField(default=0)),
                ("cost_usd", models.DecimalField(decimal_places=8, default=0, max_digits=14)),
                (
                    "campaign",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="spends", to="goals.campaign"
                    ),
                ),
            ],
            options={
                "db_table": "campaign_spends",
                "ordering": ["id"],
                "constraints": [
                    models.UniqueConstraint(fields=("what",), name="each_thing_is_paid_once"),
                    models.CheckConstraint(
                        condition=models.Q(("cost_usd__gte", 0), ("tokens__gte", 0)),
                        name="what_is_paid_is_not_negative",
                    ),
                ],
            },
        ),
    ]
