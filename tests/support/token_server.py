"""A server that gives OAuth tokens and tells Dovecot whose they are, on this machine."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs

CLIENT, SECRET, SCOPE = "the-desk", "s3cret-of-the-client", "https://outlook.office365.com/.default"


class TokenServer:
    """Gives tokens to the client that knows the secret. What was asked for is kept; tokens can be withdrawn."""

    def __init__(self, user: str) -> None:
        self.user = user
        self.lives = 3600
        self.asked: list[dict[str, str]] = []
        self.valid: set[str] = set()
        server = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                length = int(self.headers.get("Content-Length", 0))
                form = {name: values[0] for name, values in parse_qs(self.rfile.read(length).decode()).items()}
                status, answer = server.answer(self.path, form)
                body = json.dumps(answer).encode()
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *args: Any) -> None:
                pass

        self.http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.address = f"http://127.0.0.1:{self.http.server_port}"

    def answer(self, path: str, form: dict[str, str]) -> tuple[int, dict[str, Any]]:
        if path.startswith("/introspect"):
            token = form.get("token", "")
            return 200, {"active": token in self.valid, "username": self.user}
        self.asked.append(form)
        if form.get("client_secret") != SECRET:
            return 401, {"error": "invalid_client", "error_description": "The secret is wrong."}
        token = f"token-{len(self.asked)}"
        self.valid.add(token)
        return 200, {"access_token": token, "expires_in": self.lives, "token_type": "Bearer"}


@contextmanager
def token_server(user: str) -> Iterator[TokenServer]:
    server = TokenServer(user)
    thread = threading.Thread(target=server.http.serve_forever, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.http.shutdown()
        server.http.server_close()
        thread.join()
