"""How much the edge of a matte flickers in a clip, where nothing moves.

    python scripts/flicker.py talking.mp4
    python scripts/flicker.py --engine deeplab talking.mp4

Prints the mean change of alpha from frame to frame, in per cent: of all pixels, of those within four pixels
of the edge, and of the edge alone, where alpha is between 0.02 and 0.98 in either frame.

What moves is not known in a filmed clip, so several readings stand side by side. A pixel is still if no
channel changes by T steps of 255, after a blur over 5x5 pixels; more safely, if that holds within four pixels
around it too. The first reading alone counts true motion as flicker: beside a moving edge of weak contrast
are pixels whose colours hardly change but whose true alpha does. The last reading is by optical flow:
less than a quarter of a pixel a frame within four pixels.
"""

from __future__ import annotations

import argparse
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np

from avatalk import engines
from avatalk.avatars.clip import open_clip
from avatalk.events import Monitor
from avatalk.media import UInt8Array

STEPS = (2, 3, 5)
NEAR = np.ones((9, 9), np.uint8)
PARTS = ("picture", "near the edge", "edge")
Mask = np.ndarray[tuple[int, ...], np.dtype[np.bool_]]


def still(one: UInt8Array, other: UInt8Array, flow: cv2.DISOpticalFlow) -> Iterator[tuple[str, Mask]]:
    """Yield every reading of what stands still between two frames, (height, width, 3) RGB."""
    differs = cv2.absdiff(cv2.blur(one, (5, 5)), cv2.blur(other, (5, 5))).max(axis=-1)
    around = cv2.dilate(differs, NEAR)
    for steps in STEPS:
        yield f"T = {steps}", differs < steps
    for steps in STEPS:
        yield f"T = {steps}, 4 pixels around", around < steps
    greys = (cv2.cvtColor(frame, cv2.COLOR_RGB2GRAY) for frame in (one, other))
    moves = np.linalg.norm(flow.calc(*greys, None), axis=-1)  # type: ignore[call-overload]
    yield "flow, 4 pixels around", cv2.dilate(moves, NEAR) < 0.25


def edges(one: UInt8Array, other: UInt8Array) -> Iterator[tuple[str, Mask]]:
    """Yield the parts of a picture of which the change of two alphas, (height, width), is told."""
    edge = ((one > 5) & (one < 250)) | ((other > 5) & (other < 250))
    masks = np.ones_like(edge), cv2.dilate(edge.astype(np.uint8), NEAR) > 0, edge
    yield from zip(PARTS, masks, strict=True)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--engine", default="selfie")
    parser.add_argument("clip", type=Path)
    options = parser.parse_args()
    clip = open_clip(options.clip)
    matting = engines.get("compose", options.engine).load().configured("auto", Monitor())
    flow = cv2.DISOpticalFlow_create(cv2.DISOPTICAL_FLOW_PRESET_MEDIUM)  # type: ignore[attr-defined]
    changed: dict[tuple[str, str], float] = defaultdict(float)
    counted: dict[tuple[str, str], int] = defaultdict(int)
    before = None
    for picture, cut in matting.cut_clip(clip.frames, range(len(clip)), len(clip)):
        alpha = np.ascontiguousarray(cut[..., 3])
        if before is not None:
            differs = cv2.absdiff(before[1], alpha)
            parts = list(edges(before[1], alpha))
            for reading, where in still(before[0], picture, flow):
                for part, mask in parts:
                    changed[reading, part] += float(differs[where & mask].sum()) / 255
                    counted[reading, part] += int((where & mask).sum())
        before = picture.copy(), alpha
    print("| still | " + " | ".join(PARTS) + " | pixels of the edge |")
    print("| --- |" + " --- |" * (len(PARTS) + 1))
    for reading in dict.fromkeys(reading for reading, _ in changed):
        means = (100 * changed[reading, part] / max(counted[reading, part], 1) for part in PARTS)
        print(f"| {reading} | " + " | ".join(f"{mean:.3f} %" for mean in means), end=" | ")
        print(f"{counted[reading, 'edge'] // max(len(clip) - 1, 1)} a frame |")


if __name__ == "__main__":
    main()
