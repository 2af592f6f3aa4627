"""The drawn gallery: characters made by this project, free for any use (CC0-1.0).

To the extent possible under law, the authors of avatalk have waived all copyright and related rights to the
characters of this gallery and to pictures and films of them
(https://creativecommons.org/publicdomain/zero/1.0/).
"""

from __future__ import annotations

from dataclasses import dataclass
from difflib import get_close_matches

from avatalk.avatars.artist.character import Character, FaceShape, Skin
from avatalk.errors import UnknownName


@dataclass(frozen=True, slots=True)
class Entry:
    """What a list of avatars shows of one character.

    Attributes:
        name: by which it is asked for.
        description: one line.
        age: years.
        licence: SPDX name.
    """

    name: str
    description: str
    age: int
    licence: str


_CHARACTERS: tuple[Character, ...] = (
    Character(
        "ada",
        "Woman of 31 with a brown bob and a navy blazer",
        age=31,
        skin=Skin(0.17),
        face=FaceShape(width=0.98, chin=0.98, lips=1.05),
        hair="bob",
        hair_colour="#5a3522",
        eye_colour="#7a5532",
        makeup=0.5,
        clothes="blazer",
        colour="#26385c",
        accent="#f3efe8",
        backdrop=("#f1e6da", "#cbb7a3"),
        smile=0.75,
    ),
    Character(
        "ben",
        "Man of 36 with side-swept brown hair, a short beard and a light blue shirt",
        age=36,
        sex="male",
        skin=Skin(0.2),
        face=FaceShape(width=0.98, chin=1.04, jaw=0.75, nose=1.08, brows=1.1),
        hair="side",
        hair_colour="#4b3020",
        eye_colour="#5d7d94",
        beard="short",
        clothes="shirt",
        colour="#a9c3e0",
        backdrop=("#dfe8ee", "#9fb2c0"),
        smile=0.65,
        makeup=0,
    ),
    Character(
        "chloe",
        "Woman of 24 with long copper waves, freckles and a green jumper",
        age=24,
        skin=Skin(0.03, 0.8),
        face=FaceShape(width=0.96, chin=0.94, eyes=1.06, nose=0.92, cheeks=1.06),
        hair="waves",
        hair_colour="#a4532a",
        hair_tips="#c9793f",
        brow_colour="#8a4a2a",
        eye_colour="#5f8a5a",
        makeup=0.35,
        clothes="crew",
        colour="#2f5d4c",
        backdrop=("#f3eadf", "#d3c0a9"),
        smile=0.8,
    ),
    Character(
        "diego",
        "Man of 47 with short greying hair, a moustache and a charcoal blazer",
        age=47,
        sex="male",
        skin=Skin(0.47),
        face=FaceShape(width=1.03, chin=0.99, cheeks=1.05, jaw=0.6, nose=1.14, brows=1.2),
        hair="short",
        hair_colour="#3b322e",
        brow_colour="#2a1e18",
        eye_colour="#4a3020",
        beard="goatee",
        beard_colour="#4a423d",
        clothes="blazer",
        colour="#3d3f45",
        accent="#efe9df",
        backdrop=("#e8d9c5", "#b0926f"),
        smile=0.55,
        makeup=0,
    ),
    Character(
        "emeka",
        "Man of 34 with a fade, round glasses and a mustard roll-neck",
        age=34,
        sex="male",
        skin=Skin(0.93),
        face=FaceShape(width=0.96, chin=1.06, jaw=0.55, nose=1.3, lips=1.4, mouth=1.06, bridge=0.8),
        hair="fade",
        hair_colour="#17110f",
        eye_colour="#3a2416",
        beard="stubble",
        glasses="round",
        glasses_colour="#8c6a3c",
        clothes="turtleneck",
        colour="#c98f2b",
        backdrop=("#dfe6e3", "#8fa5a0"),
        smile=0.8,
        makeup=0,
    ),
    Character(
        "fatima",
        "Woman of 33 with a dusty rose hijab",
        age=33,
        skin=Skin(0.4),
        face=FaceShape(chin=1.0, eyes=1.06, brows=1.15, lips=1.08, nose=1.02),
        hair="hijab",
        hair_colour="#241812",
        eye_colour="#5a3a20",
        makeup=0.7,
        clothes="crew",
        colour="#4a3a44",
        accent="#c58a8c",
        backdrop=("#f0e4e0", "#c9aca8"),
        smile=0.75,
    ),
    Character(
        "grace",
        "Woman of 68 with silver hair, browline glasses and a lilac cardigan",
        age=68,
        skin=Skin(0.1),
        face=FaceShape(width=1.0, chin=0.97, cheeks=1.1, nose=1.04, brows=0.85, mouth=0.97),
        hair="pixie",
        hair_colour="#b9b6b5",
        brow_colour="#8d847e",
        eye_colour="#6d8fa6",
        makeup=0.3,
        glasses="browline",
        glasses_colour="#84506a",
        earrings="#f2ede4",
        clothes="cardigan",
        colour="#8f83ad",
        accent="#f4efe8",
        backdrop=("#ece8f0", "#b5aec4"),
        smile=0.85,
    ),
    Character(
        "hiro",
        "Man of 26 with textured black hair and a grey hoodie",
        age=26,
        sex="male",
        skin=Skin(0.22),
        face=FaceShape(
            width=1.0, chin=0.96, cheeks=1.03, jaw=0.35, lid=0.85, tilt=0.5, eyes=0.95, nose=1.0, bridge=0.7
        ),
        hair="crop",
        hair_colour="#1d1a1c",
        eye_colour="#35241a",
        clothes="hoodie",
        colour="#6f7780",
        accent="#f2f0ec",
        backdrop=("#e3ebe6", "#9db3aa"),
        smile=0.65,
        makeup=0,
    ),
    Character(
        "ines",
        "Woman of 54 with dark hair in a bun, gold earrings and a burgundy blazer",
        age=54,
        skin=Skin(0.43),
        face=FaceShape(width=0.96, chin=1.03, jaw=0.4, lips=1.1, nose=1.06),
        hair="bun",
        hair_colour="#3a2722",
        brow_colour="#2c1c16",
        eye_colour="#5b3a22",
        makeup=0.8,
        lip_colour="#a8484a",
        earrings="#d9aa55",
        clothes="blazer",
        colour="#6d2233",
        accent="#f0e3d6",
        backdrop=("#efe0d6", "#c09a8a"),
        smile=0.85,
    ),
    Character(
        "jonas",
        "Man of 73, bald, with a full white beard and a dark roll-neck",
        age=73,
        sex="male",
        skin=Skin(0.14),
        face=FaceShape(width=0.99, chin=1.06, jaw=0.5, nose=1.2, brows=1.3),
        hair="bald",
        hair_colour="#d8d4cf",
        brow_colour="#b9b2aa",
        eye_colour="#6f93a8",
        beard="full",
        beard_colour="#dcd8d2",
        clothes="turtleneck",
        colour="#2f3b45",
        backdrop=("#dde5ea", "#93a4b0"),
        smile=0.75,
        makeup=0,
    ),
    Character(
        "kavya",
        "Woman of 28 with long straight black hair and a teal top",
        age=28,
        skin=Skin(0.6),
        face=FaceShape(width=0.95, chin=1.0, eyes=1.08, lips=1.15, brows=1.15),
        hair="straight",
        hair_colour="#1f1615",
        eye_colour="#3d2517",
        makeup=0.7,
        earrings="#d8a94e",
        clothes="vneck",
        colour="#12697a",
        backdrop=("#f2e6d2", "#d3ad78"),
        smile=0.8,
    ),
    Character(
        "zuri",
        "Woman of 25 with a full afro and a coral top",
        age=25,
        skin=Skin(0.85),
        face=FaceShape(width=1.02, chin=0.96, cheeks=1.1, lips=1.4, nose=1.22, eyes=1.06, bridge=0.8),
        hair="afro",
        hair_colour="#2a1c17",
        eye_colour="#3c2415",
        makeup=0.6,
        lip_colour="#8c3f45",
        earrings="#e0b050",
        clothes="crew",
        colour="#d9694f",
        backdrop=("#f3e3cf", "#d9a877"),
        smile=0.9,
    ),
)


def names() -> tuple[str, ...]:
    """Return the names of all characters."""
    return tuple(c.name for c in _CHARACTERS)


def entries() -> tuple[Entry, ...]:
    """Return what a list shows of each character."""
    return tuple(Entry(c.name, c.description, c.age, c.licence) for c in _CHARACTERS)


def get(name: str) -> Character:
    """Return a character by name, in any case.

    Raises:
        UnknownName: there is none; the hint has the nearest names.
    """
    wanted = name.strip().lower()
    for character in _CHARACTERS:
        if character.name == wanted:
            return character
    near = get_close_matches(wanted, names(), n=3, cutoff=0.4) or names()
    raise UnknownName(
        f"There is no avatar named “{name}” in the gallery.",
        hint=f"Choose one of: {', '.join(near)}. `avatalk avatars` lists them all.",
        stage="avatar",
        field="avatar",
    )
