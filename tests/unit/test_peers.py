"""Who has to give up a connection."""

import subprocess
import sys
from dataclasses import dataclass
from ipaddress import IPv6Address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from genpulse.api.server.connections_per_peer import Peers


@dataclass(eq=False)
class Connection:
    """Busy, idle, or gone."""

    idle: bool = True
    gone: bool = False

    def is_idle(self) -> bool:
        return self.idle

    def give_way(self) -> None:
        assert self.idle
        self.gone = True


def fill(peers, address, count, **how):
    made = [Connection(**how) for _ in range(count)]
    return made, [peers.admit(each, address) for each in made]


def test_the_oldest_silent_connection_of_a_peer_gives_way():
    peers = Peers(3, 100)
    (busy, first, second), _ = fill(peers, "192.0.2.1", 3)
    busy.idle = False
    assert peers.admit(Connection(), "192.0.2.1")
    assert [each.gone for each in (busy, first, second)] == [False, True, False]
    assert (peers.open, peers.closed) == (3, {"peer": 1, "descriptors": 0})


@pytest.mark.parametrize("bounds", [(3, 100), (100, 3)], ids=["of a peer", "of all"])
def test_who_has_just_been_answered_is_the_last_to_give_way(bounds):
    peers = Peers(*bounds)
    (first, second, third), _ = fill(peers, "192.0.2.1", 3)
    peers.note_idle(first)
    assert peers.admit(Connection(), "192.0.2.1")
    assert [each.gone for each in (first, second, third)] == [False, True, False]


def test_who_is_gone_is_not_counted_again_by_an_answer():
    peers = Peers(3, 100)
    (one,), _ = fill(peers, "192.0.2.1", 1)
    peers.remove(one)
    peers.note_idle(one)
    assert peers.open == 0


def test_a_peer_whose_connections_are_all_answered_gets_no_more_and_others_do():
    peers = Peers(3, 100)
    made, admitted = fill(peers, "192.0.2.1", 5, idle=False)
    assert admitted == [True] * 3 + [False] * 2
    assert peers.admit(Connection(), "192.0.2.2")
    peers.remove(made[0])
    peers.remove(made[4])
    assert peers.admit(Connection(), "192.0.2.1")


def test_where_all_together_have_too_many_the_greediest_gives_way():
    peers = Peers(100, 10)
    (quiet,), _ = fill(peers, "192.0.2.1", 1)
    greedy, _ = fill(peers, "192.0.2.2", 50)
    assert (peers.open, quiet.gone) == (10, False)
    assert [each.gone for each in greedy] == [True] * 41 + [False] * 9
    assert peers.admit(Connection(), "192.0.2.3")
    assert not quiet.gone


def test_where_the_greediest_is_busy_another_one_gives_way():
    peers = Peers(100, 10)
    fill(peers, "192.0.2.1", 9, idle=False)
    (quiet,), _ = fill(peers, "192.0.2.2", 1)
    assert peers.admit(Connection(idle=False), "192.0.2.3")
    assert quiet.gone
    assert not peers.admit(Connection(), "192.0.2.2")


@pytest.mark.parametrize(
    ("trusted", "address"),
    [
        ("192.0.2.1", "192.0.2.1"),
        ("10.0.0.0/8, 192.0.2.0/24", "::ffff:192.0.2.77"),
        ("2001:db8::/32", "2001:db8::1"),
        ("*", "192.0.2.1"),
        ("", None),
        ("", ""),
        ("unix:/run/x", "/run/x"),
    ],
)
def test_proxies_and_sockets_without_an_address_are_not_limited(trusted, address):
    peers = Peers(2, 100, trusted)
    made, admitted = fill(peers, address, 50)
    assert all(admitted)
    assert not any(each.gone for each in made)


@pytest.mark.parametrize(
    ("one", "other", "is_same"),
    [
        ("2001:db8::1", "2001:db8::ffff:1", True),
        ("2001:db8::1", "2001:db8:0:1::1", False),
        ("fe80::1%eth0", "fe80::2%eth1", True),
        ("::ffff:192.0.2.1", "192.0.2.1", True),
        ("192.0.2.1", "192.0.2.2", False),
    ],
)
def test_what_counts_as_one_peer(one, other, is_same):
    peers = Peers(1, 100)
    (first,), _ = fill(peers, one, 1)
    peers.admit(Connection(), other)
    assert first.gone is is_same


def test_a_flood_is_told_once_a_minute(caplog):
    now = [0.0]
    peers = Peers(1, 100, clock=lambda: now[0])
    fill(peers, "192.0.2.1", 500)
    assert len(caplog.messages) == 1
    assert "192.0.2.1" in caplog.messages[0]
    assert "api.connections_per_peer" in caplog.messages[0]
    now[0] = 61.0
    fill(peers, "192.0.2.1", 500)
    assert len(caplog.messages) == 2
    assert "499 closed" in caplog.messages[1]


_STEPS = st.lists(
    st.tuples(st.integers(0, 5), st.booleans(), st.integers(0, 30), st.sampled_from(["come", "go", "turn"]))
)


@given(_STEPS)
def test_whatever_comes_and_goes_the_bounds_hold(steps):
    peers = Peers(3, 8)
    there: dict[Connection, str] = {}
    for who, idle, which, what in steps:
        if what == "come":
            made, address = Connection(idle), str(IPv6Address(who << 64))
            room = [each for each, of in there.items() if each.idle or (len(there) < 8 and of != address)]
            if peers.admit(made, address):
                there[made] = address
            else:
                assert not [each for each in room if there[each] == address]
        elif there:
            one = list(there)[which % len(there)]
            if what == "turn":
                one.idle = idle
            else:
                peers.remove(one)
                del there[one]
        there = {each: address for each, address in there.items() if not each.gone}
        assert peers.open == len(there) <= 8
        assert all(list(there.values()).count(address) <= 3 for address in there.values())


_TAKE = """
import resource
from genpulse.api.server.connections_per_peer import most_connections, take_descriptors
resource.setrlimit(resource.RLIMIT_NOFILE, (256, 512))
before = most_connections()
take_descriptors()
print(before, most_connections(), resource.getrlimit(resource.RLIMIT_NOFILE))
"""


def test_a_process_takes_the_descriptors_that_it_may_have():
    told = subprocess.run([sys.executable, "-c", _TAKE], capture_output=True, text=True, check=True)
    assert told.stdout.split("\n")[0] == "192 384 (512, 512)"
