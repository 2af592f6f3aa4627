"""How well persons are cut out: of pictures with known alpha, and of clips in which little moves."""

import cv2
import numpy as np
import pytest
from PIL import Image

from avatalk import VideoRequest, plan, preview
from avatalk.avatars import gallery
from avatalk.avatars.cutout import laid
from avatalk.avatars.photo import load_cutout
from avatalk.compose.persons import find_persons
from avatalk.compose.refine import edge_alpha, find_edge, lay_edge
from avatalk.compose.selfie import Selfie
from avatalk.events import Monitor
from avatalk.lipsync.warp import Parts
from rooms import place

GREEN = np.array([0, 255, 0], np.float32)


@pytest.fixture(scope="module")
def selfie():
    return Selfie.configured("cpu", Monitor())


def scene(seed, width=640, height=360, name=None):
    """A drawn character before a place: the picture with its grain, the character's RGBA, the place."""
    person = gallery.get(name or gallery.names()[seed % 12]).cutout(width, height)
    behind = place(seed, width, height)
    share = person[..., 3:].astype(np.float32) / 255
    grain = np.random.Generator(np.random.PCG64(seed)).normal(0.5, 1.5, behind.shape)
    picture = person[..., :3] * share + behind * (1 - share) + grain
    return np.clip(picture, 0, 255).astype(np.uint8), person, behind


def gradient(alpha):
    """Length of the gradient, per pixel."""
    return np.hypot(*(cv2.Sobel(alpha, cv2.CV_32F, *way) / 8 for way in ((1, 0), (0, 1))))


def on_green(layer):
    """A premultiplied layer on green, float."""
    return layer[..., :3] + (1 - layer[..., 3:].astype(np.float32) / 255) * GREEN


def test_twenty_scenes(selfie):
    """Mean absolute error of alpha: at most 0.02, as was asked; measured 0.0020, the worst picture 0.0055.

    The gradient error (mean, times 1000) measured 1.0.
    """
    errors, slopes, halos = [], [], []
    for seed in range(20):
        picture, person, _ = scene(seed)
        cut = selfie.cut(picture)
        alpha, true = (layer[..., 3].astype(np.float32) / 255 for layer in (cut, person))
        errors.append(np.abs(alpha - true).mean())
        slopes.append(np.abs(gradient(alpha) - gradient(true)).mean() * 1000)
        edge = cv2.dilate(((true > 0.02) & (true < 0.98)).astype(np.uint8), np.ones((9, 9))) > 0
        wanted = person[..., :3] * true[..., None] + (1 - true[..., None]) * GREEN
        halos.append(np.abs(on_green(cut) - wanted)[edge].mean())
    assert np.mean(errors) < 0.004 and max(errors) < 0.012
    assert np.mean(slopes) < 1.6
    assert np.mean(halos) < 8  # of 255, on a green ground, within four pixels of the edge


def test_no_colour_of_the_old_background_stays(selfie):
    """Before pure blue, hair has no blue in it once it is cut out; an alpha alone would leave it there."""
    person = gallery.get("zuri").cutout(640, 360)
    share = person[..., 3:].astype(np.float32) / 255
    blue = np.zeros((360, 640, 3), np.float32)
    blue[..., 2] = 235
    picture = np.asarray(person[..., :3] * share + blue * (1 - share), np.uint8)
    cut = selfie.cut(picture)
    edge = (cut[..., 3] > 30) & (cut[..., 3] < 225)
    edge[180:] = False  # hair alone
    assert edge.sum() > 300
    own = cut[edge][:, 2].astype(float)
    left_there = picture[edge][:, 2] * (cut[edge][:, 3] / 255.0)
    assert own.mean() < 0.5 * left_there.mean()


def test_a_small_person_is_looked_at_closely(selfie):
    """A person of a fifth of the picture's height has an edge as sharp as a large one."""
    near, person, _ = scene(3)
    wide = place(8, 1920, 1080)
    wide[540:900, 700:1340] = near
    wide[895:, :] = place(5, 1920, 185)
    alpha = selfie.cut(wide)[540:895, 700:1340, 3].astype(float)
    assert np.abs(alpha - person[:355, :, 3]).mean() / 255 < 0.02


def test_the_mask_lies_where_the_person_is():
    """A network that sees exactly what is red: after any number of looks the mask is the red box."""
    picture = np.zeros((200, 320, 3), np.uint8)
    picture[50:150, 120:280, 0] = 255

    def look(part):
        return cv2.resize(part[..., 0], (64, 64), interpolation=cv2.INTER_AREA).astype(np.float32) / 255

    for rims in ((), (0.3,), (0.3, 0.05)):
        mask = find_persons(picture, look, rims, (320, 200))
        assert mask.shape == (200, 320)
        assert np.abs(mask - picture[..., 0] / 255.0).mean() < 0.02
        assert mask[:40].max() == 0 and mask[52:148, 123:277].min() > 0.5
    assert find_persons(np.zeros_like(picture), look, (0.3,), (320, 200)) is None


def test_specks_go_and_holes_close():
    seen = np.zeros((256, 256), np.float32)
    seen[80:, 60:200] = 1
    seen[120:126, 100:106] = 0  # a hole
    seen[10:20, 230:240] = 1  # a speck
    mask = find_persons(np.zeros((256, 256, 3), np.uint8), lambda _: seen, (), (256, 256))
    assert mask[123, 103] == 1 and mask[15, 235] == 0


def test_what_is_surely_a_person_keeps_its_bits():
    picture = place(1, 300, 200)
    mask = np.zeros((100, 150), np.float32)
    mask[30:, 40:110] = 1
    small = cv2.resize(picture, (150, 100), interpolation=cv2.INTER_AREA)
    edge = find_edge(small, mask)
    cut = lay_edge(picture, (150, 100), edge.colours, edge_alpha(picture, (150, 100), edge))
    assert np.array_equal(cut[110:, 110:190, :3], picture[110:, 110:190])
    assert (cut[110:, 110:190, 3] == 255).all()
    assert not cut[:20].any() and not cut[:, :30].any()
    assert (cut[..., :3].max(-1) <= cut[..., 3]).all()  # premultiplied
    nobody = edge_alpha(picture, (150, 100), None)
    assert not nobody.any() and not lay_edge(picture, (150, 100), None, nobody).any()


# --- clips -----------------------------------------------------------------------------------------


def filmed(colour, share, behind, moves, grain=2.5, still=0):
    """Frames as of a camera on a tripod, and true alphas: somebody moves; each frame has its own grain.

    Args:
        colour: of the person, premultiplied; `share` is the alpha, (height, width, 1).
        moves: to the right and down in each frame, pixels.
        still: rows at the bottom that do not move.
    """
    rng = np.random.Generator(np.random.PCG64(1))
    height, width = share.shape[:2]
    rest = slice(height - still, height)
    made, alphas = [], []
    for right, down in moves:
        matrix = np.array([[1, 0, right], [0, 1, down]], np.float32)
        moved, alpha = (
            cv2.warpAffine(x, matrix, (width, height), borderMode=cv2.BORDER_REPLICATE)
            for x in (colour, share)
        )
        moved[rest], alpha[rest] = colour[rest], share[rest, :, 0]
        shown = moved + behind * (1 - alpha[..., None]) + rng.normal(0.5, grain, behind.shape)
        made.append(np.clip(shown, 0, 255).astype(np.uint8))
        alphas.append(alpha)
    return made, alphas


@pytest.fixture(scope="module")
def shots():
    """Thirty frames in which a head nods above shoulders at rest."""
    _, person, behind = scene(4, name="ada")
    share = person[..., 3:].astype(np.float32) / 255
    moves = [(4 * np.sin(k / 2), 2 * np.cos(k / 2)) for k in range(30)]
    return filmed(person[..., :3] * share, share, behind, moves, still=60)


@pytest.fixture(scope="module")
def frames(shots):
    """The frames alone."""
    return shots[0]


def mattes(engine, frames):
    """Alphas of a clip, 0 to 255."""
    return [
        cut[..., 3]
        for _, cut in engine.cut_clip(lambda ns: (frames[n] for n in ns), range(len(frames)), len(frames))
    ]


def alone(engine, frames):
    """Alphas of frames that have no neighbours, 0 to 255."""
    return [mattes(engine, [frame])[0] for frame in frames]


def change(mattes, alphas):
    """Mean change of alpha from frame to frame where nothing moves, 0..1.

    Returns:
        Of all pixels; of those within four pixels of the edge; and of the edge alone, where alpha is between
        0.02 and 0.98 in either frame.
    """
    changes = [[], [], []]
    for a, b, p, q in zip(mattes, mattes[1:], alphas, alphas[1:], strict=False):
        still = cv2.dilate((np.abs(p - q) > 0.01).astype(np.uint8), np.ones((5, 5))) == 0
        edge = ((a > 5) & (a < 250)) | ((b > 5) & (b < 250))
        near = cv2.dilate(edge.astype(np.uint8), np.ones((9, 9))) > 0
        differs = np.abs(a.astype(float) - b) / 255
        for found, part in zip(changes, (still, still & near, still & edge), strict=True):
            found.append(differs[part].mean())
    return [np.mean(found) for found in changes]


def test_edges_do_not_flicker(selfie, shots):
    """Measured 0.8 % at the edge itself; 6 % when each frame is cut alone."""
    frames, alphas = shots
    everywhere, near, edge = change(mattes(selfie, frames), alphas)
    assert everywhere < 0.0005 and near < 0.003 and edge < 0.01
    assert change(alone(selfie, frames), alphas)[2] > 0.03


def swept(seed, wall):
    """Somebody rests, goes 30 pixels aside, and rests; the wall has the colour of the hair or not."""
    _, person, behind = scene(seed)
    share = person[..., 3:].astype(np.float32) / 255
    colour = person[..., :3] * share
    if wall:
        hair = np.median(person[:200][share[:200, :, 0] == 1], axis=0)[:3]
        behind = hair + 8 + 0.05 * (cv2.GaussianBlur(behind, (0, 0), 9) - behind.mean(axis=(0, 1)))
    moves = [(float(np.clip(3 * (k - 10), 0, 30)), 0) for k in range(30)]
    return filmed(colour, share, behind, moves)


@pytest.mark.parametrize(("seed", "wall"), [(5, False), (9, False), (7, True)])
def test_edges_that_move_are_not_smeared(selfie, seed, wall):
    """An alpha that is steady errs no more than one found frame by frame, and leaves no trace behind."""
    frames, alphas = swept(seed, wall)
    errors = {"steady": [], "alone": []}
    for name, found in (("steady", mattes(selfie, frames)), ("alone", alone(selfie, frames))):
        for k in range(5, 25):
            around = alphas[max(k - 3, 0) : k + 4]
            moving = np.max(around, axis=0) - np.min(around, axis=0) > 0.05
            if moving.any():
                errors[name].append(np.abs(found[k] / 255 - alphas[k])[moving].mean())
    assert np.mean(errors["steady"]) < 1.02 * np.mean(errors["alone"])


def test_a_frame_is_cut_alike_whoever_asks(selfie, frames):
    asked = []

    def read(numbers):
        for number in numbers:
            asked.append(number)
            yield frames[number]

    whole = [cut for _, cut in selfie.cut_clip(read, range(30), 30)]
    assert asked == list(range(30))  # each is seen once
    for numbers in ([4], [29, 0, 1], [17, 16, 15], [12, 12, 15, 18]):
        for number, (picture, cut) in zip(numbers, selfie.cut_clip(read, numbers, 30), strict=True):
            assert np.array_equal(cut, whole[number]) and np.array_equal(picture, frames[number])
    asked.clear()
    assert len(list(selfie.cut_clip(read, [17, 18, 18], 30))) == 3
    assert asked == list(range(4, 30))


def test_a_frame_without_anybody_is_empty(selfie, frames):
    wall = np.full_like(frames[0], 128)
    shown = [frames[0]] * 4 + [wall] * 6
    cuts = [cut for _, cut in selfie.cut_clip(lambda ns: (shown[n] for n in ns), range(10), 10)]
    assert cuts[0][..., 3].mean() > 30 and not cuts[-1].any()


# --- stills -----------------------------------------------------------------------------------------


def test_a_still_is_drawn_on_its_ground_as_it_would_be_laid_there(tmp_path):
    """Only what moves is laid on the ground, and what is opaque is not: the bits are those of laying all."""
    Image.fromarray(scene(3)[0]).save(tmp_path / "a.png")
    request = {"avatar": str(tmp_path / "a.png"), "text": "Why, hello! How do you do, my dear?", "seed": 4}
    ground = place(6, 640, 360)
    Image.fromarray(ground).save(tmp_path / "ground.png")
    with (
        plan(VideoRequest(**request, background=str(tmp_path / "ground.png"))) as whole,
        plan(VideoRequest(**request, background="transparent")) as clear,
    ):
        furthest = np.argsort(-np.abs(whole.motion.values[:, :3]).sum(axis=1))[:12]  # turned, nodding, tilted
        for index in furthest.tolist():
            frame, layer = (next(made.frames(index, index + 1)) for made in (whole, clear))
            assert np.array_equal(frame, laid(layer, ground))
        # The layer itself, when all of it is resampled, is the same too.
        warp = clear._animation
        warp._parts = Parts(warp._head.bands, ())
        assert np.array_equal(next(clear.frames(index, index + 1)), layer)


@pytest.mark.parametrize("scale", [0.1, 1])  # mostly the mouth, and mostly the head
def test_no_pixel_moves_further_than_was_said(tmp_path, scale):
    Image.fromarray(scene(3)[0]).save(tmp_path / "a.png")
    with plan(VideoRequest(avatar=str(tmp_path / "a.png"), text="Wow! Oh no.", background="green")) as made:
        warp = made._animation
        warp._motion = warp._motion * np.float32(scale)
        reach = warp._reach()
        flows = []
        monkey = warp._flow
        warp._flow = lambda *given: flows.append(monkey(*given)) or flows[-1]
        for _ in made.frames():
            pass
    furthest = 0.0
    for flow in flows:
        rows, columns = np.indices(flow.where.shape[:2])
        here = np.stack([columns + flow.corner[0], rows + flow.corner[1]], -1)
        away = np.abs(flow.where - here).max(axis=-1)
        furthest = max(furthest, float(away.max()))
        assert (away < reach[here[..., 1], here[..., 0]] - 2).all()
    assert furthest > 2 and np.median(reach) < 5


# --- cut-outs that are brought ----------------------------------------------------------------------


@pytest.fixture
def cutout(tmp_path):
    """A character whose background was taken away, and another that was not."""
    layer = gallery.get("ada").cutout(640, 480)
    Image.fromarray(layer).save(tmp_path / "ada.png")
    Image.fromarray(np.dstack([place(2, 64, 64), np.full((64, 64), 255, np.uint8)])).save(
        tmp_path / "full.png"
    )
    return tmp_path / "ada.png"


def test_a_pictures_own_alpha_is_used(cutout, monkeypatch):
    def refused(*_):
        raise AssertionError("no network is wanted")

    monkeypatch.setattr(Selfie, "configured", refused)
    with Image.open(cutout) as image:
        own = np.asarray(image)
    request = VideoRequest(
        avatar=str(cutout), text="Hello.", background="green", size="640x480", matting="selfie"
    )
    with plan(request) as made:
        assert made.engines["compose"] == "own alpha"
        assert any("--matting has no effect" in warning for warning in made.warnings)
        frame = next(made.frames(0, 1)).astype(int)
    wanted = own[..., :3] * (own[..., 3:] / 255.0) + (1 - own[..., 3:] / 255.0) * GREEN
    assert np.abs(frame - wanted).mean() < 3  # the head moves a little
    assert np.abs(frame - wanted)[:40].max() <= 1
    kept = preview(VideoRequest(avatar=str(cutout), text="Hello.", size="640x480"), 0.0)
    assert tuple(kept[2, 2]) == (230, 230, 230)


def test_edits_apply_to_the_alpha_too(cutout):
    request = VideoRequest(
        avatar=str(cutout), text="Hello.", background="blue", resize_factor=2, crop=(0, -1, 40, 280)
    )
    with plan(request) as made:
        frame = next(made.frames(0, 1))
    assert frame.shape[:2] == (240, 240)
    assert (frame[:10] == (0, 128, 255)).all()
    assert tuple(frame[120, 120]) != (0, 128, 255)


def test_only_a_cutout_is_one(cutout):
    assert load_cutout(cutout).shape == (480, 640, 4)
    assert load_cutout(cutout.with_name("full.png")) is None
    Image.fromarray(place(2, 64, 64)).save(cutout.with_suffix(".jpg"))
    assert load_cutout(cutout.with_suffix(".jpg")) is None
