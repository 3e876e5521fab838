"""A Maildir that Postfix, fetchmail or Dovecot writes: the simplest door (M5).

Whatever lies in `new/` and `cur/` is not taken yet, whether a mail program has shown it to somebody or not. What was
taken is moved to the folder `.Received`, which a mail program shows as well, and deleted there after a while: the desk
keeps the raw message itself. So a look costs as much as there is to take, and no message is marked by a flag that a
person may set. Two workers at once are harmless: the inbox knows what it has, and a file is moved by one of them.
"""

from __future__ import annotations

import os
import secrets
import stat
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from cases.inbox.doors.rounds import LARGE, FetchRound, NotFetched
from cases.mail.incoming import LONGEST_MESSAGE

TAKEN = ".Received"
#: What a mail program reads after the name of a file: seen, and for a message that the desk has not whole, flagged.
SEEN, FLAGGED = "S", "F"
_INFO = ":2,"


@dataclass(frozen=True)
class Maildir:
    """A directory with `new/` and `cur/`."""

    path: Path

    def look(self, fetch_round: FetchRound) -> None:
        """Take what is there, oldest first, large messages last. Raises NotFetched if the directory cannot be used."""
        waiting = self._waiting()
        self._make_folder()
        for file in waiting:
            if not fetch_round.goes_on():
                return
            self._take(file, fetch_round)

    def _waiting(self) -> list[Path]:
        """The files of messages. Those whose name begins with a dot are none, nor are directories."""
        found: list[tuple[bool, float, str, Path]] = []
        try:
            for folder in (self.path / "new", self.path / "cur"):
                with os.scandir(folder) as entries:
                    for entry in entries:
                        with suppress(FileNotFoundError):  # another worker or a mail program was quicker
                            if not entry.name.startswith(".") and not entry.is_dir(follow_symlinks=False):
                                about = entry.stat(follow_symlinks=False)
                                large = about.st_size > LARGE
                                found.append((large, about.st_mtime, entry.name, Path(entry.path)))
        except FileNotFoundError as error:
            raise NotFetched("its directory is not there", error) from error
        except OSError as error:
            raise NotFetched("its directory cannot be read", error) from error
        return [path for *_, path in sorted(found)]

    def _make_folder(self) -> None:
        try:
            for folder in ("cur", "new", "tmp"):
                (self.path / TAKEN / folder).mkdir(mode=0o700, parents=True, exist_ok=True)
            (self.path / TAKEN / "maildirfolder").touch(mode=0o600)
            usable = all(os.access(self.path / folder, os.W_OK | os.X_OK) for folder in ("new", "cur"))
        except OSError as error:
            raise NotFetched("what was taken cannot be moved in its directory", error) from error
        if not usable:
            raise NotFetched("what was taken cannot be moved in its directory", f"{self.path}: no right to write")

    def _take(self, file: Path, fetch_round: FetchRound) -> None:
        name = ascii(file.name)
        try:
            raw = read_capped(file)
        except FileNotFoundError:
            return
        except OSError as error:
            fetch_round.leave(name, error.strerror or error)
            return
        if not fetch_round.take(raw, name):
            return
        try:
            os.rename(file, self._place_of(file, FLAGGED + SEEN if len(raw) > LONGEST_MESSAGE else SEEN))
        except FileNotFoundError:
            pass
        except OSError as error:
            fetch_round.leave(name, f"it was taken, but cannot be moved: {error.strerror}")

    def _place_of(self, file: Path, flags: str) -> Path:
        base = file.name.partition(_INFO)[0]
        place = self.path / TAKEN / "cur" / f"{base}{_INFO}{flags}"
        if os.path.lexists(place):  # somebody gave two files one name
            return place.with_name(f"{base}.{secrets.token_hex(4)}{_INFO}{flags}")
        return place

    def sweep(self, now: datetime, keep: timedelta) -> int:
        """Delete what was taken longer than `keep` ago, and is not flagged; how many there were."""
        before, deleted = (now - keep).timestamp(), 0
        with suppress(FileNotFoundError), os.scandir(self.path / TAKEN / "cur") as entries:
            for entry in entries:
                with suppress(FileNotFoundError):
                    about = entry.stat(follow_symlinks=False)
                    # Moving sets ctime: a message may have been written long before it was taken.
                    old = stat.S_ISREG(about.st_mode) and max(about.st_mtime, about.st_ctime) < before
                    if old and FLAGGED not in entry.name.partition(_INFO)[2]:
                        os.unlink(entry.path)
                        deleted += 1
        return deleted


def read_capped(file: Path) -> bytes:
    """The message, and no more of it than the inbox looks at. Raises OSError, for what is no file as well."""
    descriptor = os.open(file, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    with os.fdopen(descriptor, "rb") as opened:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise OSError(0, "It is no file.")
        return opened.read(LONGEST_MESSAGE + 1)
