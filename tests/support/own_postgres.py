"""Run a command on a PostgreSQL of its own: python -m tests.support.own_postgres make chaos

The server is in a directory that is thrown away; `restart` may crash it. Needs PostgreSQL's own programs (initdb).
"""

from __future__ import annotations

import os
import pwd
import shutil
import socket
import subprocess
import sys
import tempfile
from pathlib import Path

DATA = "DESK_CHAOS_PGDATA"


def program(name: str) -> str:
    """Where a program of PostgreSQL is; the newest version of Debian's. Raises SystemExit."""
    places = sorted(map(str, Path("/usr/lib/postgresql").glob("*/bin")), reverse=True)
    found = shutil.which(name, path=os.pathsep.join([*places, os.environ.get("PATH", "")]))
    if not found:
        raise SystemExit(f"There is no {name}: install PostgreSQL's server programs, or set DATABASE_URL.")
    return found


def _as_owner(*command: str) -> None:
    """Run it as somebody else than root, whom PostgreSQL refuses."""
    owner = "postgres" if os.getuid() == 0 else None
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, cwd="/", user=owner)


def restart() -> bool:
    """Crash this run's own server and start it again; False without one."""
    data = os.environ.get(DATA)
    if data:
        _as_owner(program("pg_ctl"), "-D", data, "-m", "immediate", "-w", "-l", f"{data}/log", "restart")
    return bool(data)


def main(command: list[str]) -> int:
    directory = tempfile.mkdtemp(prefix="desk-postgres-")
    data = f"{directory}/data"
    with socket.create_server(("127.0.0.1", 0)) as found:
        port = found.getsockname()[1]
    if os.getuid() == 0:
        os.chown(directory, pwd.getpwnam("postgres").pw_uid, -1)
    try:
        _as_owner(program("initdb"), "-D", data, "-U", "postgres", "-A", "trust", "-E", "UTF8")
        options = f"-p {port} -c listen_addresses=127.0.0.1 -c unix_socket_directories={directory}"
        _as_owner(program("pg_ctl"), "-D", data, "-w", "-l", f"{data}/log", "-o", options, "start")
        own = {DATA: data, "DATABASE_URL": f"postgres://postgres@127.0.0.1:{port}/postgres"}
        return subprocess.run(command, env=os.environ | own, check=False).returncode
    finally:
        subprocess.run([sys.executable, "-m", "tests.support.own_postgres", "--stop", data], check=False)
        shutil.rmtree(directory, ignore_errors=True)


if __name__ == "__main__":
    if sys.argv[1] == "--stop":
        _as_owner(program("pg_ctl"), "-D", sys.argv[2], "-m", "immediate", "stop")
    else:
        sys.exit(main(sys.argv[1:]))
