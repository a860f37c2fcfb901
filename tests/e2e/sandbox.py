"""The whole sandbox as a person starts it, and the programs a test plays with."""

import json
import os
import signal
import sys
from typing import Any

import httpx

from tests.front_door.running import Program
from tests.world import REPOSITORY, eventually, make_data_dir, remove_data_dir

KILLABLE = {"web", "feed", "worker", "exchange", "identity", "postgres", "valkey", "keeper"}


class Sandbox(Program):
    """`python app.py run` on a data directory and a port of its own."""

    def __init__(self, *words: str, **environment: str) -> None:
        self.data_dir = make_data_dir()
        super().__init__(
            [
                *(sys.executable, str(REPOSITORY / "app.py"), "run"),
                *("--port=0", f"--data-dir={self.data_dir}", *words),
            ],
            environment,
        )

    def up(self) -> "Sandbox":
        self.until("Ctrl-C stops everything")
        return self

    @property
    def addresses(self) -> dict[str, Any]:
        told = json.loads((self.data_dir / "addresses.json").read_text("utf-8"))
        assert isinstance(told, dict)
        return told

    def pid_of(self, name: str) -> int | None:
        """Of a role, or of ``postgres``, ``valkey`` or ``keeper``; None while it has none."""
        try:
            state = json.loads((self.data_dir / "state.json").read_text("utf-8"))
        except FileNotFoundError:  # a new keeper writes it when both servers answer
            state = {"servers": {}, "keeper_pid": None}
        servers = {server: told["pid"] for server, told in state["servers"].items()}
        pids = {**self.addresses["pids"], **servers, "keeper": state["keeper_pid"]}
        assert name in KILLABLE
        found = pids.get(name)
        return None if found is None else int(found)

    async def kill(self, name: str) -> int:
        """kill -9, as soon as there is something to kill; returns its pid."""
        await eventually(lambda: self.pid_of(name) is not None)
        pid = self.pid_of(name)
        assert pid is not None
        os.kill(pid, signal.SIGKILL)
        return pid

    async def ask(self, query: str, **variables: object) -> dict[str, Any]:
        """The whole answer to a query."""
        async with httpx.AsyncClient(timeout=10) as client:
            answer = await client.post(
                self.addresses["graphql"], json={"query": query, "variables": variables}
            )
        told = answer.json()
        assert isinstance(told, dict)
        return told

    def control(self, command: str, **body: object) -> None:
        """One order to the exchange's control plane."""
        answer = httpx.post(
            f"{self.addresses['control']}/{command}",
            json=body,
            headers={"x-okd-control": self.addresses["control_token"]},
            timeout=10,
        )
        answer.raise_for_status()

    def remove(self) -> None:
        """End it; fails when any of its processes wrote down what nobody may."""
        token = str(self.addresses["control_token"]) if self._is_up else ""
        self.discard()
        remove_data_dir(self.data_dir, token)

    @property
    def _is_up(self) -> bool:
        return (self.data_dir / "addresses.json").exists()
