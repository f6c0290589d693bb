"""A web server of the test's own, with the ways in which a download goes wrong."""

import contextlib
import http.server
import threading
from types import SimpleNamespace

CONTENT = bytes(range(256)) * 1_000


@contextlib.contextmanager
def serving():
    """Return a server: its `url`, the `requests` it got, and what it does with them: an answer for each, the last one for ever."""
    state = SimpleNamespace(requests=[], answers=[whole])

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            state.requests.append(self.headers.get("Range"))
            answer = state.answers.pop(0) if len(state.answers) > 1 else state.answers[0]
            with contextlib.suppress(BrokenPipeError, ConnectionResetError):
                answer(self)

        def log_message(self, *_):
            pass

    listener = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=listener.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    state.url = f"http://127.0.0.1:{listener.server_port}/file.bin"
    try:
        yield state
    finally:
        listener.shutdown()
        thread.join()
        listener.server_close()


def send(handler, body, *, status=200, length=None):
    handler.send_response(status)
    handler.send_header("Content-Length", str(len(body) if length is None else length))
    handler.end_headers()
    handler.wfile.write(body)


def whole(handler):
    begin = int((handler.headers.get("Range") or "bytes=0-").removeprefix("bytes=").rstrip("-"))
    send(handler, CONTENT[begin:], status=206 if begin else 200)


def without_ranges(handler):
    send(handler, CONTENT)


def half(handler):
    send(handler, CONTENT[: len(CONTENT) // 2], length=len(CONTENT))


def wrong(handler):
    send(handler, b"x" * len(CONTENT))


def endless(handler):
    send(handler, CONTENT * 20)


def absent(handler):
    send(handler, b"no", status=404)


def busy(handler):
    send(handler, b"later", status=503)
