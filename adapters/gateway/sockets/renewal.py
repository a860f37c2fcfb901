"""A newer token over a living socket: a ``ping`` that carries one, answered by a ``pong``.

graphql-transport-ws has no message for it, and lets a ping carry what it likes. The answer never
holds what was sent.
"""

from adapters.gateway.access import Stay
from adapters.gateway.desk import ConnectionInfo, OperationDesk
from adapters.gateway.identity import AccessRefused
from domain.kernel.errors import Forbidden, Unauthenticated, UserError
from domain.kernel.failures import Failure

RENEWED = "renewed"


async def renewed(
    stay: Stay | None, connection: ConnectionInfo, desk: OperationDesk
) -> dict[str, object]:
    """Renew the stay if the token is good and the same person's; the payload that tells.

    What is refused leaves everything as it is: the stay ends with the token it has.
    """
    if stay is None or stay.viewer.user_id is None:
        return _refused(Unauthenticated())
    try:
        viewer = await desk.identify(connection)
    except AccessRefused as refused:
        return _refused(refused.error)
    except Failure as failure:
        return {RENEWED: False, "code": failure.code, "message": failure.message}
    if viewer.signed_in is None:
        return _refused(Unauthenticated())
    if viewer.user_id != stay.viewer.user_id:
        return _refused(Forbidden())
    stay.renew(viewer)
    return {RENEWED: True, "expiresAt": viewer.signed_in.expires_at.isoformat()}


def _refused(error: UserError) -> dict[str, object]:
    return {RENEWED: False, "code": error.code, "message": error.message}
