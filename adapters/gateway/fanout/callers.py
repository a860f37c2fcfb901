"""Whose groups are counted together: a connection's, and all of one person's or one address'."""

from collections import Counter
from collections.abc import Hashable, Iterator
from weakref import WeakValueDictionary

from domain.kernel.viewer import Viewer

OF_CONNECTION_MAX = 500
OF_OWNER_MAX = 2_000


class Caller:
    """Counts the groups it takes part in, each once, and lets its owner count them, too."""

    __slots__ = ("__weakref__", "groups_max", "held", "owner")

    def __init__(
        self, *, groups_max: int = OF_CONNECTION_MAX, owner: "Caller | None" = None
    ) -> None:
        self.held: Counter[Hashable] = Counter()
        self.groups_max = groups_max
        self.owner = owner

    def and_owners(self) -> "Iterator[Caller]":
        caller: Caller | None = self
        while caller is not None:
            yield caller
            caller = caller.owner

    def take(self, group: Hashable) -> None:
        for holder in self.and_owners():
            holder.held[group] += 1

    def release(self, group: Hashable) -> None:
        for holder in self.and_owners():
            holder.held[group] -= 1
            if not holder.held[group]:
                del holder.held[group]


class Callers:
    """Makes callers. Those of one owner share what the owner may have; one per process.

    An owner is forgotten with the last of its connections: nothing grows with how many there were.
    """

    def __init__(
        self, *, of_connection_max: int = OF_CONNECTION_MAX, of_owner_max: int = OF_OWNER_MAX
    ) -> None:
        self._of_connection_max = of_connection_max
        self._of_owner_max = of_owner_max
        self._owners: WeakValueDictionary[Hashable, Caller] = WeakValueDictionary()

    def __len__(self) -> int:
        return len(self._owners)

    def connection(self, viewer: Viewer, address: str) -> Caller:
        """A caller for one connection of ``viewer``, or of ``address`` when nobody is known."""
        name = address if viewer.user_id is None else viewer.user_id
        owner = self._owners.get(name)
        if owner is None:
            owner = self._owners[name] = Caller(groups_max=self._of_owner_max)
        return Caller(groups_max=self._of_connection_max, owner=owner)
