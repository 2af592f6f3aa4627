"""A flat cap, a cook's hat, crowns and a horned helmet, each a function of its colour, in head units."""

from __future__ import annotations

from avatalk.avatars.artist.face import Sheet, sheet
from avatalk.avatars.artist.hat_parts import dome, draw_visor, shades, whole
from avatalk.avatars.artist.svg import Point, line, mix

_SEAT: list[Point] = [(0, -158), (66, -152), (112, -130), (140, -96)]
"""The right half of the line on the hair where a crown sits."""


def flat_cap(tint: str) -> list[Sheet]:
    """Draw a low cap of tweed with a short stiff peak."""
    dark, light = shades(tint)
    s, peak = sheet(-220, -300, 220, -60), sheet(-180, -170, 180, -60)
    puff: list[Point] = [(0, -240), (80, -234), (140, -204), (172, -150), (164, -108)]
    edge = [(0, -112), (70, -112), (124, -108), (160, -100)]
    dome(s, puff, edge, tint)
    outline = line([*whole(puff), *reversed(whole(edge))], closed=True, tension=0.8)
    with s.detail.clipped(outline):
        for k in range(-12, 13):
            s.detail.stroke(line([(15 * k - 70, -250), (15 * k + 20, -90)], tension=0), light, 1.5, 0.3)
            s.detail.stroke(line([(15 * k + 70, -250), (15 * k - 20, -90)], tension=0), dark, 1.5, 0.3)
    s.detail.stroke(line([(-120, -214), (0, -196), (120, -214)]), dark, 2, 0.3)
    draw_visor(
        peak,
        [(0, -128), (70, -124), (120, -112), (148, -96)],
        [(0, -84), (70, -90), (122, -104), (148, -96)],
        mix(tint, dark, 0.2),
    )
    return [s, peak]


def toque(tint: str) -> list[Sheet]:
    """Draw a cook's tall pleated hat."""
    dark = mix(tint, "#4a4e58", 0.45)
    puff, band = sheet(-220, -330, 220, -120), sheet(-180, -220, 180, -60)
    lobes: list[Point] = [
        (-140, -168), (-186, -206), (-182, -262), (-128, -284), (-84, -302), (-30, -298), (20, -306),
        (76, -300), (124, -282), (180, -262), (188, -206), (140, -168), (0, -152),
    ]  # fmt: skip
    puff.shape.path(line(lobes, closed=True, tension=0.9), tint)
    puff.shading.flood(
        puff.shading.linear(
            -150, -280, 180, -170, (0, "#ffffff", 1), (0.5, tint, 1), (1, mix(tint, dark, 0.7), 1)
        )
    )
    with puff.shading.blurred(8):
        for x in (-126, -84, -36, 14, 62, 112):
            fold = [(x * 1.15, -280), (x * 1.1, -230), (x * 0.92, -164)]
            puff.shading.stroke(line(fold), dark, 12, 0.6)
            puff.shading.stroke(line([(px - 14, y) for px, y in fold]), "#ffffff", 10, 0.5)
        puff.shading.stroke(line([(-146, -172), (0, -158), (146, -172)]), dark, 18, 0.6)
    top: list[Point] = [(0, -172), (76, -168), (122, -156), (146, -140)]
    low: list[Point] = [(0, -116), (70, -112), (120, -98), (150, -78)]
    band.shape.path(line([*whole(top), *reversed(whole(low))], closed=True, tension=0.9), tint)
    band.shading.flood(
        band.shading.linear(-150, 0, 160, 0, (0, tint, 1), (0.3, "#ffffff", 1), (1, mix(tint, dark, 0.8), 1))
    )
    band.detail.stroke(line(whole(top)), dark, 2, 0.6)
    band.detail.stroke(line(whole(low)), dark, 1.6, 0.5)
    return [puff, band]


def fez(tint: str) -> list[Sheet]:
    """Draw a fez with its tassel."""
    dark, light = shades(tint)
    s = sheet(-170, -320, 170, -80)
    wall: list[Point] = [(0, -282), (60, -280), (94, -272), (112, -190), (128, -118)]
    edge: list[Point] = [(0, -138), (66, -134), (128, -118)]
    s.shape.path(line([*whole(wall), *reversed(whole(edge))], closed=True, tension=0.45), tint)
    ends = (
        (0, mix(tint, dark, 0.3), 1.0),
        (0.3, mix(tint, light, 0.4), 1.0),
        (0.55, tint, 1.0),
        (1, dark, 1.0),
    )
    s.shading.flood(s.shading.linear(-130, 0, 130, 0, *ends))
    s.detail.path(line([(-94, -272), (0, -264), (94, -272), (0, -286)], closed=True), mix(tint, light, 0.25))
    s.detail.stroke(line([(0, -276), (60, -272), (98, -258), (112, -214)]), "#17141a", 3)
    for x in (106, 110, 114, 118):
        s.detail.stroke(line([(112, -216), (x, -190), (x + 1, -160)]), "#17141a", 3)
    return [s]


def crown(tint: str) -> list[Sheet]:
    """Draw a crown of five points with stones."""
    dark, light = mix(tint, "#3a2404", 0.6), mix(tint, "#fff6d8", 0.6)
    s = sheet(-200, -330, 200, -60)
    top: list[Point] = [(0, -286), (26, -206), (70, -272), (92, -188), (150, -244), (146, -150)]
    s.shape.path(line([*whole(top), *reversed(whole(_SEAT))], closed=True, tension=0.12), tint)
    metal = (
        (0, mix(tint, dark, 0.3), 1.0),
        (0.22, light, 1.0),
        (0.45, tint, 1.0),
        (0.7, light, 1.0),
        (1, dark, 1.0),
    )
    s.shading.flood(s.shading.linear(-160, 0, 160, 0, *metal))
    with s.shading.blurred(5):
        s.shading.stroke(line([(x, y - 26) for x, y in whole(_SEAT)]), dark, 8, 0.6)
        s.shading.stroke(line(whole(_SEAT)), dark, 8, 0.6)
    s.detail.stroke(line([*whole(top)], tension=0.12), light, 2, 0.8)
    s.detail.stroke(line(whole(_SEAT)), dark, 2, 0.7)
    for x, y in whole(top)[1::2]:
        s.detail.ellipse(
            x, y, 9, 9, s.detail.radial(x - 3, y - 3, 12, (0, "#ffffff", 1), (0.5, light, 1), (1, dark, 1))
        )
    for k, (x, y) in enumerate(((-112, -148), (-62, -168), (0, -176), (62, -168), (112, -148))):
        stone = ("#b3202e", "#1f5fa8")[k % 2]
        s.detail.ellipse(x, y, 9, 11, dark)
        s.detail.ellipse(
            x,
            y,
            7.5,
            9.5,
            s.detail.radial(x - 2, y - 4, 11, (0, mix(stone, "#ffffff", 0.6), 1), (1, stone, 1)),
        )
    return [s]


def tiara(tint: str) -> list[Sheet]:
    """Draw a tiara, highest above the forehead."""
    dark, light = mix(tint, "#2a2c38", 0.5), mix(tint, "#ffffff", 0.75)
    s = sheet(-180, -300, 180, -60)
    s.shape.stroke(line(whole(_SEAT)), dark, 8)
    s.shape.stroke(line(whole(_SEAT)), tint, 5.5)
    s.shape.stroke(line([(x, y - 1.5) for x, y in whole(_SEAT)]), light, 1.6, 0.9)
    for x, h in ((0, 66), (-28, 48), (28, 48), (-56, 36), (56, 36), (-84, 24), (84, 24)):
        y = -156 + 0.0018 * x * x
        arch = [(x - 14, y), (x - 9, y - 0.6 * h), (x, y - h), (x + 9, y - 0.6 * h), (x + 14, y)]
        s.shape.stroke(line(arch), dark, 4.4)
        s.shape.stroke(line(arch), tint, 2.8)
        for dy, r in ((h + 4, 6.0), (0.45 * h, 4.5)):
            s.shape.ellipse(
                x,
                y - dy,
                r,
                r,
                s.shape.radial(x - 2, y - dy - 2, 8, (0, "#ffffff", 1), (0.5, light, 1), (1, dark, 1)),
            )
    return [s]


def horned(tint: str) -> list[Sheet]:
    """Draw a helmet of iron with two horns, as Vikings wear in the theatre."""
    dark, light = shades(tint)
    horns, s = sheet(-290, -330, 290, -80), sheet(-210, -330, 210, -50)
    for side in (-1, 1):
        horn: list[Point] = [
            (128, -214), (190, -214), (226, -250), (232, -306), (256, -262), (252, -206), (214, -160),
            (140, -148),
        ]  # fmt: skip
        points = [(side * x, y) for x, y in horn]
        horns.shape.path(
            line(points, closed=True, tension=0.8),
            horns.shape.linear(
                side * 130, -150, side * 240, -300, (0, "#8a7452", 1), (0.4, "#e6d9bc", 1), (1, "#5a4630", 1)
            ),
        )
        for u in (150, 168, 186, 204):
            horns.detail.stroke(
                line([(side * u, -214 + (u - 150) * 0.1), (side * (u + 8), -156 - (u - 150) * 0.3)]),
                "#5a4630",
                2,
                0.4,
            )
    edge = [(0, -128), (80, -124), (150, -108)]
    dome(s, [(0, -300), (70, -290), (128, -246), (156, -176), (158, -118)], edge, tint)
    low = [(0, -104), (80, -100), (156, -84)]
    top = [(0, -146), (80, -142), (158, -124)]
    bronze = "#9a7436"
    band = s.detail.linear(
        -160,
        0,
        160,
        0,
        (0, mix(bronze, "#2a1a04", 0.4), 1),
        (0.3, "#e0bd74", 1),
        (1, mix(bronze, "#2a1a04", 0.5), 1),
    )
    ridge = [(-16, -300), (16, -300), (20, -146), (-20, -146)]
    for outline in (
        line(ridge, closed=True, tension=0.3),
        line([*whole(top), *reversed(whole(low))], closed=True, tension=0.9),
    ):
        s.detail.path(outline, band)
        s.detail.stroke(outline, dark, 1.8, 0.5)
    for x, y in ((0, -125), (-50, -124), (50, -124), (-98, -117), (98, -117), (-138, -108), (138, -108)):
        s.detail.ellipse(x, y, 6, 6, s.detail.radial(x - 2, y - 2, 8, (0, light, 1), (1, "#5a4420", 1)))
    return [horns, s]
