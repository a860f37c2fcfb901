"""Media types of requests and answers, after GraphQL over HTTP and RFC 9110.

An answer is ``application/graphql-response+json`` for who asks for it, and ``application/json``
for everybody else: its status codes mean what they mean only with the former.
"""

import re
from functools import lru_cache

from starlette.datastructures import Headers

MODERN_MEDIA_TYPE = "application/graphql-response+json"
LEGACY_MEDIA_TYPE = "application/json"

_UTF8 = frozenset({"utf-8", "utf8"})
_QUALITY = re.compile(r"(?:0(?:\.\d{0,3})?|1(?:\.0{0,3})?)", re.ASCII)


def media_type_for(headers: Headers) -> str | None:
    """What to answer a request of ``headers`` with; None when it takes nothing we have."""
    # Several Accept headers are one list (RFC 9110 5.3).
    return answer_media_type(", ".join(headers.getlist("accept")) or None)


@lru_cache(maxsize=256)
def answer_media_type(accept: str | None) -> str | None:
    """The same of an Accept header.

    The higher quality wins, then the range that names the type in full. Somebody who names both
    alike understands the modern one; somebody who takes anything is given plain JSON.
    """
    if accept is None or not accept.strip():
        return LEGACY_MEDIA_TYPE
    ranges = _ranges(accept)
    legacy, modern = _rank(LEGACY_MEDIA_TYPE, ranges), _rank(MODERN_MEDIA_TYPE, ranges)
    if max(legacy, modern)[0] == 0:
        return None
    if modern > legacy or (modern == legacy and modern[1] == _EXACT):
        return MODERN_MEDIA_TYPE
    return LEGACY_MEDIA_TYPE


@lru_cache(maxsize=256)
def is_json_body(content_type: str) -> bool:
    """Whether a body of ``content_type`` is JSON in UTF-8, as far as its header says."""
    kind, parameters = _split(content_type)
    charset = parameters.get("charset", "utf-8")
    return kind == LEGACY_MEDIA_TYPE and charset in _UTF8


_NOTHING, _ANY, _FAMILY, _EXACT = range(4)


def _rank(media_type: str, ranges: dict[str, float]) -> tuple[float, int]:
    """Quality and closeness of the range that fits best: the closest one decides."""
    family = media_type.partition("/")[0]
    for closeness, name in ((_EXACT, media_type), (_FAMILY, f"{family}/*"), (_ANY, "*/*")):
        if name in ranges:
            return ranges[name], closeness
    return 0.0, _NOTHING


def _ranges(accept: str) -> dict[str, float]:
    ranges: dict[str, float] = {}
    for part in accept.split(","):
        kind, parameters = _split(part)
        quality = parameters.get("q", "1")
        readable = parameters.get("charset", "utf-8") in _UTF8
        if kind and readable and _QUALITY.fullmatch(quality):
            ranges[kind] = max(float(quality), ranges.get(kind, 0.0))
    return ranges


def _split(value: str) -> tuple[str, dict[str, str]]:
    """A media type and its parameters, in lower case."""
    kind, *rest = value.lower().split(";")
    parameters = {}
    for item in rest:
        name, _, content = item.partition("=")
        parameters[name.strip()] = content.strip().strip('"')
    return kind.strip(), parameters
