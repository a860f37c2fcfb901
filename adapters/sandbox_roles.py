"""The sandbox's own roles, a venue and an identity service, and what the pages are told of them.

The production image has neither.

Beside the folders of sandbox and gateway, which do not know each other.
"""

import os
from pathlib import Path
from urllib.parse import urlsplit

from starlette.types import ASGIApp

from adapters.clock import FastClock, SystemClock
from adapters.gateway import Drain, serve
from adapters.gateway.sign_in import DemoSignIn, DemoUser
from adapters.settings import Settings, SettingsError
from adapters.supervisor import lifeline


async def exchange(settings: Settings) -> None:
    """Bybit V5."""
    from adapters.sandbox.exchange import RecordingError, create_exchange  # noqa: PLC0415  # its own

    recording = os.environ.get("OKD_RECORDING")
    try:
        app = create_exchange(
            seed=int(os.environ.get("OKD_SEED", "1")),
            clock=FastClock(float(os.environ.get("OKD_SANDBOX_CLOCK_SPEED", "1"))),
            recording=Path(recording) if recording else None,
            control_token=os.environ["OKD_CONTROL_TOKEN"],
        )
    except RecordingError as error:
        raise SettingsError([f"OKD_RECORDING: {error}"]) from error
    await _serve(settings, app)


async def identity(settings: Settings) -> None:
    """Firebase Auth."""
    from adapters.sandbox.identity import TOKEN_LIFE_SECONDS, create_identity  # noqa: PLC0415

    life = os.environ.get("OKD_IDENTITY_TOKEN_SECONDS", str(TOKEN_LIFE_SECONDS))
    if not life.isdecimal() or not 0 < int(life) <= TOKEN_LIFE_SECONDS:
        sentence = f"is a whole number from 1 to {TOKEN_LIFE_SECONDS}"
        raise SettingsError([f"OKD_IDENTITY_TOKEN_SECONDS: {sentence}"])
    app = create_identity(
        file=Path(os.environ["OKD_IDENTITY_FILE"]),
        project=settings.firebase_project,
        clock=SystemClock(),
        control_token=os.environ["OKD_CONTROL_TOKEN"],
        token_life_seconds=int(life),
    )
    await _serve(settings, app)


def demo_sign_in(settings: Settings) -> DemoSignIn | None:
    """What the web role tells its pages; None where people do not sign in at a service of ours."""
    certificates = urlsplit(settings.firebase_certificates_url)
    ours = settings.firebase_project.startswith("demo-") and certificates.scheme == "http"
    if settings.production or not ours:
        return None
    from adapters.sandbox.identity import DEMO_USERS, PASSWORD  # noqa: PLC0415

    return DemoSignIn(
        identity=f"http://{certificates.netloc}",
        project=settings.firebase_project,
        password=PASSWORD,
        users=[
            DemoUser(user.name, user.email, user.role, user.second_factor) for user in DEMO_USERS
        ],
    )


async def _serve(settings: Settings, app: ASGIApp) -> None:
    await serve(settings=settings, drain=Drain(), web=app, on_ready=lifeline.announce_ready)
