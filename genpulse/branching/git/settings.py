"""Git's own settings, as far as the flow goes by them."""

from functools import cached_property

from genpulse.branching.errors import NameRefused, RepositoryUnfit
from genpulse.branching.git.place import place_of
from genpulse.branching.git.process import Git, demand_version

_KEYS = (
    r"^(remote\..*\.(url|gh-resolved)|remote\.pushdefault|branch\..*\.(pushremote|flow-from-test)"
    r"|flow\..*|tag\.gpgsign|commit\.gpgsign)$"
)
_REMOTE, _URL, _RESOLVED = "remote.", ".url", ".gh-resolved"
_TRUE = {"true", "yes", "on", "1", ""}


class GitSettings:
    """The git settings of a repository, read once."""

    def __init__(self, git: Git) -> None:
        self._git = git

    @property
    def remotes(self) -> list[str]:
        """The names of all remotes."""
        keys = (key for key in self._values if key.startswith(_REMOTE) and key.endswith(_URL))
        return [key[len(_REMOTE) : -len(_URL)] for key in keys]

    @property
    def remote(self) -> str:
        """The remote's name: `flow.remote`, else what a fork was made of, else origin, else the only one.

        Raises `RepositoryUnfit`.
        """
        names = self.remotes
        setting = self._values.get("flow.remote") or self._parent_of_a_fork
        for name in (setting,) if setting else ("origin", *(names if len(names) == 1 else ())):
            if name in names:
                return _plain(name)
        finding = f"the remotes are {', '.join(names)}" if names else "there is no remote"
        finding += f", and git config flow.remote is {setting}." if setting else "."
        note = "Name it: git config flow.remote <name>" if names else "Add it: git remote add origin <url>"
        raise RepositoryUnfit("remote_missing", "The flow has a remote that everybody shares.", finding, note=note)

    def is_on(self, key: str) -> bool:
        """Whether a setting says yes. Small letters in the first and the last part of `key`, as git has them."""
        return self._values.get(key, "false").lower() in _TRUE

    def value(self, key: str) -> str:
        """The value of a setting, by the same name; empty where it is not there."""
        return self._values.get(key, "").strip()

    def fetches_all(self, remote: str) -> bool:
        """Whether a plain `git fetch` brings all branches of a remote."""
        output = self._git("config", "--get-all", f"{_REMOTE}{remote}.fetch", ok=(0, 1))
        return any(spec.lstrip("+").startswith("refs/heads/*:") for spec in output.out.split())

    @property
    def _parent_of_a_fork(self) -> str | None:
        """The remote that `gh repo fork` and `gh repo set-default` have marked as the one to merge into."""
        marked = (key for key, value in self._values.items() if key.endswith(_RESOLVED) and value == "base")
        return next((key[len(_REMOTE) : -len(_RESOLVED)] for key in marked), None)

    @cached_property
    def _values(self) -> dict[str, str]:
        demand_version(self._git)
        place_of(self._git)
        output = self._git("config", "-z", "--get-regexp", _KEYS, ok=(0, 1))
        return dict(entry.partition("\n")[::2] for entry in output.fields)


def _plain(name: str) -> str:
    if name.startswith("-") or not name.isprintable():
        rule = "A remote's name does not look like an option."
        note = "Give it another name: git remote add origin <url>"
        raise NameRefused("remote_missing", rule, f"{name!r}", note=note)
    return name
