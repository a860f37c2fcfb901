"""The bounds of a document, and the one way to say that one is passed."""

from dataclasses import dataclass

from graphql import Node

from adapters.gateway.errors import GatewayErrorCode, Refusal
from adapters.settings import Settings


@dataclass(frozen=True, slots=True)
class DocumentLimits:
    """Each is the largest that is still admitted. docs/limits.md says why they are what they are.

    ``introspection_depth`` holds below ``__schema`` and ``__type`` in place of ``depth``.
    """

    characters: int = 32_768
    tokens: int = 2000
    operations: int = 10
    fragments: int = 50
    selections: int = 1000
    depth: int = 12
    introspection_depth: int = 16
    repeats: int = 25
    aliases: int = 30
    directives: int = 30
    root_fields: int = 20
    mutation_fields: int = 5
    list_items: int = 200
    errors: int = 5
    cached_characters: int = 262_144

    @classmethod
    def of(cls, settings: Settings) -> "DocumentLimits":
        return cls(
            characters=settings.document_characters_max,
            tokens=settings.document_tokens_max,
            operations=settings.document_operations_max,
            fragments=settings.document_fragments_max,
            selections=settings.document_selections_max,
            depth=settings.document_depth_max,
            introspection_depth=settings.document_introspection_depth_max,
            repeats=settings.document_repeats_max,
            aliases=settings.document_aliases_max,
            directives=settings.document_directives_max,
            root_fields=settings.document_root_fields_max,
            mutation_fields=settings.document_mutation_fields_max,
            list_items=settings.list_items_max,
            errors=settings.request_errors_max,
            cached_characters=settings.document_cache_characters_max,
        )


def over(
    limit: str, sentence: str, *, allowed: int, found: int, node: Node | None = None
) -> Refusal:
    """The refusal of what passes ``limit``. ``found`` is where counting stopped, not the whole."""
    return Refusal(
        GatewayErrorCode.DOCUMENT_LIMIT_EXCEEDED,
        f"{sentence}: {allowed} allowed, {found} or more found.",
        nodes=node,
        details={"limit": limit, "allowed": allowed, "found": found},
    )
