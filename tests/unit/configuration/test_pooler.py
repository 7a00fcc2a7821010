"""What is set of a pooler that cannot be meant."""

import pytest

from genpulse.config import ConfigurationError, load

POOLED, DIRECT = "postgresql://u:s3cret@127.0.0.1:6432/d", "postgresql://u:s3cret@127.0.0.1:5432/d"


def refusal(folder, **settings):
    variables = {f"GENPULSE_DATABASE__{name.upper()}": value for name, value in settings.items()}
    message = ""
    try:
        load(folder, {"ENV": "dev", "GENPULSE_DATABASE_URL": POOLED, **variables}, require=())
    except ConfigurationError as error:
        message = str(error)
    assert "s3cret" not in message
    return message


@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"pooler": "session"},
        {"pooler": "session", "listen_url": DIRECT},
        {"pooler": "transaction"},
        {"pooler": "transaction", "listen_url": DIRECT, "prepared_statements": "true"},
        {"listen_url": DIRECT},
        {"listen_url": POOLED},
    ],
)
def test_what_goes_together(tmp_path, settings):
    assert refusal(tmp_path, **settings) == ""


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"pooler": "statement"}, "transaction"),
        ({"pooler": "transaction", "listen_url": POOLED}, "so it leads to the pooler, too"),
        ({"pooler": "session", "listen_url": POOLED}, "so it leads to the pooler, too"),
        ({"pooler": "transaction", "listen_url": f"{POOLED}?sslmode=disable"}, "so it leads to the pooler, too"),
        ({"listen_url": "mysql://u@h/d"}, "(GENPULSE_DATABASE__LISTEN_URL): it must begin with postgresql://"),
        ({"listen_url": f"{DIRECT}?pgbouncer=true"}, "set database.pooler"),
        ({"prepared_statements": "true"}, "goes with database.pooler: transaction alone"),
        ({"pooler": "session", "prepared_statements": "true"}, "and that is session"),
    ],
)
def test_what_does_not(tmp_path, settings, words):
    assert words in refusal(tmp_path, **settings)
