"""The chart, rendered by Helm's engine (4.2, as a library) and held against the schemas of Kubernetes.

No cluster is used: that pods start, hooks run and KEDA scales is not shown here.
"""

import json
import re
import subprocess

import pytest
import yaml

from genpulse import config
from genpulse.configuration.errors import ConfigurationError
from tests.operations.tools import ROOT, path_of
from tests.unit.deploy.test_dashboard import FIGURES

CHART = ROOT / "deploy/helm/genpulse"
DIGEST = f"sha256:{'a' * 64}"
COMMON = {
    "image": {"repository": "registry.example.com/genpulse", "tag": "v1.2.3", "digest": DIGEST},
    "secret": {"name": "genpulse"},
    "keda": {"prometheus": "http://prometheus:9090"},
    "config": {"api.public_url": "https://media.example.com"},
}
ENVIRONMENTS = ("dev", "test", "main")
FINAL_TAG_IS_MISSING = "release.require_tag"


def laid_over(values, over):
    """As Helm lays one file over another."""
    both = dict(values)
    for key, value in over.items():
        are_both = isinstance(both.get(key), dict) and isinstance(value, dict)
        both[key] = laid_over(both[key], value) if are_both else value
    return both


def rendered(environment, over=None):
    """What is said against it, and all documents."""
    values = yaml.safe_load((CHART / f"values-{environment}.yaml").read_text())
    values = laid_over(laid_over(values, COMMON), over or {})
    done = subprocess.run(
        [path_of("python"), ROOT / "tests/operations/render_chart.py", CHART],
        input=json.dumps(values),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    answer = json.loads(done.stdout)
    return answer["error"], answer["documents"]


@pytest.fixture(scope="module", params=ENVIRONMENTS)
def environment(request):
    return request.param


@pytest.fixture(scope="module")
def documents(environment):
    over = {"ingress": {"enabled": True, "host": "media.example.com", "tlsSecret": "tls"}}
    error, documents = rendered(environment, over)
    assert error == ""
    return documents


def of_kind(documents, *kinds):
    return [document for document in documents if document["kind"] in kinds]


def pods(documents):
    """The templates of pods by the name of what makes them."""
    for document in of_kind(documents, "Deployment", "Job", "CronJob"):
        spec = document["spec"]
        spec = spec.get("jobTemplate", {}).get("spec", spec)
        yield document["metadata"]["name"], spec["template"]


def test_everything_that_was_asked_for_is_there(environment, documents):
    kinds = {document["kind"] for document in documents}
    always = {
        "Deployment",
        "Service",
        "ConfigMap",
        "Job",
        "CronJob",
        "PodDisruptionBudget",
        "NetworkPolicy",
        "Ingress",
    }
    more = {"dev": set(), "test": {"ServiceMonitor"}, "main": {"ServiceMonitor", "ScaledObject"}}
    assert kinds == always | more[environment]
    names = [(document["kind"], document["metadata"]["name"]) for document in documents]
    assert len(set(names)) == len(names)


def test_each_pod_keeps_to_what_it_needs(environment, documents):
    for name, pod in pods(documents):
        spec = pod["spec"]
        assert spec["securityContext"]["runAsNonRoot"] is True
        assert (spec["enableServiceLinks"], spec["automountServiceAccountToken"]) == (False, False), name
        (container,) = spec["containers"]
        assert container["image"] == f"registry.example.com/genpulse:v1.2.3@{DIGEST}"
        assert container["securityContext"]["readOnlyRootFilesystem"] is True
        assert container["securityContext"]["capabilities"] == {"drop": ["ALL"]}
        assert {mount["mountPath"] for mount in container["volumeMounts"]} == {"/tmp", "/run/genpulse", "/spool"}
        assert {mount["name"] for mount in container["volumeMounts"]} == {each["name"] for each in spec["volumes"]}
        assert container["resources"]["limits"]["memory"]
        assert container["env"] == [{"name": "ENV", "value": environment}]
        mapped = {each["metadata"]["name"] for each in of_kind(documents, "ConfigMap")}
        assert container["envFrom"][0]["configMapRef"]["name"] in mapped


def test_selectors_find_the_pods_that_they_mean(documents):
    labels = {name: pod["metadata"]["labels"] for name, pod in pods(documents)}

    def found(selector):
        return {name for name, has in labels.items() if selector.items() <= has.items()}

    for document in of_kind(documents, "Deployment", "PodDisruptionBudget"):
        name = document["metadata"]["name"]
        assert found(document["spec"]["selector"]["matchLabels"]) == {name}
    (service,) = of_kind(documents, "Service")
    assert found(service["spec"]["selector"]) == {"shop-api"}
    policies = {each["metadata"]["name"]: each["spec"] for each in of_kind(documents, "NetworkPolicy")}
    assert found(policies["shop"]["podSelector"]["matchLabels"]) == set(labels)
    assert found(policies["shop-api"]["podSelector"]["matchLabels"]) == {"shop-api"}
    for monitor in of_kind(documents, "ServiceMonitor"):
        assert monitor["spec"]["selector"]["matchLabels"].items() <= service["metadata"]["labels"].items()


@pytest.mark.parametrize(("stop_s", "patience_s"), [(900, 930), (0.5, 31), (7200, 7230)])
def test_a_worker_is_given_longer_than_it_takes_to_stop(stop_s, patience_s):
    _, documents = rendered("main", {"config": {"worker.stop_s": stop_s}})
    named = dict(pods(documents))
    assert named["shop-worker-all"]["spec"]["terminationGracePeriodSeconds"] == patience_s


def test_an_api_is_given_longer_than_it_drains():
    _, documents = rendered("main", {"config": {"api.drain_s": 40, "api.grace_s": 5}})
    assert dict(pods(documents))["shop-api"]["spec"]["terminationGracePeriodSeconds"] == 65


def test_the_configuration_is_taken(environment, documents, tmp_path):
    """By GenPulse itself, with what a Secret has; production misses nothing but the stamp of a release."""
    for mapped in of_kind(documents, "ConfigMap"):
        variables = {
            **mapped["data"],
            "ENV": environment,
            "GENPULSE_DATABASE_URL": "postgresql://u:p@db.example.com/d?sslmode=verify-full",
            "GENPULSE_REDIS__URL": "rediss://redis.example.com/0",
            "GENPULSE_STORAGE__URL": "s3://bucket",
            "GENPULSE_WEBHOOKS__SECRET": "whsec_c2lnbnMgd2l0aCB0aGlz",
        }
        if environment == "main":
            with pytest.raises(ConfigurationError) as refused:
                config.load(tmp_path, variables, require=("database_url", "redis.url"))
            assert [fault.key for fault in refused.value.faults] == [FINAL_TAG_IS_MISSING]
            continue
        config.check_worker(config.load(tmp_path, variables, require=("database_url", "redis.url")))


def test_groups_of_workers_scale_by_figures_that_there_are():
    groups = {
        "vendors": {"providers": ["fal", "openai"], "scale": {"enabled": True, "min": 1, "max": 5, "depth": 9}},
        "all": None,
    }
    error, documents = rendered("test", {"workers": groups})
    assert error == ""
    (scaled,) = of_kind(documents, "ScaledObject")
    queries = [trigger["metadata"]["query"] for trigger in scaled["spec"]["triggers"]]
    assert 'genpulse_queue_waiting{environment="test",provider=~"fal|openai"}' in queries[0]
    assert {name for query in queries for name in re.findall(r"genpulse_\w+", query)} <= set(FIGURES)
    (deployment,) = [each for each in of_kind(documents, "Deployment") if each["metadata"]["name"] != "shop-api"]
    assert scaled["spec"]["scaleTargetRef"]["name"] == deployment["metadata"]["name"] == "shop-worker-vendors"
    assert "replicas" not in deployment["spec"]
    assert deployment["spec"]["template"]["spec"]["containers"][0]["args"] == ["worker", "--providers=fal,openai"]


def test_development_may_bring_its_secrets_along():
    over = {"secret": {"name": "", "values": {"GENPULSE_REDIS__URL": "redis://redis:6379/0"}}}
    error, documents = rendered("dev", over)
    assert error == ""
    assert {each["metadata"]["name"] for each in of_kind(documents, "Secret")} == {"shop", "shop-upgrade"}


@pytest.mark.parametrize(
    ("environment", "over", "why"),
    [
        ("main", {"image": {"tag": "v1.2.3-rc.1"}}, "main runs the image of a final tag"),
        ("main", {"image": {"tag": "latest"}}, "main runs the image of a final tag"),
        ("main", {"image": {"tag": ""}}, "main runs the image of a final tag"),
        ("main", {"image": {"tag": "v01.2.3"}}, "main runs the image of a final tag"),
        ("main", {"image": {"digest": ""}}, "main runs an image by its digest"),
        ("main", {"image": {"digest": "sha256:abc"}}, "/image/digest"),
        ("main", {"config": {"release.require_tag": False}}, "main runs verified releases alone"),
        ("main", {"secret": {"name": "", "values": {"GENPULSE_API_KEY": "x"}}}, "secret.values is for dev alone"),
        ("test", {"secret": {"name": "", "values": {"GENPULSE_API_KEY": "x"}}}, "secret.values is for dev alone"),
        ("test", {"secret": {"name": ""}}, "secret.name is empty"),
        ("test", {"image": {"repository": ""}}, "image.repository is empty"),
        ("dev", {"image": {"tag": "", "digest": ""}}, "say which build"),
        ("dev", {"environment": "production"}, "/environment"),
        ("dev", {"config": {"database_url": "x"}}, "invalid propertyName 'database_url'"),
        ("dev", {"config": {"worker.conurrency": 3}}, "invalid propertyName 'worker.conurrency'"),
        ("dev", {"worker": {}}, "additional properties 'worker'"),
        ("main", {"keda": {"prometheus": ""}}, "keda.prometheus is empty"),
    ],
)
def test_what_does_not_belong_there_is_refused(environment, over, why):
    error, documents = rendered(environment, over)
    assert why in error
    assert documents == []


def test_the_values_of_the_page_are_taken():
    page = (ROOT / "docs/how-to/deploy.md").read_text()
    (block,) = re.findall(r"^```yaml\n# yours.yaml\n(.*?)^```$", page, re.DOTALL | re.MULTILINE)
    error, documents = rendered("main", yaml.safe_load(block))
    assert error == ""
    names = {each["metadata"]["name"] for each in of_kind(documents, "Deployment")}
    assert names == {"shop-api", "shop-worker-vendors"}


@pytest.mark.parametrize("tag", ["v1.2.3-rc.1", "dev-94cd852"])
def test_testing_takes_any_build(tag):
    error, _ = rendered("test", {"image": {"tag": tag, "digest": ""}})
    assert error == ""
