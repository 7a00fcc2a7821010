"""One action on all tasks that are meant: counted first, and done after a yes."""

import sys
from collections import Counter
from collections.abc import Mapping
from decimal import Decimal

from genpulse.cli.client import with_client
from genpulse.cli.errors import CommandRefused
from genpulse.cli.output.terminal import agreed, say, say_json_line
from genpulse.cli.tasks.filters import TaskChoice
from genpulse_client import Action, ActionOutcome, AsyncGenPulse

_DONE: Mapping[Action, str] = {"cancel": "asked to stop", "retry": "queued again", "delete": "deleted"}
_ASKED: Mapping[Action, str] = {"cancel": "Cancel them?", "retry": "Run them again?", "delete": "Delete them?"}


def act_on_all(action: Action, choice: TaskChoice, api: str | None, *, yes: bool, as_json: bool) -> bool:
    """Whether nothing was left out that was not told before. Raises `CommandRefused`."""
    counted = with_client(api, lambda client: _call(client, action, choice))
    if not counted.count:
        _tell(action, 0, counted.left_out, as_json=as_json)
        return True
    if not yes:
        _agree(action, counted)
    done, left_out = with_client(api, lambda client: _done(client, action, choice, counted.confirm))
    _tell(action, done, left_out, as_json=as_json)
    return not Counter(left_out) - Counter(counted.left_out)


async def _call(
    client: AsyncGenPulse, action: Action, choice: TaskChoice, confirm: str | None = None
) -> ActionOutcome:
    return await client.act(action, choice.filter, every=choice.is_everything, confirm=confirm)


async def _done(
    client: AsyncGenPulse, action: Action, choice: TaskChoice, confirm: str | None
) -> tuple[int, Mapping[str, int]]:
    """Call after call until nothing is left."""
    done, left_out = 0, Counter[str]()
    while confirm is not None:
        outcome = await _call(client, action, choice, confirm)
        done += outcome.done or 0
        left_out.update(outcome.left_out)
        confirm = outcome.confirm
    return done, left_out


def _agree(action: Action, counted: ActionOutcome) -> None:
    """Let a person say yes. Raises `CommandRefused`."""
    left_out = f" Left out: {_reasons(counted.left_out)}." if counted.left_out else ""
    what = _counted(counted) + left_out
    if not sys.stdin.isatty():
        raise CommandRefused(f"Nobody can be asked here about {what} Run it with --yes. Nothing was done.")
    say(what, err=True)
    if not agreed(_ASKED[action]):
        raise CommandRefused("Nothing was done.")


def _counted(counted: ActionOutcome) -> str:
    document = counted.document
    states = ", ".join(f"{count:,} {status}" for status, count in document["statuses"].items())
    cost = Decimal(document["cost_usd"] or 0)
    words = [f"{counted.count:,} {'task' if counted.count == 1 else 'tasks'} ({states})."]
    if document["price_usd"] is not None:
        count = document["unpriced"]
        unpriced = f", and {count:,} {'has' if count == 1 else 'have'} no known price" if count else ""
        words.append(f"To run them again costs ${Decimal(document['price_usd'])} at most{unpriced}.")
    if cost:
        words.append(f"They have cost ${cost}.")
    return " ".join(words)


def _tell(action: Action, done: int, left_out: Mapping[str, int], *, as_json: bool) -> None:
    if as_json:
        say_json_line({"action": action, "done": done, "left_out": dict(left_out)})
        return
    tasks = "1 task is" if done == 1 else f"{done:,} tasks are"
    say(f"{tasks} {_DONE[action]}." if done else "No task was touched.")
    if left_out:
        say(f"Left out: {_reasons(left_out)}.")


def _reasons(left_out: Mapping[str, int]) -> str:
    return ", ".join(f"{count:,} x {reason}" for reason, count in Counter(left_out).most_common())
