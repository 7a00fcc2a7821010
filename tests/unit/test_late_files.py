"""For how long a file is waited for that a vendor has just named."""

from genpulse.adapters.http.late import REMEMBERED, LateFiles


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def test_the_waiting_begins_with_the_first_answer():
    clock = Clock()
    late = LateFiles(60.0, clock)
    assert not late.is_hopeless("a")
    clock.now += 59.9
    assert not late.is_hopeless("a")
    clock.now += 0.1
    assert late.is_hopeless("a")
    assert not late.is_hopeless("b")


def test_what_was_there_is_waited_for_anew():
    clock = Clock()
    late = LateFiles(60.0, clock)
    assert not late.is_hopeless("a")
    late.forget("a")
    late.forget("never missed")
    clock.now += 60.0
    assert not late.is_hopeless("a")


def test_only_so_many_are_remembered():
    clock = Clock()
    late = LateFiles(60.0, clock)
    for number in range(REMEMBERED + 1):
        late.is_hopeless(str(number))
    clock.now += 60.0
    assert not late.is_hopeless("0")
    assert late.is_hopeless(str(REMEMBERED))
