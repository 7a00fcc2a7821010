from datetime import timedelta

from genpulse.domain.retention import Ages, Pruned, RetentionPolicy


def test_bytes_are_kept_until_nobody_looks_for_them():
    policy = RetentionPolicy(timedelta(days=30), timedelta(days=10), timedelta(hours=12))
    assert policy.ages == Ages(timedelta(days=30), timedelta(days=10), timedelta(days=7, hours=12))


def test_what_is_kept_for_ever_has_no_age():
    ages = RetentionPolicy(tasks=None, assets=None).ages
    assert (ages.tasks, ages.assets) == (None, None)


def test_what_was_removed_adds_up():
    assert Pruned(1, 2, 3, 4, 5, 6) + Pruned(10, 20, 30, 40, 50, 60) == Pruned(11, 22, 33, 44, 55, 66)
    assert (Pruned().is_nothing, Pruned(bytes=1).is_nothing) == (True, False)
