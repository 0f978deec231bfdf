"""The title of a page is its news, in a sentence. Pure functions of the state."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from django.utils.translation import gettext as _
from django.utils.translation import ngettext, pgettext

Way = Literal["rising", "falling", "holding", "unknown"]
_STILL = 0.01
"""Shares and scores that moved less than this hold; other units, less than a twentieth."""


@dataclass(frozen=True, slots=True)
class Movement:
    """One metric of the goal. `met`: the target is reached, or the constraint kept; None when not known."""

    name: str
    way: Way
    met: bool | None
    is_target: bool
    start: str = ""
    now: str = ""
    target: str = ""


@dataclass(frozen=True, slots=True)
class CampaignNews:
    number: int
    status: str
    movements: Sequence[Movement] = ()


def way_of(start: float | None, now: float | None, *, share: bool = True) -> Way:
    if start is None or now is None:
        return "unknown"
    still = _STILL if share else abs(start) * 0.05
    if abs(now - start) < still:
        return "holding"
    return "rising" if now > start else "falling"


def home_news(*, campaign: CampaignNews | None, waiting: int, incidents: int = 0, frozen: bool = False) -> str:
    """What a person must know in ten seconds: does it get better, does something wait, is something wrong."""
    parts = [campaign_news(campaign)]
    if incidents:
        parts.append(
            _sentence(
                ngettext("%(count)s incident is open.", "%(count)s incidents are open.", incidents)
                % {"count": in_words(incidents)}
            )
        )
    if frozen:
        parts.append(_("Changes are frozen."))
    if waiting or campaign is not None:
        parts.append(approvals_news(waiting))
    return " ".join(parts)


def campaign_news(campaign: CampaignNews | None) -> str:
    if campaign is None:
        return _("Nothing has been learnt yet: say what should get better.")
    known = [item for item in campaign.movements if item.way != "unknown"]
    number, status = {"number": campaign.number}, campaign.status
    if status == "failed":
        return _("Campaign %(number)s failed and can go on.") % number
    if status == "planned":
        return _("Campaign %(number)s is planned and has not begun.") % number
    if known:
        told = [_moved(item, over=status in ("completed", "stopped")) for item in known[:3]]
        text = _sentence("; ".join(told) + ".")
    elif status in ("running", "paused"):
        text = _("Campaign %(number)s has begun and measures where things stand.") % number
    else:
        text = _("Campaign %(number)s ended before anything was measured.") % number
    return f"{text} {_('Campaign %(number)s is paused.') % number}" if status == "paused" else text


def _moved(item: Movement, *, over: bool) -> str:
    words = {"name": item.name, "start": item.start, "now": item.now, "target": item.target}
    return (_target_moved(item, over=over) if item.is_target else _guarded(item, over=over)) % words


def _guarded(item: Movement, *, over: bool) -> str:
    if item.met is False:
        return _("%(name)s is worse than the goal allows")
    return {
        "rising": _("%(name)s rose too") if over else _("%(name)s rises too"),
        "falling": _("%(name)s gives a little"),
        "holding": _("%(name)s holds"),
    }[str(item.way)]


def _target_moved(item: Movement, *, over: bool) -> str:
    if item.met:
        return _("%(name)s has reached its target")
    if over and not item.target:  # as far as it goes
        return {
            "rising": _("%(name)s rose from %(start)s to %(now)s"),
            "falling": _("%(name)s fell from %(start)s to %(now)s"),
            "holding": _("%(name)s stayed at %(now)s"),
        }[str(item.way)]
    if over:
        return {
            "rising": _("%(name)s rose from %(start)s to %(now)s, short of %(target)s"),
            "falling": _("%(name)s fell from %(start)s to %(now)s, short of %(target)s"),
            "holding": _("%(name)s stayed at %(now)s, short of %(target)s"),
        }[str(item.way)]
    return {
        "rising": _("%(name)s is rising"),
        "falling": _("%(name)s is falling"),
        "holding": _("%(name)s has not moved yet"),
    }[str(item.way)]


def approvals_news(waiting: int) -> str:
    if not waiting:
        return _("Nothing waits for you.")
    text = ngettext("%(count)s change waits for you.", "%(count)s changes wait for you.", waiting)
    return _sentence(text % {"count": in_words(waiting)})


def in_words(number: int) -> str:
    """Small numbers as words, as a sentence wants them."""
    words = (
        pgettext("how many", "no"), pgettext("how many", "one"), pgettext("how many", "two"),
        pgettext("how many", "three"), pgettext("how many", "four"), pgettext("how many", "five"),
        pgettext("how many", "six"), pgettext("how many", "seven"), pgettext("how many", "eight"),
        pgettext("how many", "nine"),
    )  # fmt: skip
    return words[number] if 0 <= number < len(words) else str(number)


def _or_none(number: int) -> str:
    return in_words(number) if number else pgettext("how many", "none")


def _sentence(text: str) -> str:
    return text[:1].upper() + text[1:]


def goals_news(*, goals: int, running: int) -> str:
    if not goals:
        return _("No goal has been set yet.")
    text = ngettext("%(count)s goal", "%(count)s goals", goals) % {"count": in_words(goals)}
    if not running:
        return _sentence(_("%(goals)s; no campaign is running.") % {"goals": text})
    at_work = ngettext("%(count)s campaign is running.", "%(count)s campaigns are running.", running)
    return _sentence(f"{text}; " + at_work % {"count": in_words(running)})


def experiments_news(*, total: int, applied: int, waiting: int, running: int) -> str:
    if not total:
        return _("No experiment has run yet.")
    parts = [
        ngettext("%(count)s experiment", "%(count)s experiments", total) % {"count": in_words(total)},
        ngettext("%(count)s was applied", "%(count)s were applied", applied) % {"count": _or_none(applied)},
    ]
    if running:
        parts.append(ngettext("%(count)s is running", "%(count)s are running", running) % {"count": in_words(running)})
    if waiting:
        text = ngettext("%(count)s waits for you", "%(count)s wait for you", waiting)
        parts.append(text % {"count": in_words(waiting)})
    return _sentence(f"{parts[0]}: {', '.join(parts[1:])}.")


def experiment_news(
    *, metric: str, status: str, verdict: str, decision: str, change: str, version: int | None, broken: str = ""
) -> str:
    """`change` is the estimate in words, as `+.044`; `broken`: the guard that alone made it lose, with its estimate.
    Verdict and decision are two things: both are said."""
    words = {"metric": _sentence(metric), "change": change, "version": version}
    if not verdict:
        return {
            "planned": _("This experiment waits for its start."),
            "running": _("This experiment is running; there is no verdict before its sample is complete."),
            "rejected": _("This experiment was stopped without a verdict.")
            if decision == "refused:stopped"
            else _("This experiment was closed without a verdict."),
        }.get(status, _("The sample is complete; the verdict is being made."))
    if verdict != "winner":
        words["broken"] = broken
        found = {
            "loser": _("%(metric)s %(change)s, but %(broken)s is beyond its margin")
            if broken
            else _("%(metric)s %(change)s: the variant is worse"),
            "inconclusive": _("%(metric)s %(change)s: not proved"),
        }[verdict] % words
        return found + _(", so nothing changes.")
    return _("%(metric)s %(change)s, proved") % words + _proved(status, decision, version) % words


def _proved(status: str, decision: str, version: int | None) -> str:
    """What became of a winner."""
    if status == "applied" and version:
        return _(" and applied as version %(version)s.")
    if status == "rolled_back":
        return _(", but rolled back later.")
    refused = {
        "refused:golden": _(", but the golden set does not agree."),
        "refused:guard": _(", but a guard refuses the change."),
        "refused:person": _(", but rejected by a person."),
    }
    if decision.startswith("refused"):
        return refused.get(decision, _(", but not applied."))
    return _("; it waits for a decision.")


def hypotheses_news(*, total: int, confirmed: int, open_: int) -> str:
    if not total:
        return _("No hypothesis has been stated yet.")
    text = ngettext("%(count)s hypothesis", "%(count)s hypotheses", total) % {"count": in_words(total)}
    held = ngettext("%(count)s confirmed", "%(count)s confirmed", confirmed) % {"count": _or_none(confirmed)}
    left = ngettext("%(count)s open", "%(count)s open", open_) % {"count": _or_none(open_)}
    return _sentence(f"{text}: {held}, {left}.")


def teacher_news(*, finished: int, winners: int, overfitted: int) -> str:
    if not finished:
        return _("No experiment is finished: there is nothing to measure the Teacher by yet.")
    text = ngettext("%(count)s experiment is finished", "%(count)s experiments are finished", finished)
    won = ngettext("%(count)s proved a gain", "%(count)s proved a gain", winners) % {"count": _or_none(winners)}
    parts = [text % {"count": in_words(finished)} + ": " + won]
    if overfitted:
        less = ngettext(
            "%(count)s version shows less than it promised",
            "%(count)s versions show less than they promised",
            overfitted,
        )
        parts.append(less % {"count": in_words(overfitted)})
    return _sentence("; ".join(parts) + ".")


def parameters_news(*, version: int | None, since: str, frozen: bool) -> str:
    if version is None:
        return _("No parameter version is active.")
    text = _("Version %(version)s has been active since %(since)s.") % {"version": version, "since": since}
    return text + " " + _("Changes are frozen.") if frozen else text


def changes_news(*, total: int, filtered: bool) -> str:
    if not total:
        return _("Nothing matches these filters.") if filtered else _("Nothing has been changed yet.")
    text = ngettext("%(count)s entry", "%(count)s entries", total) % {"count": in_words(total)}
    return _sentence(text) + (_(" match the filters.") if filtered else _(": none can ever be altered."))


def reports_news(total: int) -> str:
    if not total:
        return _("No campaign has reported yet.")
    return _sentence(ngettext("%(count)s report.", "%(count)s reports.", total) % {"count": in_words(total)})


def incidents_news(open_: int, looked_into: int = 0) -> str:
    """`open_`: nobody looks into them yet; `looked_into`: acknowledged, not resolved."""
    into = ""
    if looked_into:
        said = ngettext("%(count)s is being looked into", "%(count)s are being looked into", looked_into)
        into = said % {"count": in_words(looked_into)}
    if not open_:
        return _("No incident waits for anybody; %(into)s.") % {"into": into} if into else _("No incident is open.")
    text = ngettext("%(count)s incident is open", "%(count)s incidents are open", open_) % {"count": in_words(open_)}
    return _sentence(f"{text}; {into}." if into else f"{text}.")


def analytics_news(*, finished: int, factors: int, strongest: str) -> str:
    """What all experiments together say."""
    if not finished:
        return _("No experiment is finished yet.")
    tried = ngettext("%(n)s experiment", "%(n)s experiments", finished) % {"n": finished}
    over = ngettext("%(n)s factor", "%(n)s factors", factors) % {"n": factors}
    return _("%(strongest)s moved most, in %(tried)s on %(over)s.") % {
        "strongest": strongest, "tried": tried, "over": over,
    }  # fmt: skip


def factor_history_news(*, title: str, values: int) -> str:
    """How often a factor has changed, in a sentence."""
    if values <= 1:
        return _("%(title)s has never changed.") % {"title": title}
    said = ngettext("%(title)s has had %(n)s value.", "%(title)s has had %(n)s values.", values)
    return said % {"title": title, "n": values}


def factors_news(*, frozen: int, changed: int) -> str:
    """`changed`: factors whose limits a meta-user set, those that are only frozen not counted."""
    parts = []
    if frozen:
        parts.append(
            ngettext("%(count)s factor is frozen.", "%(count)s factors are frozen.", frozen)
            % {"count": in_words(frozen)}
        )
    if changed:
        parts.append(
            ngettext("%(count)s factor has limits of your own.", "%(count)s factors have limits of your own.", changed)
            % {"count": in_words(changed)}
        )
    return " ".join(map(_sentence, parts)) or _("Every factor is as the registry has it.")


def factor_news(*, title: str, value: str, frozen: bool, until: str) -> str:
    text = _("%(title)s is %(value)s.") % {"title": title, "value": value}
    if frozen:
        text += " " + (_("It is frozen until %(until)s.") % {"until": until} if until else _("It is frozen."))
    return text
