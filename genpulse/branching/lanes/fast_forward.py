"""A lane that was fast-forwarded: its tip jumped to a commit that has the lane merged into it.

Nothing is lost by that, but the lane's own line is another one from then on, and what was tested or released is
beside it. It is seen by what is known of the lane's former tips: its version tags, what main merged of test, and
the tip before a push.
"""

from genpulse.branching.errors import Refusal
from genpulse.branching.git.lane_history import Lines
from genpulse.branching.git.repository import Repository
from genpulse.branching.rules.table import DEV, LANES, Branch


def fast_forward_refusal(repository: Repository, row: Branch, lines: Lines, before: str = "") -> Refusal | None:
    """Why the lane's own line is not what it was; None when it is. `before` is its tip before a push, if known.

    A former tip that left the line does not count once the lane was tagged or promoted on its new line.
    """
    former_tips = set(lines.left(row))
    if before and before not in lines.own(row):
        former_tips.add(before)
    if not former_tips:
        return None
    anchor = lines.newest(lines.former(row) & lines.own(row))
    forgiven = (lines.history(anchor) if anchor else frozenset()) - {before}
    last = lines.newest((former_tips & lines.history(lines.tip(row))) - forgiven)
    return _refusal(repository, row, lines, last) if last else None


def _refusal(repository: Repository, row: Branch, lines: Lines, last: str) -> Refusal:
    before, tip = LANES[LANES.index(row) - 1], lines.tip(row)
    name = repository.row(row).pattern
    first = fast_forward_refusal(repository, before, lines) if before != DEV else None
    return Refusal(
        "lane_fast_forwarded",
        f"{name} moves on by merge commits, never by a fast-forward over a merge of {name}.",
        f"{name} was at {last[:9]}, and at its tip {tip[:9]} that is no commit of its own line any more.",
        first.mend if first else (_merge_left_out(repository, row, lines, last),),
        f"{repository.row(before).pattern} was, too, and comes first. {first.note}" if first else _note(name, tip),
    )


def _merge_left_out(repository: Repository, row: Branch, lines: Lines, last: str) -> str:
    before, tip = LANES[LANES.index(row) - 1], lines.tip(row)
    name, source = repository.row(row).pattern, tip
    if before != DEV and not lines.carried(before, tip):
        source = lines.merge_of(before, tip) or tip
    message = f"Merge {repository.row(before).pattern} into {name}"
    merge = f"git commit-tree -p {last} -p {source} -m '{message}' '{tip}^{{tree}}'"
    return f'git push {repository.remote} "$({merge}):refs/heads/{name}"'


def _note(name: str, tip: str) -> str:
    return (
        f"No commit is lost, and older releases stay verified. The command makes the merge that was left out, "
        f"with the files of {tip[:9]}, and moves {name} forward to it; somebody runs it who may push there."
    )
