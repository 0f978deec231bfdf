"""How well a judge must agree with people before its marks count in a verdict."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("manager", "0005_judging")]

    operations = [
        migrations.AddField(
            model_name="policy",
            name="judge_min_kappa",
            field=models.FloatField(
                default=0.6,
                help_text="Cohen's κ with people, by question. A judge below it does not count in verdicts. "
                "0.6: substantial.",
                verbose_name="least agreement of a judge",
            ),
        ),
        migrations.AddField(
            model_name="policy",
            name="judge_min_labels",
            field=models.PositiveIntegerField(
                default=50,
                help_text="Cases that people must have labelled before the agreement of a judge is believed.",
                verbose_name="labels before it is believed",
            ),
        ),
        migrations.AddField(
            model_name="policy",
            name="judge_uncalibrated_counts",
            field=models.BooleanField(
                default=True,
                help_text="Whether a judge with fewer labels counts in verdicts meanwhile; pages say that it is not "
                "calibrated.",
                verbose_name="a judge that is not calibrated counts",
            ),
        ),
        migrations.AddConstraint(
            model_name="policy",
            constraint=models.CheckConstraint(
                condition=models.Q(("judge_min_kappa__gte", 0), ("judge_min_kappa__lte", 1)),
                name="least_agreement_is_a_share",
            ),
        ),
    ]
