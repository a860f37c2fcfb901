"""The one exception of this package."""


class ServersError(Exception):
    """The embedded servers can not run here; the message says why and what a person can do."""
