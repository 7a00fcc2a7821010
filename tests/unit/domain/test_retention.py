from datetime import UTC, datetime, timedelta

from genpulse.domain.retention import Cutoffs, Pruned, RetentionPolicy

NOW = datetime(2030, 3, 31, tzinfo=UTC)


def test_ages_become_moments():
    policy = RetentionPolicy(timedelta(days=30), timedelta(days=10), timedelta(hours=12))
    assert policy.cutoffs(NOW) == Cutoffs(
        tasks=datetime(2030, 3, 1, tzinfo=UTC),
        assets=datetime(2030, 3, 21, tzinfo=UTC),
        objects=datetime(2030, 3, 23, 12, tzinfo=UTC),
    )


def test_what_is_kept_for_ever_has_no_moment():
    cutoffs = RetentionPolicy(tasks=None, assets=None).cutoffs(NOW)
    assert (cutoffs.tasks, cutoffs.assets) == (None, None)


def test_what_was_removed_adds_up():
    assert Pruned(1, 2, 3, 4, 5, 6) + Pruned(10, 20, 30, 40, 50, 60) == Pruned(11, 22, 33, 44, 55, 66)
    assert (Pruned().is_nothing, Pruned(bytes=1).is_nothing) == (True, False)
