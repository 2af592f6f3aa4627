"""The animator for photographs, on faces drawn here from real landmarks, measured by colour on its frames."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from avatalk.errors import FaceError
from avatalk.faces.mediapipe import MediaPipeFaces
from avatalk.lipsync.base import Shot
from avatalk.lipsync.warp import MeshWarp
from avatalk.lipsync.warp_frame import FACE_OVAL, INNER_LOWER, INNER_UPPER, OUTER_LOWER, OUTER_UPPER
from avatalk.media import MOTION_CHANNELS, VISEME_CHANNELS, Avatar, Face, FaceTrack, MotionCurve, VisemeCurve

LANDMARKS = np.load(Path(__file__).parent / "data" / "warp_landmarks.npz")
EYES = (
    (33, 246, 161, 160, 159, 158, 157, 173, 133, 155, 154, 153, 145, 144, 163, 7),
    (362, 398, 384, 385, 386, 387, 388, 466, 263, 249, 390, 373, 374, 380, 381, 382),
)
SKIN, LIPS, TEETH = (214, 168, 142), (188, 70, 78), (240, 236, 225)
WHITE, IRIS, LINE = (236, 236, 236), (40, 70, 150), (120, 40, 45)
SIZE = 512


def draw(landmarks: np.ndarray, size: int = SIZE) -> np.ndarray:
    """A plain face on a grainy ground, drawn four times too large and made smaller."""
    rng = np.random.Generator(np.random.PCG64(5))
    grain = rng.integers(60, 200, (size // 8, size // 8)).astype(np.uint8)
    big = cv2.resize(np.dstack(3 * [grain]), (4 * size, 4 * size), interpolation=cv2.INTER_CUBIC)

    def fill(indices, colour):
        points = np.round(landmarks[list(indices), :2] * 4).astype(np.int32)
        cv2.fillPoly(big, [points], colour)

    fill(FACE_OVAL, SKIN)
    skin = big.copy()
    for eye, iris in zip(EYES, (468, 473), strict=True):
        fill(eye, WHITE)
        centre = tuple(int(k) for k in np.round(landmarks[iris, :2] * 4))
        cv2.circle(big, centre, int(4 * 0.05 * eye_distance(landmarks)), IRIS, -1)
    lids = np.zeros(big.shape[:2], np.uint8)
    cv2.fillPoly(lids, [np.round(landmarks[list(eye), :2] * 4).astype(np.int32) for eye in EYES], 1)
    big[lids == 0] = skin[lids == 0]
    fill((*OUTER_UPPER, *OUTER_LOWER[::-1]), LIPS)
    fill((*INNER_UPPER, *INNER_LOWER[::-1]), TEETH)
    if abs(landmarks[14, 1] - landmarks[13, 1]) < 0.02 * eye_distance(landmarks):
        line = np.round(landmarks[list(INNER_UPPER), :2] * 4).astype(np.int32)
        cv2.polylines(big, [line], False, LINE, 6)
    return cv2.resize(big, (size, size), interpolation=cv2.INTER_AREA)


def animate(landmarks, visemes=(), motions=(), picture=None):
    """An animation whose frames are given as dicts of channels that are not 0."""
    count = max(len(visemes), len(motions))
    tables = []
    for names, rows in ((VISEME_CHANNELS, visemes), (MOTION_CHANNELS, motions)):
        table = np.zeros((count, len(names)), np.float32)
        for index, row in enumerate(rows):
            for name, value in row.items():
                table[index, names.index(name)] = value
        tables.append(table)
    picture = draw(landmarks) if picture is None else picture
    height, width = picture.shape[:2]
    low, high = landmarks[:, :2].min(axis=0), landmarks[:, :2].max(axis=0)
    face = Face((*low, *high), landmarks.astype(np.float32), 1.0)
    shot = Shot(
        Avatar("drawn", picture=picture),
        FaceTrack((face,)),
        VisemeCurve(tables[0], 25.0),
        MotionCurve(tables[1], 25.0),
        width,
        height,
    )
    return MeshWarp().prepare(shot), count


def frames_of(landmarks, visemes=(), motions=(), picture=None):
    animation, count = animate(landmarks, visemes, motions, picture)
    return list(animation.frames(0, count))


def is_lip(frame):
    r, g, b = (frame[..., k].astype(int) for k in range(3))
    return (r > 110) & (r - g > 75) & (r - b > 60)


def gap(frame, landmarks):
    """Pixels between the lips in the column through the middle of the mouth."""
    x = round(float(landmarks[13, 0]))
    rows = np.flatnonzero(is_lip(frame)[:, x])
    return int((np.diff(rows) - 1).max()) if len(rows) else 0


def eye_distance(landmarks):
    return float(np.linalg.norm(landmarks[33, :2] - landmarks[263, :2]))


@pytest.fixture(scope="module", params=["shut", "smiling"])
def landmarks(request):
    return LANDMARKS[request.param]


def test_a_frame_is_the_same_whoever_asks_and_in_whatever_order():
    rng = np.random.Generator(np.random.PCG64(1))
    visemes = [dict(zip(VISEME_CHANNELS, rng.uniform(0, 1, 6), strict=True)) for _ in range(6)]
    motions = [
        {"yaw": 0.05 * k, "roll": -0.02 * k, "blink": k / 5, "brow": 0.3, "breath": 0.5} for k in range(6)
    ]
    first, count = animate(LANDMARKS["smiling"], visemes, motions)
    whole = list(first.frames(0, count))
    second, _ = animate(LANDMARKS["smiling"], visemes, motions)
    threads = cv2.getNumThreads()
    try:
        cv2.setNumThreads(1)
        for index in reversed(range(count)):
            for animation in (first, second):
                (alone,) = animation.frames(index, index + 1)
                assert np.array_equal(alone, whole[index])
    finally:
        cv2.setNumThreads(threads)
    whole[0][:] = 0  # frames belong to the caller
    assert next(first.frames(0, 1)).any()


def test_shut_lips_at_rest_are_the_photograph_itself():
    landmarks = LANDMARKS["shut"]
    picture = draw(landmarks)
    assert np.array_equal(frames_of(landmarks, [{}], picture=picture)[0], picture)


def test_a_toothy_smile_rests_closed():
    landmarks = LANDMARKS["smiling"]
    picture = draw(landmarks)
    assert gap(picture, landmarks) > 0.08 * eye_distance(landmarks)
    (rest,) = frames_of(landmarks, [{}], picture=picture)
    assert gap(rest, landmarks) <= 0.02 * eye_distance(landmarks)
    x, y = np.round(landmarks[[13, 14], :2].mean(axis=0)).astype(int)
    mouth = rest[y - 25 : y + 25, x - 45 : x + 45].astype(int)
    assert not ((mouth.min(axis=2) > 190) & (np.ptp(mouth, axis=2) < 40)).any(), "teeth shine through"


def test_lips_open_as_told(landmarks):
    told = np.linspace(0, 1, 15)
    seen = np.array([gap(frame, landmarks) for frame in frames_of(landmarks, [{"open": k} for k in told])])
    seen = seen / eye_distance(landmarks)
    assert np.corrcoef(told, seen)[0, 1] > 0.98
    assert (np.diff(seen) >= 0).all()
    assert seen[0] <= 0.02
    assert 0.13 < seen[-1] < 0.20  # about a tenth of the face height, no more


def test_the_projects_own_mesh_sees_the_lips_follow(landmarks):
    rng = np.random.Generator(np.random.PCG64(3))
    told = np.concatenate([[0.0, 0.0], np.linspace(0.1, 1.0, 10), rng.uniform(0, 1, 6)])
    visemes = [{"open": k, "wide": rng.uniform(0, 0.6), "tongue": rng.uniform(0, 1)} for k in told]
    visemes[:2] = [{}, {"closed": 1.0}]
    motions = [dict(zip(("yaw", "pitch", "roll"), rng.uniform(-0.05, 0.05, 3), strict=True)) for _ in told]
    finder, seen = MediaPipeFaces(), []
    for frame in frames_of(landmarks, visemes, motions):
        (face,) = finder.find(frame)
        seen.append(np.linalg.norm(face.landmarks[13, :2] - face.landmarks[14, :2]) / face.eye_distance)
    assert max(seen[:2]) <= 0.02
    assert np.corrcoef(told, seen)[0, 1] > 0.93


def test_p_closes_and_f_bares_the_upper_teeth(landmarks):
    pressed, bared = frames_of(landmarks, [{"closed": 1.0}, {"teeth": 1.0, "open": 0.1}])
    assert gap(pressed, landmarks) <= 0.02 * eye_distance(landmarks)
    x = round(float(landmarks[13, 0]))
    rows = np.flatnonzero(is_lip(bared)[:, x])
    split = int(np.argmax(np.diff(rows)))
    between = bared[rows[split] + 1 : rows[split + 1], x].astype(int)
    assert 0.01 * eye_distance(landmarks) < len(between) < 0.07 * eye_distance(landmarks)
    assert between.mean(axis=1).max() > 130


def test_u_narrows_and_i_widens_the_mouth(landmarks):
    shapes = [{"round": 1.0, "open": 0.3}, {"open": 0.3}, {"wide": 1.0, "open": 0.3}]
    widths = [np.ptp(np.flatnonzero(is_lip(frame).any(axis=0))) for frame in frames_of(landmarks, shapes)]
    assert widths[0] < 0.85 * widths[1]
    assert widths[1] < 0.97 * widths[2]


def test_the_inside_has_depth():
    landmarks = LANDMARKS["shut"]
    rest, wide_open = frames_of(landmarks, [{}, {"open": 1.0}])
    x = round(float(landmarks[13, 0]))
    rows = np.flatnonzero(is_lip(wide_open)[:, x])
    split = int(np.argmax(np.diff(rows)))
    inside = wide_open[rows[split] + 2 : rows[split + 1] - 1, x - 6 : x + 7].mean(axis=(1, 2))
    assert inside[: len(inside) // 3].max() > 150, "upper teeth"
    assert inside.min() < 70, "the dark behind them"
    assert not np.array_equal(rest, wide_open)


def test_only_the_face_moves_when_the_head_is_still(landmarks):
    picture = draw(landmarks)
    visemes = [{"open": 1.0}, {"round": 1.0, "open": 0.4}, {"wide": 1.0, "teeth": 1.0}, {"closed": 1.0}]
    motions = [{"blink": 1.0}, {"brow": 1.0}, {"brow": -1.0}, {"blink": 0.4}]
    face = np.zeros(picture.shape[:2], np.uint8)
    cv2.fillPoly(face, [np.round(landmarks[list(FACE_OVAL), :2]).astype(np.int32)], 1)
    reach = int(0.5 * eye_distance(landmarks))
    grown = cv2.dilate(face, cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * reach + 1, 2 * reach + 1)))
    for frame in frames_of(landmarks, visemes, motions, picture):
        assert np.array_equal(frame[grown == 0], picture[grown == 0])


def test_a_blink_hides_the_eyes(landmarks):
    opened, half, shut = frames_of(landmarks, motions=[{}, {"blink": 0.5}, {"blink": 1.0}])

    def seen(frame):
        counts = []
        for eye in EYES:
            low, high = landmarks[list(eye), :2].min(axis=0).astype(int), landmarks[list(eye), :2].max(axis=0)
            patch = frame[low[1] - 2 : int(high[1]) + 3, low[0] : int(high[0])].astype(int)
            is_white, is_iris = np.ptp(patch, axis=2) < 25, patch[..., 2] - patch[..., 0] > 40
            counts.append(int((is_white & (patch[..., 0] > 190)).sum() + is_iris.sum()))
        return np.array(counts)

    assert (seen(half) < 0.8 * seen(opened)).all()
    assert (seen(shut) < 0.04 * seen(opened)).all()


@pytest.mark.parametrize("motion, direction", [("yaw", (1, 0)), ("pitch", (0, 1))])
def test_the_nose_turns_further_than_the_ears(motion, direction):
    landmarks = LANDMARKS["shut"]
    picture = draw(landmarks)
    for spot in (1, 234):
        cv2.circle(picture, tuple(int(k) for k in landmarks[spot, :2]), 4, (0, 255, 0), -1)
    (frame,) = frames_of(landmarks, motions=[{motion: 0.06}], picture=picture)
    moved = {
        spot: green_spot(frame, landmarks[spot]) - green_spot(picture, landmarks[spot]) for spot in (1, 234)
    }
    along = {spot: float(np.dot(move, direction)) for spot, move in moved.items()}
    assert along[1] > 3.0
    assert along[1] > 1.5 * along[234] >= 0.0
    assert abs(float(np.dot(moved[1], direction[::-1]))) < 1.0


def test_a_roll_tilts_clockwise_about_the_neck():
    landmarks = LANDMARKS["shut"]
    picture = draw(landmarks)
    for spot in (10, 152):
        cv2.circle(picture, tuple(int(k) for k in landmarks[spot, :2]), 4, (0, 255, 0), -1)
    (frame,) = frames_of(landmarks, motions=[{"roll": 0.05}], picture=picture)
    brow, chin = (green_spot(frame, landmarks[k]) - green_spot(picture, landmarks[k]) for k in (10, 152))
    assert brow[0] > chin[0] + 0.04 * (landmarks[152, 1] - landmarks[10, 1])
    assert chin[0] > 0


def green_spot(frame, near):
    x, y = (int(k) for k in near[:2])
    patch = frame[y - 25 : y + 26, x - 25 : x + 26].astype(int)
    rows, columns = np.nonzero((patch[..., 1] - patch[..., 0] > 90) & (patch[..., 1] - patch[..., 2] > 90))
    return np.array([columns.mean(), rows.mean()])


@settings(max_examples=8, deadline=None, derandomize=True)
@given(
    name=st.sampled_from(["shut", "smiling"]),
    degrees=st.floats(-35, 35),
    scale=st.floats(0.18, 1.0),
    place=st.tuples(st.floats(0.1, 0.9), st.floats(0.1, 0.9)),
    size=st.tuples(st.integers(40, 200), st.integers(40, 200)),
    visemes=st.lists(st.floats(0, 1), min_size=6, max_size=6),
    motion=st.lists(st.floats(-1, 1), min_size=8, max_size=8),
)
def test_any_face_anywhere_keeps_the_edge_of_the_frame(name, degrees, scale, place, size, visemes, motion):
    landmarks = LANDMARKS[name].copy()
    turn = cv2.getRotationMatrix2D((0, 0), degrees, scale)
    landmarks[:, :2] = (landmarks[:, :2] - landmarks[1, :2]) @ turn[:, :2].T
    landmarks[:, 2] *= scale
    width, height = 2 * size[0], 2 * size[1]
    landmarks[:, :2] += np.array([place[0] * width, place[1] * height])
    picture = draw(landmarks, max(width, height))[:height, :width]
    table = dict(zip(MOTION_CHANNELS, (0.06 * k for k in motion), strict=True)) | {
        "blink": abs(motion[3]),
        "brow": motion[4],
        "breath": motion[7],
    }
    animation, _ = animate(landmarks, [dict(zip(VISEME_CHANNELS, visemes, strict=True))], [table], picture)
    (frame,) = animation.frames(0, 1)
    assert frame.shape == picture.shape
    assert frame.dtype == np.uint8
    edge = np.ones(picture.shape[:2], bool)
    edge[1:-1, 1:-1] = False
    assert np.array_equal(frame[edge], picture[edge])


def test_a_rolled_face_speaks_like_an_upright_one():
    upright = LANDMARKS["shut"]
    turn = cv2.getRotationMatrix2D((256, 256), 30, 1.0)
    rolled = upright.copy()
    rolled[:, :2] = upright[:, :2] @ turn[:, :2].T + turn[:, 2]
    shape = [{"open": 0.8, "wide": 0.3}]
    expected = cv2.warpAffine(frames_of(upright, shape)[0], turn, (SIZE, SIZE), flags=cv2.INTER_CUBIC)
    (seen,) = frames_of(rolled, shape)
    x, y = np.round(rolled[13, :2]).astype(int)
    box = (slice(y - 40, y + 50), slice(x - 50, x + 50))
    assert np.abs(seen[box].astype(int) - expected[box]).mean() < 3.0


def test_no_face_is_the_users_to_mend():
    with pytest.raises(FaceError) as error:
        MeshWarp().prepare(
            Shot(
                Avatar("empty", picture=np.zeros((64, 64, 3), np.uint8)),
                FaceTrack((None,)),
                VisemeCurve(np.zeros((1, 6), np.float32), 25.0),
                MotionCurve(np.zeros((1, 8), np.float32), 25.0),
                64,
                64,
            )
        )
    assert error.value.hint
