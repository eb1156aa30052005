# SPDX-License-Identifier: GPL-2.0-or-later
"""The picture of README.md, for light and for dark pages: ``make docs`` writes both."""

from __future__ import annotations

from pathlib import Path

IMAGES = Path(__file__).resolve().parent / "images"

#: Colours by theme: text, what is beside the point, boxes, the proxy's box, lines.
THEMES = {
    "light": ("#1f2328", "#59636e", "#f6f8fa", "#ddf4ff", "#0969da"),
    "dark": ("#f0f6fc", "#9198a1", "#151b23", "#121d2f", "#4493f8"),
}

#: Who connects, and how.
CLIENTS = (
    ("Wall board", "JSON"),
    ("Dialler", "AMI"),
    ("CRM, web page", "HTTP"),
    ("Your script", "XML, CSV"),
)
SERVERS = ("pbx1", "pbx2", "pbx3")

#: What the proxy does, in its box.
INSIDE = (
    "who may log in, from where",
    "what they see and may do",
    "whose answer it is",
    "each in their own format",
)

_HEAD = """\
<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 760 300" role="img" aria-labelledby="t d"
  font-family="system-ui, -apple-system, 'Segoe UI', sans-serif" font-size="15">
<!-- SPDX-License-Identifier: GPL-2.0-or-later -->
<title id="t">Clients, astmanproxy, Asterisk servers</title>
<desc id="d">Four clients connect to astmanproxy, each in a format of its own; astmanproxy keeps one
connection to each of three Asterisk servers.</desc>
<defs><marker id="a" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7"
  orient="auto-start-reverse"><path d="M0 0 8 4 0 8z" fill="{line}"/></marker></defs>
"""


def _box(x: float, y: float, width: float, height: float, fill: str, line: str) -> str:
    return (
        f'<rect x="{x:g}" y="{y:g}" width="{width:g}" height="{height:g}" rx="8" fill="{fill}"'
        f' stroke="{line}"/>\n'
    )


def _text(x: float, y: float, colour: str, text: str, more: str = "") -> str:
    return f'<text x="{x:g}" y="{y:g}" fill="{colour}" text-anchor="middle"{more}>{text}</text>\n'


def _arrow(x: float, to_x: float, y: float, line: str) -> str:
    return (
        f'<path d="M{x:g} {y:g}H{to_x:g}" stroke="{line}" stroke-width="1.5"'
        f' marker-start="url(#a)" marker-end="url(#a)"/>\n'
    )


def picture(theme: str) -> str:
    """Return the picture for pages of *theme*, light or dark, as SVG."""
    text, faint, plain, middle, line = THEMES[theme]
    small = ' font-size="13"'
    parts = [_HEAD.format(line=line)]
    for i, (name, how) in enumerate(CLIENTS):
        y = 28 + 66 * i
        parts += [
            _box(8, y, 150, 46, plain, faint),
            _text(83, y + 28, text, name),
            _text(219, y + 16, faint, how, small),
            _arrow(160, 278, y + 23, line),
        ]
    parts += [
        _box(280, 28, 216, 244, middle, line),
        _text(388, 66, text, "astmanproxy", ' font-weight="600" font-size="19"'),
        *(_text(388, 116 + 36 * i, text, each, small) for i, each in enumerate(INSIDE)),
    ]
    for i, name in enumerate(SERVERS):
        y = 38 + 88 * i
        parts += [
            _arrow(498, 618, y + 24, line),
            _box(620, y, 132, 48, plain, faint),
            _text(686, y + 29, text, f"Asterisk {name}"),
        ]
    parts.append(_text(558, 48, faint, "one connection", small))
    return "".join([*parts, "</svg>\n"])


def main() -> None:
    """Write the picture for both themes."""
    for theme in THEMES:
        (IMAGES / f"overview-{theme}.svg").write_text(picture(theme), "utf-8")


if __name__ == "__main__":
    main()
