"""Tokens that somebody might send, by what is wrong with them."""

from typing import Any

import jwt
import orjson

from tests.firebase.tokens import PROJECT, claims, published, signed, token, written

HEADER = {"alg": "RS256", "kid": "first", "typ": "JWT"}


def corpus(now: int) -> dict[str, str]:
    """All of them, the good ones among them: whose names start so."""
    claimed = {
        f"{name} #{place}": written(HEADER, claims(now, **{name: value}))
        for name, values in wrong_claims(now).items()
        for place, value in enumerate(values)
    }
    return good(now) | misshapen(now) | wrong_heads(now) | wrong_bodies(now) | claimed


def good(now: int) -> dict[str, str]:
    firebase = claims(now)["firebase"]
    return {
        "good": token(now),
        "good, second factor": token(now, firebase=firebase | {"sign_in_second_factor": "totp"}),
        "good, skewed": token(now, iat=now + 8, auth_time=now + 8),
        "good, longest subject": token(now, sub="x" * 128),
    }


def misshapen(now: int) -> dict[str, str]:
    """What is not the three parts that were signed."""
    base = token(now)
    head, body, signature = base.split(".")
    return {
        "empty": "",
        "garbage": "garbage",
        "two parts": f"{head}.{body}",
        "four parts": f"{base}.{signature}",
        "only dots": "..",
        "no signature": f"{head}.{body}.",
        "cut signature": base[:-20],
        "longer signature": f"{base}AAAA",
        "other signature": f"{head}.{body}.{token(now, sub='uid-bob').split('.')[2]}",
        "other body": f"{head}.{token(now, sub='uid-bob').split('.')[1]}.{signature}",
        "other head": f"{token(now, headers={'x': 1}).split('.')[0]}.{body}.{signature}",
        "junk inside": f"{head}.{body}.{signature[:9]}!{signature[9:]}",
        "newline": f"{base}\n",
        "space": f" {base}",
        "padded": f"{base}==",
        "unicode": f"{base}é",
        "NUL": f"{base}\x00",
    }


def wrong_heads(now: int) -> dict[str, str]:
    """Signed otherwise than it must be, or by another key; the claims are good."""
    valid = claims(now)
    return {
        "none": written({"alg": "none", "kid": "first"}, valid, key=None),
        "None": written({"alg": "None", "kid": "first"}, valid, key=None),
        "none, signed": written({"alg": "none", "kid": "first"}, valid),
        "HS256": jwt.encode(valid, "s" * 32, algorithm="HS256", headers={"kid": "first"}),
        "HS256 by certificate": jwt.encode(
            valid, published("first")["first"].replace("-", "x"), "HS256", headers={"kid": "first"}
        ),
        "RS512 said": written({**HEADER, "alg": "RS512"}, valid),
        "PS256 said": written({**HEADER, "alg": "PS256"}, valid),
        "lower alg": written({**HEADER, "alg": "rs256"}, valid),
        "no alg": written({"kid": "first"}, valid),
        "alg a list": written({**HEADER, "alg": ["RS256"]}, valid),
        "no kid": written({"alg": "RS256"}, valid),
        "empty kid": written({**HEADER, "kid": ""}, valid),
        "kid a number": written({**HEADER, "kid": 1}, valid),
        "kid a list": written({**HEADER, "kid": ["first"]}, valid),
        "kid an object": written({**HEADER, "kid": {}}, valid),
        "unknown kid": written({**HEADER, "kid": "unknown"}, valid),
        "forged, known kid": written(HEADER, valid, key="forged"),
        "own key in head": written(
            {**HEADER, "jwk": {"kty": "oct", "k": "AA"}}, valid, key="forged"
        ),
        "crit": written({**HEADER, "crit": ["exp"]}, valid),
        "b64 false": written({**HEADER, "b64": False, "crit": ["b64"]}, valid),
        "head a list": written([HEADER], valid),
        "head a word": signed(b'"RS256"', orjson.dumps(valid)),
    }


def wrong_bodies(now: int) -> dict[str, str]:
    """Signed by the right key, and still not claims to be read one way only."""
    valid = claims(now)
    head, body = orjson.dumps(HEADER), orjson.dumps(valid)
    return {
        "body a list": written(HEADER, [valid]),
        "body null": written(HEADER, None),
        "body no JSON": signed(head, b"{"),
        "deep body": signed(head, b"[" * 3000 + b"]" * 3000),
        "not UTF-8": signed(head, b'{"sub": "\xff"}'),
        "twice sub": signed(head, body[:-1] + b',"sub":""}'),
        "twice aud": signed(head, body[:-1] + b',"aud":"x"}'),
        "oversized": token(now, filler="x" * 9000),
        "half a character": signed(head, body[:-1] + b',"sub":"\\ud800"}'),
        "NUL in sub": token(now, sub="a\x00b"),
        "exp infinite": signed(head, body.replace(str(valid["exp"]).encode(), b"1e999")),
        "exp past all calendars": token(now, exp=(1 << 40) - 1),
    }


def wrong_claims(now: int) -> dict[str, tuple[Any, ...]]:
    """What a claim may not be; None takes it away."""
    firebase = claims(now)["firebase"]
    return {
        "exp": (None, now - 1, now - 11, now - 3600, 0, -1, "soon", str(now + 60), True, [], 1e300),
        "iat": (None, now + 60, now + 3600, "now", True, {}, -1),
        "auth_time": (None, now + 3600, "now", 0),
        "nbf": (now + 3600, "x"),
        "aud": (None, "", "other", [PROJECT], [PROJECT, "other"], 1, {"a": 1}, f"{PROJECT} "),
        "iss": (
            *(None, "", f"https://securetoken.google.com/{PROJECT}/", PROJECT, 7),
            *(f"https://session.firebase.google.com/{PROJECT}", [f"https://{PROJECT}"]),
        ),
        "sub": (None, "", "x" * 129, 7, ["uid-ann"], True),
        "firebase": (
            *(None, [], "x", {}, firebase | {"tenant": "other"}, firebase | {"tenant": 1}),
            *(firebase | {"sign_in_provider": "anonymous"}, {"sign_in_provider": None}),
        ),
    }
