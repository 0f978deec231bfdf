"""How many experiments of different campaigns run at once."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("manager", "0008_looks")]

    operations = [
        migrations.AddField(
            model_name="policy",
            name="max_parallel_experiments",
            field=models.PositiveIntegerField(
                default=1,
                help_text="Experiments of different campaigns that run at once; never two on one parameter. 1: one "
                "after the other, the more urgent goal first.",
            ),
        ),
        migrations.AddConstraint(
            model_name="policy",
            constraint=models.CheckConstraint(
                condition=models.Q(("max_parallel_experiments__gte", 1)), name="an_experiment_may_run_at_least"
            ),
        ),
    ]
