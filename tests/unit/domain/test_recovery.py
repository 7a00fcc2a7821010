"""What is done about an attempt that did not come to an end: each way at most one paid request."""

from dataclasses import replace
from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st

from genpulse.domain.recovery import LookUp, Resume, StartAnew, Unknown, recover
from genpulse.domain.task import OpenOrder

NOW = datetime(2026, 1, 1, tzinfo=UTC)


def left_behind(*, submitting: bool, job_id: str | None = None) -> OpenOrder | None:
    return OpenOrder("gp-1", "p", NOW, job_id) if submitting or job_id else None


def test_the_first_attempt_starts_anew():
    assert recover(None, repeatable=False, can_find=False) == StartAnew()


def test_a_known_job_is_resumed():
    attempt = left_behind(submitting=True, job_id="job-7")
    assert recover(attempt, repeatable=False, can_find=True) == Resume("job-7")


def test_a_job_that_may_exist_is_looked_up_where_that_can_be_done():
    attempt = left_behind(submitting=True)
    assert recover(attempt, repeatable=False, can_find=True) == LookUp("gp-1")


def test_a_request_whose_answer_got_lost_has_an_unknown_outcome():
    attempt = left_behind(submitting=True)
    assert recover(attempt, repeatable=False, can_find=False) == Unknown()


def test_what_may_have_been_ordered_since_a_backup_is_not_looked_up_by_a_reference_that_nobody_has():
    order = OpenOrder("", "p", NOW)
    assert recover(order, repeatable=False, can_find=True) == Unknown()
    assert recover(order, repeatable=True, can_find=True) == StartAnew()
    assert recover(replace(order, job_id="job-7"), repeatable=False, can_find=True) == Resume("job-7")


def test_what_was_not_yet_sent_starts_anew():
    attempt = left_behind(submitting=False)
    assert recover(attempt, repeatable=False, can_find=False) == StartAnew()


@given(
    repeatable=st.booleans(),
    can_find=st.booleans(),
    submitting=st.booleans(),
    job_id=st.none() | st.just("job"),
)
def test_paid_work_that_may_have_been_asked_for_is_never_asked_for_again(repeatable, can_find, submitting, job_id):
    recovery = recover(
        left_behind(submitting=submitting, job_id=job_id),
        repeatable=repeatable,
        can_find=can_find,
    )
    may_have_been_paid = not repeatable and (submitting or job_id)
    if may_have_been_paid:
        assert recovery != StartAnew()


def test_an_operator_may_want_it_sent_again_but_never_before_it_was_looked_up():
    lost = left_behind(submitting=True)
    for can_find, expected in ((False, StartAnew()), (True, LookUp("gp-1"))):
        found = recover(lost, repeatable=False, can_find=can_find, resubmits=True)
        assert found == expected
