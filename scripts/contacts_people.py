"""Voices made from recordings of people, whose every sound's time is known: Flite's and Festival's.

Needs their programs and voices, as Debian has them: flite, festival, festvox-… of `PEOPLE`.
"""

from __future__ import annotations

import re
import subprocess
import tempfile
import wave
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from avatalk.media import Phoneme
from lips_corpus import ENGLISH

ITALIAN = (
    "mia madre prepara il pane bianco per la famiglia e beve un bicchiere di vino rosso ieri sera abbiamo "
    "camminato lungo il fiume parlando del tempo che passa quando ero bambino abitavo in una piccola casa "
    "vicino al mare dove mio nonno aggiustava le barche dei pescatori domani mattina prenderò il treno delle "
    "sette per andare a trovare un vecchio amico che lavora in biblioteca non dimenticare di chiudere la "
    "porta e di spegnere la luce quando esci gli studenti leggono molti libri prima degli esami finali"
)
FINNISH = (
    "minun veljeni asuu pienessä kylässä meren rannalla ja pappa maalaa paatin siniseksi eilen illalla "
    "kävelimme pitkin jokea ja puhuimme vanhoista ajoista kun olin lapsi meillä oli musta koira joka haukkui "
    "kaikille huomenna aamulla lähden bussilla kaupunkiin ostamaan uuden takin ja lämpimät kengät älä unohda "
    "sulkea ovea ja sammuttaa valoja kun lähdet opiskelijat lukevat paljon kirjoja ennen kokeita kesällä "
    "metsässä kasvaa mustikoita ja puolukoita joita keräämme ämpäriin hyvää huomenta mitä sinulle kuuluu"
)
CZECH = (
    "moje babička peče dobrý chleba a můj bratr plave v potoku včera večer jsme šli podél řeky a mluvili o "
    "starých časech když jsem byl malý bydlel jsem v domku u lesa kde dědeček opravoval hodiny zítra ráno "
    "pojedu vlakem do města koupit nový kabát a teplé boty nezapomeň zavřít dveře a zhasnout světlo až "
    "odejdeš studenti čtou mnoho knih před zkouškami v létě rostou v lese borůvky a maliny které sbíráme do "
    "košíku dobrý den jak se máte prosím vás kde je nejbližší zastávka autobusu"
)
RUSSIAN = (
    "моя мама покупает белый хлеб и варит суп для папы вчера вечером мы гуляли вдоль реки и говорили о "
    "старых временах когда я был маленьким мы жили в деревянном доме у леса где дедушка чинил часы завтра "
    "утром я поеду на поезде в город чтобы купить новое пальто и тёплые ботинки не забудь закрыть дверь и "
    "выключить свет когда будешь уходить студенты читают много книг перед экзаменами летом в лесу растут "
    "грибы и ягоды которые мы собираем в корзину добрый день как ваши дела"
)
HINDI = (
    "मेरी माँ बाज़ार में फल और सब्ज़ी बेचती है कल शाम हम नदी के किनारे घूमने गए और पुराने दिनों की बात करते रहे "
    "जब मैं छोटा था तब हमारा घर गाँव में था जहाँ दादा जी घड़ी ठीक करते थे कल सुबह मैं रेल से शहर जाऊँगा और एक नया "
    "कोट तथा जूते खरीदूँगा जाते समय दरवाज़ा बंद करना और बत्ती बुझाना मत भूलना विद्यार्थी परीक्षा से पहले बहुत किताबें पढ़ते हैं"
)


@dataclass(frozen=True, slots=True)
class Person:
    """A voice.

    Attributes:
        name: as its program knows it.
        prose: words of its language; they are spoken in runs from any place.
        encoding: in which its program reads them.
        glides: letters that look like a contact and are none in this language.
    """

    name: str
    prose: tuple[str, ...]
    encoding: str = "latin-1"
    glides: str = ""

    @property
    def flite(self) -> bool:
        """Whether Flite speaks it; else Festival does."""
        return "_" not in self.name


_ENGLISH = tuple(word for word in ENGLISH if word.isascii())
LEARNT = (
    Person("rms", _ENGLISH),
    Person("kal16", _ENGLISH),
    Person("ked_diphone", _ENGLISH),
    Person("pc_diphone", tuple(ITALIAN.split())),
    Person("suo_fi_lj_diphone", tuple(FINNISH.split()), "latin-1", "v"),
    Person("czech_dita", tuple(CZECH.split()), "iso-8859-2"),
    Person("czech_ph", tuple(CZECH.split()), "iso-8859-2"),
    Person("msu_ru_nsh_clunits", tuple(RUSSIAN.split()), "utf-8"),
    Person("hindi_NSK_diphone", tuple(HINDI.split()), "utf-8", "v"),
)
EXAMINED = (
    Person("slt", _ENGLISH),
    Person("awb", _ENGLISH),
    Person("lp_diphone", tuple(ITALIAN.split())),
    Person("hy_fi_mv_diphone", tuple(FINNISH.split()), "latin-1", "v"),
    Person("czech_machac", tuple(CZECH.split()), "iso-8859-2"),
)

# Labels whose first letter does not say the sound; of the others it does.
_IPA = {
    "aa": "ɑ", "ae": "æ", "ah": "ʌ", "ao": "ɔ", "ax": "ə", "aw": "aʊ", "ay": "aɪ", "eh": "ɛ", "er": "ɜ",
    "ey": "eɪ", "ih": "ɪ", "iy": "i", "ow": "oʊ", "oy": "ɔɪ", "uh": "ʊ", "uw": "u", "ch": "tʃ", "dh": "ð",
    "hh": "h", "jh": "dʒ", "ng": "ŋ", "sh": "ʃ", "th": "θ", "zh": "ʒ", "y": "j", "r": "ɹ",
}  # fmt: skip
_OTHER = {
    "E": "ɛ", "O": "ɔ", "S": "ʃ", "J": "ɲ", "L": "ʎ", "N": "ŋ", "@": "æ", "7": "ø", "D": "ɖ", "T": "ʈ",
    "tS": "tʃ", "dZ": "dʒ", "ng": "ŋ", "ch": "x", "c": "ts", "c~": "tʃ", "s~": "ʃ", "z~": "ʒ", "r~": "r",
    "n~": "ɲ", "d~": "ɟ", "t~": "c", "dz~": "dʒ", "sch": "ɕ", "sh": "ʃ", "zh": "ʒ", "ay": "ə", "ae": "ə",
    "aw": "aʊ", "ow": "o", "oh": "o", "ah": "a", "eh": "e", "ih": "ɪ", "iy": "i", "uw": "u", "tth": "ʈ",
    "ddh": "ɖ", "kh": "k", "th": "t",
}  # fmt: skip


def phonemes_of(person: Person, labels: list[tuple[str, float]]) -> list[Phoneme]:
    """Labels with the times at which they end, as the International Phonetic Alphabet has them."""
    english, found, start = person.prose is _ENGLISH, [], 0.0
    for label, end in labels:
        plain = re.sub(r"[0-9]$", "", label) or label
        if plain.rstrip("#") == "" or plain in ("pau", "ssil"):
            symbol = ""
        elif plain[0] in person.glides:
            symbol = "ʋ"
        elif plain[0] in "pbmfv":
            symbol = plain[0]
        else:
            symbol = (_IPA if english else _OTHER).get(plain.rstrip(":"), plain[0])
        found.append(Phoneme(symbol, start, end))
        start = end
    return found


def says(
    person: Person, rng: np.random.Generator, texts: int
) -> Iterator[tuple[np.ndarray, int, list[Phoneme]]]:
    """Say some ten seconds of prose, `texts` times: (samples,) float32, their rate, and the phonemes."""
    with tempfile.TemporaryDirectory() as folder:
        names, script = [Path(folder) / str(index) for index in range(texts)], [f"(voice_{person.name})"]
        stretch = rng.uniform(0.85, 1.3, texts)
        words = [_words(person, rng) for _ in range(texts)]
        if person.flite:
            for name, text, slower in zip(names, words, stretch, strict=True):
                command = ["flite", "-voice", person.name, "-psdur", "-t", text, "-o", f"{name}.wav"]
                command += ["--setf", f"duration_stretch={slower:.2f}"]
                labels = subprocess.run(command, check=True, capture_output=True, text=True).stdout.split()
                pairs = [label.rsplit(":", 1) for label in labels]
                yield *_sound(name), phonemes_of(person, [(label, float(end)) for label, end in pairs])
            return
        for name, text, slower in zip(names, words, stretch, strict=True):
            script += [
                f"(Parameter.set 'Duration_Stretch {slower:.2f})",
                f'(set! u (Utterance Text "{text}"))',
                "(utt.synth u)",
                f'(utt.save.segs u "{name}.lab")',
                f'(utt.save.wave u "{name}.wav" "riff")',
            ]
        (Path(folder) / "all.scm").write_bytes("\n".join(script).encode(person.encoding))
        subprocess.run(["festival", "-b", f"{folder}/all.scm"], check=True, capture_output=True)
        for name in names:
            lines = [line.split() for line in Path(f"{name}.lab").read_text("latin-1").splitlines()]
            rows = [line for line in lines if len(line) >= 3 and line[0][0].isdigit()]
            yield *_sound(name), phonemes_of(person, [(row[-1], float(row[0])) for row in rows])


def _words(person: Person, rng: np.random.Generator) -> str:
    first, count = int(rng.integers(len(person.prose))), int(rng.integers(16, 26))
    chosen = [person.prose[(first + index) % len(person.prose)] for index in range(count)]
    if rng.random() < 0.3:
        rng.shuffle(chosen)
    marks = rng.random(count) < 0.1
    return (
        " ".join(word.rstrip(",.") + ("," if mark else "") for word, mark in zip(chosen, marks, strict=True))
        + "."
    )


def _sound(name: Path) -> tuple[np.ndarray, int]:
    with wave.open(f"{name}.wav") as file:
        raw = np.frombuffer(file.readframes(file.getnframes()), np.int16)
        return raw.astype(np.float32) / 32768, file.getframerate()
