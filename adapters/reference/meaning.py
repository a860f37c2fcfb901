"""What there is to say of one error code."""

from dataclasses import dataclass

REQUEST = "The request"
SIGNING_IN = "Signing in"
USER = "User errors"
FAILURE = "Failures and bugs"
KINDS = (REQUEST, SIGNING_IN, USER, FAILURE)


@dataclass(frozen=True, slots=True)
class Meaning:
    """What a client's programmer has to know of one code."""

    kind: str
    means: str
    do: str
    retryable: bool = False
    extensions: str = ""
    """Fields of `extensions` beside the common ones."""
