"""How many questions of real users who agreed join each cycle."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("manager", "0001_initial")]

    operations = [
        migrations.AddField(
            model_name="policy",
            name="online_questions_per_cycle",
            field=models.PositiveIntegerField(
                default=30,
                help_text="Questions of real users who agreed, asked again in each cycle beside the dialogues; 0: none.",
            ),
        ),
    ]
