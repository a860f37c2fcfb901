"""What stands in front of a resolver: who may, and whether it is still them.

The policy of a field is plain metadata; it is enforced here and nowhere else, in front of every
resolver that has one, nested fields included.
"""

import inspect
from collections.abc import Callable, Mapping
from hashlib import sha256
from typing import Any

import strawberry
from graphql import GraphQLError

from domain.kernel.errors import Forbidden, Unauthenticated, UserError
from domain.kernel.policy import Audience, FieldPolicy, refusal
from domain.users.errors import AccountFrozen, SessionEnded, StepUpRequired
from schema._dress import dressed


def guard_errors(policy: FieldPolicy) -> frozenset[type[UserError]]:
    """What the guard of such a field may answer; a payload has to list all of it."""
    errors: set[type[UserError]] = set()
    if policy.audience is not Audience.ANYONE:
        errors.add(Unauthenticated)
    if policy.audience is Audience.STAFF:
        errors.add(Forbidden)
    if policy.step_up is not None:
        errors |= {StepUpRequired, SessionEnded, AccountFrozen}
    return frozenset(errors)


def guarded(resolver: Callable[..., Any], policy: FieldPolicy, *, payload: bool) -> Any:
    """``resolver`` behind ``policy``; a payload lists the refusal, elsewhere it is an error."""

    async def call(*positional: Any, info: strawberry.Info[Any, None], **arguments: Any) -> Any:
        refused = await _refusal(policy, info, arguments)
        if refused is not None:
            if payload:
                if isinstance(refused, Forbidden):
                    await info.context.users.denials.note(info.context.viewer, info.field_name)
                return refused
            raise coded_error(refused)
        if wants_info:
            arguments["info"] = info
        return await resolver(*positional, **arguments)

    signature = inspect.signature(resolver)
    wants_info = "info" in signature.parameters
    if not wants_info:
        info = inspect.Parameter(
            "info", inspect.Parameter.KEYWORD_ONLY, annotation=strawberry.Info[Any, None]
        )
        signature = signature.replace(parameters=[*signature.parameters.values(), info])
    return dressed(call, resolver, signature)


async def _refusal(
    policy: FieldPolicy, info: strawberry.Info[Any, None], arguments: Mapping[str, Any]
) -> UserError | None:
    viewer = info.context.viewer
    refused: UserError | None = refusal(policy, viewer)
    if refused is None and policy.step_up is not None:
        # Last: who may not do it at all is not asked to sign in again for it, and spends nothing.
        operation = operation_digest(info.field_name, arguments)
        refused = await info.context.users.step_up.refusal(viewer, policy.step_up, operation)
    return refused


def operation_digest(field_name: str, arguments: Mapping[str, Any]) -> str:
    """What a step-up is spent on: this field with this very input, of which nothing is kept."""
    return f"{field_name}:{sha256(repr(sorted(arguments.items())).encode()).hexdigest()[:32]}"


def coded_error(error: UserError) -> GraphQLError:
    """The unmasked GraphQL error that shows ``error`` where no union can list it."""
    extensions: dict[str, Any] = {"code": str(error.code), "userError": True, **error.details}
    if error.path is not None:
        extensions["argument"] = ".".join(error.path)
    return GraphQLError(error.message, extensions=extensions)
