"""Captions as a track of the MP4, which players show and hide: timed text (3GPP TS 26.245)."""

from __future__ import annotations

import struct
from fractions import Fraction
from typing import TYPE_CHECKING, Any

import av

from avatalk.media import Cue

if TYPE_CHECKING:
    from av.container import OutputContainer
    from av.subtitles.stream import SubtitleStream

_MS = Fraction(1, 1000)
# The encoder wants to know a style, from which it writes how the text looks where a player has no wish.
_STYLE = b"""[Script Info]
ScriptType: v4.00+
[V4+ Styles]
Format: Name, Fontname, Fontsize, PrimaryColour, SecondaryColour, OutlineColour, BackColour, Bold, Italic, \
Underline, StrikeOut, ScaleX, ScaleY, Spacing, Angle, BorderStyle, Outline, Shadow, Alignment, MarginL, \
MarginR, MarginV, Encoding
Style: Default,Arial,16,&Hffffff,&Hffffff,&H0,&H0,0,0,0,0,100,100,0,0,1,1,0,2,10,10,10,0
[Events]
Format: Layer, Start, End, Style, Name, MarginL, MarginR, MarginV, Effect, Text
"""
# ISO 639-1 to ISO 639-2/T, which MP4 wants.
_TAGS = """
aa:aar ab:abk ae:ave af:afr ak:aka am:amh an:arg ar:ara as:asm av:ava ay:aym az:aze ba:bak be:bel bg:bul
bi:bis bm:bam bn:ben bo:bod br:bre bs:bos ca:cat ce:che ch:cha co:cos cr:cre cs:ces cu:chu cv:chv cy:cym
da:dan de:deu dv:div dz:dzo ee:ewe el:ell en:eng eo:epo es:spa et:est eu:eus fa:fas ff:ful fi:fin fj:fij
fo:fao fr:fra fy:fry ga:gle gd:gla gl:glg gn:grn gu:guj gv:glv ha:hau he:heb hi:hin ho:hmo hr:hrv ht:hat
hu:hun hy:hye hz:her ia:ina id:ind ie:ile ig:ibo ii:iii ik:ipk io:ido is:isl it:ita iu:iku ja:jpn jv:jav
ka:kat kg:kon ki:kik kj:kua kk:kaz kl:kal km:khm kn:kan ko:kor kr:kau ks:kas ku:kur kv:kom kw:cor ky:kir
la:lat lb:ltz lg:lug li:lim ln:lin lo:lao lt:lit lu:lub lv:lav mg:mlg mh:mah mi:mri mk:mkd ml:mal mn:mon
mr:mar ms:msa mt:mlt my:mya na:nau nb:nob nd:nde ne:nep ng:ndo nl:nld nn:nno no:nor nr:nbl nv:nav ny:nya
oc:oci oj:oji om:orm or:ori os:oss pa:pan pi:pli pl:pol ps:pus pt:por qu:que rm:roh rn:run ro:ron ru:rus
rw:kin sa:san sc:srd sd:snd se:sme sg:sag si:sin sk:slk sl:slv sm:smo sn:sna so:som sq:sqi sr:srp ss:ssw
st:sot su:sun sv:swe sw:swa ta:tam te:tel tg:tgk th:tha ti:tir tk:tuk tl:tgl tn:tsn to:ton tr:tur ts:tso
tt:tat tw:twi ty:tah ug:uig uk:ukr ur:urd uz:uzb ve:ven vi:vie vo:vol wa:wln wo:wol xh:xho yi:yid yo:yor
za:zha zh:zho zu:zul cmn:zho yue:zho
"""
_ISO_639 = dict(pair.split(":") for pair in _TAGS.split())


def language_tag(language: str) -> str:
    """The three letters of ISO 639-2/T for a BCP-47 tag; ``und`` where the language is not known."""
    first = language.split("-")[0].lower()
    return _ISO_639.get(first, first if len(first) == 3 and first.isascii() and first.isalpha() else "und")


def add_captions(container: OutputContainer, language: str) -> SubtitleStream:
    """Add an empty track for captions in `language` (BCP-47, or empty)."""
    stream = container.add_stream("mov_text")
    stream.codec_context.subtitle_header = _STYLE
    stream.codec_context.time_base = stream.time_base = _MS
    stream.metadata["language"] = language_tag(language)
    return stream


def packet_of(cue: Cue, stream: SubtitleStream) -> av.Packet[Any]:
    """The cue as a packet of its track: the length of the text, and the text, plain."""
    text = "\n".join(cue.lines).encode()
    packet: av.Packet[Any] = av.Packet(struct.pack(">H", len(text)) + text)
    packet.stream, packet.time_base = stream, _MS
    packet.pts = packet.dts = round(cue.start_s * 1000)
    packet.duration = round(cue.end_s * 1000) - packet.pts
    return packet
