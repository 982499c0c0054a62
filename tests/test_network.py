"""Tests cannot leave the machine, and can reach what they start themselves."""

from __future__ import annotations

import socket
import urllib.request

import pytest

from tests.network import NetworkForbidden


def test_another_machine_cannot_be_reached():
    with socket.socket() as outside, pytest.raises(NetworkForbidden):
        outside.connect(("192.0.2.1", 80))
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as outside, pytest.raises(NetworkForbidden):
        outside.sendto(b"", ("192.0.2.1", 53))


def test_another_name_is_not_even_looked_up():
    with pytest.raises(NetworkForbidden):
        socket.getaddrinfo("nrm.example", 443)
    with pytest.raises(NetworkForbidden):
        urllib.request.urlopen("http://nrm.example/")


def test_this_machine_can_be_reached():
    with socket.create_server(("127.0.0.1", 0)) as server:
        address = ("localhost", server.getsockname()[1])
        with socket.create_connection(address) as client, server.accept()[0] as accepted:
            client.sendall(b"here")
            assert accepted.recv(4) == b"here"
