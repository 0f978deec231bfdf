"""The policy: read, changed by a form that first says what will change, and its versions, each to be restored."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _

from contracts.actor import Role
from contracts.doors import actor_of, may
from kernel.errors import DomainError, NotAuthorised
from manager.domain.policy_fields import Difference, differences
from manager.models import Policy, PolicyVersion
from manager.services.policy import (
    policy_current,
    policy_edited,
    policy_preview,
    policy_restore,
    policy_values,
    policy_version_get,
)
from selflearn_site.pages.page import page, show
from selflearn_site.pages.policy_form import PolicyForm
from selflearn_site.pages.selectors.lists import paged
from selflearn_site.pages.selectors.policy import (
    differences_shown,
    groups_shown,
    policy_news,
    ranges_shown,
    version_rows,
)


@page
def policy(request: HttpRequest) -> HttpResponse:
    """The version in force. A meta-user gets a form: POST do=preview says what will change, do=confirm does it."""
    found = policy_current()
    if request.method == "POST":
        return _posted(request, found)
    return _shown(request, found, PolicyForm(initial=_initial(found)))


@page
def policy_version(request: HttpRequest, version: int) -> HttpResponse:
    """One version, and what would change if it held again; POST restores it."""
    row, found = policy_version_get(version), policy_current()
    if request.method == "POST":
        try:
            policy_restore(
                version=version,
                actor=actor_of(request),
                reason=request.POST.get("reason", ""),
                expected_version=_number(request.POST.get("expected_version", "")),
            )
        except NotAuthorised:
            raise
        except DomainError as error:
            messages.error(request, error.message)
            return redirect("pages:policy_version", version)
        messages.success(request, _("Version %(number)s holds again, as a new version.") % {"number": version})
        return redirect("pages:policy")
    back = differences(policy_values(found), row.values)
    context = {
        "headline": _("Version %(number)s of the policy") % {"number": version},
        "row": row,
        "current": found,
        "groups": groups_shown(row.values),
        "changes": version_rows([row], in_force=found.version)[0].changes,
        "back": differences_shown(back),
    }
    return show(request, "pages/policy_version.html", context)


def _posted(request: HttpRequest, found: Policy) -> HttpResponse:
    actor = actor_of(request)
    actor.require(Role.META_USER)
    form = PolicyForm(request.POST)
    doing = request.POST.get("do", "preview")
    if doing == "edit" or not form.is_valid():
        return _shown(request, found, form, status=200 if doing == "edit" else 422)
    try:
        changes = policy_preview(form.values())
        if doing != "confirm":
            return _confirm(request, found, form, changes) if changes else _same(request)
        made = policy_edited(
            {item.field: item.after for item in changes},
            actor=actor,
            reason=form.cleaned_data["reason"],
            expected_version=form.cleaned_data["expected_version"],
        )
    except DomainError as error:
        if isinstance(error, NotAuthorised):
            raise
        fields = [name for name in error.details.get("fields", []) if name in form.fields]
        form.add_error(fields[0] if fields else None, error.message)
        return _shown(request, found, form, status=422)
    messages.success(request, _("Version %(number)s of the policy is in force.") % {"number": made.version})
    return redirect("pages:policy")


def _same(request: HttpRequest) -> HttpResponse:
    messages.info(request, _("Nothing differs from the version in force, so nothing was changed."))
    return redirect("pages:policy")


def _confirm(request: HttpRequest, found: Policy, form: PolicyForm, changes: list[Difference]) -> HttpResponse:
    sent = [(name, value) for name, values in request.POST.lists() for value in values if _is_kept(name)]
    context = {
        "headline": _("Change the policy so?"),
        "changes": differences_shown(changes),
        "reason": form.cleaned_data["reason"],
        "current": found,
        "moved": form.cleaned_data["expected_version"] != found.version,
        "sent": sent,
    }
    return show(request, "pages/policy_confirm.html", context)


def _is_kept(name: str) -> bool:
    return name not in ("csrfmiddlewaretoken", "do")


def _shown(request: HttpRequest, found: Policy, form: PolicyForm, *, status: int = 200) -> HttpResponse:
    versions = paged(request, PolicyVersion.objects.all())
    context = {
        "headline": policy_news(found),
        "policy": found,
        "form": form if may(request, Role.META_USER) else None,
        "groups": groups_shown(policy_values(found)),
        "ranges": ranges_shown(),
        "rows": versions,
        "versions": version_rows(list(versions.object_list), in_force=found.version),
    }
    return show(request, "pages/policy.html", context, status=status)


def _initial(found: Policy) -> dict[str, object]:
    values = {name: _plain(value) for name, value in policy_values(found).items()}
    return {**values, "expected_version": found.version}


def _plain(value: object) -> object:
    """`0` for `0.0`, as a person would enter it."""
    return int(value) if isinstance(value, float) and value.is_integer() else value


def _number(text: str) -> int | None:
    return int(text) if text.isdecimal() and len(text) < 10 else None
