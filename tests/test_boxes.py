import numpy as np

from avatalk.events import Monitor
from avatalk.faces.boxes import EVERY, find_boxes


class Marked:
    """Sees a box where the picture's own first pixels say one is."""

    def __init__(self):
        self.looks = 0

    def best_box(self, picture):
        self.looks += 1
        x0, y0, x1, y1 = (int(value) for value in picture[0, :4, 0])
        return (x0, y0, x1, y1) if x1 else None


def picture(*box):
    made = np.zeros((4, 8, 3), np.uint8)
    made[0, : len(box), 0] = box
    return made


def test_between_looks_the_box_moves_evenly():
    finder = Marked()
    boxes = find_boxes((picture(i, 2 * i, i + 50, 100) for i in range(2 * EVERY + 1)), finder, Monitor())
    assert boxes == tuple((i, 2 * i, i + 50, 100) for i in range(2 * EVERY + 1))
    assert finder.looks == 3


def test_the_last_picture_is_always_looked_at():
    boxes = find_boxes((picture(1, 1, 9 + i, 9) for i in range(EVERY + 2)), Marked(), Monitor())
    assert boxes[-1] == (1, 1, 9 + EVERY + 1, 9)


def test_where_there_is_no_face_there_is_no_box():
    frames = [picture(1, 1, 9, 9)] * EVERY + [picture()] * (2 * EVERY)
    boxes = find_boxes(iter(frames), Marked(), Monitor())
    assert boxes[0] == (1, 1, 9, 9) and boxes[EVERY] is None and boxes[-1] is None
    assert len(boxes) == len(frames)


def test_a_still_is_one_look():
    assert find_boxes(iter([picture(1, 2, 3, 4)]), Marked(), Monitor()) == ((1, 2, 3, 4),)
    assert find_boxes(iter([]), Marked(), Monitor()) == ()
