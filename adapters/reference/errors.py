"""docs/errors.md: every code the API can answer with, what it means, and what to do.

The registries (`GatewayErrorCode`, `FailureCode`, each domain's codes) say which codes there are;
a code without a meaning here, or a meaning without a code, fails a test and the check.
"""

from collections.abc import Sequence

from adapters.reference.account_errors import ACCOUNT_MEANINGS
from adapters.reference.meaning import FAILURE, KINDS, REQUEST, SIGNING_IN, USER, Meaning
from adapters.reference.wallet_errors import WALLET_MEANINGS

_HEAD = """# Error codes

Every code the API answers with. A code never changes its meaning and is never reused; new ones may
appear, so treat an unknown code like `INTERNAL`. [The guide](guides/errors.md) tells how errors
look and when to retry.

"""
_NOTE = "*Generated from the registries of codes by `python app.py schema --write`.*"


class NoMeaning(Exception):
    """Codes and meanings do not fit together."""


_ARGUMENT = "`argument`: the argument at fault"

MEANINGS: dict[str, Meaning] = {
    "BAD_REQUEST": Meaning(
        REQUEST,
        "The body is no GraphQL request.",
        "Mend the client.",
    ),
    "DOCUMENT_LIMIT_EXCEEDED": Meaning(
        REQUEST,
        "The document asks for more than one request may: too long, too deep, too many aliases.",
        "Split it; [limits](limits.md) has the bounds.",
        extensions="`limit`: which one; `allowed`, `found`: how many",
    ),
    "HEAD_TOO_LARGE": Meaning(
        REQUEST, "The head of the request is larger than is taken.", "Send fewer, shorter headers."
    ),
    "NOT_ACCEPTABLE": Meaning(
        REQUEST,
        "None of the types in `Accept` can be answered.",
        "Accept `application/graphql-response+json` or `application/json`.",
    ),
    "OPERATION_RESOLUTION_FAILURE": Meaning(
        REQUEST,
        "It is not clear which operation of the document to run.",
        "Send `operationName` when the document has several.",
    ),
    "OPERATION_TIMEOUT": Meaning(
        FAILURE,
        "The operation took longer than it may. For anything but a read the outcome is unknown.",
        "Ask for less, or repeat a read.",
        retryable=True,
    ),
    "OVERLOADED": Meaning(
        FAILURE,
        "This process has as much work as it can do. Nothing was done.",
        "Repeat after `retryAfterMs`.",
        retryable=True,
    ),
    "PERSISTED_QUERY_NOT_FOUND": Meaning(
        REQUEST, "No document is kept under this id.", "Send its text as `query`."
    ),
    "PERSISTED_QUERY_NOT_SUPPORTED": Meaning(
        REQUEST, "Documents are not kept by hash.", "Send the text as `query`."
    ),
    "SUBSCRIPTION_NEEDS_STREAM": Meaning(
        REQUEST,
        "A subscription was sent where only one answer can come back.",
        "Use a WebSocket, or POST with `Accept: text/event-stream`.",
    ),
    "UNSUPPORTED_MEDIA_TYPE": Meaning(
        REQUEST, "The body is not JSON in UTF-8.", "Send `Content-Type: application/json`."
    ),
    "BAD_USER_INPUT": Meaning(
        REQUEST,
        "A variable or argument has a value its type does not take, such as a float for a Decimal.",
        "Send what the message asks for.",
    ),
    "GRAPHQL_PARSE_FAILED": Meaning(
        REQUEST, "The document is not GraphQL.", "Mend it at the place in `locations`."
    ),
    "GRAPHQL_VALIDATION_FAILED": Meaning(
        REQUEST,
        "The document does not fit the schema.",
        "Mend it; check documents against docs/schema.graphql when you build your client.",
    ),
    "METHOD_NOT_ALLOWED": Meaning(
        REQUEST,
        "The address does not take this HTTP method, or a GET came without the preflight header.",
        "Send operations by POST.",
    ),
    "NOT_FOUND": Meaning(
        REQUEST,
        "Nothing is at this address. As a user error: there is no such thing, or it is not the "
        "caller's to see; both look the same.",
        "Operations go to `/graphql`. Send ids as they came, and list again what may be gone.",
    ),
    "ORIGIN_FORBIDDEN": Meaning(
        REQUEST,
        "A page of this origin may not call.",
        "Ask the operator to list the origin in OKD_ALLOWED_ORIGINS.",
    ),
    "PAYLOAD_TOO_LARGE": Meaning(
        REQUEST, "The body is larger than is taken.", "Send less at once; use variables."
    ),
    "RATE_LIMITED": Meaning(
        REQUEST,
        "Too many requests, operations or sockets from this address.",
        "Wait `retryAfterMs`, then go on more slowly. Subscribe instead of polling.",
        retryable=True,
    ),
    "REQUEST_TIMEOUT": Meaning(REQUEST, "The body did not arrive in time.", "Send it in one go."),
    "TOO_MANY_SUBSCRIPTIONS": Meaning(
        REQUEST,
        "One socket has as many operations as it may.",
        "Complete one first. `tickers` watches up to 100 instruments in one subscription.",
    ),
    "BAD_INPUT": Meaning(
        USER,
        "A value has the right type and still makes no sense here: out of bounds, or no cursor of "
        "this list.",
        "Change the argument as the message says.",
        extensions=_ARGUMENT,
    ),
    "FORBIDDEN": Meaning(
        USER,
        "You are known, and may not.",
        "Ask for the role ([who may what](authorization.md)); repeating does not help.",
    ),
    "NO_SUCH_HISTORY": Meaning(
        USER,
        "The instrument is of a kind that has no such thing: spot has no funding.",
        "Ask for it of a perpetual, in category LINEAR.",
        extensions=_ARGUMENT,
    ),
    "TOO_MANY_INSTRUMENTS": Meaning(
        USER,
        "The list is longer than one request may ask for.",
        "Split it.",
        extensions=f"{_ARGUMENT}; `most`: how many are taken",
    ),
    "UNAUTHENTICATED": Meaning(
        SIGNING_IN,
        "Nobody is signed in, and the field needs somebody.",
        "[Sign in](guides/signing-in.md), then send it again.",
    ),
    "UNKNOWN_INSTRUMENT": Meaning(
        USER,
        "There is no such instrument in that category.",
        "Take one of `near`, or look with `searchInstruments`.",
        extensions=f"{_ARGUMENT}; `near`: up to three likely symbols",
    ),
    "CONFLICT": Meaning(
        FAILURE,
        "Somebody else changed the same thing first. Nothing was done.",
        "Read it again, then repeat.",
        retryable=True,
    ),
    "INTERNAL": Meaning(
        FAILURE,
        "A bug of ours. Text and cause stay in our log, under the correlation id.",
        "Report it with `correlationId`.",
    ),
    "TIMED_OUT": Meaning(
        FAILURE,
        "Something we need did not answer in time. For anything but a read the outcome is unknown.",
        "Repeat reads; look before repeating anything else.",
        retryable=True,
    ),
    "UNAVAILABLE": Meaning(
        FAILURE,
        "Something we need is away. Nothing was done.",
        "Repeat after `retryAfterMs`, or after a second that doubles each time.",
        retryable=True,
    ),
    "UPSTREAM_REJECTED": Meaning(
        FAILURE,
        "The exchange understood the request and refuses it.",
        "Do not repeat it; the same request fails again.",
    ),
    **ACCOUNT_MEANINGS,
    **WALLET_MEANINGS,
}


def page(codes: Sequence[str]) -> str:
    """The page docs/errors.md.

    Raises NoMeaning when a code has no meaning, or a meaning no code.
    """
    if set(codes) != MEANINGS.keys():
        odd = ", ".join(sorted(set(codes) ^ MEANINGS.keys()))
        raise NoMeaning(f"adapters/reference/errors.py: codes and meanings are at odds: {odd}")
    parts = [f"{_HEAD}{_overview()}"]
    for kind in KINDS:
        parts.append(f"## {kind}")
        parts += [_section(c, m) for c, m in sorted(MEANINGS.items()) if m.kind == kind]
    return "\n\n".join([*parts, _NOTE]) + "\n"


def _overview() -> str:
    rows = [
        f"| [`{code}`](#{code.lower()}) | {meaning.kind} | {_yes(meaning)} | {meaning.means} |"
        for code, meaning in sorted(MEANINGS.items())
    ]
    return "\n".join(["| code | kind | retry | means |", "|---|---|---|---|", *rows])


def _section(code: str, meaning: Meaning) -> str:
    lines = [f"- Retry: {_yes(meaning)}", f"- Do: {meaning.do}"]
    if meaning.extensions:
        lines.append(f"- In `extensions`: {meaning.extensions}")
    return f"### {code}\n\n{meaning.means}\n\n" + "\n".join(lines)


def _yes(meaning: Meaning) -> str:
    return "yes" if meaning.retryable else "no"
