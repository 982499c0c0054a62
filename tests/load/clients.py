"""`python -m tests.load.clients`: send requests over a few connections that stay open, in a process of its own.

Standard input: {"port": …, "headers": {…}, "connections": [[[method, path, body or null], …], …]}, one list of requests
per connection. Standard output: {"seconds": …, "statuses": {"200": …}}.
"""

from __future__ import annotations

import json
import sys
import threading
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from http.client import HTTPConnection
from typing import Any


def send(port: int, headers: Mapping[str, str], connections: Sequence[Sequence[Sequence[Any]]]) -> dict[str, Any]:
    """Send everything, one thread per connection, and give seconds and the count of each status."""
    ready = threading.Barrier(len(connections) + 1)
    statuses: Counter[int] = Counter()
    lock = threading.Lock()

    def one(requests: Sequence[Sequence[Any]]) -> None:
        seen: Counter[int] = Counter()
        connection = HTTPConnection("127.0.0.1", port, timeout=60)
        connection.connect()
        ready.wait()
        for method, path, body in requests:
            connection.request(method, path, body=body, headers=headers)
            answer = connection.getresponse()
            answer.read()
            seen[answer.status] += 1
        connection.close()
        with lock:
            statuses.update(seen)

    threads = [threading.Thread(target=one, args=(requests,)) for requests in connections]
    for thread in threads:
        thread.start()
    ready.wait()
    started = time.perf_counter()
    for thread in threads:
        thread.join()
    return {"seconds": time.perf_counter() - started, "statuses": {str(code): n for code, n in statuses.items()}}


if __name__ == "__main__":
    given = json.load(sys.stdin)
    json.dump(send(given["port"], given["headers"], given["connections"]), sys.stdout)
