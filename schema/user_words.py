"""The enums of accounts, every value with its meaning. Declared before any type shows them."""

import domain.users
import domain.users.model
from domain.kernel.viewer import Role
from schema._words import words_of

words_of(
    Role,
    description="What our own database says somebody may be.",
    values={
        "USER": "Everybody who has an account.",
        "DEVELOPER": "May explore the schema in production and use free documents.",
        "SUPPORT": "Helps people: sees accounts masked, freezes and unfreezes them.",
        "COMPLIANCE": "Reviews people and cases; may see personal data for a written reason.",
        "TREASURY": "Looks into the ledger, corrects it by two, moves the platform's own funds.",
        "ADMIN": "Says who of staff may what. Made and unmade by two administrators.",
    },
)
words_of(
    domain.users.model.UserState,
    description="What an account is.",
    values={
        "ACTIVE": "In use.",
        "FROZEN": "Nobody can sign in until support unfreezes it.",
        "ERASING": "Will be erased on a day that is set; in use until then.",
        "ERASED": "Gone, with all personal data.",
    },
)
words_of(
    domain.users.model.FrozenBy,
    description="Who froze an account.",
    values={"OWNER": "Its owner.", "STAFF": "Somebody of staff."},
)
words_of(
    domain.users.model.Topic,
    name="NotificationTopic",
    description="What a notification is about.",
    values={
        "SECURITY": "Sign-ins, sessions, freezing, roles.",
        "ACCOUNT": "Everything else about the account.",
        "WALLET": "Money that comes and goes.",
        "TRADING": "Orders and positions.",
        "PRICE_ALERTS": "Prices that reached what was set.",
        "NEWS": "What is new on the platform.",
    },
)
words_of(
    domain.users.model.Channel,
    name="NotificationChannel",
    description="How a notification reaches somebody.",
    values={"INBOX": "The inbox here.", "PUSH": "The telephone.", "EMAIL": "E-mail."},
)
words_of(
    domain.users.model.Theme,
    description="How clients look.",
    values={"SYSTEM": "As the device does.", "LIGHT": "Light.", "DARK": "Dark."},
)
words_of(
    domain.users.model.Locale,
    description="Languages that texts exist in.",
    values={"EN": "English.", "RU": "Russian."},
)
words_of(
    domain.users.model.SessionEnd,
    description="Why a session is over.",
    values={
        "SIGNED_OUT": "Signed out from within.",
        "REVOKED": "Revoked by the owner, from another session.",
        "REVOKED_BY_STAFF": "Revoked by staff.",
        "ACCOUNT_FROZEN": "The account was frozen.",
        "ACCOUNT_ERASED": "The account was erased.",
    },
)
words_of(
    domain.users.model.ActivityResult,
    description="How an action ended.",
    values={"SUCCEEDED": "Done.", "DENIED": "Refused.", "FAILED": "Broke."},
)
words_of(
    domain.users.model.ProposalState,
    description="Where a change that needs two people stands.",
    values={"OPEN": "Waits for the second.", "APPROVED": "Done.", "REJECTED": "Refused."},
)
words_of(
    domain.users.Action,
    description="What can be asked about before it is done.",
    values={
        "UPDATE_PROFILE": "`updateProfile`.",
        "UPDATE_LEGAL_IDENTITY": "`updateProfile` of legal name, date of birth or country.",
        "REVOKE_SESSION": "`revokeSession` and `revokeOtherSessions`.",
        "FREEZE_ACCOUNT": "`freezeMyAccount`.",
        "EXPORT_DATA": "`exportMyData`.",
        "ERASE_ACCOUNT": "`eraseMyAccount`.",
        "USE_BACK_OFFICE": "Anything below `admin`.",
        "HELP_PEOPLE": "Finding accounts, masked; freezing, ending sessions, notes.",
        "READ_AUDIT_LOG": "`auditLog` and `auditCsv` below `admin`.",
        "REVEAL_PERSONAL_DATA": "`adminRevealUser`.",
        "UNFREEZE_ACCOUNTS": "`adminUnfreezeUser`.",
        "CHANGE_ROLES": "`adminGrantRole` and the proposals of administrators.",
        "READ_LEDGER": "Anything below `admin { ledger }`.",
        "FREEZE_WALLETS": "`adminFreezeWallet`.",
        "TRANSFER_FUNDS": "`transferFunds`, in general: `previewTransfer` answers for an amount.",
        "REQUEST_STATEMENT": "`requestStatement`.",
        "UNFREEZE_WALLETS": "`adminUnfreezeWallet`.",
        "CORRECT_LEDGER": "Adjustments, reversals and `adminVoidHold`.",
    },
)
