"""What takes long is begun first, by as many processes as there are, and nothing is lost or run twice."""

from collections import namedtuple
from pathlib import Path

import pytest

from tests import deal

Item = namedtuple("Item", ("path", "number"))
HOME = Path(deal.__file__).parent


def run_of(short):
    names = [*deal._SECONDS, *(f"unit/test_{number}.py" for number in range(short))]
    return [Item(HOME / name, number) for name in sorted(names) for number in range(3)]


@pytest.mark.parametrize("processes", [1, 2, 3, 8, 100])
@pytest.mark.parametrize("short", [0, 1, 200])
def test_all_are_dealt_once(processes, short):
    items = run_of(short)
    assert sorted(deal.dealt(items, processes)) == sorted(items)


@pytest.mark.parametrize("processes", [2, 8])
def test_each_process_begins_with_what_takes_long_and_they_take_about_as_long(processes):
    dealt, seconds, at = deal.dealt(run_of(1000), processes), [], 0
    for size in deal._sizes(len(dealt), processes):
        own = dealt[at : at + size]
        names = [item.path.relative_to(HOME).as_posix() for item in own]
        long = [name in deal._SECONDS for name in names]
        assert long == sorted(long, reverse=True)
        seconds.append(sum(deal._SECONDS[name] for name in {*names} if name in deal._SECONDS))
        at += size
    assert at == len(dealt)
    assert sum(seconds) == sum(deal._SECONDS.values())
    assert max(seconds) <= max(max(deal._SECONDS.values()), 2 * min(seconds))


def test_every_file_that_is_named_is_there():
    assert [name for name in deal._SECONDS if not (HOME / name).is_file()] == []
