"""Words by which vendors refuse: credit, key, moderation, model.

Statuses are shared by causes that need different people: 403 is a key that is wrong, an account whose credit is
used up, a model that wants a verified organisation, and a page that guards against robots.
"""

import re


def _any(*patterns: str) -> re.Pattern[str]:
    return re.compile("|".join(patterns), re.IGNORECASE | re.DOTALL)


_NO_CREDIT = _any(
    r"exhausted balance|user is locked|out of credits?|no (more |remaining )?credits?\b|top up|past due|overdue",
    r"arrear|insufficient[ _-]?(credit|fund|balance|quota)|not enough (credit|balance|fund)",
    r"(credit|balance|fund)s? (is|are|has been|have been)? ?(too low|exhausted|depleted|used up|insufficient)",
    r"exceeded your current quota|billing[ _-](hard[ _-]limit|not[ _-]active|limit|is not active)",
    r"payment (is )?required|spend(ing)? limit",
)
_KEY = _any(
    r"\b(api|access|secret|auth\w*)[ _-]?(key|token)|\bkey\b|\btoken\b|credential|authentication|log(ged)? in",
    r"unauthori[sz]ed|(un|not )authenticated",
)
_ONE_THING = _any(r"\b(model|deployment|engine|endpoint)s?\b", "verif")
_MODERATED = _any(
    r"nsfw|moderat(ed|ion)[ _-]?(blocked|system|filter|polic|detected)|\b(was|were|been|is) moderated|flagged",
    r"safety[ _-](system|filter|guideline|polic|setting|reason|violation)|rejected by .{0,40}(safety|moderation)",
    r"content[ _-]?(policy|filter|moderation)|polic(y|ies)[ _-]violation|violates .{0,60}polic(y|ies)",
    r"(prohibited|sensitive|unsafe|inappropriate|explicit)[ _-](content|image|word|text|material|prompt)",
)
_NAME = r"(['\"`][^'\"`]{1,120}['\"`]|[\w./:@-]{1,120})"
_NO_MODEL = _any(
    r"model[ _-]?not[ _-]?found|(no such|unknown|unsupported|invalid|unrecogni[sz]ed) (model|deployment|engine)\b",
    rf"\b(model|deployment|engine)s?:? (name |id )?({_NAME} )?(does not|doesn't|do not) exist",
    rf"\b(model|deployment|engine)s?:? (name |id )?({_NAME} )?(was )?not found",
    rf"\b(model|deployment|engine)s?:? (name |id )?({_NAME} )?is not (available|supported|served|loaded|known)",
    r"deployment for this resource does not exist|(have|has) access to (the |this )?model|unable to access model",
)


def says_no_credit(words: str) -> bool:
    """Whether the account has nothing left to spend."""
    return _NO_CREDIT.search(words) is not None


def names_key(words: str) -> bool:
    """Whether it is about who asks (the key, the token, the login), and not about one model closed to them."""
    return _KEY.search(words) is not None and _ONE_THING.search(words) is None


def says_moderated(words: str) -> bool:
    """Whether it is about what the input or the output shows."""
    return _MODERATED.search(words) is not None


def says_no_model(words: str) -> bool:
    """Whether the vendor does not know the model, or does not serve it."""
    return _NO_MODEL.search(words) is not None
