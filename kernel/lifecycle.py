"""A lifecycle is an enum and a table of the steps it allows."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Generic, TypeVar

from kernel.errors import IllegalTransition

State = TypeVar("State", bound=StrEnum)


class Lifecycle(Generic[State]):
    """Which state may follow which. States absent from the table are final."""

    def __init__(self, name: str, table: Mapping[State, frozenset[State]]):
        self.name = name
        self._table = dict(table)

    def may(self, source: State, target: State) -> bool:
        return target in self._table.get(source, frozenset())

    def check(self, source: State, target: State) -> None:
        """Raise `IllegalTransition` unless `target` may follow `source`."""
        if not self.may(source, target):
            allowed = sorted(self._table.get(source, frozenset()))
            raise IllegalTransition(
                f"{self.name} cannot go from {source} to {target}",
                details={"from": str(source), "to": str(target), "allowed": allowed},
            )

    def sources(self, target: State) -> frozenset[State]:
        """States from which `target` can be reached in one step."""
        return frozenset(source for source, targets in self._table.items() if target in targets)

    def is_final(self, state: State) -> bool:
        return not self._table.get(state)
