"""The policy as pages show it: values by group, differences, versions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from manager.domain.policy_fields import GROUPS, POLICY_FIELDS, Difference
from manager.models import Policy, PolicyVersion
from selflearn_site.pages.policy_form import GROUP_TITLES, bounds, field_help, field_title, value_said
from selflearn_site.pages.said import digits
from tuner.factors import factors_now


@dataclass(frozen=True, slots=True)
class Shown:
    """One value, or one difference where `before` is told."""

    name: str
    title: str
    now: str
    help: str = ""
    bounds: str = ""
    before: str = ""


@dataclass(frozen=True, slots=True)
class VersionRow:
    version: PolicyVersion
    changes: Sequence[Shown]
    in_force: bool


def policy_news(policy: Policy) -> str:
    """The title of the page: what may happen without a person."""
    if policy.most_autonomy == "manual":
        return _("Nothing starts and nothing changes without a person.")
    if policy.most_autonomy == "semi_auto" or policy.changes_per_day == 0:
        return _("Experiments run by themselves; every change waits for a person.")
    return ngettext(
        "Proved changes inside their range apply by themselves, at most %(n)s a day.",
        "Proved changes inside their range apply by themselves, at most %(n)s a day.",
        policy.changes_per_day,
    ) % {"n": policy.changes_per_day}


def groups_shown(values: Mapping[str, Any]) -> list[tuple[str, list[Shown]]]:
    """Values by group, for whoever only reads. Fields that an old version did not know are left out."""
    found = []
    for group in GROUPS:
        rows = [
            Shown(name, field_title(name), value_said(name, values[name]), field_help(name), bounds(field))
            for name, field in POLICY_FIELDS.items()
            if field.group == group and name in values
        ]
        found.append((str(GROUP_TITLES[group]), rows))
    return found


def ranges_shown() -> list[tuple[str, str, str]]:
    """Each factor's key and title, and how far it may go without a person by its own range."""
    found = []
    for key, factor in factors_now().items():
        if factor.frozen:
            auto = _("is not moved at all")
        elif factor.manual or not factor.auto:
            auto = _("a person decides")
        elif factor.auto_low is not None and factor.auto_high is not None:
            auto = digits(f"{factor.auto_low:g} … {factor.auto_high:g}")
        else:
            auto = _("any of its values")
        found.append((key, factor.title, auto))
    return found


def differences_shown(found: Sequence[Difference]) -> list[Shown]:
    return [
        Shown(
            item.field, field_title(item.field), value_said(item.field, item.after), field_help(item.field),
            before=value_said(item.field, item.before),
        )
        for item in found
    ]  # fmt: skip


def version_rows(versions: Sequence[PolicyVersion], *, in_force: int) -> list[VersionRow]:
    return [
        VersionRow(
            version,
            [
                Shown(name, field_title(name), value_said(name, after), before=value_said(name, before))
                for name, (before, after) in version.changes.items()
            ],
            version.version == in_force,
        )
        for version in versions
    ]
