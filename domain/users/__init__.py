"""Users: who somebody is to us, how they sign in, what they set, what happened on their account."""

from domain.users.account import MyAccount
from domain.users.audit import Audit
from domain.users.authentication import Authentication
from domain.users.back_office import BackOffice
from domain.users.denials import Denials
from domain.users.erasure import Erasure
from domain.users.export import DataExport, Export
from domain.users.inbox import InboxConsumer, MyInbox
from domain.users.permissions import (
    ROLES_FOR,
    STEP_UP,
    Action,
    Obstacle,
    Permission,
    Permissions,
)
from domain.users.roles import Roles, make_first_admin
from domain.users.sessions import MySessions
from domain.users.step_up import StepUpCheck

__all__ = [
    "ROLES_FOR",
    "STEP_UP",
    "Action",
    "Audit",
    "Authentication",
    "BackOffice",
    "DataExport",
    "Denials",
    "Erasure",
    "Export",
    "InboxConsumer",
    "MyAccount",
    "MyInbox",
    "MySessions",
    "Obstacle",
    "Permission",
    "Permissions",
    "Roles",
    "StepUpCheck",
    "make_first_admin",
]
