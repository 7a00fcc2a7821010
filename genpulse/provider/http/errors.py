"""No answer, or none that can be used."""


class AnswerLost(OSError):
    """The request may have been taken: no answer came, or none that can be read.

    An `OSError`, so that a submit counts as unknown and a poll is made again.
    """


class AnswerUnusable(AnswerLost):
    """An answer came and cannot be read: no JSON, cut off, wrongly packed."""


class AnswerTooLarge(AnswerUnusable):
    """An answer came that is larger than it may be: asking again would bring the same."""
