"""The rig: what lips, lids, eyes and head do on rendered frames."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from avatalk.avatars import gallery
from avatalk.avatars.artist import Skin
from avatalk.lipsync.base import Animation, Shot
from avatalk.lipsync.rig import RigAnimator
from avatalk.media import MOTION_CHANNELS, VISEME_CHANNELS, Avatar, MotionCurve, VisemeCurve

WIDTH, HEIGHT = 640, 360
MOUTH = (slice(210, 252), slice(290, 351))  # rows, columns
LEFT_EYE = (slice(145, 175), slice(585 - 325, 300))


def row(channels: tuple[str, ...], values: dict[str, float]) -> list[float]:
    return [values.get(c, 0.0) for c in channels]


def prepare(character, rows: list[dict[str, float]], width: int = WIDTH, height: int = HEIGHT) -> Animation:
    visemes = np.array([row(VISEME_CHANNELS, r) for r in rows], np.float32)
    motion = np.array([row(MOTION_CHANNELS, r) for r in rows], np.float32)
    avatar = Avatar(character.name, character=character)
    return RigAnimator().prepare(
        Shot(avatar, None, VisemeCurve(visemes, 25.0), MotionCurve(motion, 25.0), width, height)
    )


def frames(character, *rows: dict[str, float]) -> list[np.ndarray]:
    return list(prepare(character, list(rows)).frames(0, len(rows)))


@cache
def ada():
    return gallery.get("ada")


def dark(frame: np.ndarray) -> int:
    """Count pixels of the mouth's inside."""
    return int((frame[MOUTH].max(axis=2) < 80).sum())


def moved(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    return np.abs(a.astype(int) - b).max(axis=2) > 0


@pytest.mark.parametrize("size", [(160, 90), (90, 160), (128, 128), (640, 200)])
def test_any_canvas(size):
    frame = next(prepare(ada(), [{"open": 1, "yaw": 0.1}], *size).frames(0, 1))
    assert frame.shape == (size[1], size[0], 3)
    assert frame.dtype == np.uint8


def test_a_frame_is_a_function_of_its_index():
    rng = np.random.Generator(np.random.PCG64(3))
    rows = [{c: float(rng.uniform(0, 0.1)) for c in (*VISEME_CHANNELS, *MOTION_CHANNELS)} for _ in range(6)]
    once, again = prepare(ada(), rows), prepare(ada(), rows)
    whole = list(once.frames(0, 6))
    for i in (4, 1, 5, 0, 3, 2):
        assert np.array_equal(next(again.frames(i, i + 1)), whole[i])
        assert np.array_equal(next(once.frames(i, i + 1)), whole[i])


def test_frames_belong_to_the_caller():
    animation = prepare(ada(), [{}])
    first = next(animation.frames(0, 1))
    kept = first.copy()
    first[:] = 0
    assert np.array_equal(next(animation.frames(0, 1)), kept)


def test_rest_is_the_still_picture():
    assert np.array_equal(frames(ada(), {})[0], ada().picture(WIDTH, HEIGHT))


@pytest.mark.parametrize("name", gallery.names())
def test_the_mouth_opens_with_the_curve(name):
    pale = replace(  # so that only the inside is dark
        gallery.get(name), skin=Skin(0.2), lip_colour="#c66c68", beard_colour="#c9a382", brow_colour="#5a3522"
    )
    steps = np.linspace(0, 1, 9)
    seen = [dark(f) for f in frames(pale, *({"open": float(o)} for o in steps))]
    assert all(b >= a for a, b in pairwise(seen)), seen
    assert seen[-1] > 250 + seen[0]
    assert np.corrcoef(steps, seen)[0, 1] > 0.9


def test_pressed_lips_stay_shut():
    rest, closed, both = frames(ada(), {}, {"closed": 1}, {"closed": 1, "open": 1})
    assert np.array_equal(closed, both)
    assert dark(closed) == dark(rest) == 0
    assert moved(rest, closed)[MOUTH].sum() > 50


def test_a_mouth_at_rest_shows_no_inside():
    for name in ("chloe", "grace", "hiro", "fatima"):
        assert dark(frames(gallery.get(name), {})[0]) == 0


def test_teeth_and_tongue_are_seen():
    rest, bite, tongue, open_ = (
        f[MOUTH].astype(int)
        for f in frames(ada(), {}, {"teeth": 1}, {"tongue": 1, "open": 0.3}, {"open": 0.3})
    )

    def white(f: np.ndarray) -> int:
        return int(((f.max(2) - f.min(2) < 34) & (f.min(2) > 110)).sum())

    assert white(rest) == 0
    assert white(bite) > 40
    assert white(tongue) < white(open_)


def test_round_is_narrow_and_wide_is_wide():
    rest, wide, rounded = frames(ada(), {}, {"wide": 1, "open": 0.3}, {"round": 1, "open": 0.3})

    def width(frame: np.ndarray) -> int:
        lips = frame[MOUTH].astype(int)
        red = (lips[..., 0] - lips[..., 1] > 70).any(axis=0)
        return int(np.ptp(np.flatnonzero(red)))

    assert width(rounded) < width(rest) * 0.85
    assert width(wide) > width(rest) * 1.05


def test_lids_shut():
    bright = [
        int((f[LEFT_EYE].min(axis=2) > 205).sum()) for f in frames(ada(), {}, {"blink": 0.5}, {"blink": 1})
    ]
    assert bright[1] < bright[0] * 0.75
    assert bright[2] < bright[0] * 0.25
    a, b = frames(ada(), {}, {"blink": 1})
    changed = np.argwhere(moved(a, b))
    assert changed[:, 0].max() < 190
    assert changed[:, 0].min() > 100


def test_gaze_moves_the_irises():
    def iris(frame: np.ndarray) -> np.ndarray:
        eye = frame[148:172, 268:300].astype(float).sum(axis=2)
        weight = np.clip(200 - eye, 0, None)
        y, x = np.mgrid[: eye.shape[0], : eye.shape[1]]
        return np.array([(x * weight).sum(), (y * weight).sum()]) / weight.sum()

    left, mid, right, up, down = (
        iris(f)
        for f in frames(ada(), {"gaze_x": -0.8}, {}, {"gaze_x": 0.8}, {"gaze_y": -0.8}, {"gaze_y": 0.8})
    )
    assert left[0] < mid[0] - 1
    assert right[0] > mid[0] + 1
    assert up[1] < down[1] - 0.5


@pytest.mark.parametrize("name", gallery.names()[::2])
def test_only_the_mouth_and_jaw_move_when_speaking_still(name):
    a, b = (f.astype(int) for f in frames(gallery.get(name), {}, {"open": 1}))
    changed = np.argwhere(moved(a, b))
    (top, left), (bottom, right) = changed.min(axis=0), changed.max(axis=0)
    assert top > 185
    assert bottom < 312
    assert left > 320 - 70
    assert right < 320 + 70
    edge = np.concatenate([np.abs(a - b)[bottom].ravel(), np.abs(a - b)[:, [left, right]].ravel()])
    assert edge.max() < 25  # no seam where the moving part ends


@pytest.mark.parametrize("name", gallery.names()[::2])
def test_no_holes_at_extremes(name):
    """The frame over white equals the frame over black wherever the head is: it covers what is behind it."""
    rows = [
        {"yaw": 0.2, "pitch": -0.15, "roll": 0.15, "open": 1, "breath": 1, "brow": 1},
        {"yaw": -0.2, "pitch": 0.15, "roll": -0.15, "closed": 1, "blink": 1, "breath": -1, "brow": -1},
    ]
    character = gallery.get(name)
    over = [frames(replace(character, backdrop=(c, c)), *rows) for c in ("#ffffff", "#000000")]
    y, x = np.mgrid[:HEIGHT, :WIDTH]
    for white, black in zip(*over, strict=True):
        solid = ~moved(white, black)
        assert solid[(x - 320) ** 2 / 28**2 + (y - 172) ** 2 / 54**2 < 1].all()
        assert solid[330:, 220:420].all()
        assert not solid[:20, :20].any()


@pytest.mark.parametrize("part", [LEFT_EYE, (slice(165, 205), slice(300, 340))], ids=["eye", "nose"])
def test_motion_is_smooth_below_a_pixel(part):
    """A slow turn moves eyes and nose by even parts of a pixel, never by a jump."""
    seen = [
        f[part].astype(float).sum(axis=2) for f in frames(ada(), *({"yaw": 0.0025 * k} for k in range(13)))
    ]
    pace = []
    for a, b in pairwise(seen):
        slope = np.gradient((a + b) / 2, axis=1)
        pace.append(float(-((b - a) * slope).sum() / (slope**2).sum()))  # Lucas and Kanade, along x
    assert min(pace) > 0.05
    assert max(pace) < 0.3
    assert max(pace) < 1.6 * np.mean(pace)


def test_the_head_turns_with_parallax():
    """Turned to the right, the nose goes further than the ears' hair."""
    flat = replace(ada(), backdrop=("#ffffff", "#ffffff"))
    a, b = frames(flat, {}, {"yaw": 0.1})
    edge = [int(np.flatnonzero(f[160, :, 2] < 200)[0]) for f in (a, b)]
    nose_a, nose_b = (f[188:205, 290:350].astype(float).sum(axis=2) for f in (a, b))
    shift = max(
        range(13), key=lambda k: np.corrcoef(nose_a[:, :45].ravel(), nose_b[:, k : k + 45].ravel())[0, 1]
    )
    assert shift > edge[1] - edge[0] + 1 > 0


def test_breath_lifts_the_shoulders():
    flat = replace(ada(), backdrop=("#ffffff", "#ffffff"))
    out, in_ = frames(flat, {"breath": -1}, {"breath": 1})
    top = [float((255 - f[:, 180].mean(axis=1)).sum()) for f in (out, in_)]
    assert top[1] - top[0] > 255 * 1.2  # pixels


@settings(max_examples=12, deadline=None)
@given(
    mouth=st.lists(st.floats(0, 1), min_size=6, max_size=6),
    head=st.lists(st.floats(-0.1, 0.1), min_size=3, max_size=3),
    rest=st.lists(st.floats(-1, 1), min_size=5, max_size=5),
)
def test_any_pose_can_be_drawn(mouth, head, rest):
    values = dict(zip((*VISEME_CHANNELS, *MOTION_CHANNELS), (*mouth, *head, *rest), strict=True))
    with np.errstate(all="raise", under="ignore"):
        frame = next(_tiny(values).frames(0, 1))
    assert frame.shape == (90, 120, 3)


def _tiny(values: dict[str, float]) -> Animation:
    return prepare(gallery.get("grace"), [values], 120, 90)
