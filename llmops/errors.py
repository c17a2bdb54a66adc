"""The kinds of error: the user's to fix, the user's own stop, the world's, and ours, which crash."""


class UserError(Exception):
    """Something that the user can mend: printed as one line, without a traceback, exit 2.

    The message reads ``where: what is wrong; what would be right``.
    """


class Stopped(Exception):
    """The user ended a run early: printed as one line that says how to go on, exit 130."""


class WorldError(Exception):
    """Something outside went wrong: a server, a network, a disk.

    Args:
        kind: a word to count by, e.g. ``timeout``.
        transient: whether asking again may help.
        retry_after_s: how long the server asked us to wait, in seconds.
        sent: False for a request that never left, so that there is nothing to book.

    Attributes:
        billed: whether it has to be paid for all the same, where that is told; None where only the kind
            tells it.
    """

    billed: bool | None = None

    def __init__(
        self,
        kind: str,
        message: str,
        *,
        transient: bool,
        retry_after_s: float | None = None,
        sent: bool = True,
    ) -> None:
        super().__init__(message)
        self.kind = kind
        self.transient = transient
        self.retry_after_s = retry_after_s
        self.sent = sent
