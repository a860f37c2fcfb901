"""docs/verify_inclusion.py, the way a reader has it: the page and the script know nothing of us."""

import importlib.util
from collections.abc import Mapping
from types import ModuleType
from typing import Any

from domain.kernel.money import plain
from domain.wallets import InclusionProof
from tests.world import REPOSITORY

SCRIPT = REPOSITORY / "docs" / "verify_inclusion.py"
REFUSALS = (ValueError, KeyError, TypeError, AttributeError, OverflowError)
"""What the script says `invalid` to."""


def _loaded() -> ModuleType:
    spec = importlib.util.spec_from_file_location("verify_inclusion", SCRIPT)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


script = _loaded()


def why_not(proof: Any, root: Any, user_id: str) -> str | None:
    """What the script objects to; nothing when the proof holds."""
    try:
        script.verify(proof, root, user_id)
    except REFUSALS as error:
        return f"{type(error).__name__}: {error}"
    return None


def as_answered(proof: InclusionProof) -> dict[str, Any]:
    """The JSON of the API's answer."""
    return {
        "day": proof.day.isoformat(),
        "asset": proof.asset,
        "leaf": {
            "id": proof.leaf.id,
            "nonce": proof.leaf.nonce,
            "balance": plain(proof.leaf.balance),
        },
        "path": [
            {"hash": step.hash, "sum": plain(step.sum), "side": step.side.value}
            for step in proof.path
        ],
        "root": proof.root,
        "total": plain(proof.total),
    }


def changed(proof: Mapping[str, Any], *keys: Any, to: Any) -> dict[str, Any]:
    """A copy with another value at one place, such as ``"path", 2, "sum"``."""

    def copied(value: Any, rest: tuple[Any, ...]) -> Any:
        if not rest:
            return to(value) if callable(to) else to
        if isinstance(value, list):
            return [copied(v, rest[1:]) if n == rest[0] else v for n, v in enumerate(value)]
        return {k: copied(v, rest[1:]) if k == rest[0] else v for k, v in value.items()}

    return dict(copied(proof, keys))
