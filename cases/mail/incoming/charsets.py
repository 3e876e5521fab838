"""From bytes to text: the declared charset where it fits, else what the bytes say (M7).

Whatever decodes strictly as it is declared is not guessed at, with three exceptions that senders make by the million:
windows-1252 called ISO-8859-1, UTF-8 called a charset of one byte, and JIS called anything.
"""

from __future__ import annotations

import re
from collections.abc import Callable

#: What of a text is looked at to guess its charset.
SAMPLE = 4_000

_WESTERN = ("us-ascii", "ascii", "iso-8859-1", "latin1", "latin-1", "l1", "cp1252", "windows-1252", "ansi", "x-ansi")
_SHIFT_JIS = (
    "shift-jis",
    "shiftjis",
    "sjis",
    "x-sjis",
    "ms-kanji",
    "csshiftjis",
    "windows-31j",
    "cp932",
    "ms932",
    "x-ms-cp932",
)
_EUC_JP = ("euc-jp", "eucjp", "x-euc-jp", "eucjp-ms", "eucjp-win", "cp51932", "ujis")
_JIS = re.compile(r"iso-?2022-?jp|cp5022[0-9]|x-windows-iso2022jp|jis(?:-encoding|7|8)?$|csiso2022jp")
#: Codecs of Python that are charsets of mail, by the names that mail has for them. UTF-7 and the like are none.
_CODECS = {
    **dict.fromkeys(("utf-8", "utf8", "unicode-1-1-utf-8", "utf-8-sig", "cp65001", "utf8mb4"), "utf-8"),
    **dict.fromkeys(("utf-16", "utf16", "unicode", "ucs-2"), "utf-16"),
    **{name: name for name in ("utf-16le", "utf-16be", "utf-16-le", "utf-16-be", "utf-32", "utf-32le", "utf-32be")},
    **dict.fromkeys(
        ("gb2312", "gbk", "gb18030", "x-gbk", "cp936", "euc-cn", "gb-2312-80", "csgb2312", "windows-936"), "gb18030"
    ),
    **dict.fromkeys(("big5", "big5-hkscs", "big5hkscs", "x-x-big5", "cn-big5", "cp950", "csbig5"), "big5hkscs"),
    **dict.fromkeys(
        ("euc-kr", "euckr", "ks-c-5601-1987", "ks-c-5601", "ksc5601", "cp949", "uhc", "windows-949"), "cp949"
    ),
    **{f"iso-8859-{part}": f"iso8859-{part}" for part in (*range(2, 12), *range(13, 17))},
    **dict.fromkeys(("latin2", "latin-2"), "iso8859-2"),
    **dict.fromkeys(("latin9", "latin-9", "iso-8859-15-windows-1252"), "iso8859-15"),
    **{"iso-8859-8-i": "iso8859-8", "iso-8859-8-e": "iso8859-8", "iso-8859-6-i": "iso8859-6"},
    **{f"windows-{page}": f"cp{page}" for page in (1250, 1251, *range(1253, 1259), 874)},
    **{f"cp{page}": f"cp{page}" for page in (437, 850, 852, 866, 1250, 1251, *range(1253, 1259))},
    **{"koi8-r": "koi8-r", "koi8-u": "koi8-u", "koi8r": "koi8-r", "koi8": "koi8-r", "tis-620": "cp874"},
    **{"macintosh": "mac-roman", "mac-roman": "mac-roman", "x-mac-roman": "mac-roman", "x-mac-japanese": "cp932"},
    **{"hz-gb-2312": "hz", "iso-2022-kr": "iso2022-kr", "euc-tw": "big5hkscs", "johab": "johab"},
}


def decode(data: bytes, declared: str = "") -> str:
    """The text of the bytes. Never raises; what no charset explains is read as windows-1252."""
    name = re.sub(r"[\s\"';].*$", "", declared.strip(" \"';<>").lower()).replace("_", "-")
    if data.startswith(b"\xef\xbb\xbf"):
        return data[3:].decode("utf-8", "replace")
    if (b"\x1b$" in data or b"\x1b(" in data) and name not in ("iso-2022-kr", "hz-gb-2312") and b"\x1b$)" not in data:
        text = _jis(data)
        if text is not None:
            return text
    found = _declared(data, name)
    return undeclared(data) if found is None else found


def undeclared(data: bytes) -> str:
    """The text of bytes that nothing is known of, or that are not what is said of them."""
    if (text := _strict(data, "utf-8")) is not None:
        return text
    found = [
        (score(text), -at, text) for at, (codec, score) in enumerate(_GUESSES) if (text := codec(data)) is not None
    ]
    best, _, text = max(found, default=(0.0, 0, ""))
    return text if best > 0 else western(data)


def western(data: bytes) -> str:
    """windows-1252; the five bytes that it does not know, and the controls, as in ISO-8859-1."""
    text = _strict(data, "cp1252")
    return data.decode("latin-1").translate(_WESTERN_CONTROLS) if text is None else text


_WESTERN_CONTROLS = {
    byte: bytes([byte]).decode("cp1252") for byte in range(0x80, 0xA0) if byte not in (0x81, 0x8D, 0x8F, 0x90, 0x9D)
}


def _declared(data: bytes, name: str) -> str | None:
    """What the declared charset makes of all the bytes, if it does."""
    if name in _WESTERN:
        if data.isascii():
            return data.decode("ascii")
        # Hardly any text of one byte a letter is UTF-8 by accident.
        text = _strict(data, "utf-8")
        return text if text is not None else None if name in ("us-ascii", "ascii") else western(data)
    if name in _SHIFT_JIS:
        return _strict(data, "cp932") or _strict(data, "shift_jisx0213")
    if name in _EUC_JP:
        return _euc_jp(data)
    if _JIS.match(name):
        return data.decode("ascii") if data.isascii() else None
    codec = _CODECS.get(name)
    return _strict(data, codec) if codec else None


def _strict(data: bytes, codec: str) -> str | None:
    try:
        return data.decode(codec)
    except (UnicodeError, LookupError, ValueError):
        return None


# Japanese -----------------------------------------------------------------------------------------------------------

_ESCAPE = re.compile(rb"\x1b(\$\([@BDOPQ]|\$[@AB]|\([BJIHT@])")
_TO_EUC = bytes(byte | 0x80 for byte in range(256))
_RUN_ENDS = re.compile(rb"[\x00-\x20\x7f-\xff]")


def _jis(data: bytes) -> str | None:
    """ISO-2022-JP with the letters that vendors added to it (code page 932), or None if it is something else."""
    pieces = _ESCAPE.split(data)
    out = [_plain(pieces[0])]
    for escape, run in zip(pieces[1::2], pieces[2::2], strict=True):
        if escape in (b"(B", b"(J", b"(H", b"(T", b"(@"):
            out.append(_plain(run))
        elif escape == b"(I":
            out.append(bytes(byte | 0x80 if 0x21 <= byte <= 0x5F else byte for byte in run).decode("cp932", "replace"))
        elif escape == b"$A":
            return None
        else:
            # A line ends the letters of two bytes, whether or not the sender says so.
            ends = _RUN_ENDS.search(run)
            letters, rest = (run[: ends.start()], run[ends.start() :]) if ends else (run, b"")
            out += [_pairs(letters, supplement=escape == b"$(D"), _plain(rest)]
    text = "".join(out)
    return None if text.count("\ufffd") * 4 > len(text) else text


def _plain(run: bytes) -> str:
    return run.decode("ascii") if run.isascii() else run.decode("cp932", "replace")


def _pairs(run: bytes, supplement: bool) -> str:
    """Letters of JIS X 0208, or of its supplement, two bytes each."""
    euc = run[: len(run) // 2 * 2].translate(_TO_EUC)
    if supplement:
        euc = b"".join(b"\x8f" + euc[at : at + 2] for at in range(0, len(euc), 2))
    return (_euc_jp(euc) or euc.decode("euc_jp", "replace")) if euc else ""


def _euc_jp(data: bytes) -> str | None:
    """EUC-JP; where it holds letters of vendors, as code page 932 has them."""
    text = _strict(data, "euc_jp")
    if text is not None:
        return text.replace("\u301c", "\uff5e") if "\u301c" in text else text
    out, at = [], 0
    while at < len(data):
        size = 1 if data[at] < 0x80 else 3 if data[at] == 0x8F else 2
        letter = data[at : at + size]
        found = _strict(letter, "euc_jp") or (_vendor_letter(letter) if size == 2 else None)
        if found is None:
            return None
        out.append(found)
        at += size
    return "".join(out)


def _vendor_letter(letter: bytes) -> str | None:
    """One letter of EUC by the tables of code page 932 (rows 13 and 89 to 119)."""
    if len(letter) < 2 or letter[0] < 0xA1 or letter[1] < 0xA1:
        return None
    row, cell = letter[0] - 0xA1, letter[1] - 0xA1
    lead = row // 2 + (0x81 if row < 62 else 0xC1)
    trail = cell + 0x9F if row % 2 else cell + (0x40 if cell < 63 else 0x41)
    return _strict(bytes((lead, trail)), "cp932") if lead <= 0xFC else None


# Guessing -----------------------------------------------------------------------------------------------------------


def _foreign(text: str) -> str:
    """The letters that tell charsets apart."""
    return "".join(char for char in text[: 4 * SAMPLE] if char > "\x7f")[:SAMPLE]


def _kana(char: str) -> float:
    """How likely a letter is in a Japanese text."""
    if "\u3040" <= char <= "\u30ff" or char in "、。「」・ー":
        return 1.0
    if "\uff01" <= char <= "\uff5e" or "\u3000" <= char <= "\u303f":
        return 0.7
    if "\u4e00" <= char <= "\u9fff":
        code = char.encode("euc_jp", "ignore")
        return 0.75 if len(code) == 2 and code[0] <= 0xCF else 0.15
    return 0.05


def _hanzi(char: str) -> float:
    if "\u4e00" <= char <= "\u9fff":
        code = char.encode("gb2312", "ignore")
        return 0.7 if len(code) == 2 and code[0] <= 0xD7 else 0.15
    return 0.7 if char in "，。！？：；、（）“”《》" else 0.05


def _mean(value: Callable[[str], float]) -> Callable[[str], float]:
    def score(text: str) -> float:
        letters = _foreign(text)
        return sum(map(value, letters)) / max(len(letters), 1)

    return score


_RUN = re.compile("([A-Za-z]?)([^\x00-\x7f]+)([A-Za-z]?)")
_RUSSIAN_WORD = re.compile("[А-ЯЁа-яё][а-яё]+|[А-ЯЁ]{2,}|[авикосуяАВИКОСУЯ]")


def _russian(text: str) -> float:
    """Small letters, capitals where a word begins, and no plain letter beside them."""
    runs = _RUN.findall(text[: 4 * SAMPLE])
    good = sum(len(run) for before, run, after in runs if not before + after and _RUSSIAN_WORD.fullmatch(run))
    return 0.85 * good / max(sum(len(run) for _, run, _ in runs), 1)


_COMMON = frozenset("äöüßéèêëàâáãåæçíìîïñóòôõøúùûýÿœÄÖÜÉÈÊÀÁÂÃÅÆÇÍÑÓÔÕØÚŒ–—…„“”‚‘’«»€°§µ·²³¿¡ºª©®™\u00a0")


def _accented(text: str) -> float:
    """Letters with accents stand alone, or in twos, among plain ones."""
    runs = _RUN.findall(text[: 4 * SAMPLE])
    good = sum(len(run) for _, run, _ in runs if len(run) <= 2 and _COMMON.issuperset(run))
    return 0.85 * good / max(sum(len(run) for _, run, _ in runs), 1)


_GUESSES: tuple[tuple[Callable[[bytes], str | None], Callable[[str], float]], ...] = (
    (lambda data: _strict(data, "cp932"), _mean(_kana)),
    (_euc_jp, _mean(_kana)),
    (lambda data: _strict(data, "cp1252"), _accented),
    (lambda data: _strict(data, "gb18030"), _mean(_hanzi)),
    (lambda data: _strict(data, "koi8-r"), _russian),
    (lambda data: _strict(data, "cp1251"), _russian),
)
