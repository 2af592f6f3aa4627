import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from avatalk.compose.layout import canvas_size, lay_out, place
from avatalk.media import Face

SIZES = st.integers(40, 5000)
ASPECTS = st.sampled_from(["16:9", "9:16", "1:1", "source"])
QUALITIES = st.sampled_from(["draft", "standard", "high"])


@given(SIZES, SIZES, ASPECTS, QUALITIES)
def test_the_picture_lies_whole_on_an_even_canvas(width, height, aspect, quality):
    layout = lay_out(width, height, None, aspect, quality)
    assert layout.width % 2 == layout.height % 2 == 0
    assert layout.x >= 0 and layout.y >= 0
    assert layout.x + round(width * layout.scale) <= layout.width
    assert layout.y + round(height * layout.scale) <= layout.height
    if aspect == "source":
        assert layout.scale <= 1 and max(layout.width, layout.height) <= 1920
        assert layout.width - round(width * layout.scale) <= 2


@pytest.mark.parametrize(
    ("aspect", "shape"),
    [("16:9", (1280, 720)), ("9:16", (720, 1280)), ("1:1", (720, 720)), ("source", (1280, 720))],
)
def test_canvas_of_each_aspect(aspect, shape):
    assert canvas_size(aspect, "standard") == shape


def test_an_odd_picture_is_padded_never_cropped_or_scaled():
    picture = np.random.default_rng(0).integers(0, 255, (101, 203, 3), np.uint8)
    placed = place(picture, lay_out(203, 101, None, "source", "standard"))
    assert placed.shape == (102, 204, 3)
    assert np.array_equal(placed[:101, :203], picture)
    assert np.array_equal(placed[101, :203], picture[100])


def test_free_space_is_filled_and_the_picture_kept():
    picture = np.full((200, 100, 3), 180, np.uint8)
    layout = lay_out(100, 200, (1280, 720), "source", "standard")
    placed = place(picture, layout)
    assert placed.shape == (720, 1280, 3)
    assert (placed[:, layout.x : layout.x + 360] == 180).all()
    assert 0 < placed[:, : layout.x].mean() < 180


def test_a_face_moves_with_its_picture():
    layout = lay_out(100, 200, (1280, 720), "source", "standard")
    landmarks = np.array([[50, 100, 10]] * 478, np.float32)
    face = layout.move(Face((40, 90, 60, 110), landmarks, 0.9))
    assert np.allclose(face.landmarks[0], (640, 360, 36))
    assert np.allclose(face.box, (604, 324, 676, 396))
