# SPDX-License-Identifier: GPL-2.0-or-later
"""Colours as eyes see them: contrast (WCAG), difference (CIE 1976), colour-vision deficiencies.

The matrices are those of Machado, Oliveira and Fernandes (2009) for full deficiency, in linear RGB.
"""

from __future__ import annotations

import math

Triple = tuple[float, float, float]

MACHADO: dict[str, tuple[Triple, Triple, Triple]] = {
    "normal": ((1, 0, 0), (0, 1, 0), (0, 0, 1)),
    "protan": (
        (0.152286, 1.052583, -0.204868),
        (0.114503, 0.786281, 0.099216),
        (-0.003882, -0.048116, 1.051998),
    ),
    "deutan": (
        (0.367322, 0.860646, -0.227968),
        (0.280085, 0.672501, 0.047413),
        (-0.011820, 0.042940, 0.968881),
    ),
    "tritan": (
        (1.255528, -0.076749, -0.178779),
        (-0.078411, 0.930809, 0.147602),
        (0.004733, 0.691367, 0.303900),
    ),
}
_TO_XYZ: tuple[Triple, Triple, Triple] = (
    (0.4124564, 0.3575761, 0.1804375),
    (0.2126729, 0.7151522, 0.0721750),
    (0.0193339, 0.1191920, 0.9503041),
)
_WHITE = (0.95047, 1.0, 1.08883)


def linear(colour: str) -> Triple:
    """Return *colour*, ``#rrggbb``, in linear RGB."""
    red, green, blue = (int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5))
    return _linear(red), _linear(green), _linear(blue)


def _linear(value: float) -> float:
    return value / 12.92 if value <= 0.04045 else float(((value + 0.055) / 1.055) ** 2.4)


def contrast(one: str, other: str) -> float:
    """Return the ratio of contrast of two colours, 1 to 21."""
    light, dark = sorted((_dot(_TO_XYZ[1], linear(each)) for each in (one, other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def difference(one: str, other: str, vision: str = "normal") -> float:
    """Return how different two colours look (distance in CIELAB) to who has *vision*."""
    return math.dist(*(_lab(_seen(linear(each), vision)) for each in (one, other)))


def _seen(colour: Triple, vision: str) -> Triple:
    red, green, blue = (min(1.0, max(0.0, _dot(row, colour))) for row in MACHADO[vision])
    return red, green, blue


def _dot(row: Triple, colour: Triple) -> float:
    return sum(one * other for one, other in zip(row, colour))


def _lab(colour: Triple) -> Triple:
    x, y, z = (_cube_root(_dot(row, colour) / white) for row, white in zip(_TO_XYZ, _WHITE))
    return 116 * y - 16, 500 * (x - y), 200 * (y - z)


def _cube_root(value: float) -> float:
    return float(value ** (1 / 3)) if value > 0.008856 else 7.787 * value + 16 / 116
