"""One face followed through clips of drawn people who move, leave, and walk into each other's picture."""

import tracemalloc

import cv2
import numpy as np
import pytest

from avatalk.avatars import gallery
from avatalk.errors import BadInput, FaceError
from avatalk.events import Monitor
from avatalk.faces.base import FaceFinder
from avatalk.faces.mediapipe import MediaPipeFaces
from avatalk.faces.track import missing_ranges, track_faces
from avatalk.media import Face, FaceTrack
from clips import moved

WIDTH, HEIGHT = 640, 360


@pytest.fixture(scope="module")
def finder():
    return MediaPipeFaces()


@pytest.fixture(scope="module")
def still():
    return lambda name: gallery.get(name).picture(WIDTH, HEIGHT)


@pytest.fixture(scope="module")
def person(still):
    """The middle third of a still: one person, on a ground."""
    return lambda name: still(name)[:, 200:440]


def ground():
    """A room without anybody."""
    ramp = np.linspace(60, 190, WIDTH)[None, :, None] + np.linspace(0, 40, HEIGHT)[:, None, None]
    return np.repeat(ramp, 3, 2).astype(np.uint8)


def stage(*people):
    """A room with people whose pictures begin at a column, which may lie outside."""
    picture = ground()
    for shape, left in people:
        left = round(left)
        x0, x1 = max(0, left), min(WIDTH, left + shape.shape[1])
        if x0 < x1:
            picture[:, x0:x1] = shape[:, x0 - left : x1 - left]
    return picture


def follow(pictures, finder, wanted=None, monitor=None, **options):
    return track_faces(pictures, finder, wanted, (WIDTH, HEIGHT), monitor, **options).faces


def middle(face):
    return (face.box[0] + face.box[2]) / 2


def seen(faces):
    return "".join("." if face is None else "x" for face in faces)


def test_a_moving_face_is_followed_without_lag(finder, still):
    source = still("ada")
    home = finder.find(source)[0].landmarks[:468, :2]
    ways = [(60 * np.sin(k / 6), 20 * np.sin(k / 4), 10 * np.sin(k / 9)) for k in range(60)]
    faces = follow((moved(source, *way) for way in ways), finder)
    assert seen(faces) == "x" * 60
    errors = []
    for face, (right, down, degrees) in zip(faces, ways, strict=True):
        matrix = cv2.getRotationMatrix2D((WIDTH / 2, HEIGHT / 2), degrees, 1.0)
        expected = home @ matrix[:, :2].T + matrix[:, 2] + (right, down)
        errors.append((face.landmarks[:468, :2] - expected).mean(axis=0))
        assert face.landmarks.shape == (478, 3) and face.landmarks.dtype == np.float32
    assert np.abs(errors).max() < 2.5  # it moves by up to 10 pixels a frame
    assert np.abs(np.mean(errors, axis=0)).max() < 0.7


def test_small_jitter_is_steadied(finder, still):
    rng = np.random.default_rng(0)
    noisy = [
        np.clip(still("ben") + rng.normal(0, 12, (HEIGHT, WIDTH, 3)), 0, 255).astype(np.uint8)
        for _ in range(30)
    ]
    faces = follow(noisy, finder)
    alone, face = [], finder.find(noisy[0])[0]
    for picture in noisy:
        face = finder.refine(picture, face)
        alone.append(face.landmarks[:, :2])
    steadied = np.array([face.landmarks[:, :2] for face in faces])[1:-1]
    assert np.diff(steadied, axis=0).std() < 0.6 * np.diff(np.array(alone)[1:-1], axis=0).std()


def test_frames_without_the_face_are_none_and_reported(finder, still):
    source = still("chloe")
    pictures = [ground()] * 12 + [source] * 13 + [ground()] * 23 + [moved(source, 150)] * 12 + [ground()] * 7
    track = FaceTrack(follow(pictures, finder))
    assert seen(track.faces) == "." * 12 + "x" * 13 + "." * 23 + "x" * 12 + "." * 7
    ranges = missing_ranges(track, np.arange(len(pictures)) / 25)
    assert ranges == [(0.0, 0.48), pytest.approx((1.0, 1.92)), pytest.approx((2.4, 2.68))]
    twice = missing_ranges(track, np.arange(6) / 25, np.array([11, 12, 11, 11, 13, 30]))
    assert twice == [(0.0, 0.04), pytest.approx((0.08, 0.16)), pytest.approx((0.2, 0.24))]


def test_short_gaps_are_bridged(finder, still):
    pictures = [moved(still("ada"), 2 * k) for k in range(40)]
    for k in (10, 11, 12, 20, 21, 22, 23):
        pictures[k] = ground()
    faces = follow(pictures, finder)
    assert seen(faces) == "x" * 20 + "...." + "x" * 16
    steps = np.diff([middle(face) for face in faces[8:15]])
    assert np.abs(steps - 2).max() < 0.7


def test_a_fade_to_black_is_a_stretch_without_a_face(finder, still):
    gains = np.concatenate(
        [np.ones(5), np.linspace(1, 0, 15), np.zeros(10), np.linspace(0, 1, 15), np.ones(5)]
    )
    faces = follow([moved(still("grace"), gain=gain) for gain in gains], finder)
    marks = seen(faces)
    assert marks[:10] == "x" * 10 and marks[-10:] == "x" * 10 and marks[20:30] == "." * 10
    assert len(marks.strip("x").strip(".")) == 0  # one stretch


@pytest.mark.parametrize(("speaker", "other"), [("ada", "emeka"), ("ben", "fatima"), ("jonas", "zuri")])
def test_who_walks_in_does_not_take_over(finder, person, speaker, other):
    one, two = person(speaker), person(other)
    ahead = [stage((one, 30), (two, WIDTH - 6 * k)) for k in range(45)]  # comes, stays
    alone = [stage((one, 30 - 9 * k), (two, WIDTH - 6 * 45)) for k in range(35)]  # the speaker leaves
    away = [stage((two, WIDTH - 6 * 45 - 6 * k)) for k in range(45)]  # the other takes the place
    back = [stage((two, 400), (one, -270 + 8 * k)) for k in range(38)] + [stage((two, 400), (one, 30))] * 10
    faces = follow(ahead + alone + away + back, finder)
    assert seen(faces[:45]) == "x" * 45
    assert all(middle(face) < 190 for face in faces[:45])
    assert all(face is None or middle(face) < 190 for face in faces[45:80])
    assert seen(faces[80:125]) == "." * 45
    assert all(face is None or middle(face) < 200 for face in faces[125:])
    assert seen(faces[-10:]) == "x" * 10


def test_somebody_passing_in_front_does_not_keep_the_face(finder, person):
    one, two = person("ada"), person("emeka")
    pictures = [stage((one, 200), (two, -240 + 16 * k)) for k in range(56)] + [stage((one, 200))] * 10
    faces = follow(pictures, finder)
    assert all(abs(middle(face) - 320) < 40 for face in faces if face is not None)
    assert seen(faces[:12]) == "x" * 12 and seen(faces[-12:]) == "x" * 12
    assert "." in seen(faces)


@pytest.mark.parametrize(("speaker", "other"), [("ada", "emeka"), ("ben", "fatima"), ("jonas", "zuri")])
def test_a_cut_to_somebody_in_the_same_place(finder, still, speaker, other):
    pictures = [still(speaker)] * 13 + [still(other)] * 14 + [still(speaker)] * 13
    assert seen(follow(pictures, finder)) == "x" * 13 + "." * 14 + "x" * 13


def test_the_choice(finder, person):
    small = cv2.resize(person("emeka"), None, fx=0.7, fy=0.7)
    padded = np.full((HEIGHT, small.shape[1], 3), 120, np.uint8)
    padded[-small.shape[0] :] = small
    pictures = [stage((padded, 40), (person("ada"), 380))] * 3
    monitor = Monitor()
    assert middle(follow(pictures, finder, monitor=monitor)[0]) > 400
    assert any("2 faces" in warning for warning in monitor.warnings)
    assert middle(follow(pictures, finder, 1)[2]) < 250
    assert middle(follow(pictures, finder, 2)[2]) > 400
    assert middle(follow(pictures, finder, (100.0, 200.0))[2]) < 250
    with pytest.raises(BadInput, match="no face number 3"):
        follow(pictures, finder, 3)


def test_a_clip_without_a_face_is_refused(finder):
    with pytest.raises(FaceError, match="No face was found in the clip") as caught:
        follow([ground()] * 30, finder)
    assert caught.value.hint and caught.value.field == "avatar"


class Counting(MediaPipeFaces):
    looks = 0

    def refine(self, picture, previous):
        self.looks += 1
        return super().refine(picture, previous)


def test_frames_between_are_looked_at_only_where_the_face_moves(still):
    calm = [moved(still("ada"), 0.4 * k) for k in range(30)]
    faces = follow(calm, counting := Counting())
    assert counting.looks <= 17 and seen(faces) == "x" * 30
    every = [counting.find(picture)[0] for picture in calm[9:20]]
    for ours, theirs in zip(faces[9:20], every, strict=True):
        assert np.abs(ours.landmarks - theirs.landmarks)[:, :2].mean() < 0.02 * theirs.eye_distance
    wild = [moved(still("ada"), 25 * np.sin(k)) for k in range(30)]
    follow(wild, counting := Counting())
    assert 29 <= counting.looks <= 36


class Slow(FaceFinder):
    """A finder that cannot follow."""

    name = "slow"

    def __init__(self, finder):
        self._finder = finder

    def find(self, picture):
        return self._finder.find(picture)


def test_finders_that_cannot_follow(finder, still):
    pictures = [moved(still("ada"), 4 * k) for k in range(8)] + [ground()] * 6 + [still("ada")] * 7
    slow = follow(pictures, Slow(finder))
    assert seen(slow)[:14] == "x" * 8 + "." * 6 and seen(slow)[-2:] == "xx"
    fast = follow(pictures, finder)
    assert max(abs(middle(a) - middle(b)) for a, b in zip(slow[:8], fast[:8], strict=True)) < 2


def test_faces_are_a_sequence(finder, still):
    faces = follow([still("ada")] * 20, finder)
    assert len(faces) == 20 and len(faces[2:5]) == 3 and faces[-1].box == faces[19].box
    with pytest.raises(IndexError):
        faces[20]
    first, again = faces[7], faces[7]
    assert np.array_equal(first.landmarks, again.landmarks) and first.box == again.box
    with pytest.raises(IndexError):
        faces[-21]


def test_memory_does_not_grow_with_the_clip():
    landmarks = np.random.default_rng(2).uniform(10, 90, (478, 3)).astype(np.float32)
    point = Face((10.0, 10.0, 90.0, 90.0), landmarks, 1.0)

    class Steady(FaceFinder):
        name = "steady"

        def find(self, picture):
            return [point]

        def refine(self, picture, previous):
            return point

    def held_bytes(frames):
        tracemalloc.start()
        track = track_faces((picture for _ in range(frames)), Steady(), None, (100, 100))
        held = tracemalloc.get_traced_memory()[0]
        tracemalloc.stop()
        assert len(track.faces) == frames and np.allclose(
            track.faces[frames - 1].landmarks, landmarks, atol=0.05
        )
        return held

    picture = np.random.default_rng(1).integers(0, 255, (100, 100, 3), np.uint8)
    held_bytes(10)  # what is made once
    assert held_bytes(1000) - held_bytes(100) < 100_000  # the landmarks of 900 frames are 2.6 MB
