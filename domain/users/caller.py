"""What a viewer is to this domain. Fields are guarded: whoever gets here signed in."""

from domain.kernel.ids import UserId
from domain.kernel.viewer import SignedIn, Viewer
from domain.users.model import Client, SessionId


def owner_of(viewer: Viewer) -> UserId:
    """The caller's own account. A ValueError is a field without a policy: a bug."""
    if viewer.user_id is None:
        raise ValueError("nobody is signed in")
    return viewer.user_id


def sign_in_of(viewer: Viewer) -> SignedIn:
    if viewer.signed_in is None:
        raise ValueError("nobody is signed in")
    return viewer.signed_in


def session_of(viewer: Viewer) -> SessionId:
    """The caller's own session."""
    return SessionId(sign_in_of(viewer).session_id)


def client_of(viewer: Viewer) -> Client:
    """Where the caller is, for the log."""
    signed_in = sign_in_of(viewer)
    return Client(signed_in.address, signed_in.agent, None)
