# SPDX-License-Identifier: GPL-2.0-or-later
"""A plot of lines on logarithmic axes, as SVG: the same data always make the same bytes.

A picture has its colours for light and for dark pages in itself, and a background of its own:
it is readable wherever it stands.  Lines differ in dashes and marks too, not in colours alone.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple
from xml.sax.saxutils import escape

if TYPE_CHECKING:
    from collections.abc import Sequence

_WIDTH, _HEIGHT = 760, 420
#: Values at which an axis may begin and end, in each decade; decades beyond which few are shown.
_STEPS = (1, 2, 5)
_MANY = 2.5
_LEFT, _RIGHT, _TOP, _BOTTOM = 78, 570, 64, 350
#: The least distance of two titles of lines.
_APART = 19

_HEAD = """\
<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" role="img"
  aria-labelledby="{name}-t {name}-d"
  font-family="system-ui, -apple-system, 'Segoe UI', sans-serif" font-size="14">
<!-- SPDX-License-Identifier: GPL-2.0-or-later -->
<title id="{name}-t">{title}</title>
<desc id="{name}-d">{text}</desc>
<style>
.paper {{ fill: #ffffff }} .ink {{ fill: #1f2328 }} .faint {{ fill: #59636e }}
.grid {{ stroke: #d1d9e0 }} .axis {{ stroke: #59636e }}
.line {{ fill: none; stroke: currentColor; stroke-width: 2 }} .mark {{ fill: currentColor }}
.c0 {{ color: #0550ae }} .c1 {{ color: #a63c00 }} .c2 {{ color: #116329 }}
.c3 {{ color: #8250df }} .c4 {{ color: #59636e }}
@media (prefers-color-scheme: dark) {{
.paper {{ fill: #0d1117 }} .ink {{ fill: #f0f6fc }} .faint {{ fill: #9198a1 }}
.grid {{ stroke: #2f3742 }} .axis {{ stroke: #9198a1 }}
.c0 {{ color: #79c0ff }} .c1 {{ color: #ffa657 }} .c2 {{ color: #56d364 }}
.c3 {{ color: #d2a8ff }} .c4 {{ color: #9198a1 }}
}}
</style>
<rect class="paper" width="{width}" height="{height}" rx="6"/>
<text class="ink" x="20" y="28" font-size="17" font-weight="600">{title}</text>
<text class="faint" x="20" y="49">{up}</text>
<text class="faint" x="{middle}" y="{under}" text-anchor="middle">{along}</text>
<text class="faint" x="{width_less}" y="{foot}" text-anchor="end" font-size="11">{note}</text>
"""


class Line(NamedTuple):
    """A line: its title, its points by *x*, its colour (0 to 4), and whether it is dashed."""

    title: str
    points: Sequence[tuple[float, float]]
    colour: int
    dashed: bool = False


class Plot(NamedTuple):
    """A plot: the name of its file, its title, what the axes tell, and its lines."""

    name: str
    title: str
    along: str
    up: str
    lines: Sequence[Line]
    #: Where the figures are from, in small letters.
    note: str = ""


class _Axis:
    """Logarithmic, from *first* to *last* on the page."""

    def __init__(self, values: Sequence[float], first: float, last: float) -> None:
        """Begin and end at a step that is at most, and at least, every one of *values*."""
        steps = [float(f"{step}e{power}") for power in range(-3, 9) for step in _STEPS]
        low = max(index for index, step in enumerate(steps[:-1]) if step <= min(values))
        high = min(index for index, step in enumerate(steps) if step >= max(values) and index > low)
        shown = steps[low : high + 1]
        self._least, self._first, self._last = math.log10(shown[0]), first, last
        self._length = math.log10(shown[-1]) - self._least
        #: Where there are lines: the whole decades only, if there are many.
        self.ticks = shown if self._length <= _MANY else [each for each in shown if _is_whole(each)]

    def place(self, value: float) -> float:
        """Return where *value* stands."""
        share = (math.log10(value) - self._least) / self._length
        return self._first + share * (self._last - self._first)


def _is_whole(value: float) -> bool:
    """Return whether *value* is a power of ten."""
    return round(math.log10(value), 9).is_integer()


def number(value: float) -> str:
    """Return *value* as it is written: three digits that count, thousands apart."""
    digits = max(0, 2 - math.floor(math.log10(value))) if value else 0
    text = f"{value:,.{digits}f}".replace(",", "\u00a0")
    return text.rstrip("0").rstrip(".") if "." in text else text


def svg(plot: Plot) -> str:
    """Return *plot* as SVG."""
    values = [point for line in plot.lines for point in line.points]
    along = _Axis([x for x, _ in values], _LEFT, _RIGHT)
    up = _Axis([y for _, y in values], _BOTTOM, _TOP)
    head = _HEAD.format(
        name=plot.name,
        title=escape(plot.title),
        text=escape(_described(plot)),
        along=escape(plot.along),
        up=escape(plot.up),
        note=escape(plot.note),
        width=_WIDTH,
        height=_HEIGHT,
        width_less=_WIDTH - 16,
        middle=(_LEFT + _RIGHT) // 2,
        under=_BOTTOM + 42,
        foot=_HEIGHT - 10,
    )
    parts = [head, *_grid(along, up)]
    places = _titles_places([up.place(line.points[-1][1]) for line in plot.lines])
    for line, place in zip(plot.lines, places):
        parts += _drawn(line, [(along.place(x), up.place(y)) for x, y in line.points], place)
    return "".join(parts) + "</svg>\n"


def _described(plot: Plot) -> str:
    """Return *plot* in words, with all its figures."""
    lines = [
        f"{line.title}: " + ", ".join(f"{number(y)} at {number(x)}" for x, y in line.points)
        for line in plot.lines
    ]
    return f"{plot.up}, by {plot.along}. " + ". ".join(lines) + "."


def _grid(along: _Axis, up: _Axis) -> list[str]:
    parts = []
    for value in along.ticks:
        x = along.place(value)
        parts.append(f'<path class="grid" d="M{x:.1f} {_TOP}V{_BOTTOM}"/>\n')
        parts.append(_label(x, _BOTTOM + 19, "middle", value))
    for value in up.ticks:
        y = up.place(value)
        parts.append(f'<path class="grid" d="M{_LEFT} {y:.1f}H{_RIGHT}"/>\n')
        parts.append(_label(_LEFT - 8, y + 5, "end", value))
    parts.append(f'<path class="axis" d="M{_LEFT} {_TOP}V{_BOTTOM}H{_RIGHT}" fill="none"/>\n')
    return parts


def _label(x: float, y: float, anchor: str, value: float) -> str:
    return (
        f'<text class="faint" x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" font-size="12">'
        f"{number(value)}</text>\n"
    )


def _titles_places(wanted: list[float]) -> list[float]:
    """Return places near those *wanted* that are far enough from each other."""
    places = dict.fromkeys(range(len(wanted)), 0.0)
    last = -math.inf
    for index in sorted(places, key=lambda each: wanted[each]):
        last = places[index] = max(wanted[index], last + _APART)
    over = max(0.0, last - _BOTTOM)
    return [place - over for place in places.values()]


def _drawn(line: Line, points: list[tuple[float, float]], place: float) -> list[str]:
    dashes = ' stroke-dasharray="6 4"' if line.dashed else ""
    path = "L".join(f"{x:.1f} {y:.1f}" for x, y in points)
    parts = [f'<g class="c{line.colour}">\n<path class="line" d="M{path}"{dashes}/>\n']
    for x, y in points:
        if line.dashed:
            mark = f'<path class="mark" d="M{x:.1f} {y - 5:.1f}l5 5-5 5-5-5z"/>\n'
        else:
            mark = f'<circle class="mark" cx="{x:.1f}" cy="{y:.1f}" r="4"/>\n'
        parts.append(mark)
    parts.append(
        f'<text class="mark" x="{_RIGHT + 12}" y="{place + 5:.1f}">{escape(line.title)}</text>\n'
    )
    return [*parts, "</g>\n"]
