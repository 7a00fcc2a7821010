"""Routes as the configuration says them, held against the models that there are."""

import pytest

from genpulse.config import ConfigurationError, load
from genpulse.domain.failure import FailureCode
from genpulse.domain.routing.route import RouteOrder, RouteStep
from genpulse.providers.catalog import LoadedCatalogue
from genpulse.wiring.catalogue import open_catalogue
from genpulse.wiring.routes import check_models, open_routes
from tests.lifecycle.conftest import Shop
from tests.lifecycle.routed import KIND, MODELS, Spoken, provider
from tests.unit.configuration.conftest import SERVERS


def routes(project, *lines: str, catalogue=None):
    """Of a `config.yaml` with these routes. The no-op stands for a second model where the kind is `noop`."""
    config = project / "config/config.yaml"
    text = "".join(f"    {line}\n" for line in lines)
    config.write_text(f"default:\n  routes:\n{text}")
    settings = load(project, SERVERS)
    return open_routes(settings, catalogue or open_catalogue(settings))


def test_a_route_is_as_it_is_written(project):
    found = routes(
        project,
        "usual: {kind: text-to-image, try: [sandbox/image], usual: true}",
        "idle: {kind: noop, try: [{model: sandbox/noop, weight: 3, rename: {wait: delay_s}}], on: [timeout],"
        " drop: [seed], order: weight}",
        "text: {kind: noop, try: 'sandbox/noop, idle', on: 'rate_limited, timeout'}",
    )
    assert found.usual == {"text-to-image": "usual"}
    idle = found.by_name["idle"]
    assert idle.steps == (RouteStep("sandbox/noop", {"wait": "delay_s"}, 3),)
    assert (idle.on, idle.drop, idle.order) == ({FailureCode.TIMEOUT}, {"seed"}, RouteOrder.WEIGHT)
    assert [step.model for step in found.by_name["text"].steps] == ["sandbox/noop"]
    assert found.by_name["text"].on == {FailureCode.RATE_LIMITED, FailureCode.TIMEOUT}


def test_a_model_that_comes_again_with_another_route_is_tried_where_it_stands_first(project):
    shops = [provider(model.partition("/")[0], model[-1], Spoken, Shop()) for model in MODELS]
    one, two, three = MODELS
    found = routes(
        project,
        f"rest: {{kind: {KIND}, try: [{{model: {one}, weight: 9}}, {three}]}}",
        f"all: {{kind: {KIND}, try: [{one}, {two}, rest]}}",
        catalogue=LoadedCatalogue(shops),
    )
    assert found.by_name["all"].steps == tuple(RouteStep(model) for model in MODELS)


WRONG = {
    "a slash": ("'a/b': {kind: noop, try: [sandbox/noop]}", "routes.a/b", "no slash"),
    "a comma": ("'a,b': {kind: noop, try: [sandbox/noop]}", "routes.a,b", "letters"),
    "a blank": ("'a b': {kind: noop, try: [sandbox/noop]}", "routes.a b", "letters"),
    "no field": ("a: {kind: noop, try: [{model: sandbox/noop, rename: {a: b}}]}", "routes.a.try", "no field 'b'"),
    "no name": ("' ': {kind: noop, try: [sandbox/noop]}", "routes", "a route is called ' '"),
    "no such model": ("a: {kind: noop, try: [sandbox/nop]}", "routes.a.try", "Did you mean sandbox/noop"),
    "no such route": ("a: {kind: noop, try: [portrait]}", "routes.a.try", "no route and no model 'portrait'"),
    "another kind": ("a: {kind: text-to-video, try: [sandbox/image]}", "routes.a.try", "is for text-to-video"),
    "no kind": ("a: {kind: Text to image, try: [sandbox/image]}", "routes.a.kind", "no kind"),
    "an unknown outcome": ("a: {kind: noop, try: [sandbox/noop], on: [unknown_outcome]}", "routes.a.on", "paid"),
    "an invalid input": ("a: {kind: noop, try: [sandbox/noop], on: [invalid_input]}", "routes.a.on", "refuse"),
    "no failure": ("a: {kind: noop, try: [sandbox/noop], on: [bad_day]}", "routes.a.on.0", "provider_unavailable"),
    "nothing to try": ("a: {kind: noop, try: []}", "routes.a.try", "at least 1"),
    "no try": ("a: {kind: noop}", "routes.a.try", "required"),
    "an unknown name": ("a: {kind: noop, tries: [sandbox/noop]}", "routes.a.tries", "kind, try, on"),
    "an unknown name of a step": (
        "a: {kind: noop, try: [{model: sandbox/noop, wait: 3}]}",
        "routes.a.try.0.wait",
        "model, weight, rename",
    ),
    "no weight": (
        "a: {kind: noop, try: [{model: sandbox/noop, weight: 0}]}",
        "routes.a.try.0.weight",
        "equal to 1",
    ),
    "no order": ("a: {kind: noop, try: [sandbox/noop], order: best}", "routes.a.order", "latency"),
    "no section": ("a: sandbox/noop", "routes.a", "dictionary"),
}


@pytest.mark.parametrize(("line", "key", "words"), WRONG.values(), ids=WRONG)
def test_a_route_that_cannot_be_meant_is_refused_with_its_place(project, line, key, words):
    with pytest.raises(ConfigurationError) as refused:
        routes(project, line)
    found = [str(fault) for fault in refused.value.faults if fault.key == key]
    assert found, [str(fault) for fault in refused.value.faults]
    assert words in " ".join(found)


def test_an_alias_that_means_nothing_is_refused_with_its_place(project):
    lines = "{of-model: sandbox/image, of-route: usual, 'a/b:c': sandbox/imag, gone: nowhere, empty: ''}"
    route = "usual: {kind: text-to-image, try: [sandbox/image]}"
    (project / "config/config.yaml").write_text(
        f"default:\n  doors:\n    aliases: {lines}\n  routes:\n    {route}\n"
    )
    with pytest.raises(ConfigurationError) as refused:
        check_models(load(project, SERVERS))
    faults = {fault.key: str(fault) for fault in refused.value.faults}
    assert faults.keys() == {"doors.aliases.a/b:c", "doors.aliases.gone", "doors.aliases.empty"}
    assert "Did you mean sandbox/image" in faults["doors.aliases.a/b:c"]
    assert "no route and no model 'nowhere'" in faults["doors.aliases.gone"]


def test_a_circle_is_refused_at_each_of_its_routes(project):
    with pytest.raises(ConfigurationError) as refused:
        routes(
            project,
            "a: {kind: noop, try: [b]}",
            "b: {kind: noop, try: [sandbox/noop, c]}",
            "c: {kind: noop, try: [a]}",
        )
    assert "a → b → c → a" in str(refused.value)
    assert {fault.key for fault in refused.value.faults} == {f"routes.{name}.try" for name in "abc"}


def test_one_route_is_the_usual_one_of_a_kind(project):
    with pytest.raises(ConfigurationError, match=r"routes.b.usual: routes.a is"):
        routes(
            project,
            "a: {kind: noop, try: [sandbox/noop], usual: true}",
            "b: {kind: noop, try: [sandbox/noop], usual: true}",
        )
