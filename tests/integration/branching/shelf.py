"""States that many tests begin with: each is made once a process, by real commands, and copied from then on."""

import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.integration.branching.clones import Clone, begun
from tests.integration.branching.fake_forge.company import Company, founded
from tests.integration.branching.walk.team import Team, gathered

Stage = Callable[[Any], object]


class Shelf:
    """`stages` are what is done one after the other to what is fresh; the states between them are kept, too."""

    def __init__(self, home: Path) -> None:
        self._home = home
        self._clones: dict[tuple[Stage, ...], Clone] = {}
        self._teams: dict[tuple[Stage, ...], Team] = {}
        self._companies: dict[tuple[str, *tuple[Stage, ...]], Company] = {}

    def clone(self, target: Path, *stages: Stage) -> Clone:
        """A clone of a bare remote, on which the lanes begin at one commit; dev is out."""
        if stages not in self._clones:
            made = self.clone(self._place(), *stages[:-1]) if stages else begun(self._place())
            for stage in stages[-1:]:
                stage(made)
            self._clones[stages] = made
        return self._clones[stages].copied(target)

    def bare(self, target: Path) -> Path:
        """The remote of such a clone alone."""
        clone = self.clone(target)
        shutil.rmtree(clone.folder)
        return clone.bare

    def team(self, target: Path, *stages: Stage) -> Team:
        """Three people with clones, and a forge that lets everything pass."""
        if stages not in self._teams:
            place = self._place()
            made = self.team(place, *stages[:-1]) if stages else gathered(self.bare(place))
            for stage in stages[-1:]:
                stage(made)
            self._teams[stages] = made
        return self._teams[stages].copied(target)

    @contextmanager
    def company(self, target: Path, kind: str, *stages: Stage) -> Iterator[Company]:
        """Three people and a forge of this kind with the installed rules."""
        key = (kind, *stages)
        if key not in self._companies:
            place = self._place()
            with self.company(place, kind, *stages[:-1]) if stages else founded(self.bare(place), kind) as made:
                for stage in stages[-1:]:
                    stage(made)
            self._companies[key] = made
        with self._companies[key].opened(target) as company:
            yield company

    def _place(self) -> Path:
        place = self._home / str(sum(1 for _ in self._home.iterdir()))
        place.mkdir()
        return place
