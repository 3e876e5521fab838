"""Messages that are no longer, or never were, what the standards ask for."""

from tests.cases.mail.incoming.samples.build import ANN, Sample, mail, part, several

_HEAD = f"From: {ANN}\nTo: support@desk.example\nSubject: x\nMIME-Version: 1.0\n".encode()

SAMPLES = [
    Sample("broken-empty", b"", "unreadable"),
    Sample("broken-noise", bytes(range(256)) * 4, "unreadable", files=None),
    Sample("broken-blank-lines", b"\n\n\n", "unreadable"),
    Sample("broken-no-sender", b"Subject: x\n\nhello\n", "unreadable", "hello"),
    Sample(
        "broken-no-end-boundary",
        _HEAD + b"Content-Type: multipart/mixed; boundary=b\n\n--b\nContent-Type: text/plain\n\nHello.\n",
        "person",
        "Hello.",
    ),
    Sample("broken-no-boundary-at-all", _HEAD + b"Content-Type: multipart/mixed\n\nHello.\n", "person", "Hello."),
    Sample(
        "broken-boundary-never-used",
        _HEAD + b"Content-Type: multipart/mixed; boundary=b\n\nHello.\n",
        "person",
        "Hello.",
    ),
    Sample(
        "broken-crlf-mixed",
        b"From: ann@customer.example\r\nSubject: x\n\r\nOne.\r\nTwo.\rThree.\n",
        "person",
        "One.\nTwo.\nThree.",
        first_half=False,
    ),
    Sample(
        "broken-base64",
        mail(part("x").replace(b"8bit\n\nx", b"base64\n\nSGVsbG8gdGhlcmU*=="), subject="x"),
        "person",
        "Hello there",
        first_half=False,
    ),
    Sample(
        "broken-quoted-printable",
        mail(part("a=ZZ b=\n c =E4", charset="iso-8859-1").replace(b"8bit", b"quoted-printable")),
        "person",
        "a=ZZ b c ä",
        first_half=False,
    ),
    Sample("broken-from-parentheses", mail("x").replace(ANN.encode(), b"(" * 50_000), "unreadable", "x"),
    Sample("broken-message-id", mail("x").replace(b"<m1@customer.example>", b"<<<<"), "person", "x"),
    Sample(
        "broken-nested",
        _HEAD
        + b"".join(b"Content-Type: multipart/mixed; boundary=b%d\n\n--b%d\n" % (n, n) for n in range(3000))
        + b"\nHello\n",
        "person",
        None,
        files=None,
    ),
    Sample("broken-header-without-colon", b"From: ann@customer.example\nthis is no header\n\nHello.\n", "person", None),
    Sample(
        "broken-mbox-line",
        b"From ann@customer.example Mon Aug 10 09:30:00 2026\n" + _HEAD + b"\nHello.\n",
        "person",
        "Hello.",
    ),
    Sample("broken-leading-blank-line", b"\n" + _HEAD + b"\nHello.\n", "person", "Hello.", first_half=False),
    Sample("broken-two-senders", _HEAD + b"From: eve@other.example\n\nHello.\n", "person", "Hello.", sender=""),
    Sample(
        "broken-sender-in-the-name",
        mail("x", sender='"boss@customer.example" <eve@other.example>'),
        "person",
        "x",
        sender="eve@other.example",
    ),
    Sample(
        "broken-header-injection",
        mail("x", subject="=?utf-8?Q?a=0D=0ABcc:_eve@other.example?="),
        "person",
        "x",
        subject="a Bcc: eve@other.example",
    ),
    Sample("broken-nul-bytes", _HEAD + b"\nHel\0lo.\n", "person", "Hello.", first_half=False),
    Sample(
        "broken-encoding-unknown", mail(part("Hello.").replace(b"8bit", b"x-odd")), "person", "Hello.", first_half=False
    ),
    Sample("broken-type", _HEAD + b"Content-Type: text\n\nHello.\n", "person", "Hello.", first_half=False),
    Sample(
        "broken-html-unclosed",
        mail(part("<p>Hello <b>you<p>there<br", "text/html")),
        "person",
        "Hello you\nthere",
        first_half=False,
    ),
    Sample(
        "broken-html-script",
        mail(part("<script>alert(1)</script><style>p{}</style><!-- no --><p>Seen.</p>", "text/html")),
        "person",
        "Seen.",
    ),
    Sample(
        "broken-nested-parts-inside",
        mail(several("mixed", several("alternative", part("Deep."), part("<p>x</p>", "text/html"), boundary="in"))),
        "person",
        "Deep.",
    ),
    Sample(
        "broken-sender-before-the-sender",
        mail("x", sender="boss@customer.example <eve@other.example>"),
        "person",
        "x",
        sender="eve@other.example",
        first_half=False,
    ),
]
