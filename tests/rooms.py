"""Pictures that look like photographs of places, out of focus as behind a portrait, made from a seed."""

import cv2
import numpy as np

KINDS = ("room", "shelf", "night", "garden", "street")


def place(seed, width, height):
    """Return (height, width, 3) uint8 RGB; the kind goes round with the seed."""
    rng = np.random.Generator(np.random.PCG64(1000 + seed))
    scene = globals()[f"_{KINDS[seed % len(KINDS)]}"](rng, width, height)
    scene = cv2.GaussianBlur(scene, (0, 0), float(rng.choice([0.6, 1.5, 3.0, 6.0])) * width / 640)
    light = _noise(rng, width, height, 2)[..., None]  # falls unevenly
    scene = scene * (1 + 0.25 * light)
    grain = rng.normal(0, rng.uniform(1, 4), scene.shape)
    return np.clip(scene + grain, 0, 255).astype(np.uint8)


def _noise(rng, width, height, cells):
    """(height, width) float32 in about -1..1, with `cells` bumps across."""
    small = rng.uniform(-1, 1, (max(2, cells * height // width + 1), cells + 1)).astype(np.float32)
    return cv2.resize(small, (width, height), interpolation=cv2.INTER_CUBIC)


def _texture(rng, width, height):
    """Sum of octaves, as of plaster, cloth or leaves."""
    return sum(_noise(rng, width, height, 2**k) / 1.6**k for k in range(2, 8))


def _colour(rng, low=40, high=220):
    grey = rng.uniform(low, high)
    return np.clip(grey + rng.normal(0, 18, 3), 0, 255)


def _room(rng, width, height):
    """A wall, a floor's edge, a window with daylight and curtains, a picture."""
    fall = np.linspace(1.1, 0.75, width, dtype=np.float32)[None, :, None]
    scene = np.broadcast_to(_colour(rng, 110, 210), (height, width, 3)) * fall
    scene = scene + 5 * _texture(rng, width, height)[..., None]
    x, w = int(rng.uniform(-0.05, 0.7) * width), int(rng.uniform(0.18, 0.3) * width)
    y, h = int(0.08 * height), int(0.6 * height)
    x = max(x, 0)
    pane = scene[y : y + h, x : x + w]
    pane[:] = 235 + 12 * _texture(rng, pane.shape[1], pane.shape[0])[..., None]
    for k in (0, 0.5, 1):
        at = int(x + k * w)
        cv2.line(scene, (at, y), (at, y + h), _colour(rng, 180, 240).tolist(), max(2, width // 110))
    for side in (x - w // 5, x + w):
        folds = 25 * np.sin(np.arange(w // 5) * rng.uniform(0.3, 0.6))[None, :, None]
        part = scene[: int(0.85 * height), max(side, 0) : max(side + w // 5, 0)]
        part[:] = (_colour(rng) + folds)[:, -part.shape[1] :] if part.size else part
    if rng.random() < 0.6:
        at = int(rng.uniform(0.6, 0.85) * width), int(0.2 * height)
        cv2.rectangle(scene, at, (at[0] + width // 9, at[1] + height // 4), _colour(rng).tolist(), -1)
    return scene


def _shelf(rng, width, height):
    """Books and boxes on boards."""
    scene = np.full((height, width, 3), _colour(rng, 40, 110), np.float64)
    rows = int(rng.integers(3, 6))
    for row in range(rows):
        bottom = (row + 1) * height // rows
        x = 0
        while x < width:
            w, h = int(rng.uniform(0.01, 0.05) * width) + 2, int(rng.uniform(0.5, 0.92) * height / rows)
            if rng.random() < 0.85:
                cv2.rectangle(scene, (x, bottom - h), (x + w - 1, bottom), _colour(rng, 30, 230).tolist(), -1)
            x += w
        cv2.line(scene, (0, bottom), (width, bottom), _colour(rng, 90, 160).tolist(), max(3, height // 60))
    return scene + 6 * _texture(rng, width, height)[..., None]


def _night(rng, width, height):
    """Lights far out of focus."""
    scene = np.full((height, width, 3), _colour(rng, 12, 50), np.float64)
    scene += 10 * _texture(rng, width, height)[..., None]
    for _ in range(int(rng.integers(25, 60))):
        disc = np.zeros((height, width), np.float32)
        at = int(rng.uniform(0, width)), int(rng.uniform(0, height))
        cv2.circle(disc, at, int(rng.uniform(0.01, 0.04) * width), 1.0, -1, cv2.LINE_AA)
        tint = np.clip(rng.normal((190, 140, 80), 40), 0, 255)
        scene += disc[..., None] * tint * rng.uniform(0.2, 0.8)
    return np.minimum(scene, 255)


def _garden(rng, width, height):
    """Leaves in light and shade, with sky between them."""
    leaves = _texture(rng, width, height)
    shade = np.clip(0.5 + 0.5 * leaves, 0, 1)[..., None]
    dark, light = np.array([25, 45, 20]), np.array([130, 165, 70]) + rng.normal(0, 12, 3)
    scene = dark + (light - dark) * shade
    sky = np.clip((_texture(rng, width, height) - 0.5) * 4, 0, 1)[..., None]
    return scene * (1 - 0.8 * sky) + 0.8 * sky * np.array([215, 228, 240])


def _street(rng, width, height):
    """Houses with windows under a bright sky."""
    up = np.linspace(0, 1, height, dtype=np.float32)[:, None, None]
    scene = (1 - up) * np.array([170, 195, 225]) + up * np.array([225, 225, 220]) + np.zeros((1, width, 1))
    x = 0
    while x < width:
        w, top = int(rng.uniform(0.12, 0.3) * width), int(rng.uniform(0.05, 0.45) * height)
        wall = _colour(rng, 80, 190)
        cv2.rectangle(scene, (x, top), (x + w, height), wall.tolist(), -1)
        for wx in range(x + w // 10, x + w - w // 8, max(8, w // 4)):
            for wy in range(top + height // 20, height, max(10, height // 8)):
                end = wx + max(4, w // 8), wy + max(5, height // 14)
                cv2.rectangle(scene, (wx, wy), end, (wall * rng.uniform(0.3, 0.7)).tolist(), -1)
        x += w
    return scene + 4 * _texture(rng, width, height)[..., None]
