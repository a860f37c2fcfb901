"""Check that your money was counted: your proof against the root that everybody was shown.

    python3 verify_inclusion.py ROOT YOUR_ID < answer.json

ROOT is what `solvency` published for the day and asset; better than asking now is a copy somebody
else kept. YOUR_ID is `viewer { id }`. answer.json is the answer of `myInclusionProof`. Ends with 0
when it is valid, with 1 when it is not, and says why. Needs Python 3.8 and nothing else.
"""

import base64
import hmac
import json
import re
import sys
from hashlib import sha256

DEPTH_MAX = 64


def fixed(amount: str) -> bytes:
    """32 bytes, big-endian, in units of 10^-18: what is below zero has none."""
    if not re.fullmatch(r"(0|[1-9][0-9]*)(\.[0-9]{1,18})?", amount):
        raise ValueError(f"{amount!r} is no amount of zero or more")
    whole, _, fraction = amount.partition(".")
    return int(whole + fraction.ljust(18, "0")).to_bytes(32, "big")


def digest(text: str) -> bytes:
    if not re.fullmatch(r"[0-9a-f]{64}", text):
        raise ValueError(f"{text!r} is no SHA-256 in hexadecimal")
    return bytes.fromhex(text)


def require(fits: bool, otherwise: str) -> None:  # noqa: FBT001
    if not fits:
        raise ValueError(otherwise)


def verify(proof: dict, root: str, user_id: str) -> None:
    """Raise ValueError, KeyError, TypeError, AttributeError or OverflowError unless it holds."""
    leaf, path = proof["leaf"], proof["path"]
    me = base64.urlsafe_b64decode(user_id + "=" * (-len(user_id) % 4))
    owner = hmac.new(digest(leaf["nonce"]), me, sha256).digest()
    require(owner == digest(leaf["id"]), "the leaf is not yours")
    require(len(path) <= DEPTH_MAX, "the path is too long")

    context = sha256(f"okd-liabilities-v1|{proof['day']}|{proof['asset']}".encode()).digest()
    total = fixed(leaf["balance"])
    here = sha256(b"\x00" + context + owner + total).digest()
    for step in path:
        pair = [here + total, digest(step["hash"]) + fixed(step["sum"])]
        require(step["side"] in ("LEFT", "RIGHT"), f"{step['side']!r} is no side")
        here = sha256(b"\x01" + b"".join(pair[::-1] if step["side"] == "LEFT" else pair)).digest()
        both = sum(int.from_bytes(each[32:], "big") for each in pair)
        total = both.to_bytes(32, "big")

    require(here == digest(root), "the path does not lead to the published root")
    require(here == digest(proof["root"]), "the answer names another root")
    require(total == fixed(proof["total"]), "the answer names another total")


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    try:
        given = json.load(sys.stdin)["data"]["myInclusionProof"]
        verify(given, sys.argv[1], sys.argv[2])
    except (ValueError, KeyError, TypeError, AttributeError, OverflowError) as why:
        sys.exit(f"invalid: {why}")
    mine = f"{given['leaf']['balance']} {given['asset']}"
    print(f"valid: your {mine} are part of the {given['total']} owed on {given['day']}")
