"""The codes about who is calling and what becomes of their account."""

from adapters.reference.meaning import SIGNING_IN, USER, Meaning

ACCOUNT_MEANINGS: dict[str, Meaning] = {
    "TOKEN_INVALID": Meaning(
        SIGNING_IN,
        "The ID token is not one that is taken here: another project, forged, or no token at all. "
        "401; 4403 on a socket.",
        "Sign in again. Do not send the same token twice.",
    ),
    "TOKEN_EXPIRED": Meaning(
        SIGNING_IN,
        "The ID token was good, and its hour is over. 401; 4403 on a socket.",
        "Refresh it with Firebase and send the new one. On a socket renew before it expires: "
        "[the guide](guides/signing-in.md#stay-signed-in).",
    ),
    "SESSION_ENDED": Meaning(
        SIGNING_IN,
        "The session was ended: by signing out, from another device, or by staff. "
        "401; 4403 on a socket.",
        "Sign in again. Refreshing does not help.",
    ),
    "ROLES_CHANGED": Meaning(
        SIGNING_IN,
        "What the caller may has changed since the socket was opened, so it was closed with 4403.",
        "Connect again with the same token, and look at `viewer { roles }`.",
    ),
    "ACCOUNT_FROZEN": Meaning(
        SIGNING_IN,
        "The account is frozen, by its owner or by staff. 403; 4403 on a socket.",
        "Tell the person to write to support: only they unfreeze it.",
    ),
    "ACCOUNT_ERASED": Meaning(
        SIGNING_IN,
        "The account of this sign-in is gone for good. 403; 4403 on a socket.",
        "Sign the person out. A new account needs a new sign-up.",
    ),
    "EMAIL_NOT_VERIFIED": Meaning(
        USER,
        "The action needs an e-mail address that is proven to be the person's own.",
        "Have Firebase send a verification mail; refresh the token when the link was followed.",
    ),
    "STEP_UP_REQUIRED": Meaning(
        USER,
        "The action asks for a fresh sign-in with a second factor. Each such sign-in counts once.",
        "Sign in again with one of `methods`, then send the very same operation with the new "
        "token: [the guide](guides/signing-in.md#step-up). No methods: enrol one first.",
        extensions="`maxAgeSeconds`: how old the sign-in may be; `methods`: `totp`, `phone`. "
        "As member of a result they are fields",
    ),
    "LEGAL_IDENTITY_LOCKED": Meaning(
        USER,
        "Legal name, date of birth and country were submitted for verification.",
        "Show them read-only (`profile { legalIdentityLocked }`); they are changed there.",
    ),
    "CANNOT_ERASE": Meaning(
        USER,
        "The account still holds what must not vanish: balances, positions, or a legal hold.",
        "Show `reasons`; try again when they are settled.",
        extensions="`reasons`: `BALANCES`, `POSITIONS`, `LEGAL_HOLD`. As member of a result it is "
        "a field",
    ),
    "OWN_ROLES": Meaning(
        USER, "Nobody changes their own roles.", "Ask another administrator to do it."
    ),
    "NEEDS_SECOND_PERSON": Meaning(
        USER,
        "Who proposed something does not decide it.",
        "Have somebody else of staff decide.",
    ),
    "ALREADY_DECIDED": Meaning(
        USER,
        "The proposal is no longer open.",
        "Read `admin { openProposals }` or `admin { ledger { adjustments } }` again; make a new "
        "proposal if it is still wanted.",
    ),
    "RESYNC_REQUIRED": Meaning(
        USER,
        "Events behind this cursor are no longer kept, or never were.",
        "Read the account anew, then follow without `after`: "
        "[the guide](guides/account-events.md#away-for-too-long).",
        extensions="`oldestCursor`: everything behind it is still kept",
    ),
}
