"""Code in documents: coloured on the server, so that it reads well without a script."""

import re
from html import escape

# The class names are those of pages/highlight.js, which colours the same languages as one types.
_TEXT = r'(?P<text>"""[\s\S]*?"""|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])*\')'
_NUMBER = r"(?P<number>(?<![\w.])-?\d[\d_]*(?:\.\d+)?\b)"
_WORDS = (
    "and|as|assert|async|await|break|class|const|def|do|else|export|for|from|fun|func|function|guard"
    "|if|import|in|is|lambda|let|new|nil|none|not|null|or|private|public|raise|return|struct|suspend"
    "|throw|throws|try|except|val|var|while|with|yield|true|false|True|False|None|self|this"
)
_PROGRAM = re.compile(rf"(?P<note>(?:#|//)[^\n]*)|{_TEXT}|{_NUMBER}|(?P<word>\b(?:{_WORDS})\b)")
_EXPRESSIONS = {
    "graphql": re.compile(
        rf"(?P<note>#[^\n]*)|{_TEXT}|{_NUMBER}"
        r"|(?P<word>\b(?:query|mutation|subscription|fragment|on|true|false|null|type|enum|input"
        r"|union|interface|scalar)\b|\$\w+|@\w+|\b[A-Z][A-Z0-9_]+\b)"
        r"|(?P<key>\w+(?=\s*:))"
    ),
    "json": re.compile(
        r'(?P<key>"(?:\\.|[^"\\\n])*"(?=\s*:))|(?P<text>"(?:\\.|[^"\\\n])*")'
        rf"|{_NUMBER}|(?P<word>\b(?:true|false|null)\b)"
    ),
    "sh": re.compile(rf"(?P<note>(?:^|(?<=\s))#[^\n]*)|{_TEXT}|(?P<key>(?<=\s)--?[a-zA-Z][\w-]*)"),
    **dict.fromkeys(("python", "py", "js", "javascript", "ts", "swift", "kotlin"), _PROGRAM),
}


def coloured(text: str, language: str) -> str:
    """``text`` as HTML, in spans by meaning when the language is known."""
    expression = _EXPRESSIONS.get(language)
    if expression is None:
        return escape(text)
    parts, end = [], 0
    for found in expression.finditer(text):
        if found.lastgroup is None:
            continue
        parts += [escape(text[end : found.start()])]
        parts += [f'<span class="{found.lastgroup}">{escape(found[0])}</span>']
        end = found.end()
    return "".join([*parts, escape(text[end:])])
