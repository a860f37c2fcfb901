"""How much of it."""

from dataclasses import dataclass

USDT, BTC = "USDT", "BTC"


@dataclass(frozen=True, slots=True)
class Size:
    """One storm."""

    clients: int = 32
    people: int = 24
    seconds: float = 60.0
    kill_seconds: tuple[float, float] = (2.0, 5.0)
    """Between one kill and the next: anything in between, by the dice."""
    readers: int = 3
    web_processes: int = 2
    seed: int = 1
    replayed_share: float = 0.05
    """Of the answered wishes: sent once more, to hear the same again."""
    hopeless_share: float = 0.05
    """Of the wishes: for more than there is in the whole bank."""

    @property
    def title(self) -> str:
        least, most = self.kill_seconds
        return (
            f"{self.clients} clients, {self.people} people, {self.seconds:g} s, "
            f"a kill every {least:g} to {most:g} s"
        )
