"""What one client may ask of a web process, from its first byte to its last subscription.

docs/limits.md explains the bounds of documents, docs/operations.md those of connections.
"""

from pydantic import Field, field_validator
from pydantic_settings import BaseSettings

_PARTIAL_STATUSES = (200, 294)


class GatewaySettings(BaseSettings):
    """Bounds, deadlines and paces of the gateway."""

    flood_limit: str = Field(
        "6000/minute",
        pattern=r"^\d+/(second|minute|hour)$",
        description="Requests one address may send to one web process; a guard against floods.",
    )
    connections_max: int = Field(
        10_000,
        ge=1,
        le=1_000_000,
        description="Open connections of one port of one process; fewer where the limit of open "
        "files says so. More get 503.",
    )
    connections_per_address: int = Field(
        200,
        ge=1,
        le=1_000_000,
        description="Open connections of one peer (IPv6: of its /64) to one web process; more get "
        "429. Proxies of `OKD_TRUSTED_PROXIES` have no such cap.",
    )
    sockets_per_address: int = Field(
        100,
        ge=1,
        le=1_000_000,
        description="Open WebSockets of one client (IPv6: of its /64), as forwarded by trusted "
        "proxies, at one web process; more get 429.",
    )
    head_timeout_seconds: float = Field(
        10.0,
        gt=0,
        le=120,
        description="Longest wait for a request's line and headers, from the moment of connecting "
        "or from the request's first byte.",
    )
    body_timeout_seconds: float = Field(
        15.0,
        gt=0,
        le=300,
        description="Longest wait for a request's whole body.",
    )
    write_timeout_seconds: float = Field(
        30.0,
        gt=0,
        le=600,
        description="How long a client may leave 64 KiB of its answer unread before it is cut.",
    )
    keep_alive_seconds: int = Field(
        75,
        ge=1,
        le=3600,
        description="How long an idle connection is kept for the next request. Let proxies in "
        "front close theirs earlier, or some of their requests meet a closed one.",
    )
    head_bytes_max: int = Field(
        16_384,
        ge=1024,
        le=65_536,
        description="Size of a request's line and headers; larger ones get 431.",
    )
    url_bytes_max: int = Field(
        8192, ge=256, le=65_536, description="Length of a request's address; longer ones get 414."
    )
    compression_bytes_min: int = Field(
        1024,
        ge=1,
        description="Answers of this size and more are compressed (zstd, br or gzip) for clients "
        "that accept it.",
    )
    body_bytes_max: int = Field(
        262_144, ge=1024, le=16_777_216, description="Longest body of a request, in bytes."
    )
    operation_deadline_seconds: float = Field(
        15.0,
        gt=0,
        le=300,
        description="Longest execution of a query or mutation, and of a subscription's start; "
        "after it the resolvers are cancelled.",
    )
    document_characters_max: int = Field(
        32_768, ge=256, description="Longest GraphQL document, in characters."
    )
    document_tokens_max: int = Field(
        2000, ge=50, le=20_000, description="Most lexical tokens of a document."
    )
    document_depth_max: int = Field(
        12, ge=1, le=60, description="Deepest nesting of fields, fragments counted as written out."
    )
    document_introspection_depth_max: int = Field(
        16,
        ge=1,
        le=60,
        description="The same below `__schema` and `__type`; the tools' own query needs 15.",
    )
    document_selections_max: int = Field(
        1000,
        ge=1,
        description="Most fields and spreads of a document, fragments counted as written out.",
    )
    document_repeats_max: int = Field(
        25, ge=1, description="How often one selection may ask for the same field."
    )
    document_aliases_max: int = Field(
        30, ge=0, description="Most aliases of a document, fragments counted as written out."
    )
    document_directives_max: int = Field(30, ge=0, description="Most directives of a document.")
    document_root_fields_max: int = Field(
        20, ge=1, description="Most fields at the root of a query."
    )
    document_mutation_fields_max: int = Field(
        5, ge=1, description="Most fields at the root of a mutation; they run one after another."
    )
    document_operations_max: int = Field(10, ge=1, description="Most operations of a document.")
    document_fragments_max: int = Field(50, ge=0, description="Most fragments of a document.")
    document_cache_characters_max: int = Field(
        262_144,
        ge=0,
        description="How much text of documents stays parsed and validated, in characters; each "
        "holds up to 280 bytes. 0 keeps none.",
    )
    list_items_max: int = Field(
        200, ge=1, description="Longest list in an argument, literal or in a variable."
    )
    request_errors_max: int = Field(
        5, ge=1, le=100, description="How many errors of one document are looked for and told."
    )
    partial_result_status: int = Field(
        200,
        description="HTTP status of an answer with data and errors, for clients that accept "
        "`application/graphql-response+json`: 200, or 294 as the draft of the specification says.",
    )
    socket_init_seconds: float = Field(
        10.0, gt=0, le=60, description="Longest wait for a socket's `connection_init`."
    )
    socket_ping_seconds: float = Field(
        20.0, gt=0, le=300, description="How often a socket is pinged."
    )
    socket_silence_seconds: float = Field(
        60.0,
        gt=0,
        le=3600,
        description="A socket that sends nothing for so long, no answer to a ping either, is "
        "closed with 1001.",
    )
    socket_operations_max: int = Field(
        100, ge=1, le=1000, description="Operations one socket may run at a time."
    )
    socket_pings_per_minute: int = Field(
        300, ge=1, description="Pings a client may send; beyond it, it is closed with 4429."
    )
    socket_bytes_kept_max: int = Field(
        8_388_608,
        ge=65_536,
        description="What is kept for one socket that does not read, in bytes; beyond it, it is "
        "closed with 1013 (4412 where it has to resume).",
    )
    socket_opens_per_second: float = Field(
        400.0,
        gt=0,
        description="New sockets one web process takes in, so that those who are connected are "
        "served meanwhile; the rest of a storm waits its turn.",
    )
    socket_opens_burst: int = Field(
        200, ge=1, description="How many of them at once, after a quiet while."
    )
    socket_open_wait_seconds: float = Field(
        20.0,
        gt=0,
        le=120,
        description="Longest wait for that turn; who would wait longer gets 503 at once.",
    )
    subscription_groups_max: int = Field(
        10_000,
        ge=1,
        description="Different shared subscriptions one web process executes at a time.",
    )
    subscription_groups_per_socket: int = Field(
        500, ge=1, description="Different shared subscriptions one socket takes part in."
    )
    subscription_groups_per_caller: int = Field(
        2_000,
        ge=1,
        description="Different shared subscriptions that all connections of one account take part "
        "in, or, while nobody is signed in, of one address; in each web process.",
    )
    stream_ping_seconds: float = Field(
        12.0, gt=0, le=300, description="How often an event stream (SSE) gets a comment."
    )
    stream_stall_seconds: float = Field(
        10.0,
        gt=0,
        le=300,
        description="A reader that takes nothing for so long is given up: sockets with 1013, "
        "event streams by cutting the connection.",
    )

    @field_validator("partial_result_status")
    @classmethod
    def _check_partial_status(cls, status: int) -> int:
        if status not in _PARTIAL_STATUSES:
            raise ValueError("must be 200 or 294")
        return status
