"""What a folder's servers remember."""

import socket
import stat

import pytest

from genpulse.dev.errors import FolderRefused
from genpulse.dev.servers.secrets import remembered


def test_ports_and_password_stay_and_are_for_the_owner_alone(tmp_path):
    first = remembered(tmp_path)
    assert remembered(tmp_path) == first
    assert first.postgres_port != first.redis_port
    assert stat.S_IMODE((tmp_path / "servers.json").stat().st_mode) == 0o600


def test_a_port_that_was_taken_is_given_up_and_the_password_kept(tmp_path):
    first = remembered(tmp_path)
    with socket.create_server(("127.0.0.1", first.redis_port)):
        second = remembered(tmp_path)
    assert second.redis_port != first.redis_port
    assert (second.postgres_port, second.password) == (first.postgres_port, first.password)


def test_a_broken_file_is_made_anew_unless_there_is_data(tmp_path):
    (tmp_path / "servers.json").write_text("{")
    assert remembered(tmp_path).password
    (tmp_path / "servers.json").write_text("{")
    (tmp_path / "postgres").mkdir()
    with pytest.raises(FolderRefused, match="holds the password"):
        remembered(tmp_path)
