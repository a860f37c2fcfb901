"""The pages a person opens: the mailbox, and what is behind a link in it.

No script at all, and a policy that would forbid it. A link does nothing until its button is
pressed: programs that look at links in mails must not use them up.
"""

from collections.abc import Awaitable, Callable
from html import escape
from pathlib import Path

from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route

from adapters.sandbox.identity.accounts import iso
from adapters.sandbox.identity.answers import Refused, as_json
from adapters.sandbox.identity.demo import demo_codes
from adapters.sandbox.identity.links import ACTION_PATH, RESET, Links
from adapters.sandbox.identity.mailbox import Message
from adapters.sandbox.identity.realm import Realm
from adapters.sandbox.identity.requests import body_of

_POLICY = (
    "default-src 'none'; style-src 'self'; form-action {forms}; base-uri 'none'; "
    "frame-ancestors 'none'"
)
_STYLES = Path(__file__).with_name("pages.css").read_bytes()
_REFRESH_SECONDS = 3


class Pages:
    def __init__(self, realm: Realm, links: Links) -> None:
        self._realm = realm
        self._links = links

    def routes(self) -> list[Route]:
        listing = f"/emulator/v1/projects/{self._realm.project}"
        return [
            Route("/mailbox", self._mailbox),
            Route("/mailbox.json", self._messages),
            Route("/pages.css", _styles),
            Route(ACTION_PATH, shown(self._ask)),
            Route(ACTION_PATH, shown(self._act), methods=["POST"]),
            Route(f"{listing}/oobCodes", self._codes_of_links),
            Route(f"{listing}/verificationCodes", self._codes_of_phones),
            Route(f"{listing}/totpCodes", self._codes_of_apps),
        ]

    async def _mailbox(self, _: Request) -> Response:
        messages = "".join(_article(message) for message in self._realm.mailbox.newest())
        body = f"<h1>Mailbox</h1>{messages or '<p>No mail yet.</p>'}"
        return page("Mailbox", body, refresh=True)

    async def _messages(self, _: Request) -> Response:
        messages = [
            {name: getattr(message, name) for name in Message.__slots__} | {"at": iso(message.at)}
            for message in self._realm.mailbox.newest()
        ]
        return as_json({"messages": messages})

    async def _codes_of_links(self, request: Request) -> Response:
        return as_json({"oobCodes": self._links.unused(base_of(request))})

    async def _codes_of_phones(self, _: Request) -> Response:
        codes = self._realm.mailbox.codes(now=self._realm.now())
        return as_json({"verificationCodes": codes})

    async def _codes_of_apps(self, _: Request) -> Response:
        """What the demo users' own apps show: theirs is nowhere else. Beyond Google's emulator."""
        return as_json({"totpCodes": demo_codes(self._realm)})

    async def _ask(self, request: Request) -> Response:
        code = request.query_params.get("oobCode", "")
        field, button = "", "Yes, this is my address"
        if self._links.kind_of(code) == RESET:
            button = "Set the new password"
            field = (
                '<label for="new">New password</label><input id="new" name="newPassword"'
                ' type="password" autocomplete="new-password" required minlength="6">'
            )
        form = (
            f'<h1>One step left</h1><form method="post" action="{ACTION_PATH}">'
            f'<input type="hidden" name="oobCode" value="{escape(code)}">{field}'
            f"<p><button>{button}</button></p></form>"
        )
        return page("One step left", form)

    async def _act(self, request: Request) -> Response:
        body = await body_of(request)
        code = body.needed("oobCode", "MISSING_OOB_CODE")
        if self._links.kind_of(code) == RESET:
            body.needed("newPassword", "MISSING_PASSWORD")
            await self._links.reset_password(body)
        else:
            self._links.apply(code)
        return page("Done", "<h1>Done</h1><p>You can close this page.</p>")


def base_of(request: Request) -> str:
    """How the caller reaches us; its name was checked to be of this machine."""
    return f"http://{request.headers['host']}"


def shown(
    act: Callable[[Request], Awaitable[Response]],
) -> Callable[[Request], Awaitable[Response]]:
    """An error becomes a page instead of JSON."""

    async def answer(request: Request) -> Response:
        try:
            return await act(request)
        except Refused as refused:
            told = f"<h1>This did not work</h1><p>{escape(str(refused))}</p>"
            return page("This did not work", told, status=refused.status)

    return answer


def _article(message: Message) -> str:
    parts = [f"<h2>{escape(message.subject)}</h2>"]
    when = f"to {escape(message.to)} at {iso(message.at)}"
    parts += [f'<p class="when">{when}</p>', f"<p>{escape(message.text)}</p>"]
    if message.code:
        parts.append(f'<p class="code">{escape(message.code)}</p>')
    if message.link:
        parts.append(f'<p><a href="{escape(message.link)}">{escape(message.subject)}</a></p>')
    return f"<article>{''.join(parts)}</article>"


def page(
    title: str, body: str, *, status: int = 200, refresh: bool = False, forms_lead_to: str = ""
) -> Response:
    """``forms_lead_to``: an origin besides ours that an answer to a form may send on to."""
    forms = f"'self' {forms_lead_to}".strip()
    again = f'<meta http-equiv="refresh" content="{_REFRESH_SECONDS}">' if refresh else ""
    return HTMLResponse(
        f"""<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
{again}<title>{title} · OKD sandbox</title><link rel="stylesheet" href="/pages.css"></head>
<body><p class="banner">Sandbox: nobody here is real, and no mail is sent.</p><main>{body}</main>
</body></html>
""",
        status,
        {"content-security-policy": _POLICY.format(forms=forms), "cache-control": "no-store"},
    )


async def _styles(_: Request) -> Response:
    return Response(_STYLES, media_type="text/css")
