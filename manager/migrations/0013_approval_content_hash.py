"""What a person approves has a hash; requests that wait already get theirs."""

from django.db import migrations, models

from manager.domain.approvals import proposal_hash


def fill(apps, _schema_editor):
    for row in apps.get_model("manager", "Approval").objects.select_related("experiment").iterator():
        row.content_hash = proposal_hash(
            kind=row.kind,
            experiment=row.experiment.slug,
            change=row.proposal,
            evidence=row.evidence,
            reasons=row.reasons,
            base_version=row.base_version,
        )
        row.save(update_fields=["content_hash"])


class Migration(migrations.Migration):
    dependencies = [("manager", "0012_giving_way")]

    operations = [
        migrations.AddField(
            model_name="approval",
            name="content_hash",
            field=models.TextField(
                db_default="",
                default="",
                help_text="Of the change, its evidence and its base, as they were put before a person.",
            ),
        ),
        migrations.RunPython(fill, migrations.RunPython.noop),
    ]
