"""The face finder against the original runtime's landmarks, and its parts against hand-worked numbers."""

import json
import math
import subprocess
import sys
from pathlib import Path

import cv2
import flatbuffers
import numpy as np
import pytest
from ai_edge_litert import schema_py_generated as schema
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from avatalk.errors import BadInput, FaceError, ModelUnavailable
from avatalk.events import Monitor
from avatalk.faces import detector, mediapipe, mesh
from avatalk.faces.choose import choose, size, yaw
from avatalk.faces.litert import Network, cut
from avatalk.faces.mediapipe import MediaPipeFaces
from avatalk.media import Face

LIPS = (
    *(61, 146, 91, 181, 84, 17, 314, 405, 321, 375, 291, 185, 40, 39, 37, 0, 267, 269, 270, 409),
    *(78, 95, 88, 178, 87, 14, 317, 402, 318, 324, 308, 191, 80, 81, 82, 13, 312, 311, 310, 415),
)
DATA = Path(__file__).parent / "data"


@pytest.fixture(scope="module")
def finder():
    return MediaPipeFaces()


@pytest.fixture(scope="module")
def astronaut():
    """A photograph (NASA, public domain, from scikit-image), and the landmarks that MediaPipe finds in it."""
    from skimage import data

    landmarks = json.loads((DATA / "faces_astronaut.json").read_text())["landmarks_xyz_px"]
    return data.astronaut(), np.array(landmarks)


def moved(picture, landmarks, scale=1.0, turn=0.0, canvas=(512, 512), to=(0.5, 0.5)):
    """Scale and turn a picture about its face and put it on a canvas (width, height); move landmarks too."""
    linear = scale * np.array([[math.cos(turn), -math.sin(turn)], [math.sin(turn), math.cos(turn)]])
    centre = landmarks[[33, 263, 152], :2].mean(0)
    shift = np.multiply(canvas, to) - linear @ centre
    if scale < 1:  # as a camera would: no detail finer than its pixels
        picture = cv2.GaussianBlur(picture, (0, 0), 0.5 * math.sqrt(1 / scale**2 - 1) + 1e-3)
    matrix = np.column_stack([linear, shift + linear @ (0.5, 0.5) - 0.5])  # OpenCV's pixel centres are whole
    placed = cv2.warpAffine(
        picture, matrix, canvas, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT_101
    )
    return placed, landmarks[:, :2] @ linear.T + shift


def error(face, landmarks):
    """Mean distance of the landmarks, and of those of the lips, as shares of the distance of the eyes."""
    eyes = np.linalg.norm(landmarks[33, :2] - landmarks[263, :2])
    away = np.linalg.norm(face.landmarks[:, :2] - landmarks[:, :2], axis=1) / eyes
    return away.mean(), away[list(LIPS)].mean()


# --- the whole finder ------------------------------------------------------------------------------


def test_landmarks_are_those_of_the_original_runtime(finder, astronaut):
    picture, landmarks = astronaut
    (face,) = finder.find(picture)
    everywhere, lips = error(face, landmarks)
    assert everywhere < 0.025 and lips < 0.015
    assert np.abs(face.landmarks[:, 2] - landmarks[:, 2]).mean() < 0.02 * face.eye_distance
    x0, y0, x1, y1 = face.box
    assert (x0, x1) == pytest.approx((landmarks[:, 0].min(), landmarks[:, 0].max()), abs=4)
    assert landmarks[:, 1].min() < y0 < landmarks[33, 1] and y1 == pytest.approx(landmarks[152, 1], abs=3)
    assert face.landmarks.dtype == np.float32 and face.score > 0.6


@pytest.mark.parametrize("degrees", [-35, -20, 20, 35])
def test_turned_faces(finder, astronaut, degrees):
    picture, landmarks = moved(*astronaut, turn=math.radians(degrees))
    (face,) = finder.find(picture)
    everywhere, lips = error(face, landmarks)
    assert everywhere < 0.03 and lips < 0.025
    assert math.degrees(face.roll) == pytest.approx(degrees, abs=4)


@pytest.mark.parametrize("to", [(0.05, 0.1), (0.5, 0.5), (0.37, 0.93)])
@pytest.mark.parametrize("degrees", [-30, 0, 30])
def test_faces_of_forty_pixels_anywhere_in_a_large_picture(finder, astronaut, degrees, to):
    small, landmarks = moved(*astronaut, scale=0.44, turn=math.radians(degrees), canvas=(200, 200))
    height, width = 1500, 2400
    x, y = int(to[0] * width) - 100, int(to[1] * height) - 100
    x, y = np.clip((x, y), 0, (width - 200, height - 200))
    picture = np.full((height, width, 3), (110, 130, 120), np.uint8)
    mask = np.hypot(*(np.mgrid[:200, :200] - 100)) < 45
    picture[y : y + 200, x : x + 200][mask] = small[mask]
    (face,) = finder.find(picture)
    assert 36 < size(face) < 46
    assert error(face, landmarks + np.array((x, y)))[0] < 0.03


@pytest.mark.parametrize("degrees", [0, -35])
@pytest.mark.parametrize("scale", [3.2, 12])
def test_faces_that_fill_the_picture(finder, astronaut, scale, degrees):
    side = int(scale * 110)
    picture, landmarks = moved(*astronaut, scale=scale, turn=math.radians(degrees), canvas=(side, side))
    face, *_ = finder.find(picture)  # at its edges the picture is mirrored, and a face with it
    assert size(face) > 0.8 * side and error(face, landmarks)[0] < 0.05


def test_grain_of_a_large_picture_is_averaged(finder, astronaut):
    picture, landmarks = moved(*astronaut, scale=8, canvas=(1100, 1100))
    grain = np.random.default_rng(0).normal(0, 90, picture.shape)
    (face,) = finder.find(np.clip(picture + grain, 0, 255).astype(np.uint8))
    assert error(face, landmarks)[0] < 0.025


def test_narrow_pictures(finder, astronaut):
    picture, landmarks = astronaut
    (face,) = finder.find(picture[:, 150:300])
    assert error(face, landmarks - (150, 0, 0))[0] < 0.03
    assert finder.find(np.zeros((1, 3000, 3), np.uint8)) == []


def test_several_faces_largest_first(finder, astronaut, portrait):
    picture, landmarks = astronaut
    people = [cv2.resize(portrait(480, 480, name), (360, 360)) for name in ("ada", "ben")]
    group = np.zeros((512, 1232, 3), np.uint8)
    group[:360, :360], group[:, 360:872], group[100:460, 872:] = people[0], picture, people[1]
    faces = finder.find(group)
    sizes = [size(face) for face in faces]
    assert len(faces) == 3 and sizes == sorted(sizes, reverse=True)
    ours = min(faces, key=lambda face: error(face, landmarks + np.array((360, 0, 0)))[0])
    assert error(ours, landmarks + np.array((360, 0, 0)))[0] < 0.03


def test_the_same_picture_gives_the_same_bits(finder, astronaut, monkeypatch):
    picture, _ = astronaut
    monkeypatch.setattr(mediapipe, "_known", {})
    again = MediaPipeFaces().find(picture)
    monkeypatch.setattr(mediapipe, "_known", {})
    assert [face.landmarks.tobytes() for face in finder.find(picture)] == [
        face.landmarks.tobytes() for face in again
    ]


def test_a_picture_that_was_looked_at_is_not_searched_again(finder, astronaut, monkeypatch):
    picture, _ = astronaut
    first = finder.find(picture)
    monkeypatch.setattr(MediaPipeFaces, "_search", lambda *_: pytest.fail("searched again"))
    assert [face.landmarks.tobytes() for face in MediaPipeFaces().find(picture.copy())] == [
        face.landmarks.tobytes() for face in first
    ]


def test_other_pictures_are_searched_whatever_was_seen_before(finder, astronaut):
    picture, _ = astronaut
    assert finder.find(picture)
    hidden = picture.copy()
    hidden[:260] = 128
    assert finder.find(hidden) == []
    assert len(mediapipe._known) <= mediapipe.REMEMBERED


def landscape(rng):
    y = np.linspace(0, 1, 600)[:, None, None]
    sky = np.concatenate([90 + 80 * y, 140 + 60 * y, 220 - 40 * y], 2) * np.ones((1, 900, 1))
    sky[400:] = (70, 120, 60)
    return sky + rng.normal(0, 8, sky.shape)


def clouds(rng):
    """Noise of all sizes."""
    sky = np.full((640, 640, 3), 128.0)
    for octave in range(2, 9):
        patch = rng.normal(size=(2**octave, 2**octave, 3))
        sky += cv2.resize(patch, (640, 640), interpolation=cv2.INTER_CUBIC) * 60 / 2 ** (octave / 2)
    return sky


def page(rng):
    paper = np.full((800, 600, 3), 250, np.uint8)
    for line in range(20):
        at = 20, 40 + 38 * line
        cv2.putText(paper, "A face? There is no face.", at, cv2.FONT_HERSHEY_SIMPLEX, 1.2, (20, 20, 20), 2)
    return paper


FACELESS = {
    "landscape": landscape,
    "clouds": clouds,
    "page": page,
    "noise": lambda rng: rng.integers(0, 256, (700, 500, 3)),
    "flat": lambda rng: np.full((64, 64, 3), 200),
}


@pytest.mark.parametrize("kind", FACELESS)
def test_no_face_where_there_is_none(finder, kind):
    for seed in range(3):
        picture = FACELESS[kind](np.random.default_rng(seed))
        assert finder.find(np.clip(picture, 0, 255).astype(np.uint8)) == []


def test_refine_follows_a_face_and_knows_when_it_is_gone(finder, astronaut):
    picture, landmarks = astronaut
    (face,) = finder.find(picture)
    for step in range(1, 5):
        frame, expected = moved(picture, landmarks, turn=0.06 * step, to=(0.5 + 0.02 * step, 0.5))
        if step == 1:
            face = finder.find(frame)[0]
            continue
        face = finder.refine(frame, face)
        assert face is not None and error(face, expected)[0] < 0.03
    assert finder.refine(np.full_like(picture, 128), face) is None


# --- choosing --------------------------------------------------------------------------------------


def face_at(x, y, side, turned=0.0):
    landmarks = np.zeros((478, 3), np.float32)
    landmarks[234] = (x, y, -side / 2 * math.sin(turned))
    landmarks[454] = (x + side * math.cos(turned), y, side / 2 * math.sin(turned))
    return Face((x, y, x + side, y + side), landmarks, 0.9)


CROWD = [face_at(700, 300, 120), face_at(100, 40, 90), face_at(420, 320, 60), face_at(30, 500, 12)]


def test_the_largest_is_taken_and_the_others_are_told_of():
    monitor = Monitor()
    assert choose(CROWD, None, (900, 600), monitor) is CROWD[0]
    (warning,) = monitor.warnings
    assert "3 faces: 1 at the upper left (90 px), 2 in the middle (60 px), 3 at the right (120 px)" in warning
    assert "number 3" in warning and "--face N" in warning


def test_a_number_chooses_from_left_to_right():
    monitor = Monitor()
    assert [choose(CROWD, n, (900, 600), monitor) for n in (1, 2, 3)] == [CROWD[1], CROWD[2], CROWD[0]]
    assert monitor.warnings == []
    for wrong in (0, -1, 4):
        with pytest.raises(BadInput, match="3 faces") as caught:
            choose(CROWD, wrong, (900, 600), monitor)
        assert caught.value.field == "face" and "1 to 3" in caught.value.hint


def test_none_and_too_small():
    with pytest.raises(FaceError, match="No face") as caught:
        choose([], None, (900, 600), Monitor())
    assert caught.value.hint and caught.value.field == "avatar"
    with pytest.raises(FaceError, match="too small: 12 pixels") as caught:
        choose(CROWD[3:], None, (900, 600), Monitor())
    assert caught.value.hint
    monitor = Monitor()
    assert choose([face_at(0, 0, 40)], 1, (90, 60), monitor) and monitor.warnings == []


@pytest.mark.parametrize("degrees", [-60, -45, -20, 0, 20, 45, 60])
def test_faces_turned_to_a_side_are_warned_of(degrees):
    face = face_at(100, 100, 100, math.radians(degrees))
    assert math.degrees(yaw(face)) == pytest.approx(degrees, abs=0.1)
    monitor = Monitor()
    choose([face], None, (300, 300), monitor)
    assert bool(monitor.warnings) == (abs(degrees) > 35)


# --- the detector's numbers ------------------------------------------------------------------------


@given(cell=st.integers(0, 2303), dx=st.floats(-20, 20), dy=st.floats(-20, 20), side=st.floats(1, 180))
def test_decoding_is_relative_to_the_cells_of_the_grid(cell, dx, dy, side):
    regressors, logits = np.zeros((2304, 16), np.float32), np.full(2304, -100, np.float32)
    regressors[cell] = [dx, dy, side, side, *([dx, dy] * 6)]
    logits[cell] = 2
    boxes, keypoints, scores = detector.decode(regressors, logits)
    x, y = 4 * (cell % 48) + 2 + dx, 4 * (cell // 48) + 2 + dy
    assert boxes[0] == pytest.approx([x - side / 2, y - side / 2, x + side / 2, y + side / 2], abs=1e-3)
    assert keypoints.shape == (1, 6, 2) and keypoints[0, 5] == pytest.approx([x, y], abs=1e-3)
    assert scores == pytest.approx([1 / (1 + math.exp(-2))])


def test_overlap_by_hand():
    box = np.array([0, 0, 4, 2], np.float32)
    others = np.array([[0, 0, 4, 2], [2, 0, 6, 2], [2, 1, 6, 3], [4, 0, 8, 2], [1, 1, 1, 1]], np.float32)
    assert detector.overlap(box, others) == pytest.approx([1, 4 / 12, 2 / 14, 0, 0])


def test_blending_by_hand():
    boxes = np.array([[0, 0, 10, 10], [1, 0, 11, 10], [50, 50, 60, 60]], np.float32)
    points = boxes.reshape(3, 2, 2)
    merged = detector.blend(boxes, points, np.array([0.9, 0.6, 0.7], np.float32))
    assert [round(one.score, 3) for one in merged] == [0.9, 0.7]
    assert merged[0].box == pytest.approx([0.4, 0, 10.4, 10])
    assert merged[0].keypoints == pytest.approx(merged[0].box.reshape(2, 2))
    assert merged[1].box == pytest.approx(boxes[2])


@given(
    corners=arrays(np.float32, (12, 2), elements=st.floats(0, 100, width=16)),
    sides=arrays(np.float32, (12, 2), elements=st.floats(0, 60, width=16)),
    scores=arrays(np.float32, 12, elements=st.floats(0.5, 1, width=16)),
)
def test_blending_keeps_every_place_once(corners, sides, scores):
    boxes = np.concatenate([corners, corners + sides], axis=1)
    merged = detector.blend(boxes, boxes.reshape(12, 2, 2), scores)
    assert 1 <= len(merged) <= 12
    assert [one.score for one in merged] == sorted((one.score for one in merged), reverse=True)
    assert merged[0].score == scores.max()
    for one in merged:  # a mean of given boxes lies within them
        assert (one.box >= boxes.min(0) - 1e-3).all() and (one.box <= boxes.max(0) + 1e-3).all()


# --- the mesh's own operators ----------------------------------------------------------------------


def region(**other):
    options = {
        "points": np.array([0, 1, 2, 3]),
        "corners": (0, 1),
        "scale": (1.5, 1.0),
        "size": (16, 16),
        "angle": 0.0,
    }
    return mesh.Region(**{**options, **other})


def test_box_of_an_upright_region_by_hand():
    """Points span x 10..26, y 4..12: the crop is 24 wide (1.5 times) and 8 high about (18, 8)."""
    points = np.array([[10, 8], [26, 8], [18, 4], [18, 12]], np.float32)
    assert region().matrix(points) == pytest.approx(np.array([[1.5, 0, 6], [0, 0.5, 4]]), abs=1e-6)


def test_box_of_a_turned_region_by_hand():
    """The same points, a quarter turn clockwise about the origin: (x, y) is now (-y, x)."""
    points = np.array([[-8, 10], [-8, 26], [-4, 18], [-12, 18]], np.float32)
    assert region().matrix(points) == pytest.approx(np.array([[0, -0.5, -4], [1.5, 0, 6]]), abs=1e-5)


@given(turn=st.floats(-3, 3), scale=st.floats(0.2, 4), x=st.floats(-50, 50), y=st.floats(-50, 50))
def test_a_region_moves_with_its_points(turn, scale, x, y):
    points = np.array([[10, 8], [26, 8], [18, 4], [18, 12]], np.float32)
    linear = scale * np.array([[math.cos(turn), -math.sin(turn)], [math.sin(turn), math.cos(turn)]])
    before, after = region().matrix(points), region().matrix((points @ linear.T + (x, y)).astype(np.float32))
    corners = np.array([[0, 0], [16, 0], [5, 11]], np.float32)
    expected = mesh.transform(corners, before) @ linear.T + (x, y)
    assert mesh.transform(corners, after) == pytest.approx(expected, abs=2e-3)


def test_sampling_by_hand():
    features = np.array([[[1.0], [2.0]], [[3.0], [5.0]]], np.float32)
    same = np.array([[1, 0, 0], [0, 1, 0]], np.float32)
    assert mesh.sample(features, same, (2, 2))[..., 0] == pytest.approx(features[..., 0])
    between = np.array([[1, 0, 0.5], [0, 1, 0.5]], np.float32)
    # The middle of the four; then half and a quarter of cells, the rest outside, which is zero.
    assert mesh.sample(features, between, (2, 2))[..., 0] == pytest.approx(
        np.array([[11 / 4, 7 / 4], [8 / 4, 5 / 4]])
    )
    far = np.array([[1, 0, 9], [0, 1, 0]], np.float32)
    assert not mesh.sample(features, far, (3, 2)).any() and mesh.sample(features, far, (3, 2)).shape == (
        2,
        3,
        1,
    )


@given(
    features=arrays(np.float32, (5, 7, 3), elements=st.floats(-9, 9, width=16)),
    x=st.integers(-8, 8),
    y=st.integers(-6, 6),
)
def test_sampling_at_whole_steps_only_shifts(features, x, y):
    matrix = np.array([[1, 0, x], [0, 1, y]], np.float32)
    padded = np.pad(features, ((6, 6), (8, 8), (0, 0)))
    expected = padded[6 + y : 11 + y, 8 + x : 15 + x]
    assert np.array_equal(mesh.sample(features, matrix, (7, 5)), expected)


# --- parts of networks -----------------------------------------------------------------------------


def tiny_network():
    """x (1, 4) → add: y = x + x → an operator nobody knows: z → multiply: w = z * z."""
    model = schema.ModelT()
    model.version = 3
    model.operatorCodes = []
    for builtin, custom in ((0, None), (32, b"Nobody"), (18, None)):  # ADD, CUSTOM, MUL
        code = schema.OperatorCodeT()
        code.builtinCode = code.deprecatedBuiltinCode = builtin
        code.customCode, code.version = custom, 1
        model.operatorCodes.append(code)
    graph = schema.SubGraphT()
    graph.tensors = []
    for name in (b"x", b"y", b"z", b"w"):
        tensor = schema.TensorT()
        tensor.shape, tensor.name, tensor.buffer = [1, 4], name, 0
        graph.tensors.append(tensor)
    graph.operators = []
    options = ((11, schema.AddOptionsT()), (0, None), (21, schema.MulOptionsT()))
    for k, (inputs, output) in enumerate((([0, 0], 1), ([1], 2), ([2, 2], 3))):
        operator = schema.OperatorT()
        operator.opcodeIndex, operator.inputs, operator.outputs = k, inputs, [output]
        operator.builtinOptionsType, operator.builtinOptions = options[k]
        graph.operators.append(operator)
    graph.inputs, graph.outputs = [0], [3]
    model.subgraphs, model.buffers = [graph], [schema.BufferT()]
    builder = flatbuffers.Builder()
    builder.Finish(model.Pack(builder), b"TFL3")
    return bytes(builder.Output())


def test_cutting_leaves_the_parts_around_an_unknown_operator():
    model, x = tiny_network(), np.array([[1, -2, 3, 0.5]], np.float32)
    with pytest.raises((RuntimeError, ValueError)):
        Network(model)
    assert np.array_equal(Network(cut(model, [0], [1]))(x)[0], x + x)
    assert np.array_equal(Network(cut(model, [2], [3]))(x)[0], x * x)
    both = Network(cut(model, [2, 0], [1, 3]))  # more inputs and outputs than the file has, in another order
    added, multiplied = both(x, 3 * x)
    assert np.array_equal(added, 6 * x) and np.array_equal(multiplied, x * x)


def test_a_damaged_model_says_what_to_do(tmp_path, monkeypatch):
    from avatalk import models

    monkeypatch.setenv("AVATALK_CACHE", str(tmp_path))
    models.folder("face").mkdir(parents=True)
    for file in models.MODELS["face"].files:
        (models.folder("face") / file.name).write_bytes(bytes(file.bytes))
    with pytest.raises(ModelUnavailable, match="damaged") as caught:
        MediaPipeFaces()
    assert "avatalk models install face" in caught.value.hint


def test_nothing_is_printed(finder):
    code = """
import numpy, os
from avatalk.faces.mediapipe import MediaPipeFaces
MediaPipeFaces().find(numpy.zeros((50, 50, 3), numpy.uint8))
os.write(2, b"still there")
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True)
    assert done.stdout == b"" and done.stderr == b"still there"
