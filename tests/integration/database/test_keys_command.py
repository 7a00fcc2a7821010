"""`genpulse keys` on a database: what it shows once, and what it keeps."""

import json
from base64 import b64encode

import pytest
from click.testing import CliRunner

from genpulse.cli.keys.command import command
from genpulse.domain.errors import NoWebhookSecret, SealingKeyMissing, UnknownKey

SEALING = b64encode(b"s" * 32).decode()


@pytest.fixture
def keys(own_database_url, tmp_path, monkeypatch):
    """`genpulse keys …` in development."""
    monkeypatch.chdir(tmp_path)

    def keys(*arguments, **variables):
        environment = {"ENV": "dev", "GENPULSE_DATABASE_URL": own_database_url, **variables}
        return CliRunner().invoke(command, arguments, env=environment)

    return keys


def test_a_secret_of_its_own_is_shown_once(keys):
    made = keys("create", "--name", "shop", "--webhook-secret", GENPULSE_WEBHOOKS__SEALING_KEYS=SEALING)
    assert made.exit_code == 0, made.output
    token, secret = made.stdout.split()
    assert token.startswith("gp_dev_")
    assert secret.startswith("whsec_")
    assert "Nor is the webhook secret in the second line shown again." in made.stderr
    listed = keys("list", "--json")
    assert secret not in listed.output
    (key,) = json.loads(listed.stdout)
    assert key["webhook_secret_at"] is not None
    assert keys("list", COLUMNS="200").stdout.splitlines()[-1].split()[-4:] == ["its", "own", "never", "active"]


def test_without_a_sealing_key_nothing_is_created(keys):
    made = keys("create", "--name", "shop", "--webhook-secret")
    assert isinstance(made.exception, SealingKeyMissing)
    assert "Set GENPULSE_WEBHOOKS__SEALING_KEYS here and for every worker" in str(made.exception)
    assert json.loads(keys("list", "--json").stdout) == []


def test_it_is_rotated_resealed_and_removed(keys):
    sealing = {"GENPULSE_WEBHOOKS__SEALING_KEYS": SEALING}
    key = json.loads(keys("create", "--name", "shop", "--json").stdout)
    assert key["webhook_secret_at"] is None
    assert "webhook_secret" not in key
    first = keys("webhook-secret", "rotate", key["id"], **sealing)
    assert first.stdout.startswith("whsec_")
    assert "It signs for 'shop' within 10 seconds." in first.stderr
    assert "signs beside it until" in first.stderr
    second = keys("webhook-secret", "rotate", key["id"], "--overlap", "0", "--json", **sealing)
    assert json.loads(second.stdout)["webhook_secret"] != first.stdout.strip()
    assert "What has signed until now signs no more." in second.stderr
    newer = f"{b64encode(b'n' * 32).decode()} {SEALING}"
    resealed = keys("webhook-secret", "reseal", GENPULSE_WEBHOOKS__SEALING_KEYS=newer)
    assert "webhook secrets are sealed with the first of webhooks.sealing_keys." in resealed.stdout
    removed = keys("webhook-secret", "remove", key["id"], "--overlap", "7d")
    assert (
        f"webhooks.secret signs for the key 'shop' ({key['id']}) again. Its own signs beside it until"
        in removed.stdout
    )
    again = keys("webhook-secret", "remove", key["id"])
    assert isinstance(again.exception, NoWebhookSecret)


@pytest.mark.parametrize("overlap", ["soon", "-1", "1s"])
def test_an_overlap_is_a_time(keys, overlap):
    told = keys("webhook-secret", "rotate", "0198", f"--overlap={overlap}")
    assert told.exit_code == 2
    assert "is not a time such as 12h, 90d or 52w" in told.output


@pytest.mark.parametrize("option", ["--max-active-tasks", "--daily-tasks"])
def test_the_highest_limit_is_kept_and_a_higher_one_is_refused(keys, option):
    assert keys("create", "--name", "shop", option, str(2**31)).exit_code == 2
    made = keys("create", "--name", "shop", option, str(2**31 - 1), "--json")
    assert 2**31 - 1 in json.loads(made.stdout)["limits"].values()


@pytest.mark.parametrize("name", ["", "  "])
def test_a_key_has_a_name(keys, name):
    made = keys("create", "--name", name)
    assert made.exit_code == 2
    assert "say who or what uses the key" in made.stderr


def test_a_key_may_weigh_more_and_keeps_its_weight(keys):
    key = json.loads(keys("create", "--name", "shop", "--weight", "3", "--json").stdout)
    assert key["limits"]["weight"] == 3
    assert "weight 3" in keys("update", key["id"], "--daily-tasks", "9").stdout
    changed = json.loads(keys("update", key["id"], "--weight", "1", "--json").stdout)
    assert (changed["limits"]["weight"], changed["limits"]["daily_tasks"]) == (1, 9)


@pytest.mark.parametrize("weight", ["0", "101", "-1", "1.5", "none"])
def test_a_weight_is_1_to_100(keys, weight):
    refused = keys("create", "--name", "shop", "--weight", weight)
    assert refused.exit_code == 2
    assert "--weight" in refused.output


@pytest.mark.parametrize(("span", "retain_s"), [("7d", 604800), ("0", 0), ("12h", 43200)])
def test_a_key_may_have_a_retention_of_its_own(keys, span, retain_s):
    key = json.loads(keys("create", "--name", "shop", "--retain", span, "--json").stdout)
    assert key["limits"]["retain_s"] == retain_s
    (listed,) = json.loads(keys("list", "--json").stdout)
    assert listed["limits"]["retain_s"] == retain_s


@pytest.mark.parametrize("span", ["-1d", "7", "7m", "3651d", "99999w"])
def test_a_retention_that_cannot_be_meant_is_misuse(keys, span):
    refused = keys("create", "--name", "shop", "--retain", span)
    assert refused.exit_code == 2
    assert "--retain" in refused.output
    assert json.loads(keys("list", "--json").stdout) == []


def test_what_is_asked_for_is_changed_and_the_rest_stays(keys):
    limits = ("--daily-usd", "5", "--rate", "50/s", "--max-priority", "low", "--retain", "7d")
    key = json.loads(keys("create", "--name", "shop", *limits, "--expires-in", "1h", "--json").stdout)
    changed = json.loads(
        keys(
            "update", key["id"][:30], "--daily-usd", "7.50", "--rate", "none", "--daily-tasks", "9", "--json"
        ).stdout
    )
    assert changed["limits"] == key["limits"] | {"daily_usd": "7.50", "rate": None, "daily_tasks": 9}
    assert (changed["name"], changed["expires_at"]) == ("shop", key["expires_at"])
    lifted = [word for option in ("expires-in", "max-priority", "retain") for word in (f"--{option}", "none")]
    told = keys("update", key["id"], "--name", " store ", *lifted)
    assert told.stdout == f"The key 'store' ({key['id']}) is changed. Its limits: 9 a day, 7.50 USD a day.\n"
    (listed,) = json.loads(keys("list", "--json").stdout)
    assert listed["expires_at"] is None
    assert (
        keys("update", key["id"], "--retain", "0", "--expires-in", "2h", "--max-priority", "high").exit_code == 0
    )
    (listed,) = json.loads(keys("list", "--json").stdout)
    assert (listed["limits"]["retain_s"], listed["limits"]["max_priority"]) == (0, "high")


@pytest.mark.parametrize(
    ("arguments", "word"),
    [
        ((), "Nothing is to be changed"),
        (("--rate", "often"), "5/s"),
        (("--name", " "), "it is empty"),
        (("--daily-tasks", "0"), "0 is not in the range"),
        (("--max-priority", "urgent"), "low"),
        (("--retain", "9999w"), "3650d"),
    ],
)
def test_a_change_that_makes_no_sense_is_misuse(keys, arguments, word):
    key = json.loads(keys("create", "--name", "shop", "--json").stdout)
    told = keys("update", key["id"], *arguments)
    assert told.exit_code == 2
    assert word in told.output


def test_a_key_that_is_not_there_is_not_changed(keys):
    assert isinstance(keys("update", "ffff", "--name", "x").exception, UnknownKey)


CUSTOMERS = (
    *("--limit-by", "metadata.customer", "--customer-daily-usd", "1", "--customer-monthly-usd", "15.50"),
    *("--customer-daily-tasks", "20", "--customer-max-active-tasks", "2"),
)
OF_CUSTOMERS = {
    "limit_by": "metadata.customer",
    "customer_daily_usd": "1",
    "customer_monthly_usd": "15.50",
    "customer_daily_tasks": 20,
    "customer_max_active_tasks": 2,
}
NONE = dict.fromkeys(OF_CUSTOMERS)


def test_months_and_end_customers_are_limited_and_lifted(keys):
    made = json.loads(keys("create", "--name", "shop", "--monthly-usd", "400", *CUSTOMERS, "--json").stdout)
    assert made["limits"].items() >= ({"monthly_usd": "400"} | OF_CUSTOMERS).items()
    changed = keys("update", made["id"], "--customer-daily-usd", "none", "--monthly-usd", "300", "--json")
    expected = {"monthly_usd": "300"} | OF_CUSTOMERS | {"customer_daily_usd": None}
    assert json.loads(changed.stdout)["limits"].items() >= expected.items()
    said = keys("update", made["id"], "--customer-daily-usd", "2").stdout
    each = "each metadata.customer: 2 active, 20 a day, 2 USD a day, 15.50 USD a month"
    assert said.endswith(f"Its limits: 300 USD a month, {each}.\n")
    (listed,) = json.loads(keys("list", "--json").stdout)
    assert listed["usage"] == {"active_tasks": 0, "today_tasks": 0, "today_usd": "0", "month_usd": "0"}
    assert "0 active, 0 today, 0 USD today, 0 this month" in keys("list", COLUMNS="400").stdout
    lifted = json.loads(keys("update", made["id"], "--limit-by", "none", "--json").stdout)
    assert lifted["limits"].items() >= ({"monthly_usd": "300"} | NONE).items()


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--customer-daily-usd", "1"), "need --limit-by"),
        (("--limit-by", "customer"), "is not a field such as metadata.customer"),
        (("--limit-by", "metadata."), "is not a field such as metadata.customer"),
        (("--limit-by", f"metadata.{'x' * 65}"), "is not a field such as metadata.customer"),
        (("--limit-by", "metadata.customer", "--customer-daily-usd", "NaN"), "is not an amount"),
        (("--limit-by", "metadata.customer", "--customer-daily-tasks", "0"), "not in the range"),
        (("--monthly-usd", "1e400"), "is not an amount such as 25 or 0.50, less than a billion"),
        (("--monthly-usd", "1000000000"), "is not an amount"),
        (("--daily-usd", "0.0000001"), "is not an amount"),
        (("--daily-usd", "-1"), "is not an amount"),
    ],
)
def test_limits_that_make_no_sense_are_refused(keys, options, said):
    made = keys("create", "--name", "shop", *options)
    assert made.exit_code == 2
    assert said in " ".join(made.stderr.split())


def test_message_keys_are_listed_and_rotated(keys):
    first = keys("message-key", "list").stdout.split()
    assert len(first) == 2
    rotated = keys("message-key", "rotate")
    assert rotated.exit_code == 0, rotated.output
    assert "is published and signs from" in rotated.stdout
    lines = [line.split() for line in keys("message-key", "list").stdout.splitlines()]
    assert lines[0] == first
    assert lines[1][0] in rotated.stdout
    document = json.loads(keys("message-key", "list", "--json").stdout)
    assert [(key["kid"], key["x"]) for key in document["keys"]] == [tuple(line) for line in lines]
    assert all(set(key) == {"kty", "crv", "x", "kid", "use", "alg"} for key in document["keys"])


def test_message_keys_are_forgotten_by_who_means_it(keys):
    first = keys("message-key", "list").stdout
    assert keys("message-key", "forget").exit_code == 1
    assert keys("message-key", "list").stdout == first
    forgotten = keys("message-key", "forget", "--yes")
    assert "1 keys are forgotten." in forgotten.stdout
    (line,) = keys("message-key", "list").stdout.splitlines()
    assert line.split()[0] in forgotten.stdout
    assert line not in first
