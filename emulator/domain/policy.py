"""What a simulated user does next. Pure: the same state, the same act."""

from __future__ import annotations

from dataclasses import dataclass, field

from emulator.domain.hearing import UNHELPFUL, Heard, HeardKind
from emulator.domain.script import QueryTruth
from emulator.domain.user import FROM_AGENDA, ActKind, Ending, Said, UserState
from emulator.domain.words import carriers, carriers_as_written, plain, sentences_of
from kernel.canonical import derive_seed

_TOLD_BEFORE_SUMMING_UP = 2
_ONE_IN = {ActKind.SUM_UP: 4, ActKind.TEST_MEMORY: 3}
"""How rarely a mood strikes that allows for it."""
_HINTS = 2
_MOVES = frozenset({"today", "yesterday", "tomorrow", "tonight", "сегодня", "вчера", "завтра", "сейчас"})
"""Words that would mean another day if the sentence were said again later."""


@dataclass(frozen=True, slots=True)
class Act:
    """What is to be said and why. `text`: the agenda's words, the question, or the sentence said again."""

    kind: ActKind
    reason: str
    text: str = ""
    point: int | None = None
    question: str = ""
    truth: QueryTruth | None = field(default=None, compare=False)
    hint: tuple[str, ...] = ()
    repeats: tuple[str, ...] = ()
    heard: Heard | None = None
    weary: bool = False
    is_small_talk: bool = False


def next_act(state: UserState) -> Act | Ending:
    """The next act, or why the dialogue is over.

    1. The turn limit ends it. 2. So does patience that is lost, with a short goodbye.
    3. A question that got no good answer is followed up, as far as turns may be added: made clear, corrected, or
       asked more simply, each once. 4. After two answers in a row without help another question goes first.
    5. Before the goodbye, and if in the mood: test the memory, or have it summed up. 6. Else the agenda goes on.
    """
    last = state.last
    if last is not None and last.kind is ActKind.LEAVE:
        return Ending.PATIENCE
    if len(state.said) >= state.limit:
        return Ending.LIMIT if state.open_points else Ending.GOAL
    if state.patience_left <= 0:
        return _act(state, ActKind.LEAVE, f"{state.unhelped} answers in a row did not help")
    if last is not None and last.heard is not None and state.extras_left:
        follow = _follow_up(state, last, last.heard)
        if follow is not None:
            return follow
    if not state.open_points:
        return Ending.GOAL
    mood = _mood(state) if state.extras_left and len(state.open_points) == 1 else None
    return mood or _from_agenda(state)


def _from_agenda(state: UserState) -> Act:
    point = state.open_points[0]
    if state.unhelped >= 2 and state.last is not None and state.last.question and state.agenda[point].query:
        others = [p for p in state.open_points[1:] if state.agenda[p].query is not None]
        # Questions may change places with each other only: between them nothing is told, so that truth stands.
        if others and all(state.agenda[p].query is not None for p in range(point, others[0])):
            return _of_point(state, others[0], ActKind.SHIFT, "two answers in a row did not help: another question")
    return _of_point(state, point, ActKind.SAY, "next on the agenda")


def _of_point(state: UserState, point: int, kind: ActKind, reason: str) -> Act:
    turn = state.agenda[point]
    question = turn.query.id if turn.query else ""
    return _act(
        state,
        kind,
        reason,
        text=turn.text,
        point=point,
        question=question,
        truth=turn.query,
        is_small_talk=turn.query is None and not turn.event_ids,
    )


def _follow_up(state: UserState, last: Said, heard: Heard) -> Act | None:
    kind, item = heard.kind, _question_of(state, last)
    if item is None or not last.question or last.kind is ActKind.TEST_MEMORY:
        return None
    text, truth = item
    done = {turn.kind for turn in state.said if turn.question == last.question}
    hint = _hint(state, text, truth)
    if kind is HeardKind.WRONG and ActKind.CORRECT not in done:
        quote, repeats = _quote(state, truth)
        if quote:
            why = "the answer held what is no longer so" if heard.stale else "the answer was wrong"
            return _act(state, ActKind.CORRECT, why, text=quote, repeats=repeats)
    if kind in (HeardKind.PARTLY, HeardKind.ASKED_BACK) and not done & {ActKind.CLARIFY, ActKind.ASK_SIMPLER} and hint:
        why = "only a part was answered" if kind is HeardKind.PARTLY else "was asked back"
        return _act(state, ActKind.CLARIFY, why, text=text, question=truth.id, truth=truth, hint=hint)
    if kind in UNHELPFUL and truth.should_retrieve and not done & {ActKind.CLARIFY, ActKind.ASK_SIMPLER}:
        why = "the answer was not remembered" if kind is HeardKind.FORGOT else "the answer missed the question"
        return _act(state, ActKind.ASK_SIMPLER, why, text=text, question=truth.id, truth=truth, hint=hint)
    return None


def _mood(state: UserState) -> Act | None:
    """Something that the agenda does not hold, before its last item."""
    turn = state.agenda[state.open_points[0]]
    if turn.query is not None or turn.event_ids or state.patience_left < state.patience:
        return None
    kinds = {said.kind for said in state.said}
    pool = [item for item in state.earlier if _still_holds(state, item.truth)]
    if pool and ActKind.TEST_MEMORY not in kinds and _strikes(state, ActKind.TEST_MEMORY):
        item = pool[derive_seed(state.luck, "which", len(state.said)) % len(pool)]
        return _act(
            state, ActKind.TEST_MEMORY, "is it still known?", text=item.text, question=item.truth.id, truth=item.truth
        )
    told = sum(1 for said in state.said if said.event_ids)
    if told >= _TOLD_BEFORE_SUMMING_UP and ActKind.SUM_UP not in kinds and _strikes(state, ActKind.SUM_UP):
        return _act(state, ActKind.SUM_UP, f"{told} things were told: were they understood?")
    return None


def _strikes(state: UserState, kind: ActKind) -> bool:
    """Helped a moment ago, one tries the memory sooner."""
    last = state.last
    warm = last is not None and last.heard is not None and last.heard.kind in (HeardKind.HELPED, HeardKind.REMINDED)
    return derive_seed(state.luck, str(kind)) % (_ONE_IN[kind] - int(warm)) == 0


def _still_holds(state: UserState, truth: QueryTruth) -> bool:
    """Whether its answer is what it was: nothing told since has made an expected event stale."""
    here = {name for turn in state.said for name in _outdates(state, turn)}
    return (
        truth.should_retrieve
        and truth.category != "temporal"
        and truth.id not in state.retold
        and not set(truth.expects) & (state.outdated | here)
    )


def _outdates(state: UserState, said: Said) -> tuple[str, ...]:
    return state.agenda[said.point].supersedes if said.point is not None and said.kind in FROM_AGENDA else ()


def _question_of(state: UserState, last: Said) -> tuple[str, QueryTruth] | None:
    for turn in state.agenda:
        if turn.query is not None and turn.query.id == last.question:
            return turn.text, turn.query
    return None


def _quote(state: UserState, truth: QueryTruth) -> tuple[str, tuple[str, ...]]:
    """The sentence that holds the missing fact as it was told, and the expected events that it says again.

    Nothing for questions about former states (saying an old value again would make it the newest), for values
    that something has since made stale, and for sentences that name a day from where they were said.
    """
    if truth.category == "temporal" or not truth.should_retrieve:
        return "", ()
    here = {name for turn in state.said for name in _outdates(state, turn)}
    for name in reversed(truth.expects):
        if name in state.outdated | here or name not in state.told:
            continue
        for sentence in sentences_of(state.told[name]):
            words = set(plain(sentence).replace(",", " ").replace(".", " ").split())
            if not words & _MOVES and any(plain(fact) in plain(sentence) for fact in truth.key_facts):
                same = state.told[name]
                return sentence, tuple(other for other in truth.expects if state.told.get(other) == same)
    return "", ()


def _hint(state: UserState, question: str, truth: QueryTruth) -> tuple[str, ...]:
    """Words of an expected statement that are neither the answer nor in the question yet."""
    known = {plain(word) for fact in (*truth.key_facts, *truth.forbidden) for word in fact.split()}
    known |= set(carriers(question))
    for name in truth.expects:
        told = sentences_of(state.told.get(name, ""))
        near = [text for text in told if any(plain(fact) in plain(text) for fact in truth.key_facts)]
        words = [word for word in carriers_as_written(" ".join(near or told)) if plain(word) not in known]
        if words:
            return tuple(sorted(words, key=len, reverse=True)[:_HINTS])
    return ()


def _act(state: UserState, kind: ActKind, reason: str, **details: object) -> Act:
    heard = state.last.heard if state.last is not None else None
    weary = state.unhelped > 0 and 2 * state.patience_left <= state.patience
    return Act(kind=kind, reason=reason, heard=heard, weary=weary, **details)  # type: ignore[arg-type]
