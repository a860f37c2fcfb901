"""How the GraphQL schema shows the domain: views, computed fields, streams, policies.

Resolvers return domain objects; a view shows them attribute by attribute. The policy of a field
is plain metadata on it, enforced here in front of the resolver, so that no executor or transport
can reach a resolver around it.
"""

import inspect
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping, Sequence
from dataclasses import fields
from inspect import getattr_static
from typing import Any, TypeVar, cast

import strawberry
from graphql import GraphQLError
from strawberry.tools import merge_types
from strawberry.types.base import get_object_definition

from domain.kernel.errors import UserError
from domain.kernel.policy import Audience, FieldPolicy, StreamRules, refusal

T = TypeVar("T", bound=type)
V = TypeVar("V")
Stream = AsyncGenerator[V, None]
"""How the values of a subscription field are declared."""

_MISSING = object()


def view_of(shown: type, *, description: str, name: str | None = None) -> Callable[[T], T]:
    """Declare the GraphQL type that shows instances of ``shown``.

    Raises TypeError while importing when a plain field shows nothing: a rename in the domain
    cannot silently empty the API.
    """

    def declare(cls: T) -> T:
        def is_type_of(obj: object, _info: object) -> bool:
            return isinstance(obj, shown)

        cast("Any", cls).is_type_of = is_type_of
        cast("Any", cls).__shows__ = shown
        declared = strawberry.type(cls, name=name, description=description)
        known = {field.name for field in fields(shown)}
        for field in get_object_definition(declared, strict=True).fields:
            attribute = field.python_name
            computed = field.base_resolver is not None
            if computed or attribute in known or _has(shown, attribute):
                continue
            raise TypeError(f"{cls.__name__}.{attribute} shows nothing of {shown.__qualname__}")
        return declared

    return declare


def _has(shown: type, attribute: str) -> bool:
    return getattr_static(shown, attribute, _MISSING) is not _MISSING


def resolved_by(
    resolver: Callable[..., Awaitable[Any]],
    *,
    description: str,
    policy: FieldPolicy | None = None,
    takes: type | None = None,
    shown_as: Mapping[str, Any] | None = None,
    payload: bool = False,
    deprecation_reason: str | None = None,
) -> Any:
    """A field computed by ``resolver``.

    Args:
        resolver: An async function over domain objects.
        description: What the field means, with its limits.
        policy: Who may use it. Mandatory on root fields; elsewhere none means that nobody has
            thought about sharing what it gives, so that no shared execution may hold it.
        takes: An input type whose ``to_command()`` is handed to the resolver as ``command``.
        shown_as: For resolver parameters of a domain type: the input type, or list of it, that
            clients send instead; its ``to_domain()`` is called on each.
        payload: The field is a union that lists its user errors. Elsewhere a returned user error
            becomes an unmasked GraphQL error with its code.
        deprecation_reason: "... removed after YYYY-MM-DD".
    """
    call: Callable[..., Any] = resolver
    if takes is not None:
        call = _commanded(call, takes)
    if shown_as is not None:
        call = _translated(call, shown_as)
    if not payload:
        call = _coded(call)
    # A field for anyone inside of another is resolved thousands of times; there is nothing to ask.
    guards = policy is not None and policy.audience is not Audience.ANYONE
    return strawberry.field(
        resolver=_guarded(call, policy, payload=payload) if policy and guards else call,
        description=description,
        deprecation_reason=deprecation_reason,
        metadata={"policy": policy},
    )


def streamed_by(
    resolver: Callable[..., Awaitable[Any]],
    *,
    description: str,
    policy: FieldPolicy,
    shown_as: Mapping[str, Any] | None = None,
    rules: StreamRules | None = None,
) -> Any:
    """A subscription fed by ``resolver``, which returns a generator or a user error.

    ``rules`` say what a transport may do with its values. A user error is raised before the stream
    begins, so that the operation fails as a whole and the client gets one error, not an empty
    stream.
    """
    call: Callable[..., Any] = resolver
    if shown_as is not None:
        call = _translated(call, shown_as)
    return strawberry.subscription(
        resolver=_guarded(_coded(call), policy, payload=False),
        description=description,
        metadata={"policy": policy, "rules": rules or StreamRules()},
    )


def root_type(name: str, parts: Sequence[type], *, description: str) -> type:
    """Merge the domains' parts of a root type.

    Raises TypeError when a field has no policy: what nobody thought about is for nobody.
    """
    for part in parts:
        for field in get_object_definition(part, strict=True).fields:
            if not isinstance(field.metadata.get("policy"), FieldPolicy):
                raise TypeError(f"{name}.{field.python_name} has no policy: say who may use it")
    merged = merge_types(name, tuple(parts))
    get_object_definition(merged, strict=True).description = description
    return merged


def coded_error(error: UserError) -> GraphQLError:
    """The unmasked GraphQL error that shows ``error`` where no union can list it."""
    extensions: dict[str, Any] = {"code": str(error.code), "userError": True, **error.details}
    if error.path is not None:
        extensions["argument"] = ".".join(error.path)
    return GraphQLError(error.message, extensions=extensions)


def _guarded(
    resolver: Callable[..., Any], policy: FieldPolicy, *, payload: bool
) -> Callable[..., Any]:
    async def call(*positional: Any, info: strawberry.Info[Any, None], **arguments: Any) -> Any:
        refused = refusal(policy, info.context.viewer)
        if refused is not None:
            if payload:
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
    return _dressed(call, resolver, signature)


def _commanded(resolver: Callable[..., Any], takes: type) -> Callable[..., Any]:
    async def call(*positional: Any, **arguments: Any) -> Any:
        return await resolver(*positional, command=arguments.pop("input").to_command(), **arguments)

    signature = inspect.signature(resolver)
    parameters = [
        inspect.Parameter("input", inspect.Parameter.KEYWORD_ONLY, annotation=takes)
        if name == "command"
        else parameter.replace(kind=inspect.Parameter.KEYWORD_ONLY)
        for name, parameter in signature.parameters.items()
    ]
    return _dressed(call, resolver, signature.replace(parameters=parameters))


def _translated(resolver: Callable[..., Any], shown_as: Mapping[str, Any]) -> Callable[..., Any]:
    async def call(*positional: Any, **arguments: Any) -> Any:
        for name in shown_as:
            arguments[name] = _to_domain(arguments[name])
        return await resolver(*positional, **arguments)

    signature = inspect.signature(resolver)
    parameters = [
        parameter.replace(annotation=shown_as.get(name, parameter.annotation))
        for name, parameter in signature.parameters.items()
    ]
    return _dressed(call, resolver, signature.replace(parameters=parameters))


def _to_domain(value: Any) -> Any:
    return [item.to_domain() for item in value] if isinstance(value, list) else value.to_domain()


def _coded(resolver: Callable[..., Any]) -> Callable[..., Any]:
    async def call(*positional: Any, **arguments: Any) -> Any:
        found = await resolver(*positional, **arguments)
        if isinstance(found, UserError):
            raise coded_error(found)
        return found

    return _dressed(call, resolver, inspect.signature(resolver))


def _dressed(
    call: Callable[..., Any], resolver: Callable[..., Any], signature: inspect.Signature
) -> Callable[..., Any]:
    """Give ``call`` the resolver's face: strawberry reads arguments off the signature."""
    dressed = cast("Any", call)
    dressed.__name__ = resolver.__name__
    dressed.__module__ = resolver.__module__
    dressed.__doc__ = resolver.__doc__
    dressed.__signature__ = signature
    dressed.__annotations__ = {n: p.annotation for n, p in signature.parameters.items()} | {
        "return": signature.return_annotation
    }
    dressed.__resolver__ = getattr(resolver, "__resolver__", resolver)
    return call
