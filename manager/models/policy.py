"""The policy: what the system may do by itself, and every version that there ever was."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from contracts.goal import Autonomy

_LEVELS = [
    (Autonomy.MANUAL.value, _("manual: starting an experiment waits for a person, and so does every change")),
    (Autonomy.SEMI_AUTO.value, _("semi auto: every change waits for a person")),
    (Autonomy.FULL_AUTO.value, _("full auto: what is proved and inside its automatic range is applied")),
]


class Policy(models.Model):
    """What the system may do by itself. One row, the version in force; each edit adds a `PolicyVersion`."""

    GOLDEN_MODES = [
        ("directional", _("directional: nothing gets worse, and the goal's own metric moves the right way")),
        ("strict", _("strict: each change must show an improvement of its own")),
        ("not_worse", _("not worse: nothing gets worse")),
    ]

    id = models.PositiveSmallIntegerField(primary_key=True, default=1, editable=False)
    version = models.PositiveIntegerField(default=1, editable=False)
    most_autonomy = models.CharField(
        _("highest autonomy"),
        max_length=10,
        choices=_LEVELS,
        default=Autonomy.FULL_AUTO.value,
        help_text=_("No campaign goes beyond this level, whatever its goal says; it holds at once for running ones."),
    )
    asked_factors = models.JSONField(
        _("factors that a person decides on"),
        default=list,
        blank=True,
        help_text=_("A change of these always waits for a person, also inside the automatic range. What its range does "
                    "not allow waits in any case."),
    )  # fmt: skip
    changes_per_day = models.PositiveIntegerField(
        _("changes a day"),
        default=5,
        help_text=_("Changes that the system applies by itself within 24 hours; beyond them each waits for a "
                    "person. 0: "
                    "every change waits. Rollbacks do not count."),
    )  # fmt: skip
    max_parallel_experiments = models.PositiveIntegerField(
        _("experiments at once"),
        default=1,
        help_text=_("Experiments of different campaigns that run at once; never two on one parameter. 1: one after the "
                    "other, the more urgent goal first."),
    )  # fmt: skip
    most_cycles = models.PositiveIntegerField(
        _("cycles of a campaign"),
        default=100,
        help_text=_("A goal that asks for more is refused; a running campaign ends when it has had so many."),
    )
    rollback_preauthorised = models.BooleanField(
        _("rollbacks are authorised beforehand"),
        default=True,
        help_text=_("A version that gets worse is rolled back at once, at every autonomy level and while changes are "
                    "frozen. Off: a critical incident calls a person, and the worse version stays until one comes."),
    )  # fmt: skip
    four_eyes = models.BooleanField(
        _("four eyes"),
        default=False,
        help_text=_("Whoever set the goal may not be the only one to approve its changes."),
    )
    approval_days = models.PositiveIntegerField(
        _("an approval waits"), default=7, help_text=_("An approval that waits longer expires.")
    )
    approval_remind_hours = models.PositiveIntegerField(
        _("reminder of an approval"),
        default=24,
        help_text=_("An approval that has waited so long is reminded of, then once a day. 0: never."),
    )
    golden_mode = models.CharField(
        _("golden gate"),
        max_length=12,
        choices=GOLDEN_MODES,
        default="directional",
        help_text=_("What the golden set must show before a change is applied."),
    )
    golden_budget = models.PositiveIntegerField(
        _("looks at a golden set"),
        default=200,
        help_text=_("Deciding looks at one golden set; then it must be renewed."),
    )
    golden_looks_per_campaign = models.PositiveIntegerField(
        _("looks of a campaign"),
        default=20,
        help_text=_("Deciding looks of one campaign at its golden set; then a person decides. 20: ten cycles, each "
                    "with "
                    "one winner that is looked at once, and once more where its base has moved."),
    )  # fmt: skip
    looks_per_experiment = models.PositiveIntegerField(
        _("looks at a result"),
        default=1,
        help_text=_("How often an experiment looks at its result, the end included. More looks may end it early and "
                    "save "
                    "money; each spends some of its significance. Parts of fewer than 50 questions are not made."),
    )  # fmt: skip
    experiment_hours = models.FloatField(
        _("an experiment lasts"),
        default=0.0,
        help_text=_("Hours after its start, pauses included, when an experiment closes as inconclusive; 0: never."),
    )
    screening_share = models.FloatField(
        _("share that screens"),
        default=0.35,
        help_text=_("Share of the train questions that every candidate step is screened on first."),
    )
    screening_finalists = models.PositiveIntegerField(
        _("finalists"),
        default=4,
        help_text=_("Best candidates that are screened on the other train questions too."),
    )
    screening_steps = models.PositiveIntegerField(
        _("steps screened in a cycle"),
        default=40,
        help_text=_("Candidate steps that one cycle screens at most, the most promising first; the others come next."),
    )
    online_questions_per_cycle = models.PositiveIntegerField(
        _("questions of real users"),
        default=30,
        help_text=_("Questions of real users who agreed, asked again in each cycle beside the dialogues; 0: none."),
    )
    max_invalid_dialogues = models.FloatField(
        _("invalid dialogues"),
        default=0.1,
        help_text=_("Share of a cycle's dialogues of simulated users that may be invalid; with more the cycle stops."),
    )
    judge = models.CharField(
        _("judge"),
        max_length=8,
        choices=[("offline", _("offline rules")), ("llm", _("a model"))],
        default="offline",
        help_text=_("Who says whether an answer used its context and made nothing up: rules that cost nothing, or the "
                    "model of SELFLEARN_JUDGE_MODEL. A change during an experiment blocks its verdict."),
    )  # fmt: skip
    judge_sample_per_batch = models.PositiveIntegerField(
        _("answers that a model judges"),
        default=400,
        help_text=_("Answers of one batch that a model judges at most, drawn by category, all arms of an example "
                    "together. The offline rules judge every answer."),
    )  # fmt: skip
    judge_usd_per_batch = models.FloatField(
        _("money for a batch"),
        default=1.0,
        help_text=_("US dollars that judging one batch by a model may cost; then it stops."),
    )
    judge_min_kappa = models.FloatField(
        _("least agreement of a judge"),
        default=0.6,
        help_text=_(
            "Cohen's κ with people, by question. A judge below it does not count in verdicts. 0.6: substantial."
        ),
    )
    judge_min_labels = models.PositiveIntegerField(
        _("labels before it is believed"),
        default=50,
        help_text=_("Cases that people must have labelled before the agreement of a judge is believed."),
    )
    judge_uncalibrated_counts = models.BooleanField(
        _("a judge that is not calibrated counts"),
        default=True,
        help_text=_("Whether a judge with fewer labels counts in verdicts meanwhile; pages say that it is not "
                    "calibrated."),
    )  # fmt: skip
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        db_table = "policies"
        verbose_name_plural = "policy"
        constraints = [
            models.CheckConstraint(condition=models.Q(id=1), name="there_is_one_policy"),
            models.CheckConstraint(
                condition=models.Q(golden_mode__in=["directional", "strict", "not_worse"]),
                name="golden_mode_is_known",
            ),
            models.CheckConstraint(
                condition=models.Q(looks_per_experiment__gte=1, looks_per_experiment__lte=20),
                name="looks_are_one_to_twenty",
            ),
            models.CheckConstraint(
                condition=models.Q(experiment_hours__gte=0), name="experiment_hours_are_not_negative"
            ),
            models.CheckConstraint(
                condition=models.Q(screening_share__gt=0, screening_share__lte=1), name="screening_share_is_a_share"
            ),
            models.CheckConstraint(
                condition=models.Q(max_parallel_experiments__gte=1), name="an_experiment_may_run_at_least"
            ),
            models.CheckConstraint(condition=models.Q(screening_steps__gte=1), name="a_step_is_screened_at_least"),
            models.CheckConstraint(
                condition=models.Q(max_invalid_dialogues__gte=0, max_invalid_dialogues__lte=1),
                name="max_invalid_dialogues_is_a_share",
            ),
            models.CheckConstraint(
                condition=models.Q(judge_min_kappa__gte=0, judge_min_kappa__lte=1), name="least_agreement_is_a_share"
            ),
            models.CheckConstraint(condition=models.Q(judge__in=["offline", "llm"]), name="judge_is_known"),
            models.CheckConstraint(condition=models.Q(judge_usd_per_batch__gte=0), name="judge_money_is_not_negative"),
            models.CheckConstraint(
                condition=models.Q(most_autonomy__in=[level.value for level in Autonomy]),
                name="highest_autonomy_is_known",
            ),
            models.CheckConstraint(condition=models.Q(most_cycles__gte=1), name="a_campaign_may_have_a_cycle"),
            models.CheckConstraint(condition=models.Q(version__gte=1), name="policy_versions_begin_with_one"),
        ]

    def __str__(self) -> str:
        return f"policy, version {self.version}"


class PolicyVersion(models.Model):
    """The policy as it stood from one edit to the next. Rows are added and read, nothing else: a trigger holds it.

    `values` holds every field; `changes` maps a field that this edit changed to its value before and after.
    """

    version = models.PositiveIntegerField(primary_key=True)
    values = models.JSONField()
    changes = models.JSONField(default=dict)
    reason = models.TextField()
    actor = models.TextField()
    at = models.DateTimeField(auto_now_add=True)
    restored_from = models.PositiveIntegerField(null=True)

    class Meta:
        db_table = "policy_versions"
        ordering = ["-version"]

    def __str__(self) -> str:
        return f"policy, version {self.version}"
