"""What a file is by its bytes, and which a case takes in (C3)."""

from __future__ import annotations

import pytest

from cases.policy.file_types import (
    MACROS,
    OTHER,
    PAGE,
    PROGRAM,
    TEXT,
    ZIP,
    FileVerdict,
    clean_name,
    ending_of,
    judge_file,
)

PNG = b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR"
PK = b"PK\x03\x04\x14\x00\x00\x00"
OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 8


@pytest.mark.parametrize(
    ("name", "head", "content_type"),
    [
        ("a.png", PNG, "image/png"),
        ("a.txt", PNG, "image/png"),  # not what its name says
        ("a.jpg", b"\xff\xd8\xff\xe0\x00\x10JFIF", "image/jpeg"),
        ("a.gif", b"GIF89a\x01\x00", "image/gif"),
        ("a.webp", b"RIFF\x24\x00\x00\x00WEBPVP8 ", "image/webp"),
        ("a.heic", b"\x00\x00\x00\x18ftypheic\x00\x00", "image/heif"),
        ("a.bmp", b"BM\x36\x00\x0c\x00\x00\x00\x00\x00", "image/bmp"),
        ("a.tiff", b"II*\x00\x08\x00", "image/tiff"),
        ("a.pdf", b"%PDF-1.7\n%\xe2\xe3", "application/pdf"),
        ("a.rtf", b"{\\rtf1\\ansi", "application/rtf"),
        ("a.gz", b"\x1f\x8b\x08\x00", "application/gzip"),
        ("a.7z", b"7z\xbc\xaf\x27\x1c\x00\x04", "application/x-7z-compressed"),
        ("a.tar", b"x" * 257 + b"ustar\x0000", "application/x-tar"),
        ("a.pcap", b"\xd4\xc3\xb2\xa1\x02\x00\x04\x00", "application/vnd.tcpdump.pcap"),
        ("a.pcapng", b"\x0a\x0d\x0d\x0a\x1c\x00\x00\x00", "application/x-pcapng"),
        ("a.evtx", b"ElfFile\x00\x00", "application/x-ms-evtx"),
        ("a.doc", OLE, "application/msword"),
        ("a.msg", OLE, "application/vnd.ms-outlook"),
        ("a.log", b"2026-06-03 12:00:00 ERROR printer on fire\n", TEXT),
        ("a", "Störung".encode(), TEXT),
        ("a.log", "Störung".encode("latin-1"), TEXT),
        ("a.txt", "障害".encode("iso-2022-jp"), TEXT),
        ("a.txt", "\ufeffDrucker".encode("utf-16"), TEXT),
        ("a.log", b"\x1b[31mred\x1b[0m\n", TEXT),
        ("a.csv", b"MZ,1\nXY,2\n", TEXT),  # a program begins like this, but holds a NUL
        ("a.xml", b"<?xml version='1.0'?><config><port>9100</port></config>", TEXT),
        ("a.log", b"GET / 200\n<html>what the server said</html>\n", TEXT),
    ],
)
def test_a_file_is_what_its_bytes_say(name: str, head: bytes, content_type: str) -> None:  # C3
    assert judge_file(name, head, lambda: None) == FileVerdict(content_type)


@pytest.mark.parametrize(
    ("name", "head", "verdict"),
    [
        ("a.txt", b"MZ\x90\x00\x03", PROGRAM),
        ("a.png", b"\x7fELF\x02\x01", PROGRAM),
        ("a.log", b"#!/bin/sh\nrm -rf /\n", PROGRAM),
        ("a.txt", b"\xca\xfe\xba\xbe\x00\x00", PROGRAM),
        ("a.txt", b"L\x00\x00\x00\x01\x14\x02\x00", PROGRAM),
        ("a.BAT", b"del *.*", PROGRAM),
        ("a.txt.js", b"alert(1)", PROGRAM),
        ("a.ps1", b"Get-Process", PROGRAM),
        ("a.html", b"hello", PAGE),
        ("a.svg", b"hello", PAGE),
        ("a.txt", b"<!DOCTYPE html><title>x", PAGE),
        ("a.png", b"\xef\xbb\xbf \n<svg onload=alert(1)>", PAGE),
        ("a.xml", b"<?xml version='1.0'?>\n<svg xmlns='http://www.w3.org/2000/svg'>", PAGE),
        ("a.txt", b"\xff\xfe" + "<script>".encode("utf-16-le"), PAGE),
        ("a.docm", PK, MACROS),
        ("a.exe.gz", b"\x00\x01\x02\x03" * 20, OTHER),
        ("a.msi", OLE, PROGRAM),
        ("a.bin", OLE, OTHER),
        ("a.dat", b"\x01\x02\x03\x04" * 20, OTHER),
    ],
)
def test_what_runs_or_is_unknown_is_refused(name: str, head: bytes, verdict: FileVerdict) -> None:  # C3
    assert judge_file(name, head, lambda: []) == verdict
    assert verdict.why_not


@pytest.mark.parametrize(
    ("inside", "verdict"),
    [
        (["readme.txt", "logs/a.log"], FileVerdict(ZIP)),
        ([], FileVerdict(ZIP)),
        (
            ["[Content_Types].xml", "word/document.xml"],
            FileVerdict("application/vnd.openxmlformats-officedocument.wordprocessingml.document"),
        ),
        (
            ["[Content_Types].xml", "xl/workbook.xml"],
            FileVerdict("application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"),
        ),
        (
            ["[Content_Types].xml", "ppt/presentation.xml"],
            FileVerdict("application/vnd.openxmlformats-officedocument.presentationml.presentation"),
        ),
        (["mimetype", "content.xml"], FileVerdict("application/vnd.oasis.opendocument")),
        (["[Content_Types].xml", "word/document.xml", "word/vbaProject.bin"], MACROS),
        (["META-INF/MANIFEST.MF", "A.class"], PROGRAM),
        (["AndroidManifest.xml"], PROGRAM),
        (None, FileVerdict(why_not="is a damaged archive; have it packed anew")),
    ],
)
def test_a_zip_is_what_it_holds(inside: list[str] | None, verdict: FileVerdict) -> None:  # C3
    assert judge_file("a.zip", PK, lambda: inside) == verdict


@pytest.mark.parametrize(
    ("name", "cleaned"),
    [
        ("log.txt", "log.txt"),
        ("C:\\Users\\me\\log.txt", "log.txt"),
        ("../../etc/passwd", "passwd"),
        ("a\r\nSet-Cookie: x.txt", "aSet-Cookie_ x.txt"),
        ("photo\u202egnp.exe", "photognp.exe"),  # a name that is written backwards shows its real ending
        ('what "is" this?.txt', "what _is_ this_.txt"),
        ("障害報告.pdf", "障害報告.pdf"),
        ("  .hidden. ", "hidden"),
        ("...", "file"),
        ("", "file"),
        ("a" * 300 + ".log", "a" * 146 + ".log"),
        ("a" * 300, "a" * 150),
    ],
)
def test_a_name_is_one_that_can_be_kept_and_given_back(name: str, cleaned: str) -> None:  # C3
    assert clean_name(name) == cleaned
    assert len(cleaned) <= 150


def test_the_ending_is_after_the_last_dot() -> None:
    assert [ending_of(name) for name in ("a.tar.GZ", "a", "a.", ".b")] == ["gz", "", "", "b"]
