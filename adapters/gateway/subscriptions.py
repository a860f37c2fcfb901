"""How subscriptions go out, put together: executions shared by all, over sockets and event streams.

Beside application.py, which has the routes: what is here lives as long as the application does.
"""

from dataclasses import dataclass
from typing import Self

from strawberry.schema.schema import Schema

from adapters.gateway.desk import OperationDesk
from adapters.gateway.drain import Drain
from adapters.gateway.events import EventStreams, StreamLimits
from adapters.gateway.fanout.callers import Callers
from adapters.gateway.fanout.flusher import Flusher, OutboxLimits
from adapters.gateway.fanout.groups import GroupLimits
from adapters.gateway.fanout.pace import Pace
from adapters.gateway.fanout.sharing import Sharing
from adapters.gateway.flood import FloodGuard, SocketCaps
from adapters.gateway.operations import OperationRunner
from adapters.gateway.sockets import Services, SocketEndpoint, SocketLimits
from adapters.settings import Settings
from adapters.telemetry.metrics import Deliveries


@dataclass(frozen=True)
class Subscriptions:
    """Both transports over one set of executions, counted together."""

    sharing: Sharing
    """To be entered with the application: it owns the executions."""
    flusher: Flusher
    streams: EventStreams
    sockets: SocketEndpoint

    @classmethod
    def over(
        cls,
        graphql_schema: Schema,
        desk: OperationDesk,
        *,
        settings: Settings,
        drain: Drain,
        flood: FloodGuard,
        allowed_origins: frozenset[str],
    ) -> Self:
        """Nothing runs yet."""
        runner = OperationRunner(graphql_schema, desk)
        sharing = Sharing(
            graphql_schema,
            desk,
            limits=GroupLimits(groups=settings.subscription_groups_max),
            callers=_callers(settings),
        )
        flusher = Flusher(limits=_outbox_limits(settings))
        streams = EventStreams(
            runner,
            sharing=sharing,
            counters=flusher.counters,
            drain=drain,
            limits=_stream_limits(settings),
        )
        services = Services(
            runner=runner,
            sharing=sharing,
            flusher=flusher,
            limits=_socket_limits(settings),
            wait_seconds_of=flood.wait_seconds_of,
        )
        sockets = SocketEndpoint(
            services,
            flood=flood,
            caps=SocketCaps(settings.sockets_per_address),
            pace=_pace(settings),
            allowed_origins=allowed_origins,
        )
        return cls(sharing=sharing, flusher=flusher, streams=streams, sockets=sockets)

    def deliveries(self) -> Deliveries:
        """What has gone out so far, and what runs."""
        out, groups = self.flusher.counters, self.sharing.counters
        return Deliveries(
            delivered=out.deliveries,
            conflated=out.conflated,
            groups=groups.groups,
            members=groups.members,
            executions=groups.executions,
        )


def _socket_limits(settings: Settings) -> SocketLimits:
    return SocketLimits(
        init_seconds=settings.socket_init_seconds,
        ping_seconds=settings.socket_ping_seconds,
        silence_seconds=settings.socket_silence_seconds,
        operations_max=settings.socket_operations_max,
        pings_per_minute=settings.socket_pings_per_minute,
    )


def _stream_limits(settings: Settings) -> StreamLimits:
    return StreamLimits(
        ping_seconds=settings.stream_ping_seconds, stall_seconds=settings.stream_stall_seconds
    )


def _callers(settings: Settings) -> Callers:
    return Callers(
        of_connection_max=settings.subscription_groups_per_socket,
        of_owner_max=settings.subscription_groups_per_caller,
    )


def _outbox_limits(settings: Settings) -> OutboxLimits:
    return OutboxLimits(
        slow_reader_seconds=settings.stream_stall_seconds,
        bytes_max=settings.socket_bytes_kept_max,
    )


def _pace(settings: Settings) -> Pace:
    return Pace(
        per_second=settings.socket_opens_per_second,
        burst=settings.socket_opens_burst,
        longest_wait_seconds=settings.socket_open_wait_seconds,
    )
