"""A simulated user at work: the rows of a dialogue into its state, the next act into the next row."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from contracts.maas import RunAnswer
from emulator.domain.audit import dialogue_faults
from emulator.domain.hearing import Heard, read_answer
from emulator.domain.policy import Act, next_act
from emulator.domain.scenario import Persona
from emulator.domain.script import EmulationPlan, QueryTruth, ScriptTurn, turn_run_id
from emulator.domain.user import DEFAULT_PATIENCE, FROM_AGENDA, ActKind, Asked, Ending, Said, UserState
from emulator.domain.words import lost_words
from emulator.drivers.base import Driver, Scene, Worded
from emulator.models import EmulationDialogue, EmulationTurn
from kernel.canonical import canonical_json, derive_seed

_A_MOMENT = timedelta(minutes=1)


@dataclass(slots=True)
class History:
    """What a user took from earlier dialogues."""

    told: dict[str, str] = field(default_factory=dict)
    outdated: set[str] = field(default_factory=set)
    earlier: list[Asked] = field(default_factory=list)
    retold: set[str] = field(default_factory=set)

    def add(self, agenda: Sequence[ScriptTurn], turns: Iterable[EmulationTurn]) -> None:
        """A dialogue that is over."""
        for turn in turns:
            if turn.act == ActKind.TEST_MEMORY:
                self.retold.add(turn.asked_again)
            if turn.point is None:
                self.told.update(dict.fromkeys(turn.event_ids, turn.text))
                continue
            item = agenda[turn.point]
            self.told.update(dict.fromkeys(item.event_ids, item.text))
            self.outdated.update(item.supersedes)
            if item.query is not None:
                self.earlier.append(Asked(item.text, item.query))


@dataclass(frozen=True, slots=True)
class Step:
    """What follows a turn: the next one, or why there is none. `expected`: turns the dialogue will have by now."""

    following: EmulationTurn | None
    ending: Ending | None
    expected: int
    tokens: int = 0
    cost_usd: float = 0.0


def agenda_of(dialogue: EmulationDialogue) -> tuple[ScriptTurn, ...]:
    return tuple(ScriptTurn.model_validate(item) for item in dialogue.agenda)


class SimulatedUser:
    """One user in one dialogue. All it knows comes from rows, so that whoever goes on decides the same."""

    def __init__(
        self,
        *,
        dialogue: EmulationDialogue,
        plan: EmulationPlan,
        driver: Driver,
        persona: Persona | None,
        history: History,
    ):
        self._dialogue, self._plan, self._driver = dialogue, plan, driver
        self._persona, self._history = persona, history
        self.agenda = agenda_of(dialogue)

    def hear(self, turns: Sequence[EmulationTurn], answer: RunAnswer) -> Heard:
        """What the user makes of the answer to the last of `turns`."""
        state = self.state(turns)
        last = state.said[-1]
        heard = read_answer(
            answer=answer.answer, question=self._question(last), told=state.told, just_said=last.event_ids
        )
        if answer.answer:
            self._driver.heard(said=last.text, answer=answer.answer, scene=self._scene(turns, turns[-1].simulated_at))
        return heard

    def next(self, turns: Sequence[EmulationTurn], *, answer: str = "") -> Step:
        """Decide what follows `turns`, and have it worded. Raises what the driver raises."""
        state = self.state(turns)
        act = next_act(state)
        if isinstance(act, Ending):
            return Step(None, act, len(turns))
        at = self._time(state, act)
        worded = self._driver.word(act, self._scene(turns, at, answer))
        if worded is None:
            return Step(None, Ending.SILENT, len(turns))
        row = self._row(act, worded, at, position=len(turns))
        after = self.state([*turns, row])
        expected = len(turns) + 1 if act.kind is ActKind.LEAVE else after.expected_turns
        return Step(row, None, expected, tokens=worded.tokens, cost_usd=worded.cost_usd)

    def faults(self, turns: Sequence[EmulationTurn], *, ending: str, is_golden: Callable[[str], bool]) -> list[str]:
        """What the audit finds in the finished dialogue."""
        return dialogue_faults(
            state=self.state(turns),
            ending=Ending(ending) if ending else None,
            language=self._dialogue.language,
            is_golden=is_golden,
        )

    def state(self, turns: Sequence[EmulationTurn]) -> UserState:
        history = self._history
        here = {
            name: self.agenda[turn.point].text if turn.point is not None else turn.text
            for turn in turns
            for name in turn.event_ids
        }
        return UserState(
            goal=self._dialogue.goal,
            agenda=self.agenda,
            told={**history.told, **here},
            outdated=frozenset(history.outdated),
            earlier=tuple(history.earlier),
            retold=frozenset(history.retold),
            patience=self._persona.patience if self._persona else DEFAULT_PATIENCE,
            limit=self._dialogue.turn_limit,
            luck=derive_seed("luck", self._plan.seed, self._dialogue.example),
            said=tuple(_said(turn) for turn in turns),
        )

    def _question(self, said: Said) -> QueryTruth | None:
        if not said.question:
            return None
        asked = [turn.query for turn in self.agenda if turn.query is not None]
        asked += [item.truth for item in self._history.earlier]
        return next((truth for truth in asked if truth.id == said.question), None)

    def _scene(self, turns: Sequence[EmulationTurn], at: datetime, answer: str = "") -> Scene:
        dialogue, position = self._dialogue, len(turns)
        heard = canonical_json(turns[-1].heard) if turns else ""
        return Scene(
            user_id=dialogue.user_id,
            turn_id=self._turn_id(position),
            thread_id=dialogue.thread_id,
            at=at,
            language=dialogue.language,
            persona=self._persona,
            goal=dialogue.goal,
            seed=derive_seed("worded", self._plan.seed, dialogue.example, position, heard),
            said=tuple(turn.text for turn in turns),
            answer=answer,
        )

    def _turn_id(self, position: int) -> uuid.UUID:
        return turn_run_id(batch=self._plan.batch, dialogue=self._dialogue.dialogue, position=position)

    def _time(self, state: UserState, act: Act) -> datetime:
        """When it is said: at the time of the agenda's next item, what is put in between before that."""
        slots = sorted(turn.simulated_at for turn in self.agenda)
        last = state.last.at if state.last is not None else None
        if last is None:
            return slots[0]
        if act.kind in FROM_AGENDA:
            slot = self.agenda[state.open_points[0]].simulated_at
            if slot > last:
                return slot
        later = next((slot for slot in slots if slot > last), None)
        return last + _A_MOMENT if later is None else last + (later - last) / 2

    def _row(self, act: Act, worded: Worded, at: datetime, *, position: int) -> EmulationTurn:
        row = EmulationTurn(
            id=self._turn_id(position),
            batch_id=self._dialogue.batch_id,
            dialogue_id=self._dialogue.pk,
            position=position,
            text=worded.text,
            simulated_at=at,
            act=act.kind,
            reason=act.reason[:300],
            point=act.point,
        )
        if act.point is None:
            row.asked_again = act.question
            row.repeats = list(act.repeats)
            row.event_ids = [f"{name}~{self._dialogue.ordinal}.{position}" for name in act.repeats]
            return row
        item = self.agenda[act.point]
        row.event_ids = list(item.event_ids)
        if item.query is not None:
            truth_write(row, item.query)
        lost = lost_words(item.text, worded.text)
        if lost:
            row.truth_excluded = f"not said as it should be, left out: {', '.join(lost)}"[:300]
        return row


def truth_write(row: EmulationTurn, truth: QueryTruth) -> None:
    """Make the turn a question."""
    row.query_id, row.query_kind = truth.id, truth.kind
    row.category, row.difficulty = truth.category, truth.difficulty
    row.should_retrieve = truth.should_retrieve
    row.expects = list(truth.expects)
    row.expected_memory_ids = list(truth.expected_memory_ids)
    row.key_facts, row.forbidden = list(truth.key_facts), list(truth.forbidden)


def _said(turn: EmulationTurn) -> Said:
    return Said(
        kind=ActKind(turn.act),
        text=turn.text,
        at=turn.simulated_at,
        point=turn.point,
        event_ids=tuple(turn.event_ids),
        question=turn.query_id or turn.asked_again,
        heard=Heard.model_validate(turn.heard) if turn.heard else None,
    )
