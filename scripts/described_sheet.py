"""Draw the contact sheet of described avatars in docs/avatars.md: each picture above its words.

python scripts/described_sheet.py [docs/images/described.jpg]
"""

from __future__ import annotations

import sys
import textwrap
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont

from avatalk.avatars.drawn.describe import describe

DESCRIPTIONS = """
a friendly red-haired woman in her forties with round glasses
an old sailor with a white beard
a young Japanese man with spiky black hair in a grey hoodie
a businesswoman with a brown bob, navy blazer and a white blouse
a Black man in his thirties with a fade, stubble and an orange turtleneck
an elderly Indian grandmother with silver hair in a bun and gold earrings
a professor, bald on top, white hair at the sides, round glasses and a bow tie
a fisherman in a yellow raincoat and a scarf
a surprised police officer, clean-shaven
a woman with a purple hijab and green eyes
a Nigerian woman with long braids and a yellow dress
a Sikh man with a blue turban and black beard
a construction worker with a yellow helmet and stubble
a farmer with a straw hat and sunglasses
a French chef with a handlebar moustache
a woman doctor, middle aged, black
a man in a dark suit with a red tie on a blue background
an astronaut, woman, with freckles
a freckled boy with curly ginger hair and a blue cap
an old pirate with an eyepatch and a long grey beard
a punk girl with a green mohawk and a nose ring
a pale woman with very long straight black hair, blue eyes and dark red lipstick
a laughing Viking
an airline pilot
a Korean DJ with headphones and a striped sweater
an angry man with a big nose, thick eyebrows and a red checked shirt
a Mexican man with a thick moustache and a brown cowboy hat
an 80-year-old woman with white curly hair and a lilac cardigan
a blonde news anchor with blue eyes in a teal blazer
a queen with pearls and a black bob with bangs
""".strip().splitlines()
COLUMNS, SIDE, TEXT, MARGIN = 6, 220, 44, 8
PAPER, INK = (250, 249, 247), (70, 68, 66)


def main(target: str = "docs/images/described.jpg") -> None:
    """Draw the sheet and save it."""
    rows = -(-len(DESCRIPTIONS) // COLUMNS)
    sheet = Image.new(
        "RGB", (COLUMNS * (SIDE + MARGIN) + MARGIN, rows * (SIDE + TEXT + MARGIN) + MARGIN), PAPER
    )
    draw, font = ImageDraw.Draw(sheet), ImageFont.load_default(11)
    for i, description in enumerate(DESCRIPTIONS):
        x = MARGIN + i % COLUMNS * (SIDE + MARGIN)
        y = MARGIN + i // COLUMNS * (SIDE + TEXT + MARGIN)
        picture = Image.fromarray(describe(description).character.picture(2 * SIDE, 2 * SIDE))
        sheet.paste(picture.resize((SIDE, SIDE), Image.Resampling.LANCZOS), (x, y))
        draw.multiline_text((x + 2, y + SIDE + 3), textwrap.fill(description, 38), INK, font, spacing=2)
    Path(target).parent.mkdir(parents=True, exist_ok=True)
    sheet.save(target, quality=88)
    print(f"{target}: {len(DESCRIPTIONS)} avatars, {sheet.width}x{sheet.height}")


if __name__ == "__main__":
    main(*sys.argv[1:])
