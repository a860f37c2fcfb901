"""Errors as Firebase's services say them: ``{"error": {"code", "message", "errors"}}``.

The message is a code of Google's, with a detail behind " : " where clients show one. Clients map
these words to their own errors, so that they are part of the protocol.
"""

from typing import Any

import orjson
from starlette.responses import Response

Answer = dict[str, Any]


class Refused(Exception):
    """The request is answered with an error; nothing of it was done."""

    def __init__(self, code: str, detail: str = "", *, status: int = 400, word: str = "") -> None:
        """``word``: Google's name of the HTTP status, which some errors carry."""
        super().__init__(f"{code} : {detail}" if detail else code)
        self.code = code
        self.detail = detail
        self.status = status
        self.word = word


def malformed(what: str) -> Refused:
    """The request is not one of the protocol."""
    return Refused(f"Invalid JSON payload received. {what}", word="INVALID_ARGUMENT")


def as_json(content: object, status: int = 200) -> Response:
    return Response(
        orjson.dumps(content),
        status_code=status,
        media_type="application/json",
        headers={"cache-control": "no-store"},
    )


def as_error(refused: Refused) -> Response:
    reason = {"message": str(refused), "reason": "invalid", "domain": "global"}
    error: Answer = {"code": refused.status, "message": str(refused), "errors": [reason]}
    if refused.word:
        error["status"] = refused.word
    return as_json({"error": error}, refused.status)
