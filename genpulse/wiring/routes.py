"""The routes and aliases of the configuration, held against the models that there are."""

import re
from collections.abc import Iterator, Mapping
from itertools import chain
from types import MappingProxyType

from genpulse.configuration.errors import ConfigurationError, Fault
from genpulse.configuration.settings import RouteSection, RouteStepSection, Settings
from genpulse.domain.errors import UnknownModel
from genpulse.domain.kind import ANY, is_kind
from genpulse.domain.routing.route import MOST_MODELS, POSSIBLE_CODES, Route, Routes, RouteStep, first_of_each
from genpulse.lifecycle.submission.route_targets import fields_of
from genpulse.ports import Catalogue
from genpulse.wiring.catalogue import open_catalogue

_NAME = re.compile(r"[\w.-]{1,100}")


def open_routes(settings: Settings, catalogue: Catalogue) -> Routes:
    """The routes. Raises `ConfigurationError` with everything that is wrong with them."""
    sections = settings.routes
    if faults := _faults(sections, catalogue):
        raise ConfigurationError(settings.environment.dynaconf, faults)
    named = {name: _route(sections, name) for name in sections}
    usual = {section.kind: name for name, section in sections.items() if section.usual}
    return Routes(MappingProxyType(named), MappingProxyType(usual))


def check_models(settings: Settings) -> None:
    """Raises `ConfigurationError` with everything that is wrong with the team's models, routes and aliases."""
    names_models = settings.catalogue.folder or settings.routes or settings.doors.aliases
    if names_models and (faults := model_faults(settings)):
        raise ConfigurationError(settings.environment.dynaconf, faults)


def model_faults(settings: Settings) -> tuple[Fault, ...]:
    """What is wrong with the team's own models, and with routes and aliases, which are held against all models."""
    try:
        catalogue = open_catalogue(settings)
    except ConfigurationError as error:
        return (*error.faults, *_faults(settings.routes, None))
    return (*_faults(settings.routes, catalogue), *_of_aliases(settings, catalogue))


def _of_aliases(settings: Settings, catalogue: Catalogue) -> Iterator[Fault]:
    """What an alias means is there when the first client says it."""
    for alias, meant in settings.doors.aliases.items():
        if meant in settings.routes:
            continue
        try:
            catalogue.model(meant)
        except UnknownModel as error:
            yield _unknown(f"doors.aliases.{alias}", meant, error)


def _faults(sections: Mapping[str, RouteSection], catalogue: Catalogue | None) -> tuple[Fault, ...]:
    """Without a catalogue nothing is said of models."""
    routes = (_of_route(sections, name, section, catalogue) for name, section in sections.items())
    return (*_of_names(sections), *_of_usual(sections), *chain.from_iterable(routes))


def _route(sections: Mapping[str, RouteSection], name: str) -> Route:
    section = sections[name]
    steps = (RouteStep(step.model, step.rename, step.weight) for step in _steps(sections, section))
    return Route(
        name,
        first_of_each(steps),
        section.kind,
        frozenset(section.on),
        frozenset(section.drop),
        section.order,
    )


def _steps(sections: Mapping[str, RouteSection], section: RouteSection) -> Iterator[RouteStepSection]:
    """The models, with those of other routes in their places."""
    for step in section.steps:
        if step.model in sections:
            yield from _steps(sections, sections[step.model])
        else:
            yield step


def _of_names(sections: Mapping[str, RouteSection]) -> Iterator[Fault]:
    for name in sections:
        if not name.strip():
            yield Fault("routes", "", f"a route is called {name!r}; orders need a name for it")
        if "/" in name:
            yield Fault(f"routes.{name}", "", "a name of a route has no slash: `provider/name` is a model")
        elif not _NAME.fullmatch(name):
            detail = "a name of a route is 1 to 100 letters, digits, `-`, `_` and `.`, so that orders can say it"
            yield Fault(f"routes.{name}", "", detail)


def _of_usual(sections: Mapping[str, RouteSection]) -> Iterator[Fault]:
    first: dict[str, str] = {}
    for name, section in sections.items():
        if section.usual and first.setdefault(section.kind, name) != name:
            detail = f"routes.{first[section.kind]} is the usual one of {section.kind} already; one can be"
            yield Fault(f"routes.{name}.usual", "", detail)


def _of_route(
    sections: Mapping[str, RouteSection], name: str, section: RouteSection, catalogue: Catalogue | None
) -> Iterator[Fault]:
    key = f"routes.{name}"
    if not is_kind(section.kind):
        yield Fault(f"{key}.kind", "", f"{section.kind!r} is no kind such as text-to-image")
    for code in sorted(set(section.on) - POSSIBLE_CODES):
        possible = ", ".join(sorted(POSSIBLE_CODES))
        why = "the next vendor might be paid for the same again, or would refuse it as well"
        yield Fault(f"{key}.on", "", f"no route goes on after {code}: {why}. Possible are {possible}")
    if circle := _circle(sections, (name,)):
        yield Fault(f"{key}.try", "", f"it leads back to itself: {' → '.join(circle)}")
        return
    models = [step.model for step in _steps(sections, section)]
    if len(set(models)) > MOST_MODELS:
        yield Fault(f"{key}.try", "", f"it has {len(set(models))} models; {MOST_MODELS} at most are tried")
    if catalogue is None:
        return
    for model in dict.fromkeys(models):
        yield from _of_model(f"{key}.try", section.kind, model, catalogue)
    for step in section.steps:
        yield from _of_renames(f"{key}.try", step, catalogue)


def _of_renames(key: str, step: RouteStepSection, catalogue: Catalogue) -> Iterator[Fault]:
    """Of a model whose fields are known: no order could be said to it."""
    try:
        fields = fields_of(catalogue.model(step.model))
    except UnknownModel:
        return
    for name in sorted(set(step.rename.values()) - fields.names):
        if not fields.is_open:
            known = ", ".join(sorted(fields.names))
            yield Fault(key, "", f"{step.model} has no field {name!r} that another could be renamed to: {known}")


def _circle(sections: Mapping[str, RouteSection], path: tuple[str, ...]) -> tuple[str, ...]:
    for step in sections[path[-1]].steps:
        if step.model in path:
            return (*path, step.model)
        if step.model in sections and (circle := _circle(sections, (*path, step.model))):
            return circle
    return ()


def _unknown(key: str, name: str, error: UnknownModel) -> Fault:
    """A name without a slash may have been meant for a route."""
    return Fault(key, "", str(error) if "/" in name else f"there is no route and no model {name!r}")


def _of_model(key: str, kind: str, model: str, catalogue: Catalogue) -> Iterator[Fault]:
    try:
        kinds = catalogue.model(model).kinds
    except UnknownModel as error:
        yield _unknown(key, model, error)
        return
    if kind not in kinds and ANY not in kinds:
        yield Fault(key, "", f"{model} does {', '.join(kinds)}, and the route is for {kind}")
