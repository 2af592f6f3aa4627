"""Signs are read as people read them, and words keep their times as they are written."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from avatalk.events import Monitor
from avatalk.media import Word
from avatalk.speech.language import language_of
from avatalk.speech.normalise import changes
from avatalk.speech.numbers import number, ordinal, year
from avatalk.speech.reading import Change, read
from avatalk.speech.spoken import without_pictures
from avatalk.speech.synthesis import speak
from avatalk.speech.words import tokens_of

TAGS = ("en-US", "en-GB", "de", "fr", "es", "es-419", "it", "pt", "pt-BR")


def said(text: str, tag: str) -> str:
    return read(text, changes(text, tag)).spoken


CASES = [
    # dates
    ("en-US", "On 2026-11-20.", "On November twentieth, twenty twenty-six."),
    ("en-GB", "On 2026-11-20.", "On the twentieth of November, twenty twenty-six."),
    ("en-US", "12/25/2026", "December twenty-fifth, twenty twenty-six"),
    ("en-GB", "25/12/2026", "the twenty-fifth of December, twenty twenty-six"),
    ("en-US", "Nov 20, 2026", "November twentieth, twenty twenty-six"),
    ("en-US", "Nov. 20 and November 3rd", "November twentieth and November third"),
    ("en-US", "He may 5 times, in 1984", "He may five times, in nineteen eighty-four"),
    ("en-US", "born in 2005, not 1900", "born in two thousand five, not nineteen hundred"),
    ("en-US", "the 1990s", "the nineteen nineties"),
    ("de", "am 20.11.2026", "am zwanzigsten November zweitausendsechsundzwanzig"),
    ("de", "Der 3. Mai", "Der dritte Mai"),
    ("fr", "le 1er nov. 2026", "le premier novembre deux mille vingt-six"),
    ("fr", "le 20/11/2026", "le vingt novembre deux mille vingt-six"),
    ("es", "el 20 de noviembre de 2026", "el veinte de noviembre de dos mil veintiséis"),
    ("it", "il 1° maggio", "il primo maggio"),
    ("pt-BR", "20/11/2026", "vinte de novembro de dois mil e vinte e seis"),
    # times
    ("en-US", "at 14:30", "at fourteen thirty"),
    ("en-US", "9:05 am", "nine oh five a.m."),
    ("en-US", "at 5pm and 10:00", "at five p.m. and ten o'clock"),
    ("de", "um 14:30 Uhr", "um vierzehn Uhr dreißig"),
    ("fr", "à 14h30", "à quatorze heures trente"),
    ("es", "a las 14:30", "a las catorce y treinta"),
    ("it", "alle 14:30", "alle quattordici e trenta"),
    ("pt", "às 14:30", "às catorze horas e trinta"),
    ("pt-BR", "às 14h30", "às catorze horas e trinta"),
    # ordinals and Roman numerals
    ("de", "im 19. Jh. n. Chr.", "im neunzehnten Jahrhundert nach Christus."),
    ("de", "Das 3. Mal, zum 2. Mal", "Das dritte Mal, zum zweiten Mal"),
    ("de", "Ludwig XIV. kam, Ludwigs XIV. Hof", "Ludwig der vierzehnte kam, Ludwigs des vierzehnten Hof"),
    ("de", "Ich habe 5. Dann", "Ich habe 5. Dann"),
    ("en-US", "Henry VIII. World War II and part IV", "Henry the eighth. World War two and part four"),
    ("en-US", "the XXI century, an IV, XXL, I", "the twenty-first century, an IV, XXL, I"),
    ("en-US", "With Charles I saw part I.", "With Charles I saw part one."),
    ("en-US", "Elizabeth I of England", "Elizabeth the first of England"),
    ("fr", "Louis XIV et le XXe siècle", "Louis quatorze et le vingtième siècle"),
    ("fr", "François Ier", "François premier"),
    ("es", "Felipe II, Alfonso XIII, siglo XXI", "Felipe segundo, Alfonso trece, siglo veintiuno"),
    ("it", "Luigi XIV nel XX secolo", "Luigi quattordicesimo nel ventesimo secolo"),
    ("pt-BR", "João VI no século XIX", "João sexto no século dezenove"),
    ("en-US", "1/2 cup, 1/2/2026", "one half cup, January second, twenty twenty-six"),
    ("de", "1.000.000 Leute, 192.168.0.1", "eine Million Leute, einhundertzweiundneunzig Punkt "
     "einhundertachtundsechzig Punkt null Punkt eins"),
    ("es", "son 1.000.000 de casas", "son un millón de casas"),
    ("en-GB", "0800 123 4567", "zero eight zero zero, one two three, four five six seven"),
    ("de", "Hauptstr. 5, Tel. 030/901820", "Hauptstraße fünf, Telefon null drei null, "
     "neun null eins acht zwei null"),
    ("en-US", "10%-20%, 10-20 km", "ten to twenty percent, ten to twenty kilometers"),
    ("de", "20–25 °C, -5 Grad, -5 €", "zwanzig bis fünfundzwanzig Grad Celsius, minus fünf Grad, "
     "minus fünf Euro"),
    ("en-US", "-$5, $3bn, £5M", "minus five dollars, three billion dollars, five million pounds"),
    ("de", "5,- €, die 1990er und 80er Jahre", "fünf Euro, die neunzehnhundertneunziger und achtziger Jahre"),
    ("fr", "Mme Curie et Mme. X", "Madame Curie et Madame X"),
    # what is counted
    ("es", "21 casas, 1 mesa, 31 libros", "veintiuna casas, una mesa, treinta y un libros"),
    ("es", "capítulo 1 la casa, el 21 compramos", "capítulo uno la casa, el veintiuno compramos"),
    ("pt", "2 casas e 2 livros", "duas casas e dois livros"),
    ("it", "1 casa, 1 libro", "una casa, un libro"),
    ("de", "1 Haus, 1 Woche, 1 Person, 1999 Anna", "ein Haus, eine Woche, eine Person, "
     "neunzehnhundertneunundneunzig Anna"),
    # money
    ("en-US", "US$20 or 20¢", "twenty US dollars or twenty cents"),
    ("en-US", "$5.99", "five dollars and ninety-nine cents"),
    ("en-US", "$1, $0.50 and €20", "one dollar, fifty cents and twenty euros"),
    ("en-US", "$1.5 million", "one point five million dollars"),
    ("en-GB", "£0.01", "one penny"),
    ("de", "5,99 €", "fünf Euro neunundneunzig"),
    ("de", "5 Mio. €", "fünf Millionen Euro"),
    ("fr", "5 millions €", "cinq millions d'euros"),
    ("es", "21 £", "veintiuna libras"),
    ("it", "€ 5,99", "cinque euro e novantanove"),
    ("pt-BR", "R$ 5,99", "cinco reais e noventa e nove centavos"),
    # units
    ("en-US", "5 km, 3 %, 1 lb", "five kilometers, three percent, one pound"),
    ("en-US", "-5 °C at 100km/h", "minus five degrees Celsius at one hundred kilometers per hour"),
    ("de", "1 h und 21 Min.", "eine Stunde und einundzwanzig Minuten"),
    ("fr", "1 minute, 21 min", "une minute, vingt-et-une minutes"),
    ("it", "5 km", "cinque chilometri"),
    # numbers
    ("en-US", "1,234,500.05", "one million two hundred thirty-four thousand five hundred point zero five"),
    ("en-US", "the 1st, 22nd and 103rd", "the first, twenty-second and one hundred third"),
    ("en-GB", "1,234, the 103rd", "one thousand two hundred and thirty-four, the one hundred and third"),
    ("en-US", "agent 007", "agent zero zero seven"),
    ("en-US", "pages 10–20", "pages ten to twenty"),
    ("en-US", "9-12 people, 1939-1945", "nine to twelve people, nineteen thirty-nine to nineteen forty-five"),
    ("en-US", "Python 3.11.2", "Python three point eleven point two"),
    ("de", "1.234,56", "eintausendzweihundertvierunddreißig Komma fünf sechs"),
    ("fr", "1 234,56", "mille deux cent trente-quatre virgule cinquante-six"),
    ("es-419", "1,234.5", "mil doscientos treinta y cuatro coma cinco"),
    ("fr", "la 2e fois", "la deuxième fois"),
    ("es", "la 3ª vez", "la tercera vez"),
    # addresses and abbreviations
    ("en-US", "See www.example.org/x.", "See W W W dot example dot org slash x."),
    ("en-US", "https://a-b.com/c_d?e=1", "a dash b dot com slash c underscore d question mark e equals one"),
    ("en-US", "user@x.org", "user at x dot org"),
    ("de", "a@b.de", "a ät b Punkt de"),
    ("en-US", "Dr. Smith, e.g. at St. Mary's, etc.", "Doctor Smith, for example at Saint Mary's, et cetera."),
    ("en-US", "No. 5 said no.", "Number five said no."),
    ("de", "z.B. Nr. 5 usw.", "zum Beispiel Nummer fünf und so weiter."),
    ("fr", "M. Dupont et Mme Petit", "Monsieur Dupont et Madame Petit"),
    ("es", "El Sr. López, p. ej.", "El señor López, por ejemplo."),
    ("it", "la Dott.ssa Bianchi, ecc.", "la dottoressa Bianchi, eccetera."),
    ("pt", "O Sr. Silva", "O senhor Silva"),
    ("en-US", "+1 555 123-4567", "plus one, five five five, one two three, four five six seven"),
]  # fmt: skip


@pytest.mark.parametrize(("tag", "written", "spoken"), CASES)
def test_signs_are_read_as_people_read_them(tag, written, spoken):
    assert said(written, tag) == spoken


@pytest.mark.parametrize(
    "text",
    [
        "mp3 and A4, AT&T",
        "a < b > c",
        "10:3 and 7/9",
        "B2B 16:9 v2",
        "no numbers here",
        "C-3PO",
        "1984-85",
        "it was 3-1",
        "555-1234",
    ],
)
def test_what_no_rule_knows_is_left_alone(text):
    assert said(text, "en-US") == text


def test_other_languages_are_left_to_their_voices():
    for tag in ("cmn", "ru", "sw"):
        assert changes("20.11.2026, 5 km, $3", tag) == []


def test_gender_and_years():
    spanish, english = language_of("es"), language_of("en")
    assert spanish is not None
    assert english is not None
    assert (number(spanish, "21", "m"), number(spanish, "21", "f")) == ("veintiún", "veintiuna")
    assert ordinal(spanish, 3, "f") == "tercera"
    assert year(english, 1066) == year(english, 1066).lower()
    assert number(english, "1" * 20) == " ".join(["one"] * 20)


# --- times of what is written ----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("voice", "text"),
    [
        ("amy", "On 2026-11-20, at 14:30, it cost $5.99 (or 5 km) e.g. at www.example.org/x, Dr. Who!"),
        ("amy", "Nov 20, 2026: 3 % of 1,234 cost $1.5 million."),
        ("anna", "Am 20.11.2026 um 14:30 Uhr kostet es z. B. 5,99 € bzw. 5 Mio. €."),
        ("chloe", "Le 1er nov. 2026 à 14h30, 1 234,56 euros, 20 °C."),
        ("lucia", "El 20 de noviembre de 2026, 5 km y 3 %."),
    ],
)
def test_words_are_as_written_and_timed_by_what_is_said(tmp_path, voice, text):
    speech = speak(text, voice, 1.0, 1.0, tmp_path, Monitor())
    assert speech.words is not None
    whole = [text[token.start : token.end] for token in tokens_of(text)]
    assert [word.text for word in speech.words] == whole
    assert all(one.end_s <= two.start_s + 1e-9 for one, two in pairwise(speech.words))
    assert all(word.end_s - word.start_s > 0.02 for word in speech.words)


def test_a_date_lasts_as_long_as_it_is_spoken(tmp_path):
    speech = speak("Yes, 2026-11-20, then no.", "amy", 1.0, 1.0, tmp_path, Monitor())
    assert speech.words is not None
    yes, date, then, _ = speech.words
    assert date.text == "2026-11-20,"
    assert date.end_s - date.start_s > 1.2 > yes.end_s - yes.start_s
    assert date.start_s > yes.end_s
    assert then.start_s > date.end_s


def test_spoken_words_find_their_written_ones():
    reading = read("a 5 km b", [Change(2, 3, "five"), Change(3, 6, " kilometers")])
    assert reading.spoken == "a five kilometers b"
    spoken = [Word(text, n * 1.0, n + 1.0) for n, text in enumerate(reading.spoken.split())]
    assert reading.words(spoken) == (
        Word("a", 0, 1), Word("5", 1, 2), Word("km", 2, 3), Word("b", 3, 4),
    )  # fmt: skip


written_texts = st.lists(
    st.sampled_from(
        [*"ab .,:/-–$€£%°@&'()", " ", "1", "20", "2026", "14:30", "5 km", "€", "www.", ".org", "Dr. ",
         "e.g. ", "Nov ", "st", "°C", "h", " Uhr", "million", "1,000", "2026-11-20", "20.11.", "é", "你",
         "😀", "\u202f"]
    ),
    max_size=14,
).map("".join)  # fmt: skip


@settings(max_examples=400, deadline=None)
@given(text=st.one_of(written_texts, st.text(max_size=40)), tag=st.sampled_from(TAGS))
@example("0,0", "pt")
@example("€0.0", "en-US")
@example("99:99 31.31.2026 2026-13-40", "de")
@example("²³ ١٢٣ 五", "en-US")
def test_any_text_has_a_reading(text, tag):
    found = changes(text, tag)
    assert all(one.stop <= two.start for one, two in pairwise(found))
    reading = read(text, found)
    spoken = [Word(text, n * 1.0, n + 1.0) for n, text in enumerate(reading.spoken.split())]
    words = reading.words(spoken)
    assert all(one.end_s <= two.start_s + 1e-9 for one, two in pairwise(words))
    tokens = [text[token.start : token.end] for token in tokens_of(text)]
    if any(map(str.isalnum, reading.spoken)) and found and words:
        # In words there are no emoji; the one put in front has both sides read as if there were.
        said, written = ("😀" + "".join(parts) for parts in ((word.text for word in words), tokens))
        assert "".join(without_pictures(said).split()) == "".join(without_pictures(written).split())
