"""Serve this folder by gunicorn and say what there is to see: `python demo.py [--port 8000]`, ended by Ctrl-C."""

from __future__ import annotations

import argparse
import os
import socket
import sys
from pathlib import Path

SHOWN = """
Open   {address}/                      lists all routes
       {address}/api/user
       {address}/api/post/abc?page=2
       {address}/api/products/1         a route handler

Try    curl -i {address}/api/user
       curl -i {address}/api/docs/a/b/c
       curl -i --json '{{"name": "Ada"}}' {address}/api/greet
       curl -i --json '{{"name":' {address}/api/greet
       curl -i -H "Cookie: visits=41" {address}/api/visits
       curl -i -H "Authorization: Bearer swordfish" {address}/api/account
       curl -i --json '{{"count": 2}}' {address}/api/products/1
       curl -N {address}/api/clock
       curl -i -H "Cookie: admin-token=swordfish" {address}/api/admin/stats

The files are in {folder}. Ctrl-C ends the server.
"""


def main() -> None:
    """Become gunicorn."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, default=8000, help="the port on 127.0.0.1, 8000 unless said")
    port = parser.parse_args().port
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError as error:
            sys.exit(f"port {port} of 127.0.0.1 cannot be had ({error}): take another, make demo PORT=8001")
    folder = Path(__file__).resolve().parent
    sys.stdout.write(SHOWN.format(address=f"http://127.0.0.1:{port}", folder=folder / "web"))
    sys.stdout.flush()
    os.chdir(folder)
    # In place of this process, so that who ends it ends the server.
    os.execv(sys.executable, [sys.executable, "-m", "gunicorn", "--threads", "4", "-b", f"127.0.0.1:{port}", "app:app"])


if __name__ == "__main__":
    main()
