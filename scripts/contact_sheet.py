"""Draw the contact sheet that opens the README: every gallery avatar, at rest and in eight mouth shapes.

python scripts/contact_sheet.py [docs/images/gallery.png]
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from avatalk.avatars import gallery
from avatalk.avatars.artist.mouth import Pose
from avatalk.avatars.artist.puppet import Puppet

MOUTHS = {
    "rest": Pose(),
    "m b p": Pose(closed=1),
    "a": Pose(open=0.85),
    "e i": Pose(open=0.3, wide=0.9),
    "o": Pose(open=0.6, round=0.8),
    "u": Pose(open=0.2, round=1),
    "f v": Pose(open=0.05, teeth=1),
    "th l": Pose(open=0.3, tongue=1),
}
COLUMNS, CARD, PICTURE, STRIP, MARGIN = 4, 304, 244, 52, 12
SCALE = 3  # drawn larger, then reduced
STILL = (0.0,) * 8
PAPER, INK = (250, 249, 247), (70, 68, 66)


def card(name: str) -> Image.Image:
    """Draw one avatar: the bust, and below it the mouth shapes."""
    puppet = Puppet(gallery.get(name), CARD * SCALE, PICTURE * SCALE)
    sheet = Image.new("RGB", (CARD, PICTURE + STRIP), PAPER)
    sheet.paste(Image.fromarray(puppet.still()).resize((CARD, PICTURE), Image.Resampling.LANCZOS))
    width = CARD // len(MOUTHS)
    for i, pose in enumerate(MOUTHS.values()):
        frame = puppet.frame(pose, STILL)
        x, y = CARD * SCALE // 2, int(PICTURE * SCALE * 0.63)
        half = 75
        tall = half * (STRIP - 2) // width
        mouth = Image.fromarray(np.ascontiguousarray(frame[y - tall : y + tall, x - half : x + half]))
        sheet.paste(mouth.resize((width - 1, STRIP - 2), Image.Resampling.LANCZOS), (i * width, PICTURE + 2))
    return sheet


def main(target: str = "docs/images/gallery.png") -> None:
    """Draw the sheet and save it."""
    names = gallery.names()
    rows = -(-len(names) // COLUMNS)
    foot = 16
    size = (
        COLUMNS * (CARD + MARGIN) + MARGIN,
        rows * (PICTURE + STRIP + foot + MARGIN) + MARGIN,
    )
    sheet = Image.new("RGB", size, PAPER)
    draw = ImageDraw.Draw(sheet)
    small, large = ImageFont.load_default(9), ImageFont.load_default(14)
    for i, name in enumerate(names):
        x = MARGIN + (i % COLUMNS) * (CARD + MARGIN)
        y = MARGIN + (i // COLUMNS) * (PICTURE + STRIP + foot + MARGIN)
        sheet.paste(card(name), (x, y))
        draw.text((x + 9, y + 7), name, font=large, fill=INK)
        step = CARD // len(MOUTHS)
        for k, label in enumerate(MOUTHS):
            draw.text(
                (x + k * step + step // 2, y + PICTURE + STRIP + 3), label, font=small, fill=INK, anchor="ma"
            )
    path = Path(target)
    path.parent.mkdir(parents=True, exist_ok=True)
    steps = (np.asarray(sheet).astype(np.uint16) + 1) // 2 * 2  # every other step of colour: half the size
    Image.fromarray(np.clip(steps, 0, 255).astype(np.uint8)).save(path, optimize=True)
    print(f"{path}: {path.stat().st_size / 1000:.0f} kB, {size[0]}×{size[1]}")


if __name__ == "__main__":
    main(*sys.argv[1:2])
