"""Serving, and everything below the application: deadlines, caps, and a way out.

``process`` serves until drained. ``http_protocol`` and ``socket_protocol`` are uvicorn's own with
bounds on what a peer may hold; ``connections`` counts who holds how many.
"""

from adapters.gateway.server.listening import StartFailed
from adapters.gateway.server.process import run, serve

__all__ = ["StartFailed", "run", "serve"]
