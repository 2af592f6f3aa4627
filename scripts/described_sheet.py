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
a bald man with a long grey beard and square glasses
a teenage girl with pink hair in a ponytail, smiling
a stern police officer, clean-shaven
a woman with a purple hijab and green eyes
a Nigerian woman with long braids and a yellow dress
a Sikh man with a blue turban and black beard
a construction worker with a yellow helmet and stubble
a farmer with a straw hat and a red shirt
a French artist with a red beret and a moustache
a doctor in a white coat, woman, 50 years old, blond hair
a man in a dark suit with a red tie on a blue background
a hipster with a full brown beard and a green beanie
a freckled boy with curly ginger hair and a blue cap
a young man with long dreadlocks
a runner with a headband
a pale woman with very long straight black hair, blue eyes and dark red lipstick
a chubby smiling man with a goatee
an airline pilot
a Korean woman with short hair and thin eyebrows
a man with slicked back black hair, big nose, thick eyebrows
a Mexican man with a thick moustache and a brown cowboy hat
an 80-year-old woman with white curly hair and a lilac cardigan
a blonde news anchor with blue eyes in a teal blazer
someone with an afro and big earrings
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
