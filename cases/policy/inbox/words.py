"""What a case keeps of the words of a message: own words first, nothing lost in silence (M7)."""

from __future__ import annotations

from collections.abc import Sequence

#: Of words that are all quoted so much is kept with the case.
LONGEST_QUOTE = 2_000
LONGEST_TITLE = 200


def words_for_log(text: str, quoted: str, subject: str, refused_files: Sequence[str], longest: int) -> str:
    """What the contact log says of a message, at most `longest` characters; never empty.

    Without own words it is what they quote, else the subject. Remarks of the desk stand at the end, in brackets: what
    was cut, and the files that are not kept with the case, each a sentence. The raw message has all of it.
    """
    own = text.strip()
    remarks = []
    if not own and quoted.strip():
        own = quoted.strip()[:LONGEST_QUOTE]
        remarks.append("They wrote nothing above or below what they quote.")
    elif not own:
        own = f"(no text) {subject.strip()}" if subject.strip() else "(no text)"
    if refused_files:
        remarks.append(f"Not kept with the case: {' '.join(refused_files)}")
    remarks = [remark[: longest // 4] for remark in remarks]
    room = longest - sum(len(remark) for remark in remarks) - 200
    if len(own) > room:
        own = own[:room].rstrip()
        remarks.insert(0, "Cut here: the received message has the rest.")
    return "\n\n".join([own, f"[{' '.join(remarks)}]"]) if remarks else own


def title_for_case(subject: str, text: str) -> str:
    """The title of a case that a message opens: its subject, else the first words."""
    words = " ".join(subject.split()) or " ".join(text.split())
    return words[:LONGEST_TITLE].rstrip() or "Mail without a subject"
