"""Ports, and who has them."""

import os
import socket

import pytest

from genpulse.dev.errors import PortBusy
from genpulse.dev.processes.ports import claim, free_port, is_free


def test_a_wanted_port_is_given_when_it_is_free():
    port = free_port()
    assert is_free(port)
    assert free_port(port) == port
    assert claim(port, command="genpulse dev") == port


def test_a_port_is_none_that_a_connection_gets_by_chance():
    assert max(free_port() for _ in range(100)) < 32_768


def test_a_busy_port_names_its_owner_and_the_way_out():
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        assert free_port(port) != port
        with pytest.raises(PortBusy) as caught:
            claim(port, command="genpulse dev")
    message = str(caught.value)
    assert f"Port {port} is taken by" in message
    assert f"(pid {os.getpid()})" in message
    other = int(message.rpartition("--port ")[2])
    assert other > port
