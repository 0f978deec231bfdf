"""How often one campaign may let the golden set decide."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("manager", "0002_online_questions")]

    operations = [
        migrations.AddField(
            model_name="policy",
            name="golden_looks_per_campaign",
            field=models.PositiveIntegerField(
                default=20,
                help_text="Deciding looks of one campaign at its golden set; then a person decides. 20: ten cycles, "
                "each with one winner that is looked at once, and once more where its base has moved.",
            ),
        ),
    ]
