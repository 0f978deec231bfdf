"""What meta-users change of a factor, and versions of prompts that were written since the registry was."""

from django.db import migrations, models
from django.db.models.functions import Now


class Migration(migrations.Migration):
    dependencies = [("tuner", "0002_functions_and_guards")]

    operations = [
        migrations.CreateModel(
            name="FactorSetting",
            fields=[
                ("key", models.TextField(primary_key=True, serialize=False)),
                (
                    "auto_low",
                    models.FloatField(
                        blank=True,
                        help_text="The lowest value that needs no person.",
                        null=True,
                        verbose_name="automatic from",
                    ),
                ),
                (
                    "auto_high",
                    models.FloatField(
                        blank=True,
                        help_text="The highest value that needs no person.",
                        null=True,
                        verbose_name="automatic to",
                    ),
                ),
                (
                    "step",
                    models.FloatField(
                        blank=True,
                        help_text="A larger change at once needs a person.",
                        null=True,
                        verbose_name="largest step",
                    ),
                ),
                (
                    "cooldown_cycles",
                    models.PositiveSmallIntegerField(
                        blank=True,
                        help_text="Cycles that the factor rests after a rollback.",
                        null=True,
                        verbose_name="cooldown",
                    ),
                ),
                (
                    "manual",
                    models.BooleanField(
                        blank=True,
                        help_text="Each change of this factor waits for a person.",
                        null=True,
                        verbose_name="by a person only",
                    ),
                ),
                (
                    "frozen",
                    models.BooleanField(
                        blank=True,
                        help_text="Nobody changes this factor until it is thawed.",
                        null=True,
                        verbose_name="frozen",
                    ),
                ),
                ("reason", models.TextField(blank=True, db_default="", default="")),
                ("changed_by", models.TextField(blank=True, db_default="", default="")),
                ("changed_at", models.DateTimeField(blank=True, null=True)),
            ],
            options={
                "verbose_name": "impact factor",
                "verbose_name_plural": "impact factors",
                "db_table": "factor_settings",
                "ordering": ("key",),
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("step__isnull", True), ("step__gt", 0), _connector="OR"),
                        name="factor_step_is_above_zero",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("auto_low__isnull", True),
                            ("auto_high__isnull", True),
                            ("auto_low__lte", models.F("auto_high")),
                            _connector="OR",
                        ),
                        name="automatic_range_is_not_empty",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="PromptValue",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("key", models.TextField(help_text="The factor, e.g. prompts.responder.")),
                ("value", models.TextField()),
                ("registered_by", models.TextField()),
                ("registered_at", models.DateTimeField(db_default=Now())),
                (
                    "withdrawn_at",
                    models.DateTimeField(blank=True, help_text="Not offered for tests any more.", null=True),
                ),
            ],
            options={
                "db_table": "prompt_values",
                "ordering": ("id",),
                "constraints": [models.UniqueConstraint(fields=("key", "value"), name="one_prompt_value_per_factor")],
            },
        ),
    ]
