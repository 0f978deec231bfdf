"""A client that knows nothing of the API but its OpenAPI document, and holds every call and answer against it."""

from __future__ import annotations

import json
import urllib.error
import urllib.parse
import urllib.request
import uuid
from typing import Any, NamedTuple

from jsonschema import Draft202012Validator, FormatChecker

ADDRESS = "/api/v1/openapi.json"


class Answer(NamedTuple):
    status: int
    body: Any


class Operation(NamedTuple):
    method: str
    path: str
    spec: dict[str, Any]


class Documented:
    def __init__(self, base: str, *, token: str = ""):
        self._base, self._token = base, token
        self.document: dict[str, Any] = json.loads(self._send("GET", ADDRESS).read(), object_pairs_hook=once)

    def operation(self, name: str) -> Operation:
        """The one operation with this id."""
        (found,) = (
            Operation(method.upper(), path, spec)
            for path, methods in self.document["paths"].items()
            for method, spec in methods.items()
            if spec["operationId"] == name
        )
        return found

    def body_of(self, name: str, **known: Any) -> dict[str, Any]:
        """A request body from its schema: what is known, and a made-up value for whatever else is required."""
        schema = self.resolved(self.operation(name).spec["requestBody"]["content"]["application/json"]["schema"])
        unknown = set(known) - set(schema["properties"])
        assert not unknown, f"the document knows no {unknown}"
        made_up = {field: self._made_up(schema["properties"][field]) for field in schema["required"]}
        return made_up | known

    def call(self, name: str, *, body: Any = None, sound: bool = True, **parameters: Any) -> Answer:
        """One call. The answer's status is documented and its body is of the documented shape. With `sound` false the
        request itself may break the document."""
        operation = self.operation(name)
        if body is not None and sound:
            self.check(body, operation.spec["requestBody"]["content"]["application/json"]["schema"])
        path = self._path(operation, parameters, sound)
        data = body if isinstance(body, bytes) else None if body is None else json.dumps(body).encode()
        secure = bool(operation.spec.get("security"))
        with self._send(operation.method, path, data, secure=secure) as response:
            status, content = response.status, response.read()
            kind = response.headers["Content-Type"].split(";")[0]
        documented = operation.spec["responses"].get(str(status))
        assert documented is not None, f"{name} answered {status}, which the document does not know: {content!r}"
        answer = json.loads(content)
        self.check(answer, documented["content"][kind]["schema"])
        return Answer(status, answer)

    def check(self, value: Any, schema: dict[str, Any]) -> None:
        """Raises jsonschema's `ValidationError`."""
        whole = {**schema, "components": self.document["components"]}
        Draft202012Validator(whole, format_checker=FormatChecker()).validate(value)

    def resolved(self, schema: dict[str, Any]) -> dict[str, Any]:
        found: Any = schema
        while "$ref" in found:
            place = found["$ref"].removeprefix("#/").split("/")
            found = self.document
            for step in place:
                found = found[step]
        return dict(found)

    def _path(self, operation: Operation, parameters: dict[str, Any], sound: bool) -> str:
        path, query, left = operation.path, {}, dict(parameters)
        for parameter in operation.spec.get("parameters", ()):
            name = parameter["name"]
            if name not in left:
                assert not parameter["required"], f"{name} is required"
                continue
            value = left.pop(name)
            if sound:
                self.check(value, parameter["schema"])
            if parameter["in"] == "path":
                path = path.replace("{" + name + "}", urllib.parse.quote(str(value)))
            else:
                query[name] = value
        assert not left, f"the document knows no parameter {set(left)}"
        return path + ("?" + urllib.parse.urlencode(query) if query else "")

    def _made_up(self, schema: dict[str, Any]) -> Any:
        schema = self.resolved(schema)
        if schema.get("format") == "uuid":
            return str(uuid.uuid4())
        return schema["examples"][0] if "examples" in schema else schema["default"]

    def _send(self, method: str, path: str, data: bytes | None = None, *, secure: bool = False) -> Any:
        headers = {"Accept": "application/json", "Content-Type": "application/json"}
        if secure and self._token:
            schemes = self.document["components"]["securitySchemes"].values()
            assert any((scheme["type"], scheme.get("scheme")) == ("http", "bearer") for scheme in schemes)
            headers["Authorization"] = f"Bearer {self._token}"
        request = urllib.request.Request(self._base + path, data=data, headers=headers, method=method)  # noqa: S310  local
        try:
            return urllib.request.urlopen(request, timeout=60)  # noqa: S310  local
        except urllib.error.HTTPError as error:
            return error


def once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """A JSON object whose names are different, as RFC 8259 wants them."""
    found = dict(pairs)
    assert len(found) == len(pairs), f"a name stands twice among {[name for name, _ in pairs]}"
    return found
