"""A mail server that throws everything away, in a process of its own: `python -m tests.support.sink SECONDS`.

It takes so many seconds for each reply. Its port is the first line that it says; it ends with its standard input.
"""

from __future__ import annotations

import asyncio
import sys

REPLIES = {b"EHLO": b"250 sink", b"DATA": b"354 go on", b"QUIT": b"221 bye"}


async def take_mail(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, takes: float) -> None:
    """One connection."""
    writer.write(b"220 sink\r\n")
    try:
        while line := await reader.readline():
            word = line[:4].upper()
            await asyncio.sleep(takes)
            writer.write(REPLIES.get(word, b"250 ok") + b"\r\n")
            if word == b"DATA":
                await reader.readuntil(b"\r\n.\r\n")
                await asyncio.sleep(takes)
                writer.write(b"250 gone\r\n")
            if word == b"QUIT":
                break
    except (ConnectionError, asyncio.IncompleteReadError):
        pass  # whoever hung up has nothing more to say
    writer.close()


async def main(takes: float) -> None:
    """Serve until standard input ends."""
    server = await asyncio.start_server(lambda r, w: take_mail(r, w, takes), "127.0.0.1", 0, limit=2**24)
    print(server.sockets[0].getsockname()[1], flush=True)
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)


if __name__ == "__main__":
    asyncio.run(main(float(sys.argv[1])))
