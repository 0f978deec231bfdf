"""Whether a simulated user did what its scenario and its persona demand. Pure: it reads what was said and heard."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from emulator.domain.hearing import gives_away
from emulator.domain.user import FROM_AGENDA, ActKind, Ending, UserState
from emulator.domain.words import language_of, lost_words

_SHOWN = 80


def dialogue_faults(
    *,
    state: UserState,
    ending: Ending | None,
    language: str,
    is_golden: Callable[[str], bool] = lambda _: False,
) -> list[str]:
    """What is wrong with a dialogue that is over; empty when it may count. Each fault is a sentence.

    `state` is the user's at the end. Checked from the turns alone, not from what the policy meant to do:
    1. Each point of the agenda that was taken up was said: its names, numbers and half of its other words are there,
       and no question gives its own answer away.
    2. Statements came in their order, and each question after all that it expects.
    3. The dialogue stopped early only at the turn limit, or when patience was lost by the rule.
    4. The user spoke the scenario's language, and did not bear more than the persona's patience.
    5. Nothing of the golden set was said.
    """
    return [
        *_unsaid(state),
        *_disorder(state),
        *_stopped(state, ending),
        *_persona(state, language),
        *(f"says what belongs to the golden set: {_cut(turn.text)}" for turn in state.said if is_golden(turn.text)),
    ]


def _unsaid(state: UserState) -> list[str]:
    faults = []
    for turn in state.said:
        if turn.kind not in FROM_AGENDA or turn.point is None:
            continue
        item = state.agenda[turn.point]
        lost = lost_words(item.text, turn.text)
        if lost:
            what = "asked" if item.query else "said"
            faults.append(f"point {turn.point + 1} was not {what}: {', '.join(lost[:5])} left out")
        if item.query is not None and gives_away(item.query, item.text, turn.text):
            faults.append(f"point {turn.point + 1} gave its own answer away: {_cut(turn.text)}")
    return faults


def _disorder(state: UserState) -> list[str]:
    faults = []
    told = set(state.told) - {name for turn in state.said for name in turn.event_ids}
    last = -1
    for turn in state.said:
        if turn.point is None or turn.kind not in FROM_AGENDA:
            continue
        item = state.agenda[turn.point]
        if item.query is None:
            if turn.point < last:
                faults.append(f"point {turn.point + 1} was said after point {last + 1}")
            last = max(last, turn.point)
        else:
            early = [name for name in item.query.expects if name not in told]
            if early:
                faults.append(f"point {turn.point + 1} asks for what was not told yet: {', '.join(early[:3])}")
            skipped = [p for p in range(turn.point) if p not in state.used_points and state.agenda[p].event_ids]
            if skipped:
                faults.append(f"point {turn.point + 1} was asked, but point {skipped[0] + 1} never said")
        told.update(turn.event_ids)
    return faults


def _stopped(state: UserState, ending: Ending | None) -> list[str]:
    left = len(state.open_points)
    if ending is Ending.SILENT:
        return [f"stopped too early: fell silent with {left} points open"]
    if ending is Ending.PATIENCE:
        return [] if state.patience_left <= 0 else [f"gave up with patience for {state.patience_left} more answers"]
    if ending is Ending.LIMIT:
        short = len(state.said) < state.limit
        return [f"stopped too early: {len(state.said)} of {state.limit} turns"] if short else []
    return [f"stopped too early: {left} points open, and patience not lost"] if left else []


def _persona(state: UserState, language: str) -> list[str]:
    faults = []
    for place, turn in enumerate(state.said):
        spoken = language_of(turn.text)
        if language in ("ru", "en") and spoken is not None and spoken != language:
            faults.append(f"turn {place + 1} is in another language ({spoken}): {_cut(turn.text)}")
        if turn.kind is not ActKind.LEAVE and replace(state, said=state.said[:place]).patience_left <= 0:
            faults.append(f"turn {place + 1} went on after patience was lost")
            break
    return faults


def _cut(text: str) -> str:
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}…"
