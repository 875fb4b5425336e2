"""systemd's notify protocol (sd_notify(3)): ready, status, watchdog, reloading, stopping."""

import os
import socket
import time


def notify(state: str) -> None:
    """Send a state to systemd; do nothing if systemd did not start us."""
    address = os.environ.get("NOTIFY_SOCKET")
    if not address:
        return
    if address.startswith("@"):
        address = "\0" + address[1:]
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as channel:
        channel.sendto(state.encode(), address)


def reloading() -> str:
    """Return the state that starts a reload; READY=1 ends it."""
    return f"RELOADING=1\nMONOTONIC_USEC={time.clock_gettime_ns(time.CLOCK_MONOTONIC) // 1000}"
