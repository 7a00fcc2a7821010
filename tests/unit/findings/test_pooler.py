"""What is said of a pooler, for everything that it may be seen to do."""

import pytest

from genpulse import config
from genpulse.cli.doctor.finding import Level
from genpulse.cli.doctor.pooler import PoolerFacts, findings

DIRECT, SESSION = PoolerFacts(False), PoolerFacts(True)
TRANSACTION, SLOW = PoolerFacts(True, True), PoolerFacts(True, True, 3.2)
POSTGRES, BOUNCER = "postgresql://u@127.0.0.1:5432/d", "postgresql://u@127.0.0.1:6432/d"


def said(tmp_path, named, facts, past=None, *, listens=False):
    variables = {"ENV": "dev", "GENPULSE_DATABASE_URL": BOUNCER, "GENPULSE_DATABASE__POOLER": named}
    if listens:
        variables["GENPULSE_DATABASE__LISTEN_URL"] = POSTGRES
    settings = config.load(tmp_path, variables, require=())
    return {finding.name: finding for finding in findings(settings, facts, past)}


@pytest.mark.parametrize(
    ("named", "facts", "level"),
    [
        ("none", DIRECT, None),
        ("none", SESSION, Level.WRONG),
        ("none", TRANSACTION, Level.WRONG),
        ("session", DIRECT, Level.WARNING),
        ("session", SESSION, Level.OK),
        ("session", TRANSACTION, Level.WRONG),
        ("transaction", DIRECT, Level.WARNING),
        ("transaction", SESSION, Level.OK),
        ("transaction", TRANSACTION, Level.OK),
        ("transaction", None, None),
    ],
)
def test_what_is_seen_is_held_against_what_is_set(tmp_path, named, facts, level):
    finding = said(tmp_path, named, facts).get("pooler")
    assert (finding.level if finding else None) == level
    if level is Level.WRONG:
        way = "transaction" if facts.by_transaction else "session"
        assert finding.advice == f"GENPULSE_DATABASE__POOLER={way}"


@pytest.mark.parametrize(
    ("past", "level"),
    [(None, Level.WRONG), (DIRECT, Level.OK), (SESSION, Level.OK), (TRANSACTION, Level.WRONG)],
)
def test_the_address_past_it_has_to_lead_past_it(tmp_path, past, level):
    assert said(tmp_path, "transaction", TRANSACTION, past, listens=True)["listening"].level is level


def test_without_that_address_it_is_said_that_workers_look(tmp_path):
    assert "every half second" in said(tmp_path, "transaction", TRANSACTION)["listening"].detail
    assert "listening" not in said(tmp_path, "session", SESSION)


def test_a_pooler_without_room_is_named(tmp_path):
    assert "3.2 s" in said(tmp_path, "transaction", SLOW)["room in the pooler"].detail
    assert "room in the pooler" not in said(tmp_path, "transaction", TRANSACTION)
