"""A real HTTP server on this machine that serves one file, well or badly."""

import contextlib
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class FileServer:
    """Serves `data` at every address; what it does wrong can be changed between requests.

    Attributes:
        ranges: whether it knows Range.
        tag: its entity tag, or None.
        cut: bytes of a body after which it closes the connection, or None; `cuts` times at most.
        stall: seconds of silence in the middle of a body.
        status: another status than 200, as 404 or 503, without a file.
        served: bytes of all bodies so far.
        asked: the Range header of each request.
    """

    def __init__(self, data=b""):
        self.data, self.ranges, self.tag = data, True, '"v1"'
        self.cut, self.cuts, self.stall, self.status = None, 1, 0.0, None
        self.pace = 0.0  # seconds between pieces of 64 KiB
        self.served, self.asked = 0, []

    def start(self, port=0):
        """Listen; on another port than 0, where it was before it stopped."""
        handler = type("Handler", (_Handler,), {"site": self})
        self.server = ThreadingHTTPServer(("127.0.0.1", port), handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        self.url = f"http://127.0.0.1:{self.server.server_port}/file.bin"
        return self

    def stop(self):
        self.server.shutdown()
        self.server.server_close()


class _Handler(BaseHTTPRequestHandler):
    site: FileServer
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        site = self.site
        wanted = self.headers.get("Range")
        site.asked.append(wanted)
        if site.status is not None:
            return self.head(site.status, 0)
        start, size = self.start_of(wanted), len(site.data)
        if start is None:
            return self.head(416, 0, {"Content-Range": f"bytes */{size}"})
        more = {"ETag": site.tag} if site.tag else {}
        if start:
            more["Content-Range"] = f"bytes {start}-{size - 1}/{size}"
        self.head(206 if start else 200, size - start, more)
        with contextlib.suppress(OSError):  # the other end may be killed
            self.body(site.data[start:])

    def start_of(self, wanted):
        """Where the answer begins; None if that lies behind the end."""
        if not wanted or not self.site.ranges or self.headers.get("If-Range") != self.site.tag:
            return 0
        start = int(wanted.removeprefix("bytes=").rstrip("-"))
        return start if start < len(self.site.data) else None

    def head(self, status, length, more=()):
        self.send_response(status)
        for name, value in {"Content-Length": length, **dict(more)}.items():
            self.send_header(name, str(value))
        self.end_headers()

    def body(self, data):
        site = self.site
        if site.cut is not None and site.cuts > 0:
            site.cuts -= 1
            self.send(data[: site.cut])
            self.close_connection = True
            return self.connection.shutdown(2)
        half = len(data) // 2
        self.send(data[:half])
        time.sleep(site.stall)
        self.send(data[half:])

    def send(self, data):
        for start in range(0, len(data), 65536):
            piece = data[start : start + 65536]
            self.site.served += len(piece)  # first: the other end may be done as soon as it has it
            self.wfile.write(piece)
            time.sleep(self.site.pace)

    def log_message(self, *_):
        """Silence."""
