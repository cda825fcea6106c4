"""Every way we know to spoil a request, made from the OpenAPI document itself."""

import json
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from tests.driving import one_app

Json = Any
GOOD: Mapping[str, Json] = {
    "region": "US", "text": "Some plain words.", "reason": "A plain reason.",
    "note": "A plain note.", "basis": 0, "answers": {}, "actions": ["weigh both sides now"],
}  # fmt: skip
"""Values that a schema's text does not tell."""
STREAMS = {"/v1/stream", "/v1/sessions/{session_id}/stream"}
DEEP = b"[" * 20_000 + b"]" * 20_000


class Operation(NamedTuple):
    """One call of the API."""

    method: str
    path: str
    parameters: tuple[tuple[str, str], ...]
    """Where and what, for instance ``("query", "page_size")``."""
    body: Json
    """The schema of its body; None without one."""
    needs_key: bool
    """Whether it is refused without an `Idempotency-Key`."""
    needs_body: bool

    @property
    def name(self) -> str:
        """What a test is called by."""
        return f"{self.method} {self.path}"


def operations() -> tuple[Operation, ...]:
    """Give every call that the API document lists."""
    document = one_app().openapi()
    found: list[Operation] = []
    for path, methods in document["paths"].items():
        for method, about in methods.items():
            sent = about.get("requestBody", {})
            content = sent.get("content", {})
            schema = content.get("application/json", {}).get("schema")
            takes = about.get("parameters", ())
            named = tuple((one["in"], one["name"]) for one in takes)
            key = any(one["name"] == "Idempotency-Key" and one["required"] for one in takes)
            found.append(
                Operation(method.upper(), path, named, schema, key, bool(sent.get("required")))
            )
    return tuple(found)


def resolved(schema: Json) -> Json:
    """Give a schema with its reference followed."""
    if "$ref" in schema:
        schemas: Json = one_app().openapi()["components"]["schemas"]
        return schemas[schema["$ref"].rsplit("/", 1)[1]]
    return schema


def sample(schema: Json, name: str = "") -> Json:
    """Give a plain value that a schema allows."""
    schema = resolved(schema)
    if name in GOOD:
        return GOOD[name]
    if "anyOf" in schema:
        return sample(schema["anyOf"][0], name)
    if "enum" in schema or "const" in schema:
        return schema.get("const", schema.get("enum", [None])[0])
    match schema.get("type"):
        case "object":
            wanted = schema.get("required", ())
            return {key: sample(schema["properties"][key], key) for key in wanted}
        case "array":
            return [sample(schema["items"], name)] * schema.get("minItems", 0)
        case "integer" | "number":
            return schema.get("minimum", 0)
        case "boolean":
            return False
        case _:
            return "plain"


def spoiled_values() -> Iterator[bytes]:
    """Give JSON texts that are wrong for nearly every field."""
    for value in (
        None, True, -1, 1.5, 2**70, "", " ", "x", "\0", "a\x07b", "a\x9fb", "\ufffe", "x" * 5_000,
        "\ud800", "a\udfff", [], [[]], ["\ud800"], ["\0"] * 3, {}, {"a": {"\0": "\ud800"}},
        {"name": "\ud800"}, "2" * 300, "'; DROP TABLE rows; --", "../../etc/passwd", "\u202e",
    ):  # fmt: skip
        yield json.dumps(value).encode()
    yield from (b"1e999", b"NaN", b"-Infinity", b"0" * 30 + b"1", b"9" * 5_000, DEEP)


def spoiled_bodies() -> Iterator[tuple[str, bytes]]:
    """Give whole bodies that are not what any call expects, with their content type."""
    plain = "application/json"
    for body in (
        b"", b"null", b"[]", b'"x"', b"1", b"{", b"{}", b'{"a":1,"a":2}',
        b"\xff\xfe", b"\xef\xbb\xbf{}",
        b'{"text":"\xc3\x28"}', b'{"\\ud800": 1}', DEEP, b'{"text":' + DEEP + b"}",
        b'{"text":"' + b"x" * 70_000 + b'"}', b" " * 70_000,
    ):  # fmt: skip
        yield plain, body
    yield "text/plain", b'{"text": "Hello."}'
    yield "application/x-www-form-urlencoded", b"text=Hello"
    yield "multipart/form-data", b"text"
    yield "application/json; charset=utf-16", '{"text": "Hello."}'.encode("utf-16")


def spoiled_fields(schema: Json) -> Iterator[bytes]:
    """Give bodies with one field spoiled at a time, one left out, and one too many."""
    schema = resolved(schema)
    good = sample(schema)
    for name in schema.get("properties", {}):
        for value in spoiled_values():
            rest = {key: kept for key, kept in good.items() if key != name}
            text = json.dumps(rest).encode()
            comma = b"," if rest else b""
            yield text[:-1] + comma + json.dumps(name).encode() + b":" + value + b"}"
        yield json.dumps({key: kept for key, kept in good.items() if key != name}).encode()
    yield json.dumps({**good, "unheard_of": 1}).encode()


def mistyped_fields(schema: Json) -> Iterator[tuple[str, bytes]]:
    """Give bodies in which one value, however deep, is of another type, and where it stands."""
    for where, body in mistyped(schema):
        yield where, json.dumps(body).encode()


def mistyped(schema: Json, name: str = "") -> Iterator[tuple[str, Json]]:
    """Give values of another type than a schema says, in whole or in one part."""
    schema = resolved(schema)
    kinds = [resolved(one) for one in schema.get("anyOf", (schema,))]
    types = {one.get("type") for one in kinds}
    if None in types:
        return
    for value in (None, True, 1, 1.5, "1", "yes", [], {}):
        if TYPES[type(value)] not in types:
            yield "", value
    for one in kinds:
        for part, (key, inner) in _parts(one, name):
            for where, value in mistyped(inner, key):
                good = sample(one) if "properties" in one else {}
                yield f".{part}{where}", [value] if part == 0 else {**good, part: value}


TYPES: Mapping[type, str] = {
    type(None): "null", bool: "boolean", int: "integer", float: "number", str: "string",
    list: "array", dict: "object",
}  # fmt: skip


def _parts(schema: Json, name: str) -> Iterator[tuple[Json, tuple[str, Json]]]:
    """Give what a value is made of: its place, the name it goes by, and its schema."""
    for key, inner in schema.get("properties", {}).items():
        yield key, (key, inner)
    if "items" in schema:
        yield 0, (name, schema["items"])
    if isinstance(schema.get("additionalProperties"), dict):
        keys = resolved(schema.get("propertyNames", {})).get("enum", ["plain"])
        yield keys[0], (keys[0], schema["additionalProperties"])


SPOILED_TEXTS = (
    "", "x", "-1", "0", "999999999999999999999999", "1.5", "x" * 400, "\x00", "\x07", "é", "\ud7ff",
    "%00", "..", "ses_", "drf_1.", "a.b.c", "'; --", "null", "true", "W10", "WzFd", "eyJ9",
)  # fmt: skip
"""For queries, paths and headers."""
