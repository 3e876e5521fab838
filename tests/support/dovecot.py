"""A real Dovecot on free ports of this machine, with a configuration and mails of its own: LMTP in, IMAP out."""

from __future__ import annotations

import grp
import os
import pwd
import shutil
import signal
import smtplib
import socket
import ssl
import subprocess
import tempfile
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from imapclient import IMAPClient

from tests.support.processes import free_ports

USER, PASSWORD = "desk@example.com", "s3cret-of-the-mailbox"
LMTP_PARTS = ("/usr/lib/dovecot/lmtp", "/usr/libexec/dovecot/lmtp")

CONFIGURATION = """
base_dir = {base}/run
log_path = {base}/log
protocols = imap lmtp
listen = 127.0.0.1
default_internal_user = {internal}
default_login_user = {internal}
default_internal_group = {group}
first_valid_uid = 0
first_valid_gid = 0
mail_location = maildir:{base}/mail/%u
disable_plaintext_auth = no
{ssl}
auth_mechanisms = plain login xoauth2
auth_failure_delay = 0
passdb {{
  driver = oauth2
  mechanisms = xoauth2
  args = {base}/oauth2.conf
}}
passdb {{
  driver = static
  mechanisms = plain login
  args = password={password}
}}
userdb {{
  driver = static
  args = uid={uid} gid={gid} home={base}/home/%u allow_all_users=yes
}}
service imap-login {{
  chroot =
  inet_listener imap {{
    port = {imap}
  }}
  inet_listener imaps {{
    port = {imaps}
  }}
}}
service anvil {{
  chroot =
}}
service stats {{
  chroot =
}}
service lmtp {{
  inet_listener lmtp {{
    port = {lmtp}
  }}
}}
namespace inbox {{
  inbox = yes
  separator = /
}}
{more}
"""

OAUTH2 = """
introspection_url = {introspection}
introspection_mode = post
active_attribute = active
active_value = true
username_attribute = username
"""

#: Everybody may do everything in the inbox but set flags of their own, as on servers without keywords.
NO_KEYWORDS = """
mail_plugins = acl
protocol imap {{
  mail_plugins = acl imap_acl
}}
plugin {{
  acl = vfile:{base}/acl
}}
"""


def has_dovecot() -> bool:
    """Whether this machine has Dovecot with IMAP and LMTP."""
    return shutil.which("dovecot") is not None and any(map(os.path.exists, LMTP_PARTS))


class Dovecot:
    """A server with one mailbox."""

    def __init__(self, base: Path, *, introspection: str = "", keywords: bool = True, tls: bool = False) -> None:
        self.base, self.tls = base, tls
        self.imap, self.imaps, self.lmtp = free_ports(3)
        self.log = base / "log"
        root = os.geteuid() == 0
        owner = pwd.getpwnam("nobody") if root else pwd.getpwuid(os.getuid())  # no server works as root
        for folder in ("run", "mail", "home"):
            (base / folder).mkdir()
            os.chown(base / folder, owner.pw_uid, owner.pw_gid)
        internal, group = owner.pw_name, grp.getgrgid(owner.pw_gid).gr_name
        (base / "oauth2.conf").write_text(OAUTH2.format(introspection=introspection or "http://127.0.0.1:1/"))
        (base / "acl").write_text("INBOX owner lrstiekx\n")
        if tls:
            make_certificate(base)
        facts = {
            "base": base, "imap": self.imap, "imaps": self.imaps if tls else 0, "lmtp": self.lmtp,
            "internal": internal, "group": group, "uid": owner.pw_uid, "gid": owner.pw_gid, "password": PASSWORD,
            "ssl": f"ssl = yes\nssl_cert = <{base}/cert.pem\nssl_key = <{base}/key.pem" if tls else "ssl = no",
            "more": "" if keywords else NO_KEYWORDS.format(base=base),
        }  # fmt: skip
        self.configuration = base / "dovecot.conf"
        self.configuration.write_text(CONFIGURATION.format(**facts))
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        with (self.base / "console").open("ab") as console:
            command = ["dovecot", "-F", "-c", str(self.configuration)]
            self.process = subprocess.Popen(command, stdout=console, stderr=subprocess.STDOUT, start_new_session=True)
        for port in (self.imap, self.lmtp):
            give_up_at = time.monotonic() + 60
            while True:
                with suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=5) as open_:
                    if open_.recv(1):
                        break
                assert self.process.poll() is None, (self.base / "console").read_text()
                assert time.monotonic() < give_up_at, (self.base / "log").read_text()
                time.sleep(0.02)

    def stop(self) -> None:
        """Kill it with all its processes: asked to end, it takes more than a second."""
        if self.process is not None:
            with suppress(ProcessLookupError):
                os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait(timeout=60)

    def deliver(self, raws: Iterable[bytes]) -> None:
        """Deliver messages by LMTP."""
        with smtplib.LMTP("127.0.0.1", self.lmtp) as server:
            for raw in raws:
                assert server.sendmail("ann@acme.example", [USER], raw) == {}

    @contextmanager
    def client(self) -> Iterator[IMAPClient]:
        """A mail program."""
        with IMAPClient("127.0.0.1", self.imap, ssl=False) as client:
            client.login(USER, PASSWORD)
            client.select_folder("INBOX")
            yield client

    def flags(self) -> list[set[str]]:
        """The flags of each message in the inbox, oldest first."""
        with self.client() as client:
            found = client.get_flags(client.search())
            return [{flag.decode() for flag in found[uid]} - {"\\Recent"} for uid in sorted(found)]

    def account(self, **changes: object) -> dict[str, object]:
        """What the settings say of the mailbox."""
        return self.account_at(self.imap) | changes

    @staticmethod
    def account_at(port: int) -> dict[str, object]:
        return {
            "host": "127.0.0.1", "port": port, "security": "none",
            "user": USER, "password": PASSWORD, "folder": "INBOX",
        }  # fmt: skip


@contextmanager
def running_dovecot(**options: Any) -> Iterator[Dovecot]:
    """A Dovecot that ends with the block. Its directory has a short name, for sockets, and lets another user in."""
    with tempfile.TemporaryDirectory(prefix="dovecot-") as base:
        os.chmod(base, 0o755)
        server = Dovecot(Path(base), **options)
        server.start()
        try:
            yield server
        finally:
            server.stop()


def make_certificate(base: Path) -> None:
    """A certificate for localhost, which only those believe who are told to."""
    command: Sequence[str] = (
        *("openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=localhost"),
        *("-addext", "subjectAltName=DNS:localhost"),
        *("-keyout", str(base / "key.pem"), "-out", str(base / "cert.pem")),
    )
    subprocess.run(command, check=True, capture_output=True)
    ssl.create_default_context(cafile=str(base / "cert.pem"))
