"""Tells the service manager how it stands, where it asked to be told (sd_notify(3))."""

import os
import socket


def notify(state: str) -> None:
    """Sends e.g. READY=1 to $NOTIFY_SOCKET. Nothing where that is not set; a manager that is gone is no matter."""
    address = os.environ.get("NOTIFY_SOCKET", "")
    if not address.startswith(("/", "@")):
        return
    if address.startswith("@"):
        address = "\0" + address[1:]
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as channel:
            channel.sendto(state.encode(), address)
    except OSError:
        return
