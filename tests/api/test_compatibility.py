"""Clients of the stored schema go on working; and what would break them is told by name."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from typing import Any

import pytest

from selflearn_site.api.compatibility import breaking_changes
from selflearn_site.api.stored import schema_now, schema_path, schema_text

Document = dict[str, Any]


def _document() -> Document:
    answer = {
        "type": "object",
        "required": ["id"],
        "properties": {"id": {"type": "integer"}, "note": {"anyOf": [{"type": "string"}, {"type": "null"}]}},
    }
    asked = {
        "type": "object",
        "required": ["text"],
        "additionalProperties": False,
        "properties": {"text": {"type": "string"}, "kind": {"type": "string", "enum": ["a", "b"]}},
    }

    def content(name: str) -> Document:
        return {"content": {"application/json": {"schema": {"$ref": f"#/components/schemas/{name}"}}}}

    post = {"parameters": [], "requestBody": {**content("In"), "required": True}, "responses": {"201": content("Out")}}
    listing = {
        "parameters": [{"in": "query", "name": "limit", "required": False}],
        "responses": {"200": {"content": {"application/json": {"schema": {"type": "array", "items": answer}}}}},
    }
    return {"paths": {"/x": {"post": post, "get": listing}}, "components": {"schemas": {"In": asked, "Out": answer}}}


def _in(document: Document) -> Document:
    return document["components"]["schemas"]["In"]  # type: ignore[no-any-return]


def _out(document: Document) -> Document:
    return document["components"]["schemas"]["Out"]  # type: ignore[no-any-return]


BREAKS: list[tuple[str, Callable[[Document], object], str]] = [
    ("path", lambda d: d["paths"].pop("/x"), "POST /x: is gone"),
    ("method", lambda d: d["paths"]["/x"].pop("get"), "GET /x: is gone"),
    ("status", lambda d: d["paths"]["/x"]["post"]["responses"].pop("201"), "POST /x: never answers 201 any more"),
    ("parameter", lambda d: d["paths"]["/x"]["get"]["parameters"].clear(), "GET /x: the parameter limit is gone"),
    ("needed parameter", lambda d: d["paths"]["/x"]["get"]["parameters"][0].update(required=True),
     "GET /x: the parameter limit must be given now"),
    ("answer field", lambda d: _out(d)["properties"].pop("id"), "POST /x: 201: the field id is gone"),
    ("answer type", lambda d: _out(d)["properties"].update(id={"type": "string"}),
     "POST /x: 201.id: was integer, is string"),
    ("answer optional", lambda d: _out(d)["required"].clear(), "POST /x: 201: the field id may be missing now"),
    ("answer null", lambda d: _out(d)["properties"].update(id={"anyOf": [{"type": "integer"}, {"type": "null"}]}),
     "POST /x: 201.id: was integer, is integer or null"),
    ("request field", lambda d: _in(d)["properties"].pop("kind"), "POST /x: request: the field kind is gone"),
    ("request needs", lambda d: _in(d)["required"].append("kind"),
     "POST /x: request: the field kind must be given now"),
    ("request enum", lambda d: _in(d)["properties"]["kind"]["enum"].remove("b"),
     "POST /x: request.kind: does not take b any more"),
]  # fmt: skip
ADDS: list[tuple[str, Callable[[Document], object]]] = [
    ("path", lambda d: d["paths"].update({"/y": d["paths"]["/x"]})),
    ("answer field", lambda d: _out(d)["properties"].update(more={"type": "string"})),
    ("request field", lambda d: _in(d)["properties"].update(more={"type": "string"})),
    ("parameter", lambda d: d["paths"]["/x"]["get"]["parameters"].append({"in": "query", "name": "q"})),
    ("request enum", lambda d: _in(d)["properties"]["kind"]["enum"].append("c")),
    ("answer never null", lambda d: _out(d)["properties"].update(note={"type": "string"})),
]


@pytest.mark.parametrize(("change", "said"), [item[1:] for item in BREAKS], ids=[item[0] for item in BREAKS])
def test_change__that_breaks_clients__is_told(change: Callable[[Document], object], said: str) -> None:
    new = copy.deepcopy(_document())
    change(new)
    assert said in breaking_changes(_document(), new)


@pytest.mark.parametrize("change", [item[1] for item in ADDS], ids=[item[0] for item in ADDS])
def test_change__that_adds__breaks_nobody(change: Callable[[Document], object]) -> None:
    new = copy.deepcopy(_document())
    change(new)
    assert new != _document()
    assert breaking_changes(_document(), new) == []


def test_schema__against_the_stored_one__breaks_no_client_and_is_stored() -> None:
    stored = schema_path().read_text(encoding="utf-8")
    broken = breaking_changes(json.loads(stored), schema_now())
    assert not broken, "clients of docs/openapi.json would break:\n" + "\n".join(broken)
    assert stored == schema_text(schema_now()), "nothing breaks; store what was added: python manage.py openapi_doc"
