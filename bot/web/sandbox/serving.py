"""A small threaded server for running the sandbox alone, on a laptop or inside a test."""

from __future__ import annotations

from typing import TYPE_CHECKING

from werkzeug.serving import BaseWSGIServer, WSGIRequestHandler, make_server

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication, WSGIEnvironment


class _ZaloRequestHandler(WSGIRequestHandler):
    protocol_version = "HTTP/1.1"
    # Headers and body leave in two writes; with Nagle each kept-alive answer would wait 40 ms.
    disable_nagle_algorithm = True

    def make_environ(self) -> WSGIEnvironment:
        # werkzeug throws away header names with an underscore, and the platform's access_token is one.
        environ = super().make_environ()
        for name, value in self.headers.items():
            if "_" in name:
                environ[f"HTTP_{name.upper()}"] = value
        return environ

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        """Say nothing: a load test would fill the terminal."""


def sandbox_server(app: WSGIApplication, host: str = "127.0.0.1", port: int = 0) -> BaseWSGIServer:
    """A server whose `serve_forever()` and `shutdown()` the caller runs; port 0 picks a free one."""
    return make_server(host, port, app, threaded=True, request_handler=_ZaloRequestHandler)
