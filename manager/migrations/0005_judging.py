"""Which judge judges, and how much of a batch and for how much money when that is a model."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("manager", "0003_simulator_limit")]

    operations = [
        migrations.AddField(
            model_name="policy",
            name="judge",
            field=models.CharField(
                choices=[("offline", "offline rules"), ("llm", "a model")],
                default="offline",
                help_text="Who says whether an answer used its context and made nothing up: rules that cost nothing, "
                "or the model of SELFLEARN_JUDGE_MODEL. A change during an experiment blocks its verdict.",
                max_length=8,
            ),
        ),
        migrations.AddField(
            model_name="policy",
            name="judge_sample_per_batch",
            field=models.PositiveIntegerField(
                default=400,
                help_text="Answers of one batch that a model judges at most, drawn by category, all arms of an example "
                "together. The offline rules judge every answer.",
            ),
        ),
        migrations.AddField(
            model_name="policy",
            name="judge_usd_per_batch",
            field=models.FloatField(
                default=1.0, help_text="US dollars that judging one batch by a model may cost; then it stops."
            ),
        ),
        migrations.AddConstraint(
            model_name="policy",
            constraint=models.CheckConstraint(
                condition=models.Q(("judge__in", ["offline", "llm"])), name="judge_is_known"
            ),
        ),
        migrations.AddConstraint(
            model_name="policy",
            constraint=models.CheckConstraint(
                condition=models.Q(("judge_usd_per_batch__gte", 0)), name="judge_money_is_not_negative"
            ),
        ),
    ]
