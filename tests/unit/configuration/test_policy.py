"""What each environment allows."""

import pytest

from genpulse.config import ConfigurationError, check_worker, load
from genpulse.configuration.rules.policy import faults
from genpulse.configuration.settings import Release
from genpulse.environment.build_info import Build

REMOTE = "postgresql://u:s3cret@db.example.com,db2.example.com/d?target_session_attrs=read-write"
REDIS = "rediss://:s3cret@redis.example.com/0"
MAIN = {
    "ENV": "main",
    "GENPULSE_DATABASE_URL": REMOTE + "&sslmode=verify-full",
    "GENPULSE_REDIS__URL": REDIS,
    "GENPULSE_STORAGE__URL": "s3://bucket/prefix",
    "GENPULSE_RELEASE__REQUIRE_TAG": "false",
    "GENPULSE_WEBHOOKS__SECRET": "whsec_c2lnbnMgd2l0aCB0aGlz",
}


def problems(folder, process):
    """The message; empty when nothing is wrong."""
    message = ""
    try:
        load(folder, process)
    except ConfigurationError as error:
        message = str(error)
    assert "s3cret" not in message
    return message


def test_production_as_it_must_be(tmp_path):
    assert problems(tmp_path, MAIN) == ""


@pytest.mark.parametrize(
    ("change", "words", "allowed_by"),
    [
        (
            {"GENPULSE_DATABASE_URL": "postgresql://u@localhost/d?sslmode=require"},
            "localhost is this machine, and production uses a cluster database",
            "GENPULSE_DATABASE__ALLOW_LOOPBACK",
        ),
        (
            {"GENPULSE_DATABASE_URL": "postgresql://u@[::1]:5432/d?sslmode=require"},
            "[::1] is this machine",
            "GENPULSE_DATABASE__ALLOW_LOOPBACK",
        ),
        (
            {"GENPULSE_DATABASE_URL": "postgresql:///d?host=/run/postgresql&sslmode=require"},
            "/run/postgresql is this machine",
            "GENPULSE_DATABASE__ALLOW_LOOPBACK",
        ),
        (
            {"GENPULSE_DATABASE_URL": REMOTE},
            "production reaches its database with TLS",
            "GENPULSE_DATABASE__ALLOW_PLAINTEXT",
        ),
        (
            {"GENPULSE_DATABASE__LISTEN_URL": "postgresql://u@localhost/d?sslmode=require"},
            "localhost is this machine",
            "GENPULSE_DATABASE__ALLOW_LOOPBACK",
        ),
        (
            {"GENPULSE_DATABASE__LISTEN_URL": "postgresql://u@db3.example.com/d"},
            "production reaches its database with TLS",
            "GENPULSE_DATABASE__ALLOW_PLAINTEXT",
        ),
        (
            {"GENPULSE_REDIS__URL": "rediss://127.0.0.1:6380/0"},
            "127.0.0.1 is this machine, and production uses a Redis on the network (dedicated-cluster)",
            "GENPULSE_REDIS__ALLOW_LOOPBACK",
        ),
        (
            {"GENPULSE_REDIS__URL": "unix:///run/redis.sock"},
            "a socket is this machine",
            "GENPULSE_REDIS__ALLOW_LOOPBACK",
        ),
        (
            {"GENPULSE_REDIS__URL": "redis://redis.example.com/0"},
            "production reaches Redis with TLS",
            "GENPULSE_REDIS__ALLOW_PLAINTEXT",
        ),
        (
            {"GENPULSE_STORAGE__URL": "file:.genpulse/storage"},
            "file: is on one machine",
            "GENPULSE_STORAGE__ALLOW_LOCAL",
        ),
    ],
)
def test_production_refuses_unless_it_is_allowed(tmp_path, change, words, allowed_by):
    message = problems(tmp_path, MAIN | change)
    assert words in message
    assert f"({allowed_by}=true)" in message
    assert problems(tmp_path, MAIN | change | {allowed_by: "true"}) == ""


def test_testing_uses_a_shared_database_on_the_network(tmp_path):
    here = {"ENV": "test", "GENPULSE_DATABASE_URL": "postgresql://u@127.0.0.1/d", "GENPULSE_REDIS__URL": REDIS}
    assert "127.0.0.1 is this machine, and testing uses a shared database" in problems(tmp_path, here)
    assert problems(tmp_path, here | {"GENPULSE_DATABASE_URL": REMOTE}) == ""


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "[::1]", "postgres", "db_1"])
def test_development_may_use_this_machine_and_containers_beside_it(tmp_path, host):
    process = {"GENPULSE_DATABASE_URL": f"postgresql://u@{host}:5432/d", "GENPULSE_REDIS__URL": REDIS}
    assert problems(tmp_path, process) == ""


def test_development_keeps_off_other_machines(tmp_path):
    process = {"GENPULSE_DATABASE_URL": REMOTE, "GENPULSE_REDIS__URL": REDIS}
    message = problems(tmp_path, process)
    assert "db.example.com is not this machine" in message
    assert problems(tmp_path, process | {"GENPULSE_DATABASE__ALLOW_REMOTE": "true"}) == ""


@pytest.mark.parametrize(
    ("process", "words"),
    [
        (
            {"GENPULSE_PROVIDERS__ART__API_KEY": "sk_live_s3cret"},
            "a live key by its prefix, and this is development",
        ),
        (MAIN | {"GENPULSE_PROVIDERS__ART__API_KEY": "sk_test_s3cret"}, "a test key by its prefix"),
        (MAIN | {"GENPULSE_WEBHOOKS__SECRET": "gp_dev_s3cret"}, "webhooks.secret (GENPULSE_WEBHOOKS__SECRET)"),
    ],
)
def test_secrets_of_another_environment_are_refused(tmp_path, process, words):
    servers = {"GENPULSE_DATABASE_URL": "postgresql://u@localhost/d", "GENPULSE_REDIS__URL": REDIS}
    assert words in problems(tmp_path, servers | process)


def test_half_a_key_of_the_storage_is_none(tmp_path):
    message = problems(tmp_path, MAIN | {"GENPULSE_STORAGE__ACCESS_KEY_ID": "s3cret"})
    assert "storage.secret_access_key: it is empty while the other half" in message


def test_paid_providers_are_off_but_in_production(tmp_path):
    assert load(tmp_path, MAIN).providers.paid is True
    assert load(tmp_path, {}, require=()).providers.paid is False
    assert load(tmp_path, {"ENV": "test"}, require=()).providers.paid is False


@pytest.mark.parametrize(
    ("build", "words"),
    [
        (None, "this is no build at all"),
        (Build("1.0.0", "a" * 40, "b" * 40), "this is 1.0.0, no tag, commit aaaaaaaaaa."),
        (Build("1.0.0rc1", "a" * 40, "b" * 40, "v1.0.0-rc.1"), "this is v1.0.0-rc.1, commit aaaaaaaaaa."),
        (Build("1.0.0", "a" * 40, "b" * 40, "v1.0.0", dirty=True), "with changes besides"),
        (Build("1.0.0", "a" * 40, "b" * 40, "v1.0.0"), ""),
    ],
)
def test_production_starts_only_the_build_of_a_final_tag(tmp_path, build, words):
    settings = load(tmp_path, MAIN).model_copy(update={"release": Release()})
    found = "".join(map(str, faults(settings, (), build)))
    assert words in found
    assert bool(found) == bool(words)


def test_other_environments_start_anything(tmp_path):
    assert list(faults(load(tmp_path, {}, require=()), (), None)) == []


def test_production_without_a_stamp_is_refused_at_the_start(tmp_path):
    assert "this is no build at all" in problems(tmp_path, MAIN | {"GENPULSE_RELEASE__REQUIRE_TAG": "true"})


@pytest.mark.parametrize("url", ["s3cret", "http://s3cret@h", "redis+ring://s3cret@h"])
def test_redis_is_reached_by_its_own_protocol(tmp_path, url):
    message = problems(tmp_path, {"GENPULSE_DATABASE_URL": "postgresql://localhost/d", "GENPULSE_REDIS__URL": url})
    assert "redis.url (GENPULSE_REDIS__URL): it must begin with one of redis://" in message


def test_a_redis_here_goes_with_a_database_here_unless_it_is_said_apart(tmp_path):
    here = MAIN | {"GENPULSE_REDIS__URL": "rediss://localhost/0", "GENPULSE_DATABASE__ALLOW_LOOPBACK": "true"}
    assert problems(tmp_path, here) == ""
    assert "localhost is this machine" in problems(tmp_path, here | {"GENPULSE_REDIS__ALLOW_LOOPBACK": "false"})


def test_production_signs_its_webhooks(tmp_path):
    unsigned = {name: value for name, value in MAIN.items() if name != "GENPULSE_WEBHOOKS__SECRET"}
    assert "webhooks.secret: it is missing: set GENPULSE_WEBHOOKS__SECRET" in problems(tmp_path, unsigned)
    assert load(tmp_path, unsigned, require=()).webhooks.secret is None
    test = unsigned | {"ENV": "test"}
    assert problems(tmp_path, test) == ""


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (
            {"GENPULSE_WEBHOOKS__SECRET": "whsec_not!base64"},
            "webhooks.secret (GENPULSE_WEBHOOKS__SECRET): behind whsec_",
        ),
        (
            {"GENPULSE_WEBHOOKS__OLD_SECRETS": "plain whsec_!"},
            "webhooks.old_secrets (GENPULSE_WEBHOOKS__OLD_SECRETS): behind",
        ),
        (
            {"ENV": "test", "GENPULSE_WEBHOOKS__SECRET": "", "GENPULSE_WEBHOOKS__OLD_SECRETS": "x"},
            "webhooks.secret is empty beside it",
        ),
        ({"GENPULSE_DATABASE_URL": "null"}, "it must begin with postgresql://"),
        ({"GENPULSE_DATABASE_URL": "postgresql://u:s3cret@127.0.0.1:abc/d"}, "'abc' is no port"),
        ({"GENPULSE_REDIS__URL": "rediss://r:abc/0"}, "'abc' is no port"),
        (
            {"GENPULSE_REDIS__NAMESPACE": "a:b"},
            "expected letters, digits, '_', '.' and '-' (a colon follows by itself)",
        ),
        ({"GENPULSE_REDIS__KEY_PREFIX": "x:"}, "REDIS__KEY_PREFIX is not a setting: it follows from ENV"),
        ({"GENPULSE_LOG__LEVEL__X": "1"}, "GENPULSE_LOG__LEVEL__X is not a setting"),
    ],
)
def test_one_fault_is_one_message_that_says_what_is_expected(tmp_path, change, words):
    message = problems(tmp_path, MAIN | change)
    assert words in message
    assert "has 1 problem:" in message


def test_blanks_and_line_ends_around_a_secret_are_none_of_it(tmp_path):
    found = load(tmp_path, MAIN | {"GENPULSE_PROVIDERS__FAL__API_KEY": " abc\r\n"})
    assert found.providers.named["fal"].api_key.get_secret_value() == "abc"


@pytest.mark.parametrize(
    ("bare", "key"),
    [
        ({"DATABASE_URL": REMOTE}, "database_url"),
        ({"REDIS_URL": REDIS}, "redis.url"),
        ({"REDIS__URL": REDIS}, "redis.url"),
    ],
)
def test_a_variable_without_its_prefix_is_named_where_the_setting_is_missing(tmp_path, bare, key):
    name = f"GENPULSE_{key.upper().replace('.', '__')}"
    message = problems(tmp_path, {other: value for other, value in MAIN.items() if other != name} | bare)
    assert f"{key}: it is missing: set {name}" in message
    assert f"({next(iter(bare))} is set, and nobody reads it: the prefix is missing)" in message


@pytest.mark.parametrize(
    ("name", "value", "key"),
    [
        ("GENPULSE_STORAGE__ENDPOINT", "localhost:9000", "storage.endpoint"),
        ("GENPULSE_STORAGE__URL", "s3://", "storage.url"),
        ("GENPULSE_API__PUBLIC_URL", "api.example.com", "api.public_url"),
        ("GENPULSE_WEBHOOKS__PUBLIC_URL", "foo", "webhooks.public_url"),
        ("GENPULSE_CONSOLE__MAIN_URL", "console.example.com", "console.main_url"),
        ("GENPULSE_PROVIDERS__FAL__BASE_URL", "fal.run", "providers.fal.base_url"),
        ("GENPULSE_PROVIDERS__COMFYUI__BASE_URL", "http://a:8188, b:8188", "providers.comfyui.base_url"),
    ],
)
def test_every_other_address_is_checked_before_a_start(refused, name, value, key):
    assert f"{key} ({name}): " in refused({name: value})


def test_several_servers_of_a_provider_are_taken(loaded):
    loaded({"GENPULSE_PROVIDERS__COMFYUI__BASE_URL": "http://a:8188, http://b:8188"})


def test_a_rate_that_is_none_is_told_how_one_is_written(refused):
    assert "expected how many in a time, such as 5/s" in refused({"GENPULSE_PROVIDERS__ART__RATE": "0/s"})


@pytest.mark.parametrize("keys", ["short", "c2hvcnQ=", f"{'A' * 43}= x", "A" * 44])
def test_a_sealing_key_is_32_bytes(tmp_path, keys):
    said = problems(tmp_path, MAIN | {"GENPULSE_WEBHOOKS__SEALING_KEYS": keys})
    assert "webhooks.sealing_keys (GENPULSE_WEBHOOKS__SEALING_KEYS): each has to be 32 bytes in base64" in said
    assert problems(tmp_path, MAIN | {"GENPULSE_WEBHOOKS__SEALING_KEYS": f"{'A' * 43}= {'_' * 42}8="}) == ""


@pytest.mark.parametrize("around", [" {} ", "{}\n", "\t{}"])
def test_blanks_around_an_address_are_nobodys(tmp_path, around):
    loaded = load(
        tmp_path, {"ENV": "dev", "GENPULSE_STORAGE__ENDPOINT": around.format("HTTP://h:9000")}, require=()
    )
    assert loaded.storage.endpoint == "HTTP://h:9000"


@pytest.mark.parametrize("name", ["HTTPS_PROXY", "https_proxy", "ALL_PROXY"])
def test_a_proxy_that_cannot_be_used_is_told_by_its_variable(tmp_path, name):
    said = problems(tmp_path, {**MAIN, name: "socks5://u:s3cret@proxy.example.com:1080"})
    assert f"  - {name}: a proxy that speaks socks5 cannot be used; name one that speaks HTTP" in said
    assert problems(tmp_path, {**MAIN, name: "http://u:s3cret@proxy.example.com:3128"}) == ""


def test_proxies_are_those_of_the_process_alone(tmp_path):
    (tmp_path / ".env").write_text("ENV=dev\nHTTPS_PROXY=http://file.example:1\n")
    process = {"HTTP_PROXY": "http://process.example:1"}
    proxies = load(tmp_path, process, require=()).proxies
    assert proxies.https is None
    assert str(proxies.http) == "http://process.example:1 (HTTP_PROXY)"


@pytest.mark.parametrize(
    ("host", "url"),
    [
        ("127.0.0.1", "http://127.0.0.1:8000"),
        ("0.0.0.0", "http://127.0.0.1:8000"),
        ("::", "http://[::1]:8000"),
        ("[::]", "http://[::1]:8000"),
        ("2001:db8::1", "http://[2001:db8::1]:8000"),
        ("api.example.com", "http://api.example.com:8000"),
    ],
)
def test_the_address_of_the_api_can_be_asked_for(tmp_path, host, url):
    here = load(tmp_path, {"ENV": "dev", "GENPULSE_API__HOST": host}, require=())
    assert here.api_url == url
    check_worker(here)
    public = {"ENV": "dev", "GENPULSE_API__HOST": host, "GENPULSE_API__PUBLIC_URL": "https://a.example/x/"}
    assert load(tmp_path, public, require=()).api_url == "https://a.example/x"


@pytest.mark.parametrize("environment", ["test", "main"])
@pytest.mark.parametrize("host", ["0.0.0.0", "::"])
def test_no_worker_of_others_names_an_address_that_is_none(tmp_path, environment, host):
    settings = load(tmp_path, {**MAIN, "ENV": environment, "GENPULSE_API__HOST": host})
    with pytest.raises(ConfigurationError) as caught:
        check_worker(settings)
    assert (
        f"api.public_url: it is empty, and api.host ({host}) is no address: webhooks would name nothing that"
        " receivers can reach. Set GENPULSE_API__PUBLIC_URL to how clients reach the API"
    ) in str(caught.value)
    for more in ({"GENPULSE_API__PUBLIC_URL": "https://a.example"}, {"GENPULSE_API__HOST": "127.0.0.1"}):
        check_worker(load(tmp_path, {**MAIN, "ENV": environment, **more}))


@pytest.mark.parametrize(
    "name", ["GENPULSE_API_KEY", "GENPULSE_PROVIDERS__OPENAI__API_KEY", "GENPULSE_STORAGE__ACCESS_KEY_ID"]
)
@pytest.mark.parametrize(
    "key", ["s3cret\nother", "s3cret\r\nX-Other: 1", "s3\x01cret", "s3cret\u2026", "s3cret\x7f"]
)
def test_a_key_that_no_header_can_carry_is_refused_at_the_start(tmp_path, name, key):
    pair = {"GENPULSE_STORAGE__SECRET_ACCESS_KEY": "x"} if "STORAGE" in name else {}
    told = problems(tmp_path, MAIN | pair | {name: key})
    assert f"({name}): it holds a line end or another sign that no key has" in told
    assert problems(tmp_path, MAIN | pair | {name: "s3cret-key:with/signs+=\r\n"}) == ""


@pytest.mark.parametrize("secret", ["sk-s3cret0123456789", "postgresql://u:s3cret@h/d", "Bearer s3cret0123456789"])
def test_a_secret_under_a_wrong_name_is_not_repeated(tmp_path, secret):
    assert "api.port (GENPULSE_API__PORT): expected" in problems(tmp_path, MAIN | {"GENPULSE_API__PORT": secret})


@pytest.mark.parametrize(
    "origins",
    ["", "https://app.example.com", "https://a.example.com, http://localhost:3000,https://[2001:db8::1]:8443"],
)
def test_origins_of_web_pages_are_named(tmp_path, origins):
    assert problems(tmp_path, MAIN | {"GENPULSE_API__CORS_ORIGINS": origins}) == ""


@pytest.mark.parametrize(
    ("origins", "words"),
    [
        ("*", "the page of any site"),
        ("https://app.example.com, *", "the page of any site"),
        ("https://app.example.com/", "is no origin as a browser writes it"),
        ("app.example.com", "is no origin"),
        ("https://App.example.com", "in small letters"),
        ("null", "is no origin"),
        ("https://*.example.com", "is no origin"),
        ("file://x", "is no origin"),
    ],
)
def test_what_is_no_origin_is_refused(tmp_path, origins, words):
    told = problems(tmp_path, MAIN | {"GENPULSE_API__CORS_ORIGINS": origins})
    assert "api.cors_origins" in told
    assert words in told


@pytest.mark.parametrize(
    ("proxies", "words"),
    [
        ("10.0.0/8", "'10.0.0/8' is no address and no network"),
        ("127.0.0.1, proxy.internal", "'proxy.internal' is no address"),
        ("10.0.0.1/8", "has host bits set"),
        ("300.1.1.1", "'300.1.1.1' is no address"),
        ("10.0.0.0/8;10.1.0.0/16", "is no address"),
        ("*, 10.0.0.0/8", "* trusts all"),
    ],
)
def test_what_is_no_proxy_is_refused(tmp_path, proxies, words):
    told = problems(tmp_path, MAIN | {"GENPULSE_API__TRUSTED_PROXIES": proxies})
    assert "api.trusted_proxies" in told
    assert words in told


@pytest.mark.parametrize("proxies", ["*", "", "10.0.0.0/8, 192.0.2.7,", "fd00::/8", "::1"])
def test_addresses_and_networks_of_proxies_are_taken(tmp_path, proxies):
    assert problems(tmp_path, MAIN | {"GENPULSE_API__TRUSTED_PROXIES": proxies}) == ""


DEV = {
    "ENV": "dev",
    "GENPULSE_DATABASE_URL": "postgresql://u@localhost/d",
    "GENPULSE_REDIS__URL": "redis://localhost",
}


def test_development_lets_every_page_call_when_it_is_asked_for(tmp_path):
    assert load(tmp_path, DEV | {"GENPULSE_API__CORS_ORIGINS": "*"}).api.origins == ("*",)


def test_origins_may_be_a_list_in_a_file(tmp_path):
    (tmp_path / "config").mkdir()
    listed = "default:\n  api:\n    cors_origins: [https://a.example.com, 'http://b:1']\n"
    (tmp_path / "config" / "config.yaml").write_text(listed)
    assert load(tmp_path, DEV).api.origins == ("https://a.example.com", "http://b:1")


@pytest.mark.parametrize(
    ("variables", "is_served"),
    [
        ({}, True),
        ({"GENPULSE_CONSOLE__ENABLED": "false"}, False),
        (MAIN, False),
        ({**MAIN, "GENPULSE_CONSOLE__ENABLED": "true"}, True),
    ],
)
def test_the_console_is_served_in_development_and_where_it_is_asked_for(loaded, variables, is_served):
    settings = loaded(variables, dotenv=f"ENV={variables.get('ENV', 'dev')}\n")
    assert settings.serves_console is is_served


def test_consoles_are_known_by_their_environments(loaded):
    assert loaded().console.urls == {}
    urls = {"dev": "http://127.0.0.1:8000/console", "main": "https://a.example/console"}
    named = {f"GENPULSE_CONSOLE__{name.upper()}_URL": url for name, url in urls.items()}
    assert loaded({**named, "GENPULSE_CONSOLE__TEST_URL": " "}).console.urls == urls
