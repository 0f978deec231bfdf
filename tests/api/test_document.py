"""The OpenAPI document says of each route what is so of it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from typing import Any

from pydantic import BaseModel

from selflearn_site.api.assembly import api


def _models(kind: Any, seen: set[Any]) -> Iterator[type[BaseModel]]:
    if isinstance(kind, type) and issubclass(kind, BaseModel):
        if kind in seen:
            return
        seen.add(kind)
        yield kind
        for field in kind.model_fields.values():
            yield from _models(field.annotation, seen)
    for part in getattr(kind, "__args__", None) or ():
        yield from _models(part, seen)


def test_schemas__of_all_routes__have_names_of_their_own() -> None:
    """Of two with one name the document shows one, for both."""
    seen: set[Any] = set()
    named: dict[str, set[str]] = defaultdict(set)
    for _, router in api._routers:
        for view in router.path_operations.values():
            for operation in view.operations:
                for kind in (*operation.models, *operation.response_models.values()):
                    for model in _models(kind, seen):
                        if not model.__module__.startswith("ninja"):
                            named[model.__name__].add(model.__module__)
    assert len(named) > 60
    assert {name: rooms for name, rooms in named.items() if len(rooms) > 1} == {}
