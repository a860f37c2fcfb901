"""The sandbox's identity service: Firebase Auth spoken over real sockets, with state that stays."""

from adapters.sandbox.identity.app import CERTIFICATES_PATH, TOKEN_LIFE_SECONDS, create_identity
from adapters.sandbox.identity.demo import DEMO_USERS, PASSWORD, DemoUser, demo_roles

__all__ = [
    "CERTIFICATES_PATH",
    "DEMO_USERS",
    "PASSWORD",
    "TOKEN_LIFE_SECONDS",
    "DemoUser",
    "create_identity",
    "demo_roles",
]
