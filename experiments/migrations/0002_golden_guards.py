"""Golden rows behind a role of their own; seals by number; looks counted by campaign.

Existing golden sets get seal 1, whose hash covers difficulty and cluster too. A set that is not the one that was sealed
keeps its old hash, so that its next use is still refused.
"""

import django.db.models.deletion
from django.db import migrations, models

ROLE = "selflearn_golden"


def _values(rows):
    from experiments.selectors import example_value

    return [example_value(row) for row in rows]


def seal_what_is_there(apps, _schema_editor):
    from experiments.domain.examples import content_hash, example_digest, seal_hash

    seals = apps.get_model("experiments", "GoldenSeal")
    examples = apps.get_model("experiments", "GoldenExample")
    for dataset in apps.get_model("experiments", "Dataset").objects.all():
        values = _values(examples.objects.filter(dataset=dataset))
        if content_hash(values) == dataset.golden_hash:
            dataset.golden_hash = seal_hash(values)
            dataset.save(update_fields=["golden_hash"])
        seal = seals.objects.create(
            dataset=dataset,
            number=1,
            content_hash=dataset.golden_hash,
            digests={value.external_id: example_digest(value) for value in values},
            change="loaded",
            reason="sealed before seals had numbers",
            actor="component:migration",
        )
        seals.objects.filter(pk=seal.pk).update(created_at=dataset.created_at)


def take_seals_off(apps, _schema_editor):
    """The hash as it was before; retired examples come back, and so does what seals after the first one took in."""
    from experiments.domain.examples import content_hash, seal_hash

    examples = apps.get_model("experiments", "GoldenExample")
    for dataset in apps.get_model("experiments", "Dataset").objects.all():
        rows = list(examples.objects.filter(dataset=dataset))
        if seal_hash(_values(row for row in rows if row.retired_in is None)) == dataset.golden_hash:
            dataset.golden_hash = content_hash(_values(rows))
            dataset.save(update_fields=["golden_hash"])


COUNT_BY_CAMPAIGN = """
UPDATE evaluation_passes p SET campaign_id = e.campaign_id FROM experiments e
WHERE p.purpose = 'gate' AND (p.experiment = e.slug OR starts_with(p.experiment, e.slug || '-on-v'))
"""


def _statements(schema_editor):
    runtime = schema_editor.connection.settings_dict.get("RUNTIME_ROLE")
    if not runtime or not schema_editor.connection.has_roles:
        return None
    return schema_editor.quote_name(runtime)


def grant(_apps, schema_editor):
    """Nothing for the runtime role but to see seals. The golden role reads and adds, and may mark a row as retired:
    nobody at runtime changes or deletes golden content."""
    runtime = _statements(schema_editor)
    if runtime is None:
        return
    for statement in (
        f"REVOKE ALL ON public.golden_examples, public.golden_seals FROM PUBLIC, {runtime}",
        f"GRANT SELECT ON public.golden_seals TO {runtime}",
        f"GRANT USAGE ON SCHEMA public TO {ROLE}",
        f"GRANT SELECT, INSERT ON public.golden_examples, public.golden_seals TO {ROLE}",
        f"GRANT UPDATE (retired_in) ON public.golden_examples TO {ROLE}",
        f"GRANT SELECT ON public.datasets TO {ROLE}",
        f"GRANT USAGE ON SEQUENCE public.golden_seals_id_seq TO {ROLE}",
    ):
        schema_editor.execute(statement)


def give_back(_apps, schema_editor):
    runtime = _statements(schema_editor)
    if runtime is None:
        return
    schema_editor.execute(f"REVOKE ALL ON public.golden_examples, public.golden_seals, public.datasets FROM {ROLE}")
    schema_editor.execute(f"GRANT SELECT, INSERT, UPDATE, DELETE ON public.golden_examples TO {runtime}")
    schema_editor.execute(f"REVOKE USAGE ON SEQUENCE public.golden_seals_id_seq FROM {ROLE}")


class Migration(migrations.Migration):
    dependencies = [("experiments", "0001_initial"), ("goals", "0001_initial")]

    operations = [
        migrations.AddField(
            model_name="goldenexample",
            name="added_in",
            field=models.PositiveIntegerField(db_default=1, default=1, help_text="Number of the seal that took it in."),
        ),
        migrations.AddField(
            model_name="goldenexample",
            name="retired_in",
            field=models.PositiveIntegerField(blank=True, help_text="Number of the seal that left it out.", null=True),
        ),
        migrations.CreateModel(
            name="GoldenSeal",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("number", models.PositiveIntegerField()),
                ("content_hash", models.CharField(max_length=64)),
                (
                    "digests",
                    models.JSONField(default=dict, help_text="Example → the first 16 digits of its own hash."),
                ),
                (
                    "change",
                    models.CharField(
                        choices=[("loaded", "loaded"), ("added", "added"), ("retired", "retired")], max_length=10
                    ),
                ),
                (
                    "example",
                    models.CharField(blank=True, help_text="What was added or retired.", max_length=200),
                ),
                ("source_run", models.UUIDField(blank=True, null=True)),
                ("reason", models.TextField()),
                ("actor", models.CharField(max_length=100)),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                (
                    "dataset",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="seals", to="experiments.dataset"
                    ),
                ),
            ],
            options={
                "db_table": "golden_seals",
                "ordering": ["dataset_id", "number"],
                "constraints": [
                    models.UniqueConstraint(fields=("dataset", "number"), name="golden_seal_number_once_per_dataset"),
                    models.UniqueConstraint(
                        fields=("dataset", "source_run"), name="real_exchange_is_golden_once_per_dataset"
                    ),
                ],
            },
        ),
        migrations.AddField(
            model_name="evaluationpass",
            name="campaign",
            field=models.ForeignKey(
                blank=True,
                help_text="For whose change golden was asked; looks are counted by it.",
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="passes",
                to="goals.campaign",
            ),
        ),
        migrations.RunPython(seal_what_is_there, take_seals_off),
        migrations.RunSQL("SET CONSTRAINTS ALL IMMEDIATE", migrations.RunSQL.noop),
        migrations.RunSQL(COUNT_BY_CAMPAIGN, migrations.RunSQL.noop),
        migrations.RunPython(grant, give_back),
    ]
