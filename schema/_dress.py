"""Wrapping a resolver without changing its face: strawberry reads arguments off the signature."""

import inspect
from collections.abc import Callable, Mapping
from typing import Annotated, Any, cast

import strawberry

from domain.kernel.errors import UserError
from schema._ids import decode_id

Call = Callable[..., Any]


def dressed(call: Call, resolver: Call, signature: inspect.Signature) -> Call:
    """Give ``call`` the resolver's face, with another signature."""
    face = cast("Any", call)
    face.__name__ = resolver.__name__
    face.__module__ = resolver.__module__
    face.__doc__ = resolver.__doc__
    face.__signature__ = signature
    face.__annotations__ = {n: p.annotation for n, p in signature.parameters.items()} | {
        "return": signature.return_annotation
    }
    face.__resolver__ = getattr(resolver, "__resolver__", resolver)
    return call


def commanded(resolver: Call, takes: Any) -> Call:
    """Hand over what ``input.to_command()`` gives; a user error of it is the answer."""

    async def call(*positional: Any, **arguments: Any) -> Any:
        command = arguments.pop("input").to_command()
        if isinstance(command, UserError):
            return command
        return await resolver(*positional, command=command, **arguments)

    signature = inspect.signature(resolver)
    shown = Annotated[takes, strawberry.argument(description="What is wanted.")]
    parameters = [
        inspect.Parameter("input", inspect.Parameter.KEYWORD_ONLY, annotation=shown)
        if name == "command"
        else parameter.replace(kind=inspect.Parameter.KEYWORD_ONLY)
        for name, parameter in signature.parameters.items()
    ]
    return dressed(call, resolver, signature.replace(parameters=parameters))


def translated(resolver: Call, shown_as: Mapping[str, Any]) -> Call:
    """Hand over what ``to_domain()`` of each input gives; a user error of it is the answer."""

    async def call(*positional: Any, **arguments: Any) -> Any:
        for name in shown_as:
            if arguments.get(name) is None:  # left out, and may be
                continue
            found = _to_domain(arguments[name])
            if isinstance(found, UserError):
                return found
            arguments[name] = found
        return await resolver(*positional, **arguments)

    signature = inspect.signature(resolver)
    parameters = [
        parameter.replace(annotation=shown_as.get(name, parameter.annotation))
        for name, parameter in signature.parameters.items()
    ]
    return dressed(call, resolver, signature.replace(parameters=parameters))


def identified(resolver: Call, ids: Mapping[str, str]) -> Call:
    """Hand over the UUIDs inside global ids; one of another type is the client's mistake."""

    async def call(*positional: Any, **arguments: Any) -> Any:
        for name, kind in ids.items():
            found = decode_id(arguments[name], kind, argument=name)
            if isinstance(found, UserError):
                return found
            arguments[name] = found
        return await resolver(*positional, **arguments)

    signature = inspect.signature(resolver)
    parameters = [
        parameter.replace(annotation=_id_of(ids[name])) if name in ids else parameter
        for name, parameter in signature.parameters.items()
    ]
    return dressed(call, resolver, signature.replace(parameters=parameters))


def _id_of(kind: str) -> Any:
    return Annotated[strawberry.ID, strawberry.argument(description=f"The id of a {kind}.")]


def _to_domain(value: Any) -> Any:
    return [item.to_domain() for item in value] if isinstance(value, list) else value.to_domain()
