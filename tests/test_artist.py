"""What the artist draws, measured: a thing is where it belongs, in its colour, and nothing else has moved."""

from __future__ import annotations

from dataclasses import replace
from typing import get_args

import numpy as np
import pytest

from avatalk.avatars import gallery
from avatalk.avatars.artist.character import Clothes, Expression, Headwear, Skin, Worn
from avatalk.avatars.artist.mouth import Pose
from avatalk.avatars.artist.puppet import Puppet

SIDE = 240
ADA, BEN = gallery.get("ada"), gallery.get("ben")
REST = (0.0,) * 8
# Places on a square picture of SIDE pixels: rows, columns.
FOREHEAD_AND_FACE = slice(80, 150), slice(85, 155)
CROWN, FACE = (slice(25, 65), slice(95, 145)), (slice(95, 150), slice(90, 150))
EYE_LEFT, EYE_RIGHT = (slice(101, 113), slice(92, 110)), (slice(101, 113), slice(130, 148))
MOUTH, BREAST = (slice(142, 158), slice(102, 138)), (slice(205, 239), slice(60, 180))
NECK = (slice(172, 200), slice(95, 145))


def changed(one, other, place=(slice(None), slice(None))):
    """The share of the pixels of a place that differ clearly."""
    return float((np.abs(one[place].astype(int) - other[place]).max(-1) > 12).mean())


def rest(character):
    return character.picture(SIDE, SIDE)


PLAIN = {"ada": rest(ADA), "ben": rest(BEN)}


@pytest.mark.parametrize(
    ("worn", "where"),
    [
        ("scarf", NECK),
        ("pearls", NECK),
        ("necklace", NECK),
        ("stethoscope", BREAST),
        ("suspenders", BREAST),
        ("badge", (slice(205, 235), slice(170, 200))),
        ("headphones", (slice(80, 130), slice(60, 180))),
        ("eyepatch", EYE_RIGHT),
        ("nose_ring", (slice(130, 142), slice(105, 125))),
        ("flower", (slice(60, 90), slice(60, 90))),
    ],
)
def test_small_things_are_where_they_belong_and_leave_the_mouth_free(worn, where):
    drawn = rest(replace(ADA, worn=Worn(**{worn: "#e01010"})))
    assert changed(PLAIN["ada"], drawn, where) > 0.02
    assert changed(PLAIN["ada"], drawn, MOUTH) == 0
    if worn != "eyepatch":
        assert changed(PLAIN["ada"], drawn, EYE_RIGHT) < 0.01
    new = drawn[np.abs(PLAIN["ada"].astype(int) - drawn).max(-1) > 60]
    assert (new[:, 0].astype(int) - new[:, 1:].max(1) > 40).mean() > 0.3  # it is red


def test_a_bow_tie_is_worn_with_a_collar():
    tied = rest(replace(BEN, worn=Worn(bow_tie="#e01010")))
    assert changed(PLAIN["ben"], tied, (slice(196, 216), slice(98, 142))) > 0.2
    assert changed(PLAIN["ben"], tied, FACE) == 0


def test_an_eyepatch_covers_the_eye_that_blinks_and_moves_with_the_head():
    puppet = Puppet(replace(ADA, worn=Worn(eyepatch="#1c1c20")), SIDE, SIDE)
    frames = [puppet.frame(Pose(), (0, 0, 0, blink, 0, 0, 0, 0)) for blink in (0.0, 1.0)]
    assert changed(*frames, EYE_LEFT) > 0.2
    assert changed(*frames, EYE_RIGHT) < 0.02
    turned = puppet.frame(Pose(), (0.12, 0, 0, 0, 0, 0, 0, 0))
    column = [float(np.flatnonzero((f[107, 120:160] < 60).all(1)).mean()) for f in (frames[0], turned)]
    assert abs(column[1] - column[0]) > 2


def test_dark_lenses_hide_the_eyes_and_the_mouth_still_speaks():
    dark = replace(ADA, glasses="square", worn=Worn(lenses="#1a1c20"))
    puppet = Puppet(dark, SIDE, SIDE)
    assert rest(dark)[EYE_LEFT].mean() < 0.6 * PLAIN["ada"][EYE_LEFT].mean()
    assert changed(puppet.still(), puppet.frame(Pose(open=1), REST), MOUTH) > 0.2


@pytest.mark.parametrize(
    "wear", [w for w in get_args(Headwear) if w not in ("none", "veil", "bubble", "tiara")]
)
def test_hats_cover_the_crown_and_leave_the_face(wear):
    hatted = rest(replace(BEN, headwear=wear, headwear_colour="#2f4f7f"))
    assert changed(PLAIN["ben"], hatted, CROWN) > (0.08 if wear == "headband" else 0.3)
    assert changed(PLAIN["ben"], hatted, FACE) < 0.02


@pytest.mark.parametrize("wear", ["bubble", "tiara"])
def test_what_shows_the_hair_changes_little_of_it(wear):
    worn = rest(replace(ADA, headwear=wear, headwear_colour="#c9ced6"))
    assert changed(PLAIN["ada"], worn) > 0.01
    assert changed(PLAIN["ada"], worn, FACE) < 0.02


@pytest.mark.parametrize("clothes", get_args(Clothes))
def test_clothes_have_their_colour_and_cover_the_shoulders(clothes):
    drawn = replace(BEN, clothes=clothes, colour="#1030c0", accent="#1030c0", tie=None)
    shoulder = drawn.cutout(SIDE, SIDE)[225:239, 150:185].reshape(-1, 4).mean(0)
    assert shoulder[2] > 1.5 * shoulder[0] or clothes == "tank"  # which shows the skin there
    assert shoulder[3] == 255
    assert changed(PLAIN["ben"], rest(drawn), FACE) == 0


@pytest.mark.parametrize("pattern", ["stripes", "pinstripes", "checks", "dots", "floral"])
def test_patterns_are_on_the_cloth_and_nowhere_else(pattern):
    plain = replace(BEN, clothes="crew", colour="#26385c")
    one, other = rest(plain), rest(replace(plain, pattern=pattern, pattern_colour="#f0f0f0"))
    assert 0.03 < changed(one, other, BREAST) < 0.9
    assert changed(one[:165], other[:165]) == 0


def test_hair_of_a_colour_stands_where_its_style_says():
    green = {"hair_colour": "#20a040", "brow_colour": "#4a3020", "beard": "none"}
    crest = rest(replace(BEN, hair="mohawk", **green))
    ring = rest(replace(BEN, hair="ring", **green))

    def is_green(picture, place):
        part = picture[place].astype(int)
        return float((part[..., 1] - part[..., [0, 2]].max(-1) > 15).mean())

    middle, sides = (slice(15, 50), slice(108, 132)), (slice(80, 115), slice(70, 80))
    assert is_green(crest, middle) > 0.7 > 0.1 > is_green(crest, sides)
    assert is_green(ring, sides) > 0.4 > 0.1 > is_green(ring, middle)


def test_moods_move_brows_lids_and_lips():
    def brow(picture, columns):
        part = picture[75:103, columns].astype(float).mean(-1)
        dark = np.clip(part.max() - part - 40, 0, None).sum(1)
        return float((dark * np.arange(len(dark))).sum() / dark.sum())

    inner, outer = slice(106, 114), slice(88, 98)
    calm = replace(BEN, smile=0.0)
    faces = {
        name: rest(replace(calm, expression=Expression(**mood)))
        for name, mood in {
            "calm": {},
            "raised": {"brows": 1.0},
            "angry": {"frown": 1.0},
            "sad": {"frown": -1.0},
        }.items()
    }
    slope = {name: brow(face, inner) - brow(face, outer) for name, face in faces.items()}
    assert slope["angry"] > slope["calm"] + 1 > slope["sad"] + 2
    assert brow(faces["raised"], outer) < brow(faces["calm"], outer) - 1
    wide, narrow = (rest(replace(calm, expression=Expression(lids=v))) for v in (1.0, -1.0))
    assert changed(wide, narrow, EYE_LEFT) > 0.1
    assert changed(wide, narrow, MOUTH) == 0


def test_a_mouth_that_stands_open_closes_for_b_and_p():
    calm, agape = Puppet(BEN, SIDE, SIDE), Puppet(replace(BEN, expression=Expression(gape=0.4)), SIDE, SIDE)
    assert changed(calm.still(), agape.still(), MOUTH) > 0.05
    pressed = Pose(closed=1.0)
    assert np.array_equal(calm.frame(pressed, REST), agape.frame(pressed, REST))


def test_freckles_and_marks_can_be_seen():
    fair = replace(ADA, skin=Skin(0.05))
    clear = rest(fair)
    cheeks = slice(115, 135), slice(85, 155)
    assert changed(clear, rest(replace(fair, skin=Skin(0.05, 1.0))), cheeks) > 0.05
    for mark in ("scar", "mole", "dimples", "bindi", "rosy"):
        assert changed(clear, rest(replace(fair, skin=Skin(0.05, 0, (mark,)))), FOREHEAD_AND_FACE) > 0.001, (
            mark
        )


def test_a_tattoo_is_on_the_neck():
    inked = rest(replace(ADA, skin=replace(ADA.skin, marks=("tattoo",))))
    assert changed(PLAIN["ada"], inked, NECK) > 0.05
    assert changed(PLAIN["ada"], inked, FACE) == 0


@pytest.mark.parametrize("hair", ["straight", "curls", "locs"])
def test_long_hair_under_a_hat_is_no_wider_than_the_hat(hair):
    bald, hatted = (
        replace(ADA, hair=style, headwear="cap").cutout(SIDE, SIDE)[..., 3] > 128 for style in ("bald", hair)
    )
    edge = 76
    assert hatted[edge].sum() <= bald[edge].sum() + 4
    assert hatted[130].sum() > bald[130].sum() + 10
