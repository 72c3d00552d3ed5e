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


class SignerUnavailable(LogError):
    """The signing key cannot be reached or used; nothing was signed."""


class StateRefused(LogError):
    """The file that remembers what was signed is missing, damaged, another's, or in use."""


class PolicyRefused(LogError):
    """A policy of witnesses that cannot be used; the message names the line."""
