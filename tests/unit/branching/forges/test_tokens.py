import pytest

from genpulse.branching.forges.tokens import github_token, without_tokens


@pytest.mark.parametrize(
    ("host", "environment", "token"),
    [
        ("github.com", {}, ""),
        ("github.com", {"GITHUB_TOKEN": "a", "GH_TOKEN": "b"}, "a"),
        ("github.com", {"GITHUB_TOKEN": " ", "GH_TOKEN": "b\n"}, "b"),
        ("github.com", {"GH_ENTERPRISE_TOKEN": "e"}, ""),
        ("github.example.com", {"GITHUB_TOKEN": "a", "GH_ENTERPRISE_TOKEN": "e"}, "e"),
        ("github.example.com", {"GITHUB_TOKEN": "a"}, "a"),
    ],
)
def test_which_token_belongs_to_a_host(host, environment, token):
    assert github_token(host, environment) == token


def test_neither_tokens_nor_passwords_are_left_in_a_message():
    environment = {"GITHUB_TOKEN": "s3cret\n", "GITLAB_TOKEN": "glpat-1", "GH_TOKEN": ""}
    text = "https://me:pa55@host/o/r said no to s3cret and glpat-1, and to me@host"
    assert without_tokens(text, environment) == "https://host/o/r said no to *** and ***, and to me@host"
