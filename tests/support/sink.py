"""A mail server that throws everything away, in a process of its own: `python -m tests.support.sink SECONDS`.

It takes so many seconds for each reply. Its port is the first line that it says; it ends with its standard input.
"""

from __future__ import annotations

import asyncio
import sys

REPLIES = {b"EHLO": b"250 sink", b"DATA": b"354 go on", b"QUIT": b"221 bye"}


class Sink(asyncio.Protocol):
    """One connection: as little work as a server can do that waits for the end of each message before it takes it."""

    def __init__(self, takes: float) -> None:
        self._takes, self._read, self._in_message = takes, bytearray(), False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Say hello."""
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        transport.write(b"220 sink\r\n")

    def data_received(self, data: bytes) -> None:
        """Answer a line, or a message once its end is there; the next one is sent after the answer."""
        self._read += data
        if not self._read.endswith(b"\r\n.\r\n" if self._in_message else b"\r\n"):
            return
        word = bytes(self._read[:4]).upper()
        self._read.clear()
        if self._takes:
            asyncio.get_running_loop().call_later(self._takes, self._answer, word)
        else:
            self._answer(word)

    def _answer(self, word: bytes) -> None:
        if self._in_message:
            self._in_message = False
            self._transport.write(b"250 gone\r\n")
            return
        self._in_message = word == b"DATA"
        self._transport.write(REPLIES.get(word, b"250 ok") + b"\r\n")
        if word == b"QUIT":
            self._transport.close()


async def main(takes: float) -> None:
    """Serve until standard input ends."""
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: Sink(takes), "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await loop.run_in_executor(None, sys.stdin.read)


if __name__ == "__main__":
    asyncio.run(main(float(sys.argv[1])))
