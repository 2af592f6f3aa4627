"""What a drawn character is: plain numbers and words, all of them free to combine."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from avatalk.media import UInt8Array

HairStyle = Literal[
    "bald",
    "fade",
    "short",
    "side",
    "crop",
    "bob",
    "straight",
    "waves",
    "curls",
    "afro",
    "bun",
    "pixie",
    "hijab",
    "ponytail",
    "braids",
    "curly",
    "slick",
    "locs",
    "mohawk",
    "undercut",
    "ring",
    "combover",
    "messy",
    "pigtails",
    "fringe",
    "longfringe",
    "mullet",
]
Beard = Literal[
    "none",
    "stubble",
    "moustache",
    "goatee",
    "short",
    "full",
    "long",
    "handlebar",
    "muttonchops",
    "soulpatch",
]
Glasses = Literal["none", "round", "square", "browline", "aviator", "monocle"]
Headwear = Literal[
    "none",
    "beanie",
    "cap",
    "hat",
    "peaked",
    "turban",
    "headband",
    "helmet",
    "beret",
    "straw",
    "sombrero",
    "flatcap",
    "bowler",
    "tophat",
    "fez",
    "toque",
    "crown",
    "tiara",
    "tricorn",
    "horned",
    "wizard",
    "veil",
    "bubble",
]
Clothes = Literal[
    "crew",
    "shirt",
    "blazer",
    "turtleneck",
    "hoodie",
    "vneck",
    "cardigan",
    "jacket",
    "waistcoat",
    "raincoat",
    "dress",
    "tank",
    "overalls",
    "robe",
    "uniform",
    "chef",
    "spacesuit",
    "cowl",
]
Pattern = Literal["plain", "stripes", "pinstripes", "checks", "dots", "floral", "camouflage"]
Mark = Literal["scar", "mole", "dimples", "bindi", "rosy", "tattoo"]


@dataclass(frozen=True, slots=True)
class FaceShape:
    """Proportions relative to the artist's average face: 1 is average, 0.9 and 1.1 are clearly different.

    Attributes:
        width: of the face at the cheekbones.
        jaw: 0 a soft, tapering jaw, 1 a square one.
        chin: length of the lower face.
        eyes: size of the eyes.
        tilt: outer corners of the eyes, -1 lowered to 1 raised.
        lid: 0 a deep lid crease to 1 none visible.
        nose: width of the nose.
        bridge: strength of the bridge of the nose.
        lips: fullness.
        mouth: width of the mouth.
        brows: thickness.
        cheeks: fullness of the cheeks.
        neck: width of the neck.
    """

    width: float = 1.0
    jaw: float = 0.2
    chin: float = 1.0
    eyes: float = 1.0
    tilt: float = 0.2
    lid: float = 0.2
    nose: float = 1.0
    bridge: float = 1.0
    lips: float = 1.0
    mouth: float = 1.0
    brows: float = 1.0
    cheeks: float = 1.0
    neck: float = 1.0


@dataclass(frozen=True, slots=True)
class Skin:
    """Colour of the skin.

    Attributes:
        tone: 0 the lightest to 1 the deepest.
        freckles: 0 none, 0.8 a few faint ones, 1 many strong ones.
        marks: what else is on the face; a tattoo is on the neck.
    """

    tone: float = 0.2
    freckles: float = 0.0
    marks: tuple[Mark, ...] = ()


@dataclass(frozen=True, slots=True)
class Expression:
    """How the face rests, beside its smile.

    Attributes:
        brows: 0 at rest to 1 raised high.
        frown: -1 the inner ends of the brows raised in sorrow to 1 drawn together in anger.
        lids: -1 half shut to 1 wide open.
        gape: 0 to 1: how far the mouth stands open where speech does not close it.
    """

    brows: float = 0.0
    frown: float = 0.0
    lids: float = 0.0
    gape: float = 0.0


@dataclass(frozen=True, slots=True)
class Worn:
    """Things worn beside clothes, headwear and glasses: the colour of each, or None where it is not worn.

    Attributes:
        bow_tie: in the collar of a shirt.
        scarf: around the neck.
        pearls: a string of them.
        necklace: a chain with a pendant.
        stethoscope: around the neck.
        suspenders: over a shirt.
        headphones: over the head.
        eyepatch: over the eye on the right of the picture.
        nose_ring: in one nostril.
        lenses: of dark glasses.
        flower: in the hair.
        badge: on the breast.
    """

    bow_tie: str | None = None
    scarf: str | None = None
    pearls: str | None = None
    necklace: str | None = None
    stethoscope: str | None = None
    suspenders: str | None = None
    headphones: str | None = None
    eyepatch: str | None = None
    nose_ring: str | None = None
    lenses: str | None = None
    flower: str | None = None
    badge: str | None = None


@dataclass(frozen=True, slots=True)
class Character:
    """A drawn person. Colours are ``"#rrggbb"``.

    Attributes:
        name: one lower-case word.
        description: one line for a list.
        age: years, 18 to 90: wrinkles, folds and thinner lips come with it.
        makeup: 0 none to 1: lashes, lids and lips.
        hair_tips: colour the hair runs out into, or None.
        hair_streaks: colour of single strands in it, or None.
        eyeshadow: colour of painted lids, or None for that of the skin.
        accent: second colour of the clothes (shirt under a blazer, band of a hijab).
        pattern: of the clothes.
        pattern_colour: what it is drawn in, or None for a shade of the cloth.
        tie: colour of a tie in the collar of a shirt, or None.
        worn: smaller things.
        headwear: worn over the hair, which is cut off beneath it.
        backdrop: colours of the studio wall where it is lit and where it is not.
        smile: how the mouth rests, -0.3 earnest to 1 a clear smile.
        expression: how the rest of the face does.
        licence: SPDX name under which pictures of this character may be used.
    """

    name: str
    description: str
    age: int = 30
    sex: Literal["female", "male"] = "female"
    face: FaceShape = field(default_factory=FaceShape)
    skin: Skin = field(default_factory=Skin)
    hair: HairStyle = "bob"
    hair_colour: str = "#4a2d1f"
    hair_tips: str | None = None
    hair_streaks: str | None = None
    brow_colour: str | None = None
    eye_colour: str = "#6b4a2f"
    lip_colour: str | None = None
    makeup: float = 0.3
    eyeshadow: str | None = None
    beard: Beard = "none"
    beard_colour: str | None = None
    glasses: Glasses = "none"
    glasses_colour: str = "#2a2422"
    earrings: str | None = None
    clothes: Clothes = "crew"
    colour: str = "#35507a"
    accent: str = "#f2efe9"
    pattern: Pattern = "plain"
    pattern_colour: str | None = None
    tie: str | None = None
    worn: Worn = field(default_factory=Worn)
    headwear: Headwear = "none"
    headwear_colour: str = "#444444"
    backdrop: tuple[str, str] = ("#e9e4dc", "#b9b2a8")
    smile: float = 0.4
    expression: Expression = field(default_factory=Expression)
    licence: str = "CC0-1.0"

    def picture(self, width: int, height: int) -> UInt8Array:
        """Return the character at rest before its backdrop.

        Args:
            width: pixels, 64 or more.
            height: pixels, 64 or more.

        Returns:
            (height, width, 3) uint8 RGB.
        """
        from avatalk.avatars.artist.puppet import Puppet

        return Puppet(self, width, height).still()

    def cutout(self, width: int, height: int) -> UInt8Array:
        """Return the character at rest without a backdrop.

        Args:
            width: pixels, 64 or more.
            height: pixels, 64 or more.

        Returns:
            (height, width, 4) uint8 RGBA, alpha not premultiplied.
        """
        from avatalk.avatars.artist.puppet import Puppet

        return Puppet(self, width, height).cutout()
