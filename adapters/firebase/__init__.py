"""Firebase Authentication: verifying ID tokens ourselves, administration through firebase-admin."""

from adapters.firebase.admin import FirebaseAdmin
from adapters.firebase.certificates import Certificates, KeptText
from adapters.firebase.verifier import TokenVerifier

__all__ = [
    "Certificates",
    "FirebaseAdmin",
    "KeptText",
    "TokenVerifier",
]
