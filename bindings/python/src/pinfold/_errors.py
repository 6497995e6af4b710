"""The exceptions: one for each failure that a caller can act on."""

from __future__ import annotations

from typing import ClassVar, Dict, Type


class PinfoldError(Exception):
    """Why a call failed: the base of all errors of Pinfold.

    The message says what is wrong and what to do; it never holds text of the user.
    """

    code: ClassVar[str] = "error"
    """The error's name in all languages, e.g. ``context_full``."""

    @property
    def message(self) -> str:
        """What is wrong and, where there is something, what to do."""
        return str(self)


class Io(PinfoldError):
    """A file could not be read or written."""

    code = "io"


class BadCheckpoint(PinfoldError):
    """The checkpoint's bytes would not run safely: the preflight refused them."""

    code = "bad_checkpoint"


class UnknownCheckpoint(PinfoldError):
    """No embedded checkpoint has this name."""

    code = "unknown_checkpoint"


class LoadFailed(PinfoldError):
    """The checkpoint passed the preflight, but the engine could not load it."""

    code = "load_failed"


class OutOfMemory(PinfoldError):
    """The checkpoint does not fit into the memory that is free."""

    code = "out_of_memory"


class ContextFull(PinfoldError):
    """The context has no room for the tokens. Nothing was added."""

    code = "context_full"


class TooManySessions(PinfoldError):
    """All sessions of the model are in use."""

    code = "too_many_sessions"


class SessionBusy(PinfoldError):
    """The session is generating; its stream must end or be closed first."""

    code = "session_busy"


class SessionEmpty(PinfoldError):
    """There is nothing to continue: the session holds no token."""

    code = "session_empty"


class Cancelled(PinfoldError):
    """The work was cancelled by its `Cancel`."""

    code = "cancelled"


class InvalidOption(PinfoldError, ValueError):
    """An option or an argument is out of its range."""

    code = "invalid_option"


class UnknownToken(PinfoldError, ValueError):
    """A token id is not in the vocabulary."""

    code = "unknown_token"


class NoCandidate(PinfoldError):
    """The sampler cannot choose: no candidate is left, or the logits are not numbers."""

    code = "no_candidate"


class BadSession(PinfoldError):
    """A saved session cannot be restored here."""

    code = "bad_session"


class ChatTemplate(PinfoldError):
    """The checkpoint has no chat template, or it failed."""

    code = "chat_template"


class Unsupported(PinfoldError):
    """This build, machine or checkpoint cannot do it."""

    code = "unsupported"


class Engine(PinfoldError):
    """The engine failed in a way that should not happen after the checks."""

    code = "engine"


class InvalidText(PinfoldError, ValueError):
    """A text is not Unicode: a `str` with lone surrogates."""

    code = "invalid_text"


class Callback(PinfoldError):
    """A function that the app gave failed; the exception that it raised is the ``__cause__``."""

    code = "callback"


class BadLock(PinfoldError):
    """A lock file cannot be read as one; the message begins with its path, line and column. Nothing of it is used."""

    code = "bad_lock"


class NotPinned(PinfoldError):
    """The lock file pins nothing of this name."""

    code = "not_pinned"


class NotPulled(PinfoldError):
    """The bytes of a pin are not on this machine."""

    code = "not_pulled"


class WrongDigest(PinfoldError):
    """The bytes are not those that were pinned. They are not used."""

    code = "wrong_digest"


class BadStore(PinfoldError):
    """The store is not one that this version can use."""

    code = "bad_store"


class NoSpace(PinfoldError):
    """There is no room for a download: on the disk, or below the quota of the store."""

    code = "no_space"


class BadSource(PinfoldError):
    """A text does not name a source of bytes."""

    code = "bad_source"


class PullFailed(PinfoldError):
    """No source gave the bytes. What arrived is kept for the next attempt."""

    code = "pull_failed"


class BadSignature(PinfoldError):
    """A signature is missing, damaged, or not of this key and these bytes."""

    code = "bad_signature"


BY_NAME: Dict[str, Type[PinfoldError]] = {error.__name__: error for error in PinfoldError.__subclasses__()}
