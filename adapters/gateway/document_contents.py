"""In which section a document is, and in which order they are read."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fnmatch import fnmatch

# A document is in the first section with a pattern for it; the patterns' order is the order shown.
SECTIONS: Sequence[tuple[str, Sequence[str]]] = (
    (
        "Guides",
        (
            "guides/getting-started.md", "guides/signing-in.md", "guides/wallets.md",
            "guides/account-events.md", "guides/errors.md", "guides/pagination.md",
            "guides/scalars.md", "subscriptions.md", "limits.md", "graphiql.md", "guides/*",
        ),
    ),
    ("Clients", ("clients.md", "clients/*")),
    (
        "Reference",
        (
            "reference/README.md", "reference/queries.md", "reference/mutations.md",
            "reference/subscriptions.md", "errors.md", "reference/objects.md",
            "reference/interfaces.md", "reference/unions.md", "reference/inputs.md",
            "reference/*",
        ),
    ),
    ("Decisions", ("decisions/*",)),
    (
        "Operating",
        (
            "identity.md", "authorization.md", "sandbox.md", "operations.md", "settings.md",
            "performance.md", "architecture.md", "*",
        ),
    ),
)  # fmt: skip
# Shown in this order; Decisions come last, but take theirs before the catch-all.
ORDER = ("Guides", "Reference", "Clients", "Operating", "Decisions")


@dataclass(frozen=True, slots=True)
class Section:
    """A heading and the names of its documents."""

    title: str
    names: Sequence[str]


def sections_of(names: Iterable[str]) -> list[Section]:
    """Every name in exactly one section; empty sections are left out."""
    placed: dict[str, list[tuple[int, str]]] = {title: [] for title in ORDER}
    for name in sorted(names):
        title, place = _place_of(name)
        placed[title].append((place, name))
    return [Section(t, [name for _, name in sorted(rows)]) for t, rows in placed.items() if rows]


def _place_of(name: str) -> tuple[str, int]:
    for title, patterns in SECTIONS:
        for place, pattern in enumerate(patterns):
            if fnmatch(name, pattern):
                return title, place
    raise AssertionError(f"{name}: the last pattern matches everything")
