"""A bar chart as SVG, readable on light and dark pages; no library needed for rectangles."""

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

_WIDTH, _LABEL, _VALUE = 760, 230, 90
_BAR, _GAP, _GROUP_TOP = 18, 5, 30
_OURS, _OTHERS = "#0a7d55", "#8a94a6"


@dataclass(frozen=True, slots=True)
class Bar:
    label: str
    value: float
    ours: bool = False


@dataclass(frozen=True, slots=True)
class Group:
    """Bars that are compared with each other; each group has a scale of its own."""

    title: str
    bars: Sequence[Bar]


def chart(title: str, groups: Sequence[Group], *, unit: str) -> str:
    """Horizontal bars from zero, group under group."""
    parts: list[str] = []
    top = 44
    for group in groups:
        parts.append(_text(16, top + 16, group.title, weight="600"))
        top += _GROUP_TOP
        longest = max((bar.value for bar in group.bars), default=0) or 1
        for bar in group.bars:
            width = max(1.0, bar.value / longest * (_WIDTH - _LABEL - _VALUE))
            middle = top + _BAR - 5
            parts.append(_text(_LABEL - 8, middle, bar.label, anchor="end"))
            parts.append(
                f'<rect x="{_LABEL}" y="{top}" width="{width:.1f}" height="{_BAR}" rx="2" '
                f'fill="{_OURS if bar.ours else _OTHERS}"/>'
            )
            parts.append(_text(_LABEL + width + 8, middle, f"{bar.value:.2f} {unit}".strip()))
            top += _BAR + _GAP
        top += 12
    body = "\n  ".join([_text(16, 26, title, weight="700", size=16), *parts])
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {top}" width="{_WIDTH}" '
        f'height="{top}" role="img" aria-label="{escape(title)}" '
        'font-family="system-ui, sans-serif">\n'
        f'  <rect width="{_WIDTH}" height="{top}" fill="#ffffff"/>\n  {body}\n</svg>\n'
    )


def _text(
    x: float, y: float, text: str, *, anchor: str = "start", weight: str = "400", size: int = 13
) -> str:
    return (
        f'<text x="{x:.1f}" y="{y:.1f}" font-size="{size}" font-weight="{weight}" '
        f'text-anchor="{anchor}" fill="#1c2430">{escape(text)}</text>'
    )
