"""As much of wandb's server as a run needs to be taken: it keeps what it is told."""

import json
import re
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

BUCKET = {"id": "1", "displayName": "d", "config": "{}", "historyLineCount": 0, "project": None}
PROJECT = {"id": "2", "name": "salon", "entity": {"id": "3", "name": "me"}}
VIEWER = {"id": "4", "entity": "me", "username": "me", "flags": "{}", "teams": {"edges": []}}


def answer_to(question, variables):
    """Of a GraphQL query; None for what it does not know, such as artifacts."""
    bucket = BUCKET | {"name": variables.get("name"), "project": PROJECT}
    return {
        "RunResumeStatus": {"model": None},
        "UpsertBucket": {"upsertBucket": {"bucket": bucket, "inserted": True}},
        "Viewer": {"viewer": VIEWER},
        "ArtifactType": {"project": {"artifact": None}},
    }.get(question)


@contextmanager
def wandb_server():
    """Gives its address and the growing list of (what, content) that it was sent."""
    told = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self):
            content = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            found = re.search(r"(?:query|mutation)\s+(\w+)", content.get("query", ""))
            what = found[1] if found else self.path.rsplit("/", 1)[-1]
            told.append((what, content if what == "file_stream" else content.get("variables")))
            answer = answer_to(what, content.get("variables") or {})
            known = answer is not None or what == "file_stream"
            body = {"data": answer} if known else {"errors": [{"message": "unknown"}]}
            data = json.dumps(body).encode()
            self.send_response(200 if known else 400)  # 400 is not tried again
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        def log_message(self, *words):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}", told
    finally:
        server.shutdown()
        server.server_close()
