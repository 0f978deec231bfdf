"""Would a client of the stored schema break on this one? Pure: two OpenAPI documents in, sentences out.

A client breaks when an address, a method, a status or a field of an answer goes away, when a field of an answer
changes its type, and when a request must say more than before or may say less. What is added beside breaks nobody.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

Document = dict[str, Any]
_METHODS = ("get", "post", "put", "patch", "delete")
_DEEPEST = 12
"""Schemas may refer to themselves."""


def breaking_changes(old: Document, new: Document) -> list[str]:
    """Each as a sentence with its place; empty when every client of `old` can talk to `new`."""
    return list(_paths(old, new))


def _paths(old: Document, new: Document) -> Iterator[str]:
    for path, methods in old["paths"].items():
        for method in (name for name in methods if name in _METHODS):
            place = f"{method.upper()} {path}"
            after = new["paths"].get(path, {}).get(method)
            if after is None:
                yield f"{place}: is gone"
                continue
            yield from _parameters(methods[method], after, place)
            yield from _request(old, methods[method], new, after, place)
            yield from _answers(old, methods[method], new, after, place)


def _parameters(before: Document, after: Document, place: str) -> Iterator[str]:
    known = {(item["in"], item["name"]): item for item in before.get("parameters", ())}
    found = {(item["in"], item["name"]): item for item in after.get("parameters", ())}
    for key in known.keys() - found.keys():
        yield f"{place}: the parameter {key[1]} is gone"
    for key, item in found.items():
        if item.get("required") and not known.get(key, {}).get("required"):
            yield f"{place}: the parameter {key[1]} must be given now"


def _request(old: Document, before: Document, new: Document, after: Document, place: str) -> Iterator[str]:
    was, now = _body(before.get("requestBody")), _body(after.get("requestBody"))
    if now is None:
        if was is not None:
            yield f"{place}: takes no body any more"
        return
    if was is None:
        if after["requestBody"].get("required"):
            yield f"{place}: needs a body now"
        return
    yield from _compared(old, was, new, now, f"{place}: request", request=True)


def _answers(old: Document, before: Document, new: Document, after: Document, place: str) -> Iterator[str]:
    for status, answer in before["responses"].items():
        if not status.startswith("2"):
            continue
        if status not in after["responses"]:
            yield f"{place}: never answers {status} any more"
            continue
        was, now = _body(answer), _body(after["responses"][status])
        if was is not None and now is None:
            yield f"{place}: {status} has no body any more"
        elif was is not None and now is not None:
            yield from _compared(old, was, new, now, f"{place}: {status}", request=False)


def _body(holder: Document | None) -> Document | None:
    content = (holder or {}).get("content", {})
    schema: Document | None = content.get("application/json", {}).get("schema")
    return schema


def _compared(
    old: Document, was: Document, new: Document, now: Document, place: str, *, request: bool, depth: int = 0
) -> Iterator[str]:
    was, now = _resolved(old, was), _resolved(new, now)
    if depth > _DEEPEST:
        return
    kinds, after = _kinds(old, was), _kinds(new, now)
    # A request may be allowed more kinds, an answer may have fewer; the other way round breaks.
    lost = kinds - after if request else after - kinds
    if kinds and after and lost:
        yield f"{place}: was {_named(kinds)}, is {_named(after)}"
        return
    yield from _allowed(was, now, place, request=request)
    fields, left = was.get("properties", {}), now.get("properties", {})
    for name in fields:
        if name in left:
            deeper = f"{place}.{name}"
            yield from _compared(old, fields[name], new, left[name], deeper, request=request, depth=depth + 1)
        elif not request or now.get("additionalProperties") is False:
            yield f"{place}: the field {name} is gone"
    required, needed = set(was.get("required", ())), set(now.get("required", ()))
    for name in sorted(needed - required if request else (required - needed) & left.keys()):
        yield f"{place}: the field {name} {'must be given now' if request else 'may be missing now'}"
    if "items" in was and "items" in now:
        deeper = f"{place}[]"
        yield from _compared(old, was["items"], new, now["items"], deeper, request=request, depth=depth + 1)


def _allowed(was: Document, now: Document, place: str, *, request: bool) -> Iterator[str]:
    before, after = was.get("enum"), now.get("enum")
    if request and after is not None:
        gone = sorted(map(str, set(before) - set(after))) if before else ["anything else"]
        if gone:
            yield f"{place}: does not take {', '.join(gone)} any more"


def _kinds(document: Document, schema: Document) -> frozenset[str]:
    """The JSON types that it allows; empty: any."""
    schema = _resolved(document, schema)
    if "anyOf" in schema:
        parts = [_kinds(document, part) for part in schema["anyOf"]]
        return frozenset().union(*parts) if all(parts) else frozenset()
    kind = schema.get("type")
    return frozenset([kind] if isinstance(kind, str) else kind or ())


def _resolved(document: Document, schema: Document) -> Document:
    while "$ref" in schema:
        schema = document["components"]["schemas"][schema["$ref"].rsplit("/", 1)[1]]
    alone = [part for part in schema.get("anyOf", ()) if part.get("type") != "null"]
    if len(alone) == 1 and "properties" not in schema and "$ref" in alone[0]:
        target = _resolved(document, alone[0])
        return {**target, "type": [str(target.get("type", "object")), "null"]}
    return schema


def _named(kinds: frozenset[str]) -> str:
    return " or ".join(sorted(kinds))
