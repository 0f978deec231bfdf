"""Parameter versions, the history of what was active, and the freeze. Read here; written by SQL functions alone."""

from __future__ import annotations

from typing import Any

from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from tuner.domain.content import GROUPS, flat


class VersionKind(models.TextChoices):
    PRODUCTION = "production"
    EXPERIMENT = "experiment"


class ActivationAction(models.TextChoices):
    SEED = "seed"
    ACTIVATE = "activate"
    ROLLBACK = "rollback"


class ParameterVersion(models.Model):
    """One immutable set of parameters. What an old version does not name has the registry's default.

    `experiment` is the slug of the experiment that an arm belongs to (kind experiment) or that the change rests on
    (kind production).
    """

    id = models.BigAutoField(primary_key=True)
    version = models.IntegerField(unique=True)
    parent_version = models.IntegerField(null=True, blank=True)
    retrieval = models.JSONField()
    context = models.JSONField()
    llm = models.JSONField()
    archivist = models.JSONField()
    prompts = models.JSONField()
    content_hash = models.TextField()
    is_active = models.BooleanField(default=False)
    kind = models.TextField(choices=VersionKind.choices)
    experiment = models.TextField(null=True, blank=True)  # noqa: DJ001 - absent is not the empty slug
    variant = models.TextField(null=True, blank=True)  # noqa: DJ001 - absent is not the empty name
    reason = models.TextField()
    created_by = models.TextField()
    created_at = models.DateTimeField(db_default=Now())
    stable_since = models.DateTimeField(null=True, blank=True)
    rolled_back_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        db_table = "experiment_parameters"
        ordering = ("-version",)
        verbose_name = "parameter version"
        constraints = [
            models.UniqueConstraint(
                fields=["is_active"], condition=Q(is_active=True), name="one_parameter_version_is_active"
            ),
            models.UniqueConstraint(
                fields=["experiment", "variant"],
                condition=Q(kind=VersionKind.EXPERIMENT),
                name="one_parameter_version_per_experiment_arm",
            ),
            models.CheckConstraint(
                condition=Q(is_active=False) | Q(kind=VersionKind.PRODUCTION),
                name="experiment_version_is_never_active",
            ),
            models.CheckConstraint(
                condition=Q(kind=VersionKind.PRODUCTION, variant__isnull=True)
                | Q(kind=VersionKind.EXPERIMENT, experiment__isnull=False, variant__isnull=False),
                name="parameter_version_kind_fits_its_experiment",
            ),
            models.CheckConstraint(condition=Q(version__gte=1), name="parameter_version_starts_at_one"),
        ]

    def __str__(self) -> str:
        return f"v{self.version}"

    @property
    def stored_values(self) -> dict[str, Any]:
        """Flat, without the registry's defaults."""
        return flat({group: getattr(self, group) for group in GROUPS})


class ParameterActivation(models.Model):
    """Append-only: which version followed which, by whom and why. A rollback is one more row, not one less."""

    id = models.BigAutoField(primary_key=True)
    previous = models.IntegerField(null=True, blank=True)
    version = models.IntegerField()
    action = models.TextField(choices=ActivationAction.choices)
    actor = models.TextField()
    reason = models.TextField()
    experiment = models.TextField(null=True, blank=True)  # noqa: DJ001 - absent is not the empty slug
    at = models.DateTimeField(db_default=Now())

    class Meta:
        db_table = "parameter_activations"
        ordering = ("-id",)
        verbose_name = "parameter activation"
        indexes = [models.Index(fields=["version"], name="activation_by_version")]
        constraints = [
            models.CheckConstraint(condition=Q(action__in=ActivationAction.values), name="activation_action_is_known"),
        ]

    def __str__(self) -> str:
        return f"{self.action} v{self.version}"


class TunerState(models.Model):
    """One row: whether automatic changes are frozen. Every writer of parameters locks it first."""

    id = models.SmallIntegerField(primary_key=True, default=1)
    frozen = models.BooleanField(default=False)
    frozen_by = models.TextField(blank=True, default="")
    reason = models.TextField(blank=True, default="")
    at = models.DateTimeField(db_default=Now())

    class Meta:
        db_table = "tuner_state"
        verbose_name = "tuner state"
        verbose_name_plural = "tuner state"
        constraints = [models.CheckConstraint(condition=Q(id=1), name="tuner_state_is_one_row")]

    def __str__(self) -> str:
        return "frozen" if self.frozen else "free"


class FactorSetting(models.Model):
    """What a meta-user has changed of one factor; NULL is as the registry has it. One row a factor of the registry."""

    key = models.TextField(primary_key=True)
    auto_low = models.FloatField(
        _("automatic from"), null=True, blank=True, help_text=_("The lowest value that needs no person.")
    )
    auto_high = models.FloatField(
        _("automatic to"), null=True, blank=True, help_text=_("The highest value that needs no person.")
    )
    step = models.FloatField(
        _("largest step"), null=True, blank=True, help_text=_("A larger change at once needs a person.")
    )
    cooldown_cycles = models.PositiveSmallIntegerField(
        _("cooldown"), null=True, blank=True, help_text=_("Cycles that the factor rests after a rollback.")
    )
    manual = models.BooleanField(
        _("by a person only"), null=True, blank=True, help_text=_("Each change of this factor waits for a person.")
    )
    frozen = models.BooleanField(
        _("frozen"), null=True, blank=True, help_text=_("Nobody changes this factor until it is thawed.")
    )
    frozen_until = models.DateTimeField(
        _("frozen until"), null=True, blank=True, help_text=_("Empty: until somebody thaws it.")
    )
    reason = models.TextField(blank=True, default="", db_default="")
    changed_by = models.TextField(blank=True, default="", db_default="")
    changed_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        db_table = "factor_settings"
        ordering = ("key",)
        verbose_name = _("impact factor")
        verbose_name_plural = _("impact factors")
        constraints = [
            models.CheckConstraint(condition=Q(step__isnull=True) | Q(step__gt=0), name="factor_step_is_above_zero"),
            models.CheckConstraint(
                condition=Q(auto_low__isnull=True) | Q(auto_high__isnull=True) | Q(auto_low__lte=F("auto_high")),
                name="automatic_range_is_not_empty",
            ),
            models.CheckConstraint(
                condition=Q(frozen_until__isnull=True) | Q(frozen__isnull=False, frozen=True),
                name="only_a_freeze_has_an_end",
            ),
        ]

    def __str__(self) -> str:
        return self.key


class PromptValue(models.Model):
    """A version of a prompt that somebody wrote since the registry was, and that the loop may test."""

    id = models.BigAutoField(primary_key=True)
    key = models.TextField(help_text="The factor, e.g. prompts.responder.")
    value = models.TextField()
    registered_by = models.TextField()
    registered_at = models.DateTimeField(db_default=Now())
    withdrawn_at = models.DateTimeField(null=True, blank=True, help_text="Not offered for tests any more.")

    class Meta:
        db_table = "prompt_values"
        ordering = ("id",)
        constraints = [models.UniqueConstraint(fields=["key", "value"], name="one_prompt_value_per_factor")]

    def __str__(self) -> str:
        return f"{self.key} {self.value}"


class TenantParameters(models.Model):
    """A version that holds for one person's runs instead of the active one. Written by a SQL function alone."""

    user_id = models.UUIDField(primary_key=True)
    version = models.IntegerField()
    reason = models.TextField()
    set_by = models.TextField()
    set_at = models.DateTimeField(db_default=Now())

    class Meta:
        db_table = "tenant_parameters"
        ordering = ("-set_at",)
        verbose_name = "parameters of one person"
        verbose_name_plural = "parameters of one person"

    def __str__(self) -> str:
        return f"v{self.version} for {self.user_id}"
