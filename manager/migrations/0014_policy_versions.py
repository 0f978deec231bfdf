"""The policy in versions, each kept as it was; new limits; and under which version people are asked."""

from django.db import migrations, models

FREEZE = """
CREATE TRIGGER policy_versions_never_change BEFORE UPDATE OR DELETE ON public.policy_versions
  FOR EACH ROW EXECUTE FUNCTION public.append_only_guard();
CREATE TRIGGER policy_versions_are_not_emptied BEFORE TRUNCATE ON public.policy_versions
  FOR EACH STATEMENT EXECUTE FUNCTION public.append_only_guard();
"""
THAW = """
DROP TRIGGER policy_versions_never_change ON public.policy_versions;
DROP TRIGGER policy_versions_are_not_emptied ON public.policy_versions;
"""


def first_version(apps, schema_editor):  # noqa: ARG001
    """What holds now is the first version. Earlier edits stand in the change log."""
    policies, versions = apps.get_model("manager", "Policy"), apps.get_model("manager", "PolicyVersion")
    for policy in policies.objects.all():
        left_out = {"id", "version", "updated_at"}
        values = {f.name: getattr(policy, f.name) for f in policy._meta.concrete_fields if f.name not in left_out}
        versions.objects.create(
            version=1, values=values, reason="as it stood when versions began", actor="component:manager"
        )


class Migration(migrations.Migration):
    dependencies = [
        ("audit", "0002_chain_and_guards"),
        ("manager", "0013_approval_content_hash"),
    ]

    operations = [
        migrations.CreateModel(
            name="PolicyVersion",
            fields=[
                ("version", models.PositiveIntegerField(primary_key=True, serialize=False)),
                ("values", models.JSONField()),
                ("changes", models.JSONField(default=dict)),
                ("reason", models.TextField()),
                ("actor", models.TextField()),
                ("at", models.DateTimeField(auto_now_add=True)),
                ("restored_from", models.PositiveIntegerField(null=True)),
            ],
            options={
                "db_table": "policy_versions",
                "ordering": ["-version"],
            },
        ),
        migrations.AddField(
            model_name="approval",
            name="policy_version",
            field=models.PositiveIntegerField(help_text="The policy under which a person is asked.", null=True),
        ),
        migrations.AddField(
            model_name="journalentry",
            name="policy_version",
            field=models.PositiveIntegerField(help_text="The policy that held then.", null=True),
        ),
        migrations.AddField(
            model_name="policy",
            name="asked_factors",
            field=models.JSONField(
                blank=True,
                default=list,
                help_text="A change of these always waits for a person, also inside the automatic range. What its range does not allow waits in any case.",
                verbose_name="factors that a person decides on",
            ),
        ),
        migrations.AddField(
            model_name="policy",
            name="most_autonomy",
            field=models.CharField(
                choices=[
                    ("manual", "manual: starting an experiment waits for a person, and so does every change"),
                    ("semi_auto", "semi auto: every change waits for a person"),
                    ("full_auto", "full auto: what is proved and inside its automatic range is applied"),
                ],
                default="full_auto",
                help_text="No campaign goes beyond this level, whatever its goal says; it holds at once for running ones.",
                max_length=10,
                verbose_name="highest autonomy",
            ),
        ),
        migrations.AddField(
            model_name="policy",
            name="most_cycles",
            field=models.PositiveIntegerField(
                default=100,
                help_text="A goal that asks for more is refused; a running campaign ends when it has had so many.",
                verbose_name="cycles of a campaign",
            ),
        ),
        migrations.AddField(
            model_name="policy",
            name="rollback_preauthorised",
            field=models.BooleanField(
                default=True,
                help_text="A version that gets worse is rolled back at once, at every autonomy level and while changes are frozen. Off: a critical incident calls a person, and the worse version stays until one comes.",
                verbose_name="rollbacks are authorised beforehand",
            ),
        ),
        migrations.AddField(
            model_name="policy",
            name="version",
            field=models.PositiveIntegerField(default=1, editable=False),
        ),
        migrations.AlterField(
            model_name="policy",
            name="approval_days",
            field=models.PositiveIntegerField(
                default=7, help_text="An approval that waits longer expires.", verbose_name="an approval waits"
            ),
        ),
        migrations.AlterField(
            model_name="policy",
            name="changes_per_day",
            field=models.PositiveIntegerField(
                default=5,
                help_text="Changes that the system applies by itself within 24 hours; beyond them each waits for a person. 0: every change waits. Rollbacks do not count.",
                verbose_name="changes a day",
            ),
        ),
        migrations.AlterField(
            model_name="policy",
            name="experiment_hours",
            field=models.FloatField(
                default=0.0,
                help_text="Hours after its start, pauses included, when an experiment closes as inconclusive; 0: never.",
                verbose_name="an experiment lasts",
            ),
        ),
        migrations.AlterField(
            model_name="policy",
            name="four_eyes",
            field=models.BooleanField(
                default=False,
                help_text="Whoever set the goal may not be the only one to approve its changes.",
                verbose_name="four eyes",
            ),
        ),
        migrations.AlterField(
            model_name="policy",
            name="golden_budget",
            field=models.PositiveIntegerField(
                default=200,
                help_text="Deciding looks at one golden set; then it must be renewed.",
                verbose_name="looks at a golden set",
            ),
        ),
        migrations.AlterField(
            model_name="policy",
            name="golden_looks_per_campaign",
            field=models.PositiveIntegerField(
                default=20,
                help_text="Deciding looks of one campaign at its golden set; then a person decides. 20: ten cycles, each with one winner that is looked at once, and once more where its base has moved.",
                verbose_name="looks of a campaign",
            ),
        ),
        migrations.AlterField(
            model_name="policy",
            name="golden_mode",
            field=models.CharField(
                choices=[
                    ("directional", "directional: nothing gets worse, and the goal's own metric moves the right way"),
                    ("strict", "strict: each change must show an improvement of its own"),
                    ("not_worse", "not worse: nothing gets worse"),
                ],
                default="directional",
                help_text="What the golden set must show before a change is applied.",
                max_length=12,
                verbose_name="golden gate",
            ),
        ),
        migrations.AlterField(
            model_name="policy",
            name="judge",
            field=models.CharField(
                choices=[("offline", "offline rules"), ("llm", "a model")],
                default="offline",
                help_text="Who says whether an answer used its context and made nothing up: rules that cost nothing, or the model of SELFLEARN_JUDGE_MODEL. A change during an experiment blocks its verdict.",
                max_length=8,
                verbose_name="judge",
            ),
        ),
        migrations.AlterField(
            model_name="policy",
            name="judge_sample_per_batch",
            field=models.PositiveIntegerField(
                default=400,
                help_text="Answers of one batch that a model judges at most, drawn by category, all arms of an example together. The offline rules judge every answer.",
                verbose_name="answers that a model judges",
            ),
        ),
        migrations.AlterField(
            model_name="policy",
            name="judge_usd_per_batch",
            field=models.FloatField(
                default=1.0,
                help_text="US dollars that judging one batch by a model may cost; then it stops.",
                verbose_name="money for a batch",
            ),
        ),
        migrations.AlterField(
            model_name="policy",
            name="looks_per_experiment",
            field=models.PositiveIntegerField(
                default=1,
                help_text="How often an experiment looks at its result, the end included. More looks may end it early and save money; each spends some of its significance. Parts of fewer than 50 questions are not made.",
                verbose_name="looks at a result",
            ),
        ),
        migrations.AlterField(
            model_name="policy",
            name="max_invalid_dialogues",
            field=models.FloatField(
                default=0.1,
                help_text="Share of a cycle's dialogues of simulated users that may be invalid; with more the cycle stops.",
                verbose_name="invalid dialogues",
            ),
        ),
        migrations.AlterField(
            model_name="policy",
            name="max_parallel_experiments",
            field=models.PositiveIntegerField(
                default=1,
                help_text="Experiments of different campaigns that run at once; never two on one parameter. 1: one after the other, the more urgent goal first.",
                verbose_name="experiments at once",
            ),
        ),
        migrations.AlterField(
            model_name="policy",
            name="online_questions_per_cycle",
            field=models.PositiveIntegerField(
                default=30,
                help_text="Questions of real users who agreed, asked again in each cycle beside the dialogues; 0: none.",
                verbose_name="questions of real users",
            ),
        ),
        migrations.AlterField(
            model_name="policy",
            name="screening_finalists",
            field=models.PositiveIntegerField(
                default=4,
                help_text="Best candidates that are screened on the other train questions too.",
                verbose_name="finalists",
            ),
        ),
        migrations.AlterField(
            model_name="policy",
            name="screening_share",
            field=models.FloatField(
                default=0.35,
                help_text="Share of the train questions that every candidate step is screened on first.",
                verbose_name="share that screens",
            ),
        ),
        migrations.AlterField(
            model_name="policy",
            name="screening_steps",
            field=models.PositiveIntegerField(
                default=40,
                help_text="Candidate steps that one cycle screens at most, the most promising first; the others come next.",
                verbose_name="steps screened in a cycle",
            ),
        ),
        migrations.AddConstraint(
            model_name="policy",
            constraint=models.CheckConstraint(
                condition=models.Q(("most_autonomy__in", ["full_auto", "semi_auto", "manual"])),
                name="highest_autonomy_is_known",
            ),
        ),
        migrations.AddConstraint(
            model_name="policy",
            constraint=models.CheckConstraint(
                condition=models.Q(("most_cycles__gte", 1)), name="a_campaign_may_have_a_cycle"
            ),
        ),
        migrations.AddConstraint(
            model_name="policy",
            constraint=models.CheckConstraint(
                condition=models.Q(("version__gte", 1)), name="policy_versions_begin_with_one"
            ),
        ),
        migrations.RunPython(first_version, migrations.RunPython.noop),
        migrations.RunSQL(FREEZE, THAW),
    ]
