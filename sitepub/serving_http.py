"""The local server: threads, HTTP/1.1, on this machine alone unless asked otherwise."""

from __future__ import annotations

import errno
import socket
import threading
from types import TracebackType
from typing import TYPE_CHECKING, Self

from werkzeug.serving import make_server

from sitepub.errors import ConfigurationError
from sitepub.serving_connection import Connection, LoggedConnection

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication

FIRST_PORT = 8000
_PORTS_TRIED = 20


class LocalServer:
    """Listens from the start, answers while it is entered. `port` None takes the first free one from 8000 on, 0 any. Raises ConfigurationError
    `port-taken` or `no-address`."""

    def __init__(self, application: WSGIApplication, *, host: str, port: int | None, logs: bool) -> None:
        self._socket = _listen(host, port)
        self._server = make_server(
            host, self.port, application, threaded=True, request_handler=LoggedConnection if logs else Connection, fd=self._socket.fileno()
        )
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.1}, daemon=True)

    @property
    def port(self) -> int:
        found: int = self._socket.getsockname()[1]
        return found

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._server.shutdown()
        self._thread.join(timeout=2)
        self._server.server_close()
        self._socket.close()


def _listen(host: str, port: int | None) -> socket.socket:
    ports = range(FIRST_PORT, FIRST_PORT + _PORTS_TRIED) if port is None else (port,)
    for each in ports:
        try:
            return socket.create_server((host, each), family=socket.AF_INET6 if ":" in host else socket.AF_INET, reuse_port=False)
        except OSError as failure:
            if failure.errno == errno.EADDRINUSE:
                continue
            raise ConfigurationError(
                "no-address", f"`{host}` port {each} can't be listened on: {failure.strerror}", "choose another `--host` or `--port`"
            ) from failure
    told = f"port {port} is" if port is not None else f"ports {ports[0]} to {ports[-1]} are"
    raise ConfigurationError("port-taken", f"{told} in use by another program", "choose another with `--port`, 0 takes any free one")
