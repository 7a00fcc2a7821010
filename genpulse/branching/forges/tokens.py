"""Secrets that forges are asked with: which one belongs to a host, and how they stay out of messages."""

import re
from collections.abc import Mapping

PUBLIC = "github.com"
_ANYWHERE = ("GITHUB_TOKEN", "GH_TOKEN")
_ENTERPRISE = ("GH_ENTERPRISE_TOKEN", "GITHUB_ENTERPRISE_TOKEN")
_GITLAB = ("GITLAB_TOKEN", "GITLAB_ACCESS_TOKEN", "CI_JOB_TOKEN")
_USERINFO = re.compile(r"(?<=://)[^/@\s]+@")


def github_token(host: str, environment: Mapping[str, str]) -> str:
    """The token for a host of GitHub; empty when there is none. A company's own host has variables of its own."""
    names = _ANYWHERE if host == PUBLIC else (*_ENTERPRISE, *_ANYWHERE)
    return next((token for name in names if (token := environment.get(name, "").strip())), "")


def gitlab_token(environment: Mapping[str, str]) -> str:
    """The token for GitLab's API; empty when there is none. A job's own token cannot read statuses."""
    return next((token for name in _GITLAB[:-1] if (token := environment.get(name, "").strip())), "")


def without_tokens(text: str, environment: Mapping[str, str]) -> str:
    """The text without any token of the environment, and without the user and password of an address."""
    for name in (*_ANYWHERE, *_ENTERPRISE, *_GITLAB):
        if token := environment.get(name, "").strip():
            text = text.replace(token, "***")
    return _USERINFO.sub("", text)
