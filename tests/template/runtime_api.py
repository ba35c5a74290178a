"""The built function, fed through Lambda's Runtime API, in as many sandboxes as are wanted."""

import contextlib
import json
import os
import queue
import re
import subprocess
import threading
import time
import uuid
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from state_machine import FunctionFailed

SECONDS_OF_AN_INVOCATION = 30


class Invocation:
    """One event on its way, and what was answered."""

    def __init__(self, event):
        self.event = event
        self.id = str(uuid.uuid4())
        self.answer = None
        self.failed = False
        self.done = threading.Event()

    def wait(self):
        assert self.done.wait(SECONDS_OF_AN_INVOCATION * 2), f"no answer to {self.event}"
        return self.answer


class BuiltFunction:
    """In place of Lambda: `function(event, invocation type)`; what was invoked by `Event` is in `passes`."""

    def __init__(self):
        self._waiting = queue.Queue()
        self._on_the_way = {}
        self.passes = []

    def __call__(self, event, kind):
        invocation = Invocation(event)
        self._on_the_way[invocation.id] = invocation
        self._waiting.put(invocation)
        if kind == "Event":
            self.passes.append(invocation)
            return None
        answer = invocation.wait()
        if invocation.failed:
            raise FunctionFailed(answer["errorType"], answer["errorMessage"])
        return answer

    def next(self):
        return self._waiting.get()

    def end(self, identity, answer, failed):
        invocation = self._on_the_way.pop(identity)
        invocation.answer, invocation.failed = answer, failed
        invocation.done.set()

    def answers(self):
        """(cloud, shard's index or None) and the answer of each pass, once all have ended."""
        return [
            ((one.event["cloud"], one.event.get("shard", {}).get("index")), one.wait(), one.failed) for one in self.passes
        ]


def _handler(function):
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, *_):
            pass

        def do_GET(self):
            invocation = function.next()
            body = json.dumps(invocation.event).encode()
            self.send_response(200)
            self.send_header("Lambda-Runtime-Aws-Request-Id", invocation.id)
            self.send_header("Lambda-Runtime-Deadline-Ms", str(int((time.time() + SECONDS_OF_AN_INVOCATION) * 1000)))
            self.send_header("Lambda-Runtime-Invoked-Function-Arn", "arn:aws:lambda:eu-central-1:123456789012:function:f")
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def do_POST(self):
            content = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            identity, what = re.fullmatch(r"/2018-06-01/runtime/invocation/([^/]+)/(response|error)", self.path).groups()
            function.end(identity, content, what == "error")
            self.send_response(202)
            self.send_header("Content-Length", "0")
            self.end_headers()

    return Handler


@contextlib.contextmanager
def built_function(binary, variables, log, sandboxes=2):
    """The function from this executable, with these variables and no others."""
    function = BuiltFunction()
    server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(function))
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True).start()
    environment = {
        "PATH": os.environ["PATH"],
        "AWS_LAMBDA_RUNTIME_API": f"127.0.0.1:{server.server_port}",
        "AWS_LAMBDA_FUNCTION_NAME": "snapsentry",
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "256",
        "AWS_LAMBDA_FUNCTION_VERSION": "$LATEST",
        "AWS_LAMBDA_LOG_FORMAT": "JSON",
        **variables,
    }
    with log.open("w") as output:
        processes = [
            subprocess.Popen([binary], env=environment, stdout=output, stderr=subprocess.STDOUT) for _ in range(sandboxes)
        ]
        try:
            yield function
        finally:
            for process in processes:
                process.kill()
                process.wait()
            server.shutdown()


@contextlib.contextmanager
def served_cloud(binary, folder, name):
    """An embedded cloud in a process of its own: the file of its variables, and the process."""
    env_file = folder / f"{name}.env"
    with (folder / f"{name}.log").open("w") as output:
        process = subprocess.Popen([binary, "serve", "--env-file", env_file], stdout=output, stderr=subprocess.STDOUT)
        try:
            for _ in range(600):
                if env_file.exists() and env_file.stat().st_size:
                    break
                assert process.poll() is None, f"the cloud {name} ended"
                time.sleep(0.1)
            yield env_file, process
        finally:
            process.kill()
            process.wait()
