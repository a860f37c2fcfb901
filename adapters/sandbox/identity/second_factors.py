"""Second factors: enrolling TOTP and phones, signing in with them, taking them away."""

from adapters.sandbox.identity import totp
from adapters.sandbox.identity.accounts import Account, Factor, iso
from adapters.sandbox.identity.answers import Answer, Refused
from adapters.sandbox.identity.realm import Realm, random_id
from adapters.sandbox.identity.requests import Body
from adapters.sandbox.identity.sessions import Caller
from adapters.sandbox.identity.slips import LIFE_SECONDS, Kind
from adapters.sandbox.identity.tokens import SignIn

_FACTORS_MAX = 5


class SecondFactors:
    """Identity Toolkit v2 accounts/mfaEnrollment:... and accounts/mfaSignIn:..."""

    def __init__(self, realm: Realm) -> None:
        self._realm = realm

    async def start_enrolment(self, body: Body) -> Answer:
        with self._realm.store.transaction():
            account = self._enrolling(body).account
            if "totpEnrollmentInfo" in body:
                return {"totpSessionInfo": self._start_totp(account)}
            phone = _part(body, "phoneEnrollmentInfo").phone()
            if not phone:
                raise Refused("MISSING_PHONE_NUMBER")
            if any(factor.phone == phone for factor in account.factors):
                raise Refused("SECOND_FACTOR_EXISTS")
            session = self._realm.send_code(phone, _purpose("enrol", account))
            return {"phoneSessionInfo": {"sessionInfo": session}}

    async def finish_enrolment(self, body: Body) -> Answer:
        """Tokens that tell of the factor, with the ``auth_time`` of the sign-in that was."""
        caller, now = self._enrolling(body), self._realm.now()
        account = caller.account
        factor = Factor(random_id(), body.text("displayName"), enrolled_at=now)
        if (answer := body.part("totpVerificationInfo")) is not None:
            factor.secret, factor.last_step = self._enrolled_secret(account, answer)
        else:
            answer = _part(body, "phoneVerificationInfo")
            factor.phone = self._phone(answer, _purpose("enrol", account))
        kind = f"{factor.kind}AuthInfo"
        with self._realm.store.transaction():
            account.factors.append(factor)
            sign_in = caller.sign_in
            enriched = SignIn(sign_in.provider, sign_in.signed_in_at, factor.kind, factor.id)
            tokens = self._realm.sessions.continued(account, enriched, now=now)
        return tokens | {kind: {}}

    async def withdraw(self, body: Body) -> Answer:
        factor_id = body.needed("mfaEnrollmentId", "MISSING_MFA_ENROLLMENT_ID")
        now = self._realm.now()
        with self._realm.store.transaction():
            caller = self._realm.sessions.recent_caller(body.text("idToken"), now=now)
            account, sign_in = caller.account, caller.sign_in
            if account.factor(factor_id) is None:
                raise Refused("MFA_ENROLLMENT_NOT_FOUND")
            account.factors = [other for other in account.factors if other.id != factor_id]
            if sign_in.factor_id == factor_id:
                sign_in = SignIn(sign_in.provider, sign_in.signed_in_at)
            return self._realm.sessions.continued(account, sign_in, now=now)

    async def start_sign_in(self, body: Body) -> Answer:
        """Send the code; an authenticator app needs none sent."""
        account, _, _ = self._pending(body)
        factor = self._chosen(account, body)
        if factor.phone is None:
            raise Refused("INVALID_ARGUMENT", "This second factor is not a phone.")
        with self._realm.store.transaction():
            session = self._realm.send_code(factor.phone, _purpose("second", account))
        return {"phoneResponseInfo": {"sessionInfo": session}}

    async def finish_sign_in(self, body: Body) -> Answer:
        account, provider, slip = self._pending(body)
        if (answer := body.part("totpVerificationInfo")) is not None:
            factor = self._chosen(account, body)
            code = answer.needed("verificationCode", "MISSING_CODE")
            self._use_totp(factor, code, slip)
        else:
            phone = self._phone(_part(body, "phoneVerificationInfo"), _purpose("second", account))
            factor = next((f for f in account.factors if f.phone == phone), None) or _none()
        now = self._realm.now()
        with self._realm.store.transaction():
            self._realm.slips.use(slip)
            sign_in = SignIn(provider, int(now), factor.kind, factor.id)
            return self._realm.sessions.begun(account, sign_in, now=now)

    def _enrolling(self, body: Body) -> Caller:
        token = body.text("idToken")
        caller = self._realm.sessions.recent_caller(token, now=self._realm.now())
        if not caller.account.email_verified:
            detail = "Need to verify email first before enrolling second factors."
            raise Refused("UNVERIFIED_EMAIL", detail)
        if caller.sign_in.provider == "phone":
            raise Refused("UNSUPPORTED_FIRST_FACTOR")
        if len(caller.account.factors) >= _FACTORS_MAX:
            raise Refused("SECOND_FACTOR_LIMIT_EXCEEDED")
        return caller

    def _start_totp(self, account: Account) -> Answer:
        if any(factor.secret for factor in account.factors):
            raise Refused("SECOND_FACTOR_EXISTS")
        secret, now = totp.new_secret(), self._realm.now()
        session = {"uid": account.uid, "secret": secret}
        return {
            "sharedSecretKey": secret,
            "verificationCodeLength": totp.DIGITS,
            "hashingAlgorithm": "SHA1",
            "periodSec": totp.STEP_SECONDS,
            "sessionInfo": self._realm.slips.give(Kind.TOTP_ENROLMENT, session, now=now),
            "finalizeEnrollmentTime": iso(now + LIFE_SECONDS[Kind.TOTP_ENROLMENT]),
        }

    def _enrolled_secret(self, account: Account, answer: Body) -> tuple[str, int]:
        slip = answer.needed("sessionInfo", "MISSING_SESSION_INFO")
        code, now = answer.needed("verificationCode", "MISSING_CODE"), self._realm.now()
        session = self._realm.slips.look(Kind.TOTP_ENROLMENT, slip, now=now)
        if session is None or session["uid"] != account.uid:
            raise Refused("INVALID_SESSION_INFO")
        secret = str(session["secret"])
        step = totp.used_step(secret, code, now=now, last_step=0)
        if step is None:
            raise self._realm.slips.wrong(slip)
        self._realm.slips.use(slip)
        return secret, step

    def _use_totp(self, factor: Factor, code: str, slip: str) -> None:
        if factor.secret is None:
            raise Refused("INVALID_ARGUMENT", "This second factor is not an app.")
        step = totp.used_step(
            factor.secret, code, now=self._realm.now(), last_step=factor.last_step
        )
        if step is None:
            raise self._realm.slips.wrong(slip)
        factor.last_step = step

    def _phone(self, answer: Body, purpose: dict[str, str]) -> str:
        slip = answer.needed("sessionInfo", "MISSING_SESSION_INFO")
        return self._realm.read_code(slip, answer.needed("code", "MISSING_CODE"), purpose)

    def _pending(self, body: Body) -> tuple[Account, str, str]:
        """Whose first factor was right, with which provider, and the slip that says so."""
        slip = body.needed("mfaPendingCredential", "MISSING_MFA_PENDING_CREDENTIAL")
        pending = self._realm.slips.look(Kind.PENDING, slip, now=self._realm.now())
        account = None if pending is None else self._realm.store.by_uid(pending["uid"])
        if pending is None or account is None:
            raise Refused("INVALID_MFA_PENDING_CREDENTIAL")
        if account.disabled:
            raise Refused("USER_DISABLED")
        return account, str(pending["provider"]), slip

    def _chosen(self, account: Account, body: Body) -> Factor:
        factor_id = body.needed("mfaEnrollmentId", "MISSING_MFA_ENROLLMENT_ID")
        return account.factor(factor_id) or _none()


def _purpose(what: str, account: Account) -> dict[str, str]:
    return {"for": what, "uid": account.uid}


def _part(body: Body, name: str) -> Body:
    part = body.part(name)
    if part is None:
        raise Refused("INVALID_ARGUMENT", f"Missing {name}.")
    return part


def _none() -> Factor:
    raise Refused("MFA_ENROLLMENT_NOT_FOUND")
