"""Free loopback ports."""

import random
import socket

# From 32768 on the kernel takes ports for outgoing connections, so that one found free there
# may be gone a moment later.
LOWEST, HIGHEST = 20000, 32000


def free(count):
    """Ports that nobody listens on."""
    found = []
    candidates = random.sample(range(LOWEST, HIGHEST), HIGHEST - LOWEST)
    while len(found) < count:
        port = candidates.pop()
        with socket.socket() as probe:
            try:
                probe.bind(('127.0.0.1', port))
            except OSError:
                continue
        found.append(port)
    return found


def answers(port):
    """Whether somebody accepts connections on a port."""
    with socket.socket() as probe:
        probe.settimeout(1)
        return probe.connect_ex(('127.0.0.1', port)) == 0
