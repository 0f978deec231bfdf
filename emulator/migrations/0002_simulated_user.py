"""Users who listen: their agenda, what they did and why, and what they heard."""

import django.contrib.postgres.fields
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("emulator", "0001_initial"),
    ]

    operations = [
        migrations.AddField(
            model_name="emulationbatch",
            name="driver_cost_usd",
            field=models.FloatField(default=0.0),
        ),
        migrations.AddField(
            model_name="emulationbatch",
            name="driver_tokens",
            field=models.PositiveBigIntegerField(default=0, help_text="Tokens of the model that words the users."),
        ),
        migrations.AddField(
            model_name="emulationbatch",
            name="turns_limit",
            field=models.PositiveIntegerField(default=0, help_text="What its users may say at most; 0: as planned."),
        ),
        migrations.AddField(
            model_name="emulationdialogue",
            name="agenda",
            field=models.JSONField(
                default=list, help_text="What a user who listens is to say and ask. Empty: the turns are fixed."
            ),
        ),
        migrations.AddField(
            model_name="emulationdialogue",
            name="ending",
            field=models.CharField(blank=True, default="", help_text="Why the user stopped.", max_length=20),
        ),
        migrations.AddField(
            model_name="emulationdialogue",
            name="goal",
            field=models.TextField(blank=True, default=""),
        ),
        migrations.AddField(
            model_name="emulationdialogue",
            name="persona",
            field=models.CharField(blank=True, default="", max_length=200),
        ),
        migrations.AddField(
            model_name="emulationdialogue",
            name="turn_limit",
            field=models.PositiveIntegerField(default=0),
        ),
        migrations.AddField(
            model_name="emulationdialogue",
            name="turns_expected",
            field=models.PositiveIntegerField(default=0, help_text="Its share of the batch's total of turns."),
        ),
        migrations.AddField(
            model_name="emulationturn",
            name="act",
            field=models.CharField(
                blank=True, default="", help_text="What the user was doing; empty: a script.", max_length=20
            ),
        ),
        migrations.AddField(
            model_name="emulationturn",
            name="asked_again",
            field=models.CharField(
                blank=True,
                default="",
                help_text="The question that this asks once more; not counted again.",
                max_length=200,
            ),
        ),
        migrations.AddField(
            model_name="emulationturn",
            name="heard",
            field=models.JSONField(
                blank=True, default=dict, help_text="What the user took from the answer to this turn."
            ),
        ),
        migrations.AddField(
            model_name="emulationturn",
            name="point",
            field=models.PositiveIntegerField(help_text="Its place in the agenda.", null=True),
        ),
        migrations.AddField(
            model_name="emulationturn",
            name="reason",
            field=models.CharField(blank=True, default="", help_text="Why the user did it.", max_length=300),
        ),
        migrations.AddField(
            model_name="emulationturn",
            name="repeats",
            field=django.contrib.postgres.fields.ArrayField(
                base_field=models.CharField(max_length=200), blank=True, default=list, size=None
            ),
        ),
        migrations.AddConstraint(
            model_name="emulationbatch",
            constraint=models.CheckConstraint(
                condition=models.Q(("turns_limit", 0), ("turns_total__lte", models.F("turns_limit")), _connector="OR"),
                name="emulation_batch_grows_no_further_than_its_limit",
            ),
        ),
        migrations.AddConstraint(
            model_name="emulationturn",
            constraint=models.CheckConstraint(
                condition=models.Q(("query_id", ""), ("asked_again", ""), _connector="OR"),
                name="emulation_turn_asks_once_or_again",
            ),
        ),
    ]
