"""What is said about servers, from what they have told."""

from collections.abc import AsyncIterator
from dataclasses import replace

import pytest

from genpulse import config
from genpulse.adapters.storage.objects import ObjectStorage
from genpulse.cli.doctor.facts import DatabaseFacts, RedisFacts, WorkerClock
from genpulse.cli.doctor.finding import Level
from genpulse.cli.doctor.servers import of_clocks, of_database, of_redis, storage_finding, workers_finding
from genpulse.ports import WorkerPresence

WELL = DatabaseFacts(version=18, tls=True, connections=200, clock_ahead_s=0.01, clock_error_s=0.02)
WORKER = WorkerPresence("w", "host", 7, 10, 3, ("sandbox",))


class WrongBytes(ObjectStorage):
    async def read(self, key: str, start: int, end: int) -> AsyncIterator[bytes]:
        yield b"other"


@pytest.fixture
def settings(tmp_path):
    def of(environment, **more):
        return config.load(tmp_path, {"ENV": environment, **more}, require=())

    return of


def levels(facts, settings):
    return {finding.name: finding.level for finding in of_database(facts, settings)}


def test_all_is_well_and_production_is_looked_at_more_closely(settings, tmp_path):
    assert levels(WELL, settings("dev")) == {"database version": Level.OK, "clock": Level.OK}
    production = settings("main", GENPULSE_STORAGE__URL="s3://bucket", GENPULSE_RELEASE__REQUIRE_TAG="false")
    assert set(levels(WELL, production)) == {"database version", "clock", "database TLS", "connections"}
    assert set(levels(WELL, production).values()) == {Level.OK}
    bare = replace(WELL, tls=False, connections=40)
    assert levels(bare, production)["database TLS"] is Level.WARNING
    assert levels(bare, production)["connections"] is Level.WARNING


def test_an_old_postgresql_is_wrong(settings):
    assert levels(replace(WELL, version=13), settings("dev"))["database version"] is Level.WRONG


@pytest.mark.parametrize(
    ("ahead", "error", "level"),
    [(1.9, 0.0, Level.OK), (2.1, 0.0, Level.WARNING), (-2.1, 0.0, Level.WARNING), (3.0, 1.5, Level.OK)],
)
def test_a_clock_may_be_two_seconds_off(settings, ahead, error, level):
    facts = replace(WELL, clock_ahead_s=ahead, clock_error_s=error)
    assert levels(facts, settings("dev"))["clock"] is level


def test_the_clocks_of_workers_are_compared_with_the_databases():
    assert list(of_clocks(())) == []
    (well,) = of_clocks((WorkerClock("a", 0.1), WorkerClock("b", -1.9)))
    assert (well.level, "2 agree" in well.detail) == (Level.OK, True)
    (bad,) = of_clocks((WorkerClock("a", 0.1), WorkerClock("b", -61.5), WorkerClock("c", 7200)))
    assert bad.level is Level.WARNING
    assert bad.detail == "b is 61.5 s behind, c is 7200.0 s ahead (3 were compared)"


@pytest.mark.parametrize(("version", "level"), [("6.2.7", Level.WRONG), ("7.0.15", Level.OK), ("9.1.2", Level.OK)])
def test_the_oldest_redis(version, level):
    (finding,) = of_redis(RedisFacts("redis", int(version[0]), version))
    assert (finding.level, finding.detail) == (level, f"redis {version}")


def test_workers_are_seen_in_redis_and_else_by_their_leases():
    assert workers_finding((WORKER,), (), is_watched=True).detail == "host:7 (3 running)"
    leased = (WorkerClock("host:7:abc", 0.1),)
    for is_watched in (True, False):
        seen = workers_finding((), leased, is_watched=is_watched)
        assert (seen.level, "host:7:abc" in seen.detail) == (Level.WARNING, True)
    assert workers_finding((), (), is_watched=True).level is Level.WRONG
    assert workers_finding((), (), is_watched=False).level is Level.WARNING


def test_workers_whose_loops_fail_are_named():
    ill = replace(WORKER, pid=8, failing=("the sweep",))
    found = workers_finding((WORKER, ill), (), is_watched=True)
    assert (found.level, "host:8: the sweep" in found.detail) == (Level.WARNING, True)
    assert "host:7" not in found.detail


async def test_a_storage_has_to_give_back_what_it_was_given(tmp_path):
    storage = ObjectStorage(tmp_path.as_uri())
    assert (await storage_finding(storage)).level is Level.OK
    wrong = await storage_finding(WrongBytes(tmp_path.as_uri()))
    assert (wrong.level, "other bytes" in wrong.detail) == (Level.WRONG, True)
    await storage.close()
