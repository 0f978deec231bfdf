"""What people decide about memories: keep one, have one set aside, approve or reject a proposal, undo it."""

from __future__ import annotations

import uuid

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from contracts.actor import Role
from contracts.doors import actor_of, may
from kernel.errors import InvalidInput
from manager.services.policy import policy_current
from manager.services.pruning import (
    memory_keep,
    pruning_approve,
    pruning_propose,
    pruning_reject,
    pruning_undo,
)
from selflearn_site.pages.page import action, back

_PAGE = "pages:memories"


@action
def memory_kept(request: HttpRequest, memory_id: uuid.UUID) -> HttpResponse:
    memory_keep(memory_id=memory_id, actor=actor_of(request), reason=request.POST.get("comment", "").strip())
    messages.success(request, _("The memory is kept; it is not put up for review for half a year."))
    return back(request, _PAGE)


@action
def memory_prune(request: HttpRequest, memory_id: uuid.UUID) -> HttpResponse:
    """A meta-user's word is enough, unless policy wants four eyes; an operator's is a proposal."""
    actor = actor_of(request)
    reason = request.POST.get("comment", "").strip()
    proposal = pruning_propose(actor=actor, reason=reason, memory_ids=[memory_id])
    if proposal is None:
        raise InvalidInput("this memory cannot be pruned")
    if may(request, Role.META_USER) and not policy_current().four_eyes:
        pruning_approve(proposal_id=proposal.id, actor=actor, comment=reason, seen=proposal.content_hash)
        messages.success(request, _("The memory is set aside: no search finds it. It can be brought back below."))
    else:
        messages.success(request, _("Proposed; a meta-user decides."))
    return back(request, _PAGE)


@action
def pruning_do(request: HttpRequest, pruning_id: uuid.UUID, verb: str) -> HttpResponse:
    """`approve`: those that are ticked go, the others are kept. `reject`, `undo`: with a reason."""
    actor, comment = actor_of(request), request.POST.get("comment", "").strip()
    if verb == "approve":
        ticked = set(request.POST.getlist("memory"))
        shown = set(request.POST.getlist("shown"))
        done = pruning_approve(
            proposal_id=pruning_id,
            actor=actor,
            comment=comment,
            seen=request.POST.get("seen", ""),
            keep=[uuid.UUID(memory) for memory in shown - ticked],
        )
        n = len(done.pruned)
        text = ngettext("%(n)s memory is set aside.", "%(n)s memories are set aside.", n) % {"n": n}
        messages.success(request, text + " " + _("No search finds it; it can be brought back below."))
    elif verb == "reject":
        pruning_reject(proposal_id=pruning_id, actor=actor, comment=comment)
        messages.success(request, _("All of them are kept; none is proposed again for half a year."))
    elif verb == "undo":
        pruning_undo(proposal_id=pruning_id, actor=actor, reason=comment)
        messages.success(request, _("They are back, and searches find them as before."))
    else:
        raise InvalidInput(f"a proposal knows no {verb!r}")
    return back(request, _PAGE)
