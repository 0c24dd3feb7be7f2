"""Requests and answers against Etsy's own API description, where somebody has put it: ETSY_DESCRIPTION=oas.json.

It is Etsy's and not ours to ship. Without it everything is still checked against our own schema of the calls.
"""

import json
import os
import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

import httpx
from jsonschema import Draft4Validator

WHERE = "ETSY_DESCRIPTION"


@dataclass(frozen=True)
class Description:
    """Etsy's document."""

    document: dict[str, Any]

    def problems(self, request: httpx.Request, response: httpx.Response) -> list[str]:
        """What of this exchange is not as Etsy describes it."""
        template, operation = self.operation(request)
        found = [f"query {text}" for text in self._query(operation, request)]
        found += [f"body {text}" for text in self._body(operation, request)]
        return [*(f"{request.method} {template}: {text}" for text in found), *self.of_answer(request, response)]

    def of_answer(self, request: httpx.Request, response: httpx.Response) -> list[str]:
        """What of the answer alone is not so. Some refusals are lists, which nothing describes (issue 472)."""
        template, operation = self.operation(request)
        described, status = operation["responses"], str(response.status_code)
        if status not in described:
            return [f"{template}: no answer with status {status} is described"] if response.is_success else []
        content = described[status].get("content")
        if not content or (response.is_error and isinstance(response.json(), list)):
            return []
        return [f"{template}: answer {text}" for text in self._errors(_schema(content), response.json())]

    def operation(self, request: httpx.Request) -> tuple[str, dict[str, Any]]:
        """Etsy's entry for this request."""
        for template, methods in self.document["paths"].items():
            pattern = re.sub(r"\{[^}]+\}", "[^/]+", template)
            if request.method.lower() in methods and re.fullmatch(pattern, request.url.path):
                if "{" in template and request.url.path in self.document["paths"]:
                    continue
                return template, methods[request.method.lower()]
        raise AssertionError(f"Etsy has no {request.method} {request.url.path}")

    def _query(self, operation: dict[str, Any], request: httpx.Request) -> list[str]:
        known = {each["name"]: each["schema"] for each in operation.get("parameters", ()) if each["in"] == "query"}
        found = []
        for name, value in request.url.params.multi_items():
            found += (
                self._errors(known[name], _typed(known[name], value)) if name in known else [f"{name} is not described"]
            )
        return found

    def _body(self, operation: dict[str, Any], request: httpx.Request) -> list[str]:
        described = operation.get("requestBody", {}).get("content", {})
        kind = request.headers.get("content-type", "").partition(";")[0]
        if not described:
            return [f"{kind} is not described"] if request.content else []
        if kind not in described:
            return [f"{kind} is none of {list(described)}"]
        schema = described[kind]["schema"]
        if kind == "application/json":
            return self._errors(schema, json.loads(request.content))
        known = schema["properties"]
        fields = form_fields(request)
        found = [f"{name} is not described" for name in fields.keys() - known.keys()]
        return found + self._errors(schema, {n: _typed(known[n], v) for n, v in fields.items() if n in known})

    def _errors(self, schema: dict[str, Any], value: Any) -> list[str]:
        whole = {**_plain(schema), "components": _components(json.dumps(self.document["components"]))}
        return [f"{list(error.path)}: {error.message[:200]}" for error in Draft4Validator(whole).iter_errors(value)]


def at_hand() -> Description | None:
    """The document, if it is there."""
    path = os.environ.get(WHERE)
    return Description(json.loads(Path(path).read_text())) if path else None


def form_fields(request: httpx.Request) -> dict[str, str]:
    """The fields of a form body; a file part is the empty text."""
    kind = request.headers.get("content-type", "")
    if kind.startswith("application/x-www-form-urlencoded"):
        return dict(parse_qsl(request.content.decode(), keep_blank_values=True))
    if not kind.startswith("multipart/form-data"):
        return {}
    boundary = kind.partition("boundary=")[2].encode()
    found = {}
    for part in request.content.split(b"--" + boundary)[1:-1]:
        head, _, value = part.strip(b"\r\n").partition(b"\r\n\r\n")
        name = re.search(rb'name="([^"]+)"', head)
        assert name, "a part without a name"
        found[name[1].decode()] = "" if b"filename=" in head else value.decode()
    return found


def _typed(schema: dict[str, Any], text: str) -> Any:
    match schema.get("type"):
        case "integer":
            return int(text)
        case "number":
            return float(text)
        case "boolean":
            return {"true": True, "false": False}[text]
        case "array":
            return [_typed(schema["items"], part) for part in text.split(",")]
    return text


def _schema(content: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = content["application/json"]["schema"]
    return found


@cache
def _components(text: str) -> Any:
    return _plain(json.loads(text))


def _plain(schema: Any) -> Any:
    """OpenAPI 3.0's `nullable` as JSON Schema says it."""
    if isinstance(schema, list):
        return [_plain(each) for each in schema]
    if not isinstance(schema, dict):
        return schema
    found = {name: _plain(value) for name, value in schema.items() if name not in ("nullable", "default", "format")}
    if schema.get("nullable") is not True:
        return found
    if "enum" in found:
        found["enum"] = [*found["enum"], None]
    if "type" in found:
        found["type"] = [found["type"], "null"]
        return found
    return {"anyOf": [found, {"type": "null"}]}
