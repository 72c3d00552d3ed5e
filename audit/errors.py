"""What can go wrong in the log, in the log's own words; no message repeats an entry's content."""


class LogError(Exception):
    """Anything the log refuses or cannot do."""


class Malformed(LogError):
    """Bytes or text that do not have the form they claim."""


class NotVerified(LogError):
    """A signature, proof or commitment that does not hold."""


class Unreadable(LogError):
    """A body that this key does not open: another key, or a body that was changed."""


class TreeMismatch(LogError):
    """The log is not an extension of what was signed before; nothing was signed."""


class UnknownLog(LogError):
    """No log of that origin has been opened."""


class LogUnavailable(LogError):
    """The log did not confirm that the entries are durable; treat them as not written."""


class GuardChanged(LogError):
    """What the submission relied on changed before it was written; nothing of it was written."""
