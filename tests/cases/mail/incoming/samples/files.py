"""Attachments and their names, as mail programs write them."""

import base64

from tests.cases.mail.incoming.samples.build import Sample, attached, mail, part, several, word

_PNG = b"\x89PNG\r\n\x1a\n" + b"\0" * 20


def _named(name: str, head: str, expected: str, *, kind: str = "application/pdf", first: bool = True) -> Sample:
    each = part(b"%PDF-1.4 x", kind, how="base64", head=head)
    return Sample(
        f"file-{name}",
        mail(several("mixed", part("Here it is."), each)),
        "person",
        "Here it is.",
        files=(expected,),
        first_half=first,
    )


_JA = "障害ログ.pdf"
_JIS = base64.b64encode(_JA.encode("iso-2022-jp")).decode()
SAMPLES = [
    _named("plain", 'Content-Disposition: attachment; filename="log 4.pdf"', "log 4.pdf"),
    _named(
        "rfc2231", "Content-Disposition: attachment; filename*=UTF-8''%E9%9A%9C%E5%AE%B3%E3%83%AD%E3%82%B0.pdf", _JA
    ),
    _named(
        "rfc2231-continued",
        "Content-Disposition: attachment;\n filename*0*=UTF-8''%E9%9A%9C%E5%AE%B3;\n "
        'filename*1*=%E3%83%AD%E3%82%B0;\n filename*2=".pdf"',
        _JA,
    ),
    _named(
        "rfc2231-split-inside-a-letter",
        "Content-Disposition: attachment;\n filename*0*=UTF-8''%E9%9A%9C%E5%AE;\n "
        "filename*1*=%B3%E3%83%AD%E3%82%B0.pdf",
        _JA,
    ),
    _named(
        "rfc2231-out-of-order",
        'Content-Disposition: attachment;\n filename*1="b.pdf";\n filename*0="a"',
        "ab.pdf",
        first=False,
    ),
    _named("encoded-word", f'Content-Disposition: attachment; filename="{word(_JA)}"', _JA),
    _named("encoded-word-jis", f'Content-Disposition: attachment;\n filename="=?ISO-2022-JP?B?{_JIS}?="', _JA),
    _named(
        "encoded-word-unquoted",
        f"Content-Disposition: attachment; filename={word('größe.pdf', 'iso-8859-1', 'Q')}",
        "größe.pdf",
        first=False,
    ),
    _named("in-content-type", "Content-Disposition: attachment", "t.pdf", kind='application/pdf; name="t.pdf"'),
    _named("unquoted-with-blanks", "Content-Disposition: attachment; filename=my big log.pdf", "my big log.pdf"),
    _named(
        "windows-path", 'Content-Disposition: attachment; filename="C:\\Users\\ann\\log.pdf"', "log.pdf", first=False
    ),
    _named("climbing-path", 'Content-Disposition: attachment; filename="../../etc/passwd"', "passwd"),
    _named("percent-without-star", 'Content-Disposition: attachment; filename="a%20b.pdf"', "a%20b.pdf", first=False),
    _named("semicolon-in-quotes", 'Content-Disposition: attachment; filename="a;b.pdf"', "a_b.pdf", first=False),
    _named("quote-in-name", 'Content-Disposition: attachment; filename="a\\"b.pdf"', "a_b.pdf", first=False),
    _named("no-name", "Content-Disposition: attachment", "file.pdf", first=False),
    Sample(
        "file-raw-utf-8-name",
        mail(
            several(
                "mixed",
                part("x"),
                part(b"%PDF-1.4", "application/pdf", head='Content-Disposition: attachment; filename="NAME"').replace(
                    b"NAME", "größe.pdf".encode()
                ),
            )
        ),
        "person",
        "x",
        files=("größe.pdf",),
    ),
    Sample(
        "file-raw-shift-jis-name",
        mail(
            several(
                "mixed",
                part("x"),
                part(b"%PDF-1.4", "application/pdf", head='Content-Disposition: attachment; filename="NAME"').replace(
                    b"NAME", _JA.encode("cp932")
                ),
            )
        ),
        "person",
        "x",
        files=(_JA,),
        first_half=False,
    ),
    Sample(
        "file-inline-image",
        mail(
            several(
                "related",
                part('<p>See <img src="cid:i1"> here</p>', "text/html"),
                part(
                    _PNG,
                    'image/png; name="image001.png"',
                    how="base64",
                    head="Content-ID: <i1>\nContent-Disposition: inline",
                ),
            )
        ),
        "person",
        None,
        files=("image001.png",),
    ),
    Sample(
        "file-winmail",
        mail(several("mixed", part("Rich."), attached("winmail.dat", b"\x78\x9f\x3e\x22", "application/ms-tnef"))),
        "person",
        "Rich.",
        files=("winmail.dat",),
    ),
    Sample(
        "file-text-as-attachment",
        mail(several("mixed", part("See the log."), attached("a.log", b"line 1\n", "text/plain"))),
        "person",
        "See the log.",
        files=("a.log",),
    ),
    Sample(
        "file-text-inline-with-name",
        mail(
            several(
                "mixed",
                part("See the log."),
                part("line 1", 'text/plain; name="b.log"', head='Content-Disposition: inline; filename="b.log"'),
            )
        ),
        "person",
        "See the log.",
        files=("b.log",),
        first_half=False,
    ),
    Sample(
        "file-apple-interleaved",
        mail(several("mixed", part("Above."), attached("p.png", _PNG, "image/png"), part("Below."))),
        "person",
        "Above.\n\nBelow.",
        files=("p.png",),
    ),
    Sample(
        "file-only",
        mail(part(b"%PDF-1.4", 'application/pdf; name="scan.pdf"', how="base64")),
        "person",
        "",
        files=("scan.pdf",),
    ),
    Sample(
        "file-smime",
        mail(part(b"0\x80\x06", 'application/pkcs7-mime; smime-type=enveloped-data; name="smime.p7m"', how="base64")),
        "person",
        "",
        files=("smime.p7m",),
        first_half=False,
    ),
    Sample(
        "file-smime-signature",
        mail(
            several(
                'multipart/signed; protocol="application/pkcs7-signature"',
                part("Signed."),
                attached("smime.p7s", b"0\x80", "application/pkcs7-signature"),
            )
        ),
        "person",
        "Signed.",
        files=("smime.p7s",),
        first_half=False,
    ),
    Sample(
        "file-message",
        mail(several("mixed", part("Fwd."), part(b"Subject: " + word("größer").encode() + b"\n\nx", "message/rfc822"))),
        "person",
        "Fwd.",
        files=("größer.eml",),
        first_half=False,
    ),
    Sample(
        "file-uuencoded",
        mail("Here.\n\nbegin 644 a.txt\n#0V%T\n`\nend\n"),
        "person",
        "Here.",
        files=("a.txt",),
        first_half=False,
    ),
]
