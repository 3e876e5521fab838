"""Raw messages written for this project, and what the desk should make of each."""

from tests.cases.mail.incoming.samples import absences, automatic, bounces, broken, charsets, files, people

SAMPLES = [
    *people.SAMPLES,
    *charsets.SAMPLES,
    *bounces.SAMPLES,
    *absences.SAMPLES,
    *automatic.SAMPLES,
    *files.SAMPLES,
    *broken.SAMPLES,
]
