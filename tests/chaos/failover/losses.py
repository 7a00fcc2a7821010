"""What a failover to an asynchronous standby has lost, and how it shows."""

from collections import Counter

from tests.chaos.facts import ENDED, Facts
from tests.chaos.figures import counted
from tests.chaos.told_tasks import ToldTasks


def losses_of(facts: Facts, told: ToldTasks) -> tuple[str, ...]:
    """A line for each way in which a commit that is gone shows."""
    driver, receiver = told.driver, told.receiver
    accepted, there = set(driver.ids.values()), facts.tasks
    lost = accepted - there.keys()
    again = {key: orders for key, orders in facts.orders.items() if key in there and len(orders) > 1}
    going = [task for task in there.values() if task["status"] not in ENDED]
    figures = {
        "Accepted": len(accepted),
        "Answered with 202 and not there any more": len(lost),
        "- of those, taken by the vendor": sum(key in facts.orders for key in lost),
        "- of those, their end told by a webhook": sum(key in receiver.ids for key in lost),
        "- calls about them that were answered with 404": sum(": 404 " in line for line in driver.odd),
        "There, and ordered a second time": len(again),
        "There, and told under two ids": sum(len(receiver.ids.get(key, ())) > 1 for key in there),
        "There, and told two different ends": sum(len(receiver.states.get(key, ())) > 1 for key in there),
        "There, and not ended": len(going),
        "- of those, canceled by the caller, as was confirmed": sum(
            task["number"] in driver.unwanted for task in going
        ),
    }
    shapes = Counter(str(orders[0].shape) for orders in again.values())
    return (
        *(f"{name}: {count:,}" for name, count in figures.items()),
        f"Ordered a second time: {counted(shapes)}. Ended: {counted(Counter(map(facts.code, there)))}.",
    )
