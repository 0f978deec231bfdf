"""A sentence into a `GoalTranslation`: cut, linked, read, put in order, checked."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime

from contracts.goal import Constraint, GoalTranslation, Target
from contracts.metric import MetricDefinition
from contracts.parameters import FactorDefinition
from goals.translation import circumstances, conflicts, deadlines, reading, speech
from goals.translation.clauses import split
from goals.translation.lexer import normalise, tokenise
from goals.translation.linking import link
from goals.translation.reading import Draft
from goals.translation.tokens import Clause, Kind
from goals.translation.vocabulary import build
from goals.translation.wording import Language, Voice, language_of
from kernel.errors import InvalidInput

MAX_LENGTH = 4000
_CONTENT = frozenset({Kind.METRIC, Kind.FACTOR, Kind.QUANTITY, Kind.CATEGORY, Kind.WORD})
_EXAMPLES = {
    "en": ("Raise recall to 60 % without losing precision", "Reduce cost by 20 %, latency max 2 s"),
    "ru": ("Поднять полноту до 60 %, не потеряв точность", "Снизить стоимость на 20 % при сохранении качества"),
}


def translate(
    text: str,
    *,
    metrics: Mapping[str, MetricDefinition],
    factors: Mapping[str, FactorDefinition],
    today: date | None = None,
) -> GoalTranslation:
    """What the rules understand of a goal in Russian or English.

    `today`: from where a date without its year is counted; the day in UTC when it is not given. Rates become
    fractions, latency ms, cost USD; `delta` is a magnitude whose sign is the direction. Everything that was not said
    but decided here is in `assumptions`, what no rule could read in `unread`, and what cannot hold at once in
    `conflicts`. Raises `InvalidInput` when neither a target nor a constraint was understood.
    """
    language = language_of(text)
    if len(text) > MAX_LENGTH:
        raise InvalidInput(f"a goal has at most {MAX_LENGTH} characters", details={"field": "text"})
    voice = Voice(language)
    deadline, plain = deadlines.take(normalise(text), today=today or datetime.now(UTC).date(), voice=voice)
    clauses = split(tokenise(plain, build(metrics, factors)), plain)
    speech.settle(clauses, metrics)
    link(clauses, metrics)
    draft = Draft()
    beside = circumstances.Circumstances()
    for clause in clauses:
        reading.read(clause, metrics, draft, voice)
        circumstances.read(clause, beside, voice)
    unread = _unread(text, clauses, beside)
    _settle_limits(draft, voice)
    aims = {target.metric for target in draft.targets}
    draft.first.extend(higher for higher, lower in draft.outranks if higher not in aims and lower in aims)
    _put_first(draft, metrics, voice)
    targets = _ordered(_merged(draft.targets), draft)
    constraints = _tightest(draft, targets)
    if not targets and not constraints:
        raise _hopeless(text, language, unread)
    if not targets:
        voice.assume(
            "Nothing to improve is named: the gaps to the catalogue's targets are worked on.",
            "Не названо, что улучшать: работа идёт по разрывам с целями каталога.",
        )
    allowed, forbidden = circumstances.impacts(beside, factors, voice)
    level = circumstances.autonomy(beside, voice)
    conflicts.check(targets, constraints, held=draft.held, metrics=metrics, voice=voice)
    return GoalTranslation(
        text=text,
        language=language,
        targets=tuple(targets),
        constraints=tuple(constraints),
        allowed_impacts=allowed,
        forbidden_impacts=forbidden,
        autonomy=level,
        budget=circumstances.budget(beside).model_copy(update={"deadline": deadline}),
        assumptions=tuple(voice.assumptions),
        unread=tuple(unread),
        conflicts=tuple(voice.conflicts),
    )


def _settle_limits(draft: Draft, voice: Voice) -> None:
    """Limits beside a target are constraints; limits alone are what the goal is about."""
    promoted = not draft.targets and not draft.first
    if promoted and draft.soft:
        _promote_first(draft)
        promoted = not draft.targets
    families = {name.split("_")[0] for name in draft.bare}
    for target, constraint, worded_as_limit in draft.soft:
        # "Users wait too long, p95 under 2 s": the limit says how far the bare wish goes.
        # Nor is "latency < 2 s" a mere condition where every wish is a bare comparison.
        alike = target.metric in draft.bare or (not worded_as_limit and target.metric.split("_")[0] in families)
        if promoted or alike or not (worded_as_limit or draft.spoken):
            draft.targets.append(target)
        else:
            draft.constraints.append(constraint)
    absolute = [item for item in draft.constraints if item.kind in ("min", "max")]
    if not draft.targets and not draft.first and absolute:
        for item in absolute:
            draft.constraints.remove(item)
            direction: reading.Direction = "increase" if item.kind == "min" else "decrease"
            draft.targets.append(Target(metric=item.metric, direction=direction, value=item.value))
        promoted = True
    if promoted and draft.targets:
        voice.assume("A limit without any other goal is read as the goal.", "Предел без другой цели понят как цель.")


def _promote_first(draft: Draft) -> None:
    """ "A request should cost no more than a cent, with hallucinations at most 5 %": what is said first is the goal."""
    first = next((item for item in draft.constraints if item.kind in ("min", "max")), None)
    soft = draft.soft[0]
    if first is None or not draft.limits or draft.limits[0] != first.metric or not soft[2]:
        return
    draft.constraints.remove(first)
    direction: reading.Direction = "increase" if first.kind == "min" else "decrease"
    draft.targets.append(Target(metric=first.metric, direction=direction, value=first.value))


def _put_first(draft: Draft, metrics: Mapping[str, MetricDefinition], voice: Voice) -> None:
    """ "The main thing is X": first among the targets, or a guard when the targets are others."""
    # "The main thing is quality, then cost" ranks wishes; a target with a verb or an amount outweighs them.
    bare = all(target.metric in draft.bare for target in draft.targets)
    named = set() if bare else {target.metric for target in draft.targets}
    if not draft.first or named & set(draft.first):
        return
    for name in dict.fromkeys(draft.first):
        metric = metrics[name]
        if not named:
            draft.targets.append(Target(metric=name, direction=reading.better(metric)))
        elif all(item.metric != name for item in draft.constraints):
            kind: reading.ConstraintKind = "no_large_drop" if metric.higher_is_better else "no_large_rise"
            draft.constraints.append(Constraint(metric=name, kind=kind, value=reading.default_margin(metric)))
    if named:
        voice.assume(
            "The main thing is no target of its own, so it must not get worse.",
            "Главное не названо целью, поэтому оно не должно ухудшиться.",
        )
    else:
        voice.assume(
            "The main thing should get better, as far as it goes.", "Главное надо улучшить, насколько получится."
        )


def _merged(targets: list[Target]) -> list[Target]:
    """The same wish twice is one; a wish without an amount is covered by one with it."""
    kept: list[Target] = []
    for target in targets:
        bare = target.value is None and target.delta is None
        alike = [
            other
            for other in targets
            if other is not target and other.metric == target.metric and other.direction == target.direction
        ]
        covered = bare and any(
            (other.value is not None or other.delta is not None) and target.category in (None, other.category)
            for other in alike
        )
        if not covered and target not in kept:
            kept.append(target)
    return kept


def _ordered(targets: list[Target], draft: Draft) -> list[Target]:
    rank = {name: place for place, name in enumerate(dict.fromkeys(draft.first))}
    ordered = sorted(targets, key=lambda target: rank.get(target.metric, len(rank)))
    for higher, lower in draft.outranks:
        above = [target for target in ordered if target.metric == higher]
        rest = [target for target in ordered if target.metric != higher]
        at = next((place for place, target in enumerate(rest) if target.metric == lower), len(rest))
        before = [target for target in ordered[:at] if target.metric == higher]
        if len(before) < len(above):
            ordered = [*rest[:at], *above, *rest[at:]]
    return ordered


def _tightest(draft: Draft, targets: list[Target]) -> list[Constraint]:
    """One constraint per metric and kind, the strictest; "quality" as a whole never guards what is a target itself."""
    aims = {target.metric for target in targets}
    kept: dict[tuple[str, str], Constraint] = {}
    for item in draft.constraints:
        if item.metric in draft.by_group and item.metric in aims and item.kind.startswith("no_large"):
            continue
        key = (item.metric, item.kind)
        other = kept.get(key)
        if other is None or other.value is None or item.value is None:
            kept[key] = item
        else:
            strict = max if item.kind == "min" else min
            kept[key] = item.model_copy(update={"value": strict(item.value, other.value)})
    return list(kept.values())


def _unread(text: str, clauses: list[Clause], beside: circumstances.Circumstances) -> list[str]:
    """Fragments that no rule used, as they were written."""
    spans: list[tuple[int, int]] = [(token.start, token.end) for token in beside.unread]
    for clause in clauses:
        content = [token for token in clause.tokens if token.kind in _CONTENT]
        if not clause.used:
            if content:
                spans.append((clause.start, clause.end))
            continue
        run: list[tuple[int, int]] = []
        for token in clause.tokens:
            if token.kind is Kind.WORD:
                run.append((token.start, token.end))
            elif token.kind is not Kind.STOP and run:
                spans.append((run[0][0], run[-1][1]))
                run = []
        if run:
            spans.append((run[0][0], run[-1][1]))
    return list(dict.fromkeys(text[start:end].strip() for start, end in sorted(spans)))


def _hopeless(text: str, language: Language, unread: list[str]) -> InvalidInput:
    one, two = _EXAMPLES[language]
    if not text.strip():
        message = "Цель пуста." if language == "ru" else "The goal is empty."
    elif language == "ru":
        message = "Не понято ни одной метрики и ни одного ограничения."
    else:
        message = "No metric and no constraint was understood."
    hint = f"Например: «{one}»; «{two}»." if language == "ru" else f"For example: “{one}”; “{two}”."
    return InvalidInput(f"{message} {hint}", details={"field": "text", "unread": unread, "examples": [one, two]})
