"""Japanese in every encoding, and the other charsets that mail comes in, declared rightly, wrongly or not at all."""

from tests.cases.mail.incoming.samples.build import Sample, mail, part, word

_JA = "㈱髙橋商店の佐藤です。\n①番のサーバーが停止しました。ご確認ください。"
_JA_PLAIN = "佐藤です。\n一番のサーバーが停止しました。ログを添付します。ご確認ください。"
_JA_SUBJECT = "至急：サーバー停止のご連絡"
_RU = "Здравствуйте, сервер снова остановился. Пожалуйста, проверьте журнал."
_ZH = "您好，服务器又停止了。请检查日志并尽快回复我们，谢谢。"
_DE = "Größe und Gerät prüfen – „bitte“ bis Freitag für 5 €."
_FR = "Le serveur s'est arrêté cette nuit, l'équipe vérifie déjà la réplication."


def jis_ms(text: str) -> bytes:
    """What vendors send as ISO-2022-JP: JIS with the characters of code page 932."""
    out, in_jis = b"", False
    for char in text:
        if char.isascii():
            out += (b"\x1b(B" if in_jis else b"") + char.encode()
            in_jis = False
            continue
        lead, trail = char.encode("cp932")
        lead = lead - 0x71 if lead < 0xE0 else lead - 0xB1
        lead = lead * 2 + 1
        if trail > 0x7F:
            trail -= 1
        if trail >= 0x9E:
            lead, trail = lead + 1, trail - 0x7D
        else:
            trail -= 0x1F
        out += (b"" if in_jis else b"\x1b$B") + bytes((lead, trail))
        in_jis = True
    return out + (b"\x1b(B" if in_jis else b"")


def _raw(data: bytes, charset: str | None, **more: str) -> bytes:
    return mail(part(data, f"text/plain; charset={charset}" if charset else "text/plain"), **more)


_NEC = _JA
SAMPLES = [
    Sample(
        "ja-iso-2022-jp",
        _raw(_JA_PLAIN.encode("iso-2022-jp"), "ISO-2022-JP", subject=word(_JA_SUBJECT, "iso-2022-jp")),
        "person",
        _JA_PLAIN,
        subject=_JA_SUBJECT,
    ),
    Sample("ja-iso-2022-jp-with-vendor-letters", _raw(jis_ms(_NEC), "iso-2022-jp"), "person", _NEC),
    Sample(
        "ja-iso-2022-jp-ms",
        _raw(
            jis_ms(_NEC),
            "iso-2022-jp-ms",
            subject=word("", "iso-2022-jp-ms", data=jis_ms("㈱髙橋の件")).replace("iso-2022-jp-ms", "ISO-2022-JP-MS"),
        ),
        "person",
        _NEC,
        subject="㈱髙橋の件",
    ),
    Sample("ja-cp50220", _raw(jis_ms(_NEC), "cp50220"), "person", _NEC),
    Sample("ja-shift-jis", _raw(_JA_PLAIN.encode("shift_jis"), "Shift_JIS"), "person", _JA_PLAIN),
    Sample("ja-shift-jis-with-vendor-letters", _raw(_NEC.encode("cp932"), "shift_jis"), "person", _NEC),
    Sample("ja-windows-31j", _raw(_NEC.encode("cp932"), "windows-31j"), "person", _NEC),
    Sample(
        "ja-euc-jp",
        _raw(_JA_PLAIN.encode("euc-jp"), "EUC-JP", subject=word(_JA_SUBJECT, "euc-jp", "Q")),
        "person",
        _JA_PLAIN,
        subject=_JA_SUBJECT,
    ),
    Sample("ja-utf-8", _raw(_NEC.encode(), "utf-8", subject=word(_JA_SUBJECT)), "person", _NEC, subject=_JA_SUBJECT),
    Sample("ja-jis-undeclared", _raw(_JA_PLAIN.encode("iso-2022-jp"), None), "person", _JA_PLAIN),
    Sample("ja-jis-declared-ascii", _raw(_JA_PLAIN.encode("iso-2022-jp"), "us-ascii"), "person", _JA_PLAIN),
    Sample("ja-shift-jis-undeclared", _raw(_JA_PLAIN.encode("shift_jis"), None), "person", _JA_PLAIN),
    Sample("ja-euc-undeclared", _raw(_JA_PLAIN.encode("euc-jp"), None), "person", _JA_PLAIN),
    Sample("ja-utf-8-undeclared", _raw(_NEC.encode(), None), "person", _NEC),
    Sample("ja-declared-utf-8-is-shift-jis", _raw(_JA_PLAIN.encode("shift_jis"), "utf-8"), "person", _JA_PLAIN),
    Sample(
        "ja-subject-raw-jis",
        mail("x").replace(b"Replication stops", _JA_SUBJECT.encode("iso-2022-jp")),
        "person",
        "x",
        subject=_JA_SUBJECT,
    ),
    Sample(
        "ja-subject-raw-shift-jis",
        mail("x").replace(b"Replication stops", _JA_SUBJECT.encode("cp932")),
        "person",
        "x",
        subject=_JA_SUBJECT,
    ),
    Sample(
        "ja-subject-split-inside-a-letter",
        mail("x", subject="=?utf-8?B?6Iez5oCl77ya44K1?=\n =?utf-8?B?44O844OQ44O8?="),
        "person",
        "x",
        subject="至急：サーバー",
    ),
    Sample(
        "ja-subject-utf-8-cut-inside-a-letter",
        mail("x", subject="=?utf-8?Q?=E8=87=B3=E6?=\n =?utf-8?Q?=80=a5?="),
        "person",
        "x",
        subject="至急",
    ),
    Sample("ja-half-width-katakana", _raw(b"\x1b(I1234\x1b(B ok", "iso-2022-jp"), "person", "ｱｲｳｴ ok"),
    Sample("de-windows-1252", _raw(_DE.encode("cp1252"), "windows-1252"), "person", _DE),
    Sample("de-windows-1252-called-latin-1", _raw(_DE.encode("cp1252"), "iso-8859-1"), "person", _DE),
    Sample("de-undeclared", _raw(_DE.encode("cp1252"), None), "person", _DE, first_half=False),
    Sample("fr-undeclared", _raw(_FR.encode("cp1252"), None), "person", _FR, first_half=False),
    Sample("fr-latin-9", _raw("Coût : 5 €, cœur".encode("iso-8859-15"), "iso-8859-15"), "person", "Coût : 5 €, cœur"),
    Sample("ru-koi8-r", _raw(_RU.encode("koi8-r"), "koi8-r"), "person", _RU, first_half=False),
    Sample("ru-koi8-r-undeclared", _raw(_RU.encode("koi8-r"), None), "person", _RU, first_half=False),
    Sample("zh-gb18030", _raw(_ZH.encode("gb18030"), "gb2312"), "person", _ZH, first_half=False),
    Sample("zh-gb18030-undeclared", _raw(_ZH.encode("gb18030"), None), "person", _ZH, first_half=False),
    Sample("utf-16", _raw("Voilà, größer.".encode("utf-16"), "utf-16"), "person", "Voilà, größer.", first_half=False),
    Sample("unknown-charset", _raw("Voilà.".encode(), "x-unknown"), "person", "Voilà.", first_half=False),
    Sample("unicode-escape-is-no-charset", _raw(b"C:\\new\\x41", "unicode_escape"), "person", "C:\\new\\x41"),
    Sample("utf-7-is-no-charset", _raw(b"a+ADw-b", "utf-7"), "person", "a+ADw-b", first_half=False),
    *(
        Sample(f"short-{charset}-{at}", _raw(text.encode(charset), None), "person", text, first_half=False)
        for charset, texts in (
            ("cp1252", ("Grüße", "é", "À bientôt, José", "você está", "«OK»", "ÄRGER", "naïve coöperatie")),
            ("euc-jp", ("了解です", "御社", "承知しました。")),
            ("cp932", ("至急", "ログを確認", "ありがとう")),
            ("koi8-r", ("Спасибо",)),
            ("cp1251", ("Привет, всё работает",)),
            ("gb18030", ("你好，请确认。",)),
        )
        for at, text in enumerate(texts)
    ),
]
