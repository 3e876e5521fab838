"""Every message of the corpus is read as its writer meant it (M6, M7). No database."""

from __future__ import annotations

from collections import Counter

import pytest

from cases.mail.incoming import IncomingMessage, MessageKind, read_message
from cases.mail.incoming.reading import understand
from tests.cases.mail.incoming.samples import SAMPLES
from tests.cases.mail.incoming.samples.build import Sample, mail
from tests.support.absence_notes import NOTES


def wrong(sample: Sample, read: IncomingMessage) -> dict[str, tuple[object, object]]:
    """What was read otherwise than it is meant: (read, meant) by name."""
    absence = read.absence and (
        read.absence.away_from and read.absence.away_from.isoformat(),
        read.absence.back_on.isoformat(),
    )
    pairs: dict[str, tuple[object, object]] = {
        "kind": (read.kind.value, sample.kind),
        "failed": (read.failed_recipients, sample.failed),
        "absence": (absence, sample.away),
    }
    for name, meant in (("text", sample.text), ("subject", sample.subject), ("sender", sample.sender)):
        if meant is not None:
            pairs[name] = (getattr(read, name), meant)
    if sample.files is not None:
        pairs["files"] = (tuple(file.name for file in read.attachments), sample.files)
    if sample.quoted is not None:
        pairs["quoted"] = (sample.quoted if sample.quoted in read.quoted else read.quoted, sample.quoted)
    return {name: pair for name, pair in pairs.items() if pair[0] != pair[1]}


@pytest.mark.parametrize("sample", SAMPLES, ids=lambda sample: sample.name)
def test_a_message_is_read_as_it_is_meant(sample: Sample) -> None:  # M6 M7
    assert wrong(sample, understand(sample.raw)) == {}


def test_notes_of_responders_are_out_of_office_and_their_days_those_of_the_reader() -> None:  # F5 M6
    others = []
    for note in NOTES:
        raw = mail(note.text, subject="Re: An update", head="Auto-Submitted: auto-replied\n", how="base64")
        read = read_message(raw, received_on=note.received_on, country=note.country)
        if read.kind is MessageKind.OUT_OF_OFFICE:
            days = (read.absence.away_from, read.absence.back_on) if read.absence else (None, None)
            assert days == (note.away_from, note.back_on), note.name
        else:
            others.append(note.name)
    assert len(others) <= 0.05 * len(NOTES), others


def test_the_corpus_is_large_and_of_all_kinds() -> None:  # M6
    kinds = Counter(sample.kind for sample in SAMPLES)
    assert len({sample.name for sample in SAMPLES}) == len(SAMPLES) >= 150
    assert min(kinds.values()) >= 4, kinds
