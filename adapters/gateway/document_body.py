"""Markdown to HTML: headings one can link to, links that stay inside, code one can run."""

import posixpath
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from html import escape
from urllib.parse import urlencode

from markdown_it import MarkdownIt
from markdown_it.renderer import RendererHTML
from markdown_it.token import Token
from markdown_it.utils import OptionsDict

from adapters.gateway.document_code import coloured

SHOWN = {
    ".graphql", ".js", ".json", ".kt", ".kts", ".md", ".mjs", ".png", ".py", ".sh", ".svg",
    ".swift", ".toml", ".ts",
}  # fmt: skip
_OPERATION = re.compile(r"\s*(query|mutation|subscription|\{)")
_NOT_IN_ANCHORS = re.compile(r"[^\w\- ]")
_ROLES = {"variables": "Variables", "answer": "Answer"}
_LANGUAGES = {"graphql": "GraphQL", "json": "JSON", "sh": "Shell", "python": "Python", "sql": "SQL"}
_LEVELS = {"h2": 2, "h3": 3}


@dataclass(frozen=True, slots=True)
class Heading:
    """A place in a page; ``text`` is the paragraph behind it, for those who search."""

    level: int
    title: str
    anchor: str
    text: str


@dataclass(frozen=True, slots=True)
class Body:
    """A page's inside."""

    title: str
    lead: str
    """The first paragraph, without markup."""
    headings: Sequence[Heading]
    html: str


@dataclass(slots=True)
class _Anchors:
    """Names as GitHub gives them, so that links work there and here."""

    given: dict[str, int] = field(default_factory=dict)

    def of(self, title: str) -> str:
        anchor = _NOT_IN_ANCHORS.sub("", title.lower()).replace(" ", "-")
        again = self.given.get(anchor, 0)
        self.given[anchor] = again + 1
        return f"{anchor}-{again}" if again else anchor


def body_of(text: str, *, path: str) -> Body:
    """The page of a Markdown text that is served at ``path``."""
    tokens = _MARKDOWN.parse(text)
    _point_inside(tokens, posixpath.dirname(path))
    title, headings = _headings(tokens)
    lead = _paragraph_behind(tokens, 0)
    return Body(
        title or posixpath.splitext(posixpath.basename(path))[0],
        lead,
        headings,
        _MARKDOWN.renderer.render(tokens, _MARKDOWN.options, {}),
    )


def _headings(tokens: Sequence[Token]) -> tuple[str, list[Heading]]:
    """The title, and the headings below it; each gets its anchor."""
    anchors, title, found = _Anchors(), "", []
    for place, token in enumerate(tokens):
        if token.type != "heading_open":
            continue
        words = _plain(tokens[place + 1])
        anchor = anchors.of(words)
        token.attrSet("id", anchor)
        if token.tag == "h1":
            title = title or words
        elif token.tag in _LEVELS:
            behind = _paragraph_behind(tokens, place + 3)
            found.append(Heading(_LEVELS[token.tag], words, anchor, behind))
    return title, found


def _paragraph_behind(tokens: Sequence[Token], place: int) -> str:
    """The next paragraph, unless a heading of a section comes first."""
    for here in range(place, len(tokens) - 1):
        if tokens[here].type == "heading_open" and tokens[here].tag != "h1":
            return ""
        if tokens[here].type == "paragraph_open":
            return _plain(tokens[here + 1])
    return ""


def _plain(inline: Token) -> str:
    kept = [
        " " if child.type == "softbreak" else child.content
        for child in inline.children or []
        if child.type in ("text", "code_inline", "softbreak")
    ]
    return "".join(kept).strip()


def _point_inside(tokens: Sequence[Token], folder: str) -> None:
    """Links to what is not served (the README, a folder) lead to the index instead of nowhere."""
    for token in tokens:
        _point_inside(token.children or [], folder)
        target = token.attrs.get("href")
        if not isinstance(target, str) or "://" in target or target.startswith("#"):
            continue
        path, _, anchor = target.partition("#")
        resolved = posixpath.normpath(posixpath.join(folder, path))
        inside = resolved.startswith("/docs/") and posixpath.splitext(resolved)[1] in SHOWN
        token.attrs["href"] = (resolved if inside else "/docs") + (f"#{anchor}" if anchor else "")


def _fence(
    _self: RendererHTML, tokens: Sequence[Token], place: int, _options: object, _env: object
) -> str:
    token = tokens[place]
    language, role = (*token.info.split(), "", "")[:2]
    name = _ROLES.get(role) or _LANGUAGES.get(language) or language.capitalize()
    link = _explorer_link(tokens, place) if language == "graphql" else ""
    head = f"<figcaption><span>{escape(name)}</span>{link}</figcaption>" if name else ""
    code = coloured(token.content.rstrip("\n"), language)
    return f'<figure class="code">{head}<pre tabindex="0"><code>{code}</code></pre></figure>\n'


def _explorer_link(tokens: Sequence[Token], place: int) -> str:
    """A link that opens an operation in the explorer, with the variables shown behind it."""
    text = tokens[place].content
    if not _OPERATION.match(text):
        return ""
    sent: Mapping[str, str] = {"query": text.strip()}
    behind = tokens[place + 1] if place + 1 < len(tokens) else None
    if behind is not None and behind.type == "fence" and behind.info == "json variables":
        sent = {**sent, "variables": behind.content.strip()}
    return f'<a href="/graphiql?{escape(urlencode(sent))}">Open in GraphiQL</a>'


def _heading_close(
    self: RendererHTML,
    tokens: Sequence[Token],
    place: int,
    options: OptionsDict,
    env: dict[str, object],
) -> str:
    link = ""
    if tokens[place].tag in _LEVELS:
        opened = next(t for t in reversed(tokens[:place]) if t.type == "heading_open")
        anchor = escape(str(opened.attrs["id"]))
        link = f' <a class="anchor" href="#{anchor}" aria-label="Link to this section">#</a>'
    return link + self.renderToken(tokens, place, options, env)


def _table(
    self: RendererHTML,
    tokens: Sequence[Token],
    place: int,
    options: OptionsDict,
    env: dict[str, object],
) -> str:
    # Wide tables scroll by themselves; the keyboard has to reach them.
    opening = tokens[place].nesting == 1
    drawn = self.renderToken(tokens, place, options, env)
    return f'<div class="wide" tabindex="0">{drawn}' if opening else f"{drawn}</div>"


def _markdown() -> MarkdownIt:
    markdown = MarkdownIt("commonmark", {"html": False}).enable("table")
    markdown.add_render_rule("fence", _fence)
    markdown.add_render_rule("heading_close", _heading_close)
    markdown.add_render_rule("table_open", _table)
    markdown.add_render_rule("table_close", _table)
    return markdown


_MARKDOWN = _markdown()
