"""What a file is, by its bytes and never by what a browser says, and whether a case takes it in (C3). Pure."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Collection
from dataclasses import dataclass

#: So many bytes from the beginning of a file tell what it is.
HEAD = 4096
#: Characters of a file's name that are kept.
LONGEST_NAME = 150

TEXT, ZIP = "text/plain", "application/zip"
OFFICE = "application/vnd.openxmlformats-officedocument"
UNKNOWN = "application/octet-stream"

#: What a file begins with, and what it is then.
SIGNATURES: tuple[tuple[bytes, str], ...] = (
    (b"\x89PNG\r\n\x1a\n", "image/png"),
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"GIF87a", "image/gif"),
    (b"GIF89a", "image/gif"),
    (b"II*\x00", "image/tiff"),
    (b"MM\x00*", "image/tiff"),
    (b"%PDF-", "application/pdf"),
    (b"{\\rtf", "application/rtf"),
    (b"PK\x03\x04", ZIP),
    (b"PK\x05\x06", ZIP),
    (b"\x1f\x8b", "application/gzip"),
    (b"7z\xbc\xaf\x27\x1c", "application/x-7z-compressed"),
    (b"\xfd7zXZ\x00", "application/x-xz"),
    (b"BZh", "application/x-bzip2"),
    (b"\x28\xb5\x2f\xfd", "application/zstd"),
    (b"\xd4\xc3\xb2\xa1", "application/vnd.tcpdump.pcap"),
    (b"\xa1\xb2\xc3\xd4", "application/vnd.tcpdump.pcap"),
    (b"\x4d\x3c\xb2\xa1", "application/vnd.tcpdump.pcap"),
    (b"\xa1\xb2\x3c\x4d", "application/vnd.tcpdump.pcap"),
    (b"\x0a\x0d\x0d\x0a", "application/x-pcapng"),
    (b"ElfFile\x00", "application/x-ms-evtx"),
)
#: What a program begins with.
PROGRAMS = (
    b"\x7fELF",
    b"\xfe\xed\xfa\xce",
    b"\xfe\xed\xfa\xcf",
    b"\xce\xfa\xed\xfe",
    b"\xcf\xfa\xed\xfe",
    b"\xca\xfe\xba\xbe",
    b"L\x00\x00\x00\x01\x14\x02\x00",  # a shortcut of Windows
    b"#!",
)
OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
#: The older office documents share one container; an installer is one as well.
OLE_TYPES = {
    "doc": "application/msword",
    "xls": "application/vnd.ms-excel",
    "ppt": "application/vnd.ms-powerpoint",
    "msg": "application/vnd.ms-outlook",
    "vsd": "application/vnd.visio",
}
#: Endings of what a browser shows as a page, of documents with macros, and of what a double click starts.
PAGE_ENDINGS = frozenset({"htm", "html", "xhtml", "mht", "mhtml", "shtml", "svg", "svgz", "xsl", "xslt"})
MACRO_ENDINGS = frozenset({"docm", "xlsm", "pptm", "dotm", "xltm", "xlam"})
RUNS = frozenset(
    {
        *("exe", "dll", "com", "scr", "pif", "msi", "msp", "sys", "cpl", "lnk", "url", "reg", "hta", "swf"),
        *("bat", "cmd", "ps1", "psm1", "vbs", "vbe", "js", "jse", "mjs", "wsf", "wsh", "sh", "bash", "zsh", "csh"),
        *("py", "pyw", "pl", "rb", "php", "jar", "class", "app", "dmg", "pkg", "deb", "rpm", "apk"),
        *("iso", "img", "vhd", "vhdx"),
    }
)
_PAGES = (b"<!doctype html", b"<html", b"<script", b"<svg", b"<iframe")


@dataclass(frozen=True, slots=True)
class FileVerdict:
    """What a file is; or, in `why_not`, why a case does not take it in, as it follows its name."""

    content_type: str = UNKNOWN
    why_not: str = ""


PROGRAM = FileVerdict(why_not="is a program or a script, and those are not taken in; ask for its log or a picture")
PAGE = FileVerdict(why_not="is a web page, which may run scripts; send it as text, a PDF or a picture")
MACROS = FileVerdict(why_not="holds macros; save it without them, or as a PDF")
OTHER = FileVerdict(
    why_not="is of a type that is not taken in; text and logs, pictures, PDF, office documents, archives and network "
    "captures are"
)


def judge_file(name: str, head: bytes, names_inside: Callable[[], Collection[str] | None]) -> FileVerdict:
    """What a file with this cleaned name and these first bytes is.

    `names_inside` lists what an archive of the zip family holds; None for one that cannot be read.
    """
    ending = ending_of(name)
    if head.startswith(PROGRAMS) or (head.startswith(b"MZ") and b"\0" in head):
        return PROGRAM
    for endings, verdict in ((RUNS, PROGRAM), (PAGE_ENDINGS, PAGE), (MACRO_ENDINGS, MACROS)):
        if ending in endings:
            return verdict
    if head.startswith(OLE):
        return FileVerdict(OLE_TYPES[ending]) if ending in OLE_TYPES else OTHER
    content_type = _by_signature(head)
    if content_type == ZIP:
        return _inside_zip(names_inside())
    if content_type:
        return FileVerdict(content_type)
    return _as_text(head)


def _by_signature(head: bytes) -> str:
    if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
        return "image/webp"
    if head[4:12] in (b"ftypheic", b"ftypheif", b"ftypmif1", b"ftypavif"):
        return "image/heif"
    if head[:2] == b"BM" and head[6:10] == b"\x00\x00\x00\x00":
        return "image/bmp"
    if head[257:262] == b"ustar":
        return "application/x-tar"
    return next((content_type for start, content_type in SIGNATURES if head.startswith(start)), "")


def _inside_zip(names: Collection[str] | None) -> FileVerdict:
    """A zip archive, or what is built as one: documents are, and so are programs."""
    if names is None:
        return FileVerdict(why_not="is a damaged archive; have it packed anew")
    lower = {name.lower() for name in names}
    if {"meta-inf/manifest.mf", "androidmanifest.xml"} & lower:
        return PROGRAM
    if any(name.endswith("vbaproject.bin") for name in lower):
        return MACROS
    if "[content_types].xml" in lower:
        for folder, kind in (("word/", "wordprocessingml.document"), ("xl/", "spreadsheetml.sheet")):
            if any(name.startswith(folder) for name in lower):
                return FileVerdict(f"{OFFICE}.{kind}")
        if any(name.startswith("ppt/") for name in lower):
            return FileVerdict(f"{OFFICE}.presentationml.presentation")
    return FileVerdict("application/vnd.oasis.opendocument" if _is_open_document(lower) else ZIP)


def _is_open_document(lower: Collection[str]) -> bool:
    return "mimetype" in lower and "content.xml" in lower


def _as_text(head: bytes) -> FileVerdict:
    if head.startswith((b"\xff\xfe", b"\xfe\xff")):
        text = head.decode("utf-16", errors="replace").encode()
    elif b"\0" in head or _share_of_controls(head) > 0.02:
        return OTHER
    else:
        text = head
    start = text.removeprefix(b"\xef\xbb\xbf").lstrip().lower()
    is_markup = start.startswith((b"<?xml", b"<!--", b"<!doctype")) and any(sign in start[:1024] for sign in _PAGES)
    return PAGE if is_markup or start.startswith(_PAGES) else FileVerdict(TEXT)


def _share_of_controls(head: bytes) -> float:
    """How much of it is control characters that no text has; an escape is one of a coloured log."""
    controls = sum(byte < 32 and byte not in b"\t\n\r\f\x0b\x08\x1b" for byte in head)
    return controls / max(len(head), 1)


def ending_of(name: str) -> str:
    """What stands after the last dot, in lower case; "" without one."""
    return name.rpartition(".")[2].strip().lower() if "." in name else ""


def clean_name(name: str) -> str:
    """The name of a file as it is kept and given back: without folders, control and direction characters, and what a
    file system or a header does not take; never empty.
    """
    name = name.replace("\\", "/").rpartition("/")[2]
    name = unicodedata.normalize("NFC", name)
    name = "".join(each for each in name if unicodedata.category(each) not in ("Cc", "Cf", "Cs", "Co", "Zl", "Zp"))
    name = "".join("_" if each in '<>:"|?*;' else each for each in name).strip(" .")
    if len(name) > LONGEST_NAME:
        ending = ending_of(name)[:20]
        name = f"{name[: LONGEST_NAME - len(ending) - 1].rstrip(' .')}.{ending}" if ending else name[:LONGEST_NAME]
    return name or "file"
