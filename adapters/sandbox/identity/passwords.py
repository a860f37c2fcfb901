"""Passwords: scrypt, in threads of its own, so that nobody else waits for it."""

import asyncio
import hashlib
import hmac
import secrets
from concurrent.futures import ThreadPoolExecutor

from adapters.sandbox.identity.answers import Refused

_LENGTH_MIN = 6
_LENGTH_MAX = 4096
_COST = 2**14
# Hashed for an address nobody has, so that an answer takes as long as for one that is there.
_NOBODYS = f"{'00' * 16}:{'00' * 64}"


class Passwords:
    """Hashes and compares; ``salt:hash`` is what is kept."""

    def __init__(self) -> None:
        self._threads = ThreadPoolExecutor(2, thread_name_prefix="scrypt")

    async def hashed(self, password: str) -> str:
        """Raises Refused: WEAK_PASSWORD."""
        if len(password) < _LENGTH_MIN:
            detail = f"Password should be at least {_LENGTH_MIN} characters"
            raise Refused("WEAK_PASSWORD", detail)
        if len(password) > _LENGTH_MAX:
            raise Refused("PASSWORD_DOES_NOT_MEET_REQUIREMENTS", "Password is too long")
        salt = secrets.token_bytes(16)
        return f"{salt.hex()}:{(await self._scrypt(password, salt)).hex()}"

    async def matches(self, password: str, kept: str | None) -> bool:
        salt, _, expected = (kept or _NOBODYS).partition(":")
        found = await self._scrypt(password[:_LENGTH_MAX], bytes.fromhex(salt))
        return hmac.compare_digest(found.hex(), expected) and kept is not None

    def close(self) -> None:
        self._threads.shutdown(wait=False, cancel_futures=True)

    async def _scrypt(self, password: str, salt: bytes) -> bytes:
        def hashed() -> bytes:
            # A lone surrogate is text in JSON and no UTF-8.
            text = password.encode(errors="surrogatepass")
            return hashlib.scrypt(text, salt=salt, n=_COST, r=8, p=1)

        return await asyncio.get_running_loop().run_in_executor(self._threads, hashed)
