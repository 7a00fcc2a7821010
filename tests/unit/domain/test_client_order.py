"""What becomes of an order that is placed by a client token, for orders and terms as they may be drawn."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from genpulse.domain.errors import OutsideClientToken
from genpulse.domain.keys.client_order import order_by, stored_key
from genpulse.domain.keys.client_token import ClientToken, OrderTerms
from genpulse.domain.submission.order import Order
from genpulse.domain.task import Priority

NOW = datetime(2030, 1, 1, tzinfo=UTC)
MODELS, NAMES = ["a/one", "a/two", "usual"], ["prompt", "size", "seed", "a~/b"]
VALUES = st.one_of(st.booleans(), st.integers(0, 2), st.sampled_from(["", "x", 0.0, 1.0, None]))
INPUTS = st.dictionaries(st.sampled_from(NAMES), VALUES)
METADATA = st.dictionaries(st.sampled_from(["customer", "other"]), st.sampled_from(["u", "v"]))
MODEL = st.sampled_from(MODELS)


def token_of(terms):
    return ClientToken(UUID(int=1), "anna", NOW, NOW + timedelta(minutes=5), orders=terms)


TERMS = st.builds(
    OrderTerms,
    models=st.lists(MODEL, min_size=1, unique=True).map(tuple),
    input=INPUTS,
    fields=st.none() | st.frozensets(st.sampled_from(NAMES)),
    metadata=METADATA,
    webhook_url=st.sampled_from([None, "https://ours.example/"]),
)
ORDERS = st.builds(
    Order,
    model=st.none() | MODEL | st.lists(MODEL, min_size=1).map(tuple),
    input=INPUTS,
    priority=st.sampled_from(Priority),
    webhook_url=st.sampled_from([None, "https://ours.example/", "https://theirs.example/"]),
    metadata=METADATA | st.just({}),
    retain_s=st.sampled_from([None, 5]),
    run_at=st.sampled_from([None, NOW]),
)


def taken_or_refused(terms, order):
    try:
        return order_by(token_of(terms), order, "/tasks/3")
    except OutsideClientToken as error:
        return error


@given(terms=TERMS, order=ORDERS)
def test_what_is_taken_is_within_the_terms_and_what_is_not_is_told_where(terms, order):
    taken = taken_or_refused(terms, order)
    if isinstance(taken, OutsideClientToken):
        assert taken.problems
        assert all(problem.pointer.startswith("/tasks/3/") for problem in taken.problems)
        return
    named = [taken.model] if isinstance(taken.model, str) else taken.model
    assert named
    assert set(named) <= set(terms.models)
    said = {name: value for name, value in taken.input.items() if name not in terms.input}
    assert all(taken.input[name] is value for name, value in terms.input.items())
    assert terms.fields is None or set(said) <= terms.fields
    assert (taken.metadata, taken.webhook_url) == (terms.metadata, terms.webhook_url)
    assert (taken.retain_s, taken.run_at) == (None, None)
    assert taken.priority <= Priority.NORMAL


@given(terms=TERMS, order=ORDERS)
def test_an_order_that_says_only_what_it_may_is_taken(terms, order):
    fields = terms.fields if terms.fields is not None else set(NAMES)
    humble = Order(
        model=terms.models[0],
        input={name: value for name, value in order.input.items() if name in fields and name not in terms.input},
        priority=min(order.priority, Priority.NORMAL),
    )
    assert order_by(token_of(terms), humble).input == {**humble.input, **terms.input}


@pytest.mark.parametrize(("fixed", "said"), [(1, True), (1, 1.0), (0.0, -0.0), ("1", 1), (None, False)])
def test_what_looks_the_same_to_python_alone_is_not_the_same(fixed, said):
    terms = OrderTerms(("a/one",), input={"size": fixed})
    with pytest.raises(OutsideClientToken) as caught:
        order_by(token_of(terms), Order("a/one", {"size": said}))
    assert [problem.pointer for problem in caught.value.problems] == ["/input/size"]


def test_a_token_without_orders_takes_none():
    with pytest.raises(OutsideClientToken, match="submits none"):
        order_by(token_of(None), Order("a/one", {}))


def test_keys_of_tokens_are_apart():
    other = ClientToken(UUID(int=2), "anna", NOW, NOW)
    assert len({stored_key(token_of(None), "k"), stored_key(other, "k"), "k"}) == 3
