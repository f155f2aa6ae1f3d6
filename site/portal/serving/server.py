"""`serve`: one process, one port, and the refusal to start on the wrong side of the trust boundary (DESIGN §1).

Uvicorn with sane limits; SIGTERM lets requests under way end. TLS, compression of files and rate limits are the proxy's.
"""

from __future__ import annotations

import logging
import os
import socket
from typing import Final

import uvicorn

from etl.errors import SettingsError
from etl.instance import Instance
from portal.serving.front import make_app
from portal.serving.guard import limit_heap

GRACE_SECONDS: Final = 10
BACKLOG: Final = 512
_LOG = logging.getLogger("shafaf.serve")


def serve(instance: Instance, *, host: str = "127.0.0.1", port: int = 8001, demo: bool = False) -> None:
    """Serve an instance until SIGTERM or Ctrl-C; `port` 0 takes a free one, which the log names.

    SettingsError: private folders are readable here and `demo` is not set, or the port is taken.
    """
    if not demo:
        check_boundary(instance)
    limit_heap()
    with _listen(host, port) as listener:
        _LOG.info("serving at http://%s:%d/", *listener.getsockname()[:2])
        uvicorn.Server(server_config(instance, demo=demo)).run(sockets=[listener])


def server_config(instance: Instance, *, demo: bool) -> uvicorn.Config:
    """Give the settings of the server: bounded connections, heads and waits; no server name, no log of its own."""
    return uvicorn.Config(
        make_app(instance, demo=demo),
        lifespan="on",
        http="h11",
        ws="none",
        access_log=False,
        log_level="warning",
        server_header=False,
        proxy_headers=True,  # from a proxy on this machine only: links in JSON then name https
        forwarded_allow_ips="127.0.0.1",
        limit_concurrency=256,
        backlog=BACKLOG,
        timeout_keep_alive=10,
        timeout_graceful_shutdown=GRACE_SECONDS,
        h11_max_incomplete_event_size=16_384,
    )


def check_boundary(instance: Instance) -> None:
    """Refuse to go on where this process can read what must never leave the body: `var/` or `sources/`."""
    readable = [folder.name for folder in (instance.var, instance.sources) if os.access(folder, os.R_OK)]
    if readable:
        raise SettingsError(
            "serve-boundary",
            found=f"readable private folders: {', '.join(f'{name}/' for name in readable)}",
            expected="a public host, or a user of its own, that can read datasets/ and public/ only",
            todo="Copy metadata.yml, datasets/ and public/ to the public host; to look at a demo here, add --demo.",
        )


def _listen(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # named, since asyncio sends small answers at once (TCP_NODELAY) only where it sees the protocol: 40 ms an answer
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
        listener.listen(BACKLOG)  # who comes before the database is open waits, and is not turned away
    except OSError as error:
        listener.close()
        raise SettingsError(
            "serve-port",
            found=f"no way to listen at {host}:{port} ({error.strerror})",
            expected="a free port and an address of this machine",
            todo="Name another with --port or --host, or end the program that holds it.",
        ) from None
    return listener
