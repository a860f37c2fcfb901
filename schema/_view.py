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
from strawberry.tools import merge_types
from strawberry.types.base import get_object_definition

from domain.kernel.errors import UserError
from domain.kernel.policy import Audience, FieldPolicy, StreamRules
from schema._dress import Call, commanded, dressed, identified, translated
from schema._guard import coded_error, guarded

T = TypeVar("T", bound=type)
V = TypeVar("V")
Stream = AsyncGenerator[V, None]
"""How the values of a subscription field are declared."""

_MISSING = object()


def view_of(
    shown: type,
    *,
    description: str,
    name: str | None = None,
    when: Callable[[Any], bool] | None = None,
) -> Callable[[T], T]:
    """Declare the GraphQL type that shows instances of ``shown``.

    Args:
        shown: The class of the domain.
        description: What it is.
        name: When not the class's own.
        when: Of several types that show one class: whether this is the one for an instance.

    Raises TypeError while importing when a plain field shows nothing: a rename in the domain
    cannot silently empty the API.
    """

    def declare(cls: T) -> T:
        def is_type_of(obj: object, _info: object) -> bool:
            return isinstance(obj, shown) and (when is None or when(obj))

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


def success_of(shown: type, *, description: str, many: bool = False) -> Callable[[T], T]:
    """Declare the success of a mutation whose resolver returns ``shown``, or a list of them.

    It holds what was returned as a field declared with ``whole``: an entity is never a member of a
    union itself, so that a success can grow fields of its own.
    """

    def declare(cls: T) -> T:
        def is_type_of(obj: object, _info: object) -> bool:
            return isinstance(obj, list | tuple) if many else isinstance(obj, shown)

        cast("Any", cls).is_type_of = is_type_of
        cast("Any", cls).__shows__ = shown
        return strawberry.type(cls, description=description)

    return declare


def whole(*, description: str) -> Any:
    """The field of a success that shows what the resolver returned."""

    def itself(root: Any) -> Any:
        return root

    return strawberry.field(resolver=itself, description=description, metadata={"whole": True})


def _has(shown: type, attribute: str) -> bool:
    return getattr_static(shown, attribute, _MISSING) is not _MISSING


def resolved_by(
    resolver: Callable[..., Awaitable[Any]],
    *,
    description: str,
    policy: FieldPolicy | None = None,
    takes: type | None = None,
    shown_as: Mapping[str, Any] | None = None,
    ids: Mapping[str, str] | None = None,
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
        ids: For resolver parameters that are UUIDs: the type whose global id clients send instead.
        payload: The field is a union that lists its user errors. Elsewhere a returned user error
            becomes an unmasked GraphQL error with its code.
        deprecation_reason: "... removed after YYYY-MM-DD".
    """
    call: Call = resolver
    if takes is not None:
        call = commanded(call, takes)
    if shown_as is not None:
        call = translated(call, shown_as)
    if ids is not None:
        call = identified(call, ids)
    if not payload:
        call = _coded(call)
    # A field for anyone inside of another is resolved thousands of times; there is nothing to ask.
    guards = policy is not None and policy.audience is not Audience.ANYONE
    return strawberry.field(
        resolver=guarded(call, policy, payload=payload) if policy and guards else call,
        description=description,
        deprecation_reason=deprecation_reason,
        metadata={"policy": policy, "payload": payload, "takes": takes},
    )


def streamed_by(
    resolver: Callable[..., Awaitable[Any]],
    *,
    description: str,
    policy: FieldPolicy,
    shown_as: Mapping[str, Any] | None = None,
    ids: Mapping[str, str] | None = None,
    rules: StreamRules | None = None,
) -> Any:
    """A subscription fed by ``resolver``, which returns a generator or a user error.

    ``ids`` is as in ``resolved_by``; ``rules`` say what a transport may do with its values. A user
    error is raised before the stream begins, so that the operation fails as a whole and the client
    gets one error, not an empty stream.
    """
    call: Call = resolver
    if shown_as is not None:
        call = translated(call, shown_as)
    if ids is not None:
        call = identified(call, ids)
    return strawberry.subscription(
        resolver=guarded(_coded(call), policy, payload=False),
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


def _coded(resolver: Call) -> Call:
    async def call(*positional: Any, **arguments: Any) -> Any:
        found = await resolver(*positional, **arguments)
        if isinstance(found, UserError):
            raise coded_error(found)
        return found

    return dressed(call, resolver, inspect.signature(resolver))
