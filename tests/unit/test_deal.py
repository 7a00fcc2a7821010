"""What takes long is begun first, neighbours stay together, and nothing is lost or run twice."""

from collections import namedtuple
from pathlib import Path

import pytest

from tests import deal

Item = namedtuple("Item", ("path", "number"))
HOME = Path(deal.__file__).parent


def run_of(short, tests_of_each=3):
    names = [*deal._SECONDS, *(f"unit/test_{number}.py" for number in range(short))]
    return [Item(HOME / name, number) for name in sorted(names) for number in range(tests_of_each)]


@pytest.mark.parametrize("tests_of_each", [1, 3, 64, 65, 200])
@pytest.mark.parametrize("short", [0, 1, 20])
def test_all_are_dealt_once_and_a_batch_is_of_one_file(short, tests_of_each):
    items = run_of(short, tests_of_each)
    batches = deal.batches(items)
    assert sorted(at for batch in batches for at in batch) == list(range(len(items)))
    assert all(len({items[at].path for at in batch}) == 1 for batch in batches)
    assert all(list(batch) == sorted(batch) for batch in batches)


def test_what_takes_long_comes_first():
    items = run_of(100)
    names = [items[batch[0]].path.relative_to(HOME).as_posix() for batch in deal.batches(items)]
    seconds = [deal._SECONDS.get(name, 0) for name in names]
    assert seconds == sorted(seconds, reverse=True)


def test_every_file_that_is_named_is_there():
    assert [name for name in deal._SECONDS if not (HOME / name).is_file()] == []
