"""The order of the pages: what a reader does first stands first."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from website.pages import Page


@dataclass(frozen=True, slots=True)
class Group:
    """Pages under one heading of a section, in their order."""

    title: str
    pages: Sequence[Page]


_GROUPS: Mapping[str, Mapping[str, Sequence[str]]] = {
    "Start": {"": ("README.md", "quickstart.md")},
    "Do": {
        "Use it": (
            *("how-to/use-from-python.md", "how-to/use-from-typescript.md", "how-to/generate-a-client.md"),
            "how-to/switch-from-replicate.md",
            "how-to/switch-from-fal.md",
            *(
                "how-to/use-files-as-inputs.md",
                "how-to/follow-a-task.md",
                "how-to/find-tasks.md",
                "how-to/run-a-batch.md",
                "how-to/chain-tasks.md",
                "how-to/use-several-models.md",
            ),
            *(
                "how-to/receive-webhooks.md",
                "how-to/call-from-a-browser.md",
                "how-to/run-failed-tasks-again.md",
                "how-to/a-day-of-support.md",
                "how-to/use-with-temporal.md",
                "how-to/example-gallery.md",
            ),
        ),
        "Bring models": (
            "how-to/use-openai-compatible-servers.md",
            "how-to/use-comfyui.md",
            "how-to/add-a-model.md",
            "how-to/write-a-provider.md",
        ),
        "Run it": (
            *(
                "console.md",
                "how-to/run-the-servers.md",
                "how-to/create-api-keys.md",
                "how-to/keep-to-a-budget.md",
                "how-to/scale-out.md",
            ),
            *(
                "how-to/reach-servers-by-tls.md",
                "how-to/use-a-connection-pooler.md",
                "how-to/go-through-a-proxy.md",
            ),
            "how-to/upgrade.md",
            *("how-to/back-up.md", "how-to/restore-drill.md", "how-to/staging-clone.md"),
            *("how-to/keep-the-database-small.md", "how-to/delete-a-customers-data.md"),
        ),
        "Release it": (
            *("how-to/move-a-release.md", "how-to/deploy-a-release.md", "how-to/adopt-the-branches.md"),
            *("how-to/guard-the-branches.md", "how-to/mend-the-branches.md"),
        ),
        "More": (),
    },
    "Look up": {
        "": (
            *("reference/http-api.md", "reference/calls.md", "reference/errors.md", "reference/failures.md"),
            *("reference/limits.md", "reference/configuration.md", "reference/health.md"),
            *("reference/metrics.md", "reference/providers.md", "reference/performance.md"),
            *("reference/flow-settings.md", "reference/flow-refusals.md"),
        )
    },
    "Understand": {
        "": (
            *("explanation/a-task-s-life.md", "explanation/durability.md", "explanation/money.md"),
            *("explanation/privacy.md", "explanation/security.md"),
            *("explanation/environments.md", "explanation/scale.md", "explanation/where-a-microsecond-goes.md"),
            *("explanation/online-upgrades.md", "explanation/operations.md"),
            "explanation/whose-turn-it-is.md",
            *("explanation/architecture.md", "explanation/crash-points.md", "explanation/branching-compared.md"),
            *("contributing.md", "security.md", "changelog.md"),
        )
    },
    "Decide": {"": ("adr/README.md",)},
}
_REST: Mapping[str, tuple[str, str]] = {
    "how-to/": ("Do", "More"),
    "reference/": ("Look up", ""),
    "explanation/": ("Understand", ""),
    "adr/": ("Decide", ""),
    "": ("Start", ""),
}
"""Where a page goes that no group names, by the folder that it lies in."""


def sections(found: Sequence[Page]) -> dict[str, list[Group]]:
    """All pages, by section and group. A page that no group names stands at the end of its folder's."""
    by_place = {page.place: page for page in found}
    order = {
        section: {
            title: [by_place.pop(place) for place in places if place in by_place] for title, places in groups
        }
        for section, groups in ((name, tuple(rows.items())) for name, rows in _GROUPS.items())
    }
    for place in sorted(by_place):
        section, title = next(_REST[folder] for folder in _REST if place.startswith(folder))
        order[section][title].append(by_place[place])
    return {
        section: [Group(title, rows) for title, rows in groups.items() if rows]
        for section, groups in order.items()
    }


def menu(order: Mapping[str, Sequence[Group]]) -> list[object]:
    """The same as MkDocs wants it."""
    return [
        {section: [entry for group in groups for entry in _entries(group)]} for section, groups in order.items()
    ]


def _entries(group: Group) -> list[object]:
    pages: list[object] = [{_label(page): page.place} for page in group.pages]
    return [{group.title: pages}] if group.title else pages


def _label(page: Page) -> str:
    return page.title.replace("`", "")
