"""Where a caption may break: what it costs to part two neighbouring words."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache

import budoux

from avatalk.media import Word
from avatalk.speech.scripts import script_of
from avatalk.speech.words import unspaced

SENTENCE, CLAUSE, PHRASE, ANYWHERE, HANGING, INSIDE = 0.0, 2.0, 4.0, 7.0, 9.0, 12.0
"""Costs of a break after a sentence, after a clause, before a conjunction or preposition, between two plain
words, after a word that leans on the next one, and within a name, a number or a word."""

_CLAUSE_ENDS = tuple(",;:—–،؛、，；：)।")
CLOSERS = "\"'”’»›)]}」』】》〉）］｝"
_WIDE_MARKS = frozenset("。，、！？；：」』）》】")
_NEVER_FIRST = frozenset("。，、！？；：」』）》】〉］｝ーっゃゅょァィゥェォッャュョ々…")
_TITLES = (
    "mr.",
    "mrs.",
    "ms.",
    "dr.",
    "prof.",
    "st.",
    "sr.",
    "sra.",
    "m.",
    "mme.",
    "mlle.",
    "hr.",
    "fr.",
    "г.",
)

# Conjunctions, prepositions and relative pronouns: a phrase begins with them. Articles lean on the next
# word as well, and begin one.
_OPENERS = {
    "en": "and or but nor so yet because although though while when where if unless until since before after "
    "that which who whom whose than as in on at of to for from with without by about into over under between "
    "through during against",
    "de": "und oder aber denn sondern weil obwohl während wenn als ob dass damit bevor nachdem bis seit wie "
    "der die das in im an am auf aus bei beim mit nach von vom zu zum zur für gegen ohne durch über unter "
    "zwischen vor hinter neben",
    "fr": "et ou mais donc or ni car parce que qui dont où quand lorsque comme si puisque quoique dans en à "
    "au aux de du des pour par avec sans sur sous entre chez vers pendant depuis contre",
    "es": "y e o u pero sino porque que quien cuando donde como si aunque mientras en a al de del para por "
    "con sin sobre bajo entre hasta desde hacia contra durante",
    "pt": "e ou mas porque que quem quando onde como se embora enquanto em no na nos nas a ao de do da dos "
    "das para por pelo pela com sem sobre entre até desde contra durante",
    "it": "e ed o ma perché che chi quando dove come se mentre benché in nel nella a al alla di del della da "
    "dal dalla per con senza su sul sulla tra fra verso contro durante",
    "nl": "en of maar want omdat hoewel terwijl wanneer als dat die wie waar tot sinds voordat nadat in op "
    "aan van voor met zonder door over onder tussen naar bij uit tegen",
    "sv": "och eller men för eftersom att som när där om medan innan efter i på av till från med utan genom "
    "över under mellan vid hos mot",
    "pl": "i a oraz lub albo ale bo ponieważ że który która które gdy kiedy gdzie jeśli choć w we na o do od "
    "z ze za dla po pod nad przed przez przy bez między",
    "ru": "и а или но да потому что чтобы который которая которое когда где если хотя пока в во на о об до "
    "от из с со за для по под над перед через при без между к ко у",
    "uk": "і й та або але бо тому що щоб який яка яке коли де якщо хоча поки в у на про до від з із за для "
    "по під над перед через при без між",
    "tr": "ve veya ya da ama fakat çünkü ki eğer",
    "hi": "और या लेकिन मगर क्योंकि कि जो जब जहाँ अगर यदि तो",
    "ar": "و أو ثم لكن لأن أن التي الذي عندما حيث إذا في من إلى على عن مع بين حتى منذ",
    "fa": "و یا اما ولی زیرا که اگر وقتی در از به با برای تا بر",
}
_LEANERS = {
    "en": "the a an my your his her its our their this these those not no very i'm it's don't",
    "de": "der die das den dem des ein eine einen einem einer eines mein meine sein seine kein keine nicht",
    "fr": "le la les l' un une mon ma mes son sa ses ce cet cette ces ne je tu il elle on nous vous",
    "es": "el la los las un una unos unas mi mis su sus este esta ese esa no se me te lo",
    "pt": "o a os as um uma meu minha seu sua este esta não se me",
    "it": "il lo la i gli le un uno una mio mia suo sua questo questa non si mi ti",
    "nl": "de het een mijn zijn haar dit deze die niet",
    "sv": "en ett den det de min mitt sin sitt inte",
}


@dataclass(frozen=True, slots=True)
class Unit:
    """What a line never breaks inside: mostly a word, in Chinese, Japanese and Thai a phrase.

    Attributes:
        text: with the marks that touch it.
        start_s: when it is spoken.
        end_s: until when.
        sentence: number of its sentence.
        spaced: whether a space stands before it on a line.
    """

    text: str
    start_s: float
    end_s: float
    sentence: int = 0
    spaced: bool = True


def break_costs(units: Sequence[Unit], language: str) -> list[float]:
    """What a break after each word costs, one of the costs above; the last word's is `SENTENCE`.

    Args:
        units: of `in_units`.
        language: BCP-47; empty where it is not known, and then only marks, names and numbers tell.
    """
    tongue = language.split("-")[0].lower()
    openers = frozenset(_OPENERS.get(tongue, "").split())
    leaners = openers | frozenset(_LEANERS.get(tongue, "").split())
    costs = []
    for index, unit in enumerate(units):
        if index + 1 == len(units) or units[index + 1].sentence != unit.sentence:
            costs.append(SENTENCE)
        elif unit.text.endswith(_CLAUSE_ENDS) or unit.text.rstrip(CLOSERS).endswith(_CLAUSE_ENDS):
            costs.append(CLAUSE)
        else:
            first = index == 0 or units[index - 1].sentence != unit.sentence
            costs.append(_cost(first, unit.text, units[index + 1].text, openers, leaners, tongue))
    return costs


def _cost(
    first: bool, this: str, that: str, openers: frozenset[str], leaners: frozenset[str], tongue: str
) -> float:
    if that[0] in _NEVER_FIRST:
        return INSIDE
    plain, then = this.lower().strip("\"'“‘«(¿¡"), that.lower().strip("\"'“‘«(")
    if plain in _TITLES or (this[-1].isdigit() and then not in openers):
        return INSIDE
    # Two capitals in a row are a name, save in German, and save at the beginning of a sentence.
    if this[:1].isupper() and that[:1].isupper() and tongue != "de" and not first:
        return INSIDE
    if plain in leaners:
        return HANGING
    return PHRASE if then in openers else ANYWHERE


# --- scripts without spaces ------------------------------------------------------------------------


def in_units(words: Sequence[Word], language: str, longest: int) -> list[Unit]:
    """What a line may break between.

    Characters of a script without spaces are joined to phrases, and a run of Thai is parted into its own;
    what is still longer than a line is cut between characters. Time goes by characters.

    Args:
        words: in time order.
        language: BCP-47, or empty.
        longest: columns of a line.
    """
    units: list[Unit] = []
    for run in _runs(words):
        spaced = run[0].apart or not (units and _joined(units[-1].text, run[0].text))
        for unit in _phrases(run, language, spaced) if _parted(run[0].text) else [_whole(run[0], spaced)]:
            units += _cut(unit, longest)
    return units


def _whole(word: Word, spaced: bool) -> Unit:
    return Unit(word.text, word.start_s, word.end_s, word.sentence, spaced)


def _joined(before: str, after: str) -> bool:
    """Whether two words are written without a space between them."""
    return unspaced(before[-1]) or unspaced(after[0]) or before[-1] in _WIDE_MARKS


def width(text: str) -> int:
    """Columns: one for a character, also for a mark on another one; two for a wide character."""
    return len(text) + sum(unicodedata.east_asian_width(char) in "WF" for char in text)


def _parted(text: str) -> bool:
    return any(unspaced(char) or script_of(char) == "Thai" for char in text)


def _runs(words: Sequence[Word]) -> Iterator[list[Word]]:
    """Neighbours of one sentence that are written without a space between them; others alone."""
    run: list[Word] = []
    for word in words:
        joins = run and word.sentence == run[-1].sentence and _parted(word.text) and not word.apart
        if joins and unspaced(run[-1].text[-1]) and unspaced(word.text[0]):
            run.append(word)
            continue
        if run:
            yield run
        run = [word]
    if run:
        yield run


@lru_cache(maxsize=4)
def _parser(name: str) -> budoux.Parser:
    loaders = {
        "ja": budoux.load_default_japanese_parser,
        "zh-hant": budoux.load_default_traditional_chinese_parser,
        "zh-hans": budoux.load_default_simplified_chinese_parser,
        "th": budoux.load_default_thai_parser,
    }
    return loaders[name]()


def _phrases(run: Sequence[Word], language: str, spaced: bool) -> list[Unit]:
    """One run of characters as phrases, by BudouX (https://github.com/google/budoux)."""
    text = "".join(word.text for word in run)
    scripts = set(map(script_of, text))
    if "Thai" in scripts:
        name = "th"
    elif scripts & {"Hiragana", "Katakana"} or language.startswith("ja"):
        name = "ja"
    else:
        traditional = any(part in language.lower() for part in ("yue", "hant", "tw", "hk"))
        name = "zh-hant" if traditional else "zh-hans"
    # The time at which each character begins, and the end.
    times = [
        word.start_s + (word.end_s - word.start_s) * index / len(word.text)
        for word in run
        for index in range(len(word.text))
    ]
    times.append(run[-1].end_s)
    phrases, start = [], 0
    for part in _parser(name).parse(text):
        stop = start + len(part)
        phrases.append(Unit(part, times[start], times[stop], run[0].sentence, spaced and not start))
        start = stop
    return phrases


def _cut(unit: Unit, longest: int) -> list[Unit]:
    """Cut a unit that is longer than a line, such as a web address, between characters."""
    if width(unit.text) <= longest:
        return [unit]
    texts: list[str] = [""]
    for cluster in clusters(unit.text):
        if texts[-1] and width(texts[-1] + cluster) > longest:
            texts.append("")
        texts[-1] += cluster
    spent, parts = 0, []
    per_char = (unit.end_s - unit.start_s) / len(unit.text)
    for text in texts:
        start_s = unit.start_s + spent * per_char
        spaced = unit.spaced and not spent
        spent += len(text)
        parts.append(Unit(text, start_s, unit.start_s + spent * per_char, unit.sentence, spaced))
    return parts


def clusters(text: str) -> Iterator[str]:
    """What readers see as one character: a base with its marks, joined emoji, a Thai vowel and its letter."""
    cluster = ""
    for char in text:
        # Marks, joiners and variation selectors; emoji skin tones.
        clings = (
            unicodedata.category(char) in ("Mn", "Mc", "Me", "Cf") or "\U0001f3fb" <= char <= "\U0001f3ff"
        )
        leads = cluster[-1:] == "\u200d" or cluster[-1:] in tuple("เแโใไເແໂໃໄ")
        virama = bool(cluster) and unicodedata.combining(cluster[-1]) == 9
        if cluster and not (clings or leads or virama):
            yield cluster
            cluster = ""
        cluster += char
    if cluster:
        yield cluster
