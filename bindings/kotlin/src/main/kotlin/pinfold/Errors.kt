package pinfold

/** The name of the error that is the same in all languages, e.g. `context_full`. */
public val PinfoldException.code: String
    get() = when (this) {
        is PinfoldException.Io -> "io"
        is PinfoldException.BadCheckpoint -> "bad_checkpoint"
        is PinfoldException.UnknownCheckpoint -> "unknown_checkpoint"
        is PinfoldException.LoadFailed -> "load_failed"
        is PinfoldException.OutOfMemory -> "out_of_memory"
        is PinfoldException.ContextFull -> "context_full"
        is PinfoldException.TooManySessions -> "too_many_sessions"
        is PinfoldException.SessionBusy -> "session_busy"
        is PinfoldException.SessionEmpty -> "session_empty"
        is PinfoldException.Cancelled -> "cancelled"
        is PinfoldException.InvalidOption -> "invalid_option"
        is PinfoldException.UnknownToken -> "unknown_token"
        is PinfoldException.NoCandidate -> "no_candidate"
        is PinfoldException.BadSession -> "bad_session"
        is PinfoldException.ChatTemplate -> "chat_template"
        is PinfoldException.Unsupported -> "unsupported"
        is PinfoldException.Engine -> "engine"
        is PinfoldException.InvalidText -> "invalid_text"
        is PinfoldException.Callback -> "callback"
        is PinfoldException.BadLock -> "bad_lock"
        is PinfoldException.NotPinned -> "not_pinned"
        is PinfoldException.NotPulled -> "not_pulled"
        is PinfoldException.WrongDigest -> "wrong_digest"
        is PinfoldException.BadStore -> "bad_store"
        is PinfoldException.NoSpace -> "no_space"
        is PinfoldException.BadSource -> "bad_source"
        is PinfoldException.PullFailed -> "pull_failed"
        is PinfoldException.BadSignature -> "bad_signature"
    }

/**
 * [text] if it is Unicode. Every text is checked before a call: the generated code finds a lone surrogate too, but with
 * an exception of another kind, and only once it has taken a reference of the object, which it then never gives back.
 */
internal fun unicode(text: String): String {
    var index = 0
    while (index < text.length) {
        val pair = index + 1 < text.length && Character.isSurrogatePair(text[index], text[index + 1])
        if (text[index].isSurrogate() && !pair) {
            val what = "the text is not Unicode: a lone surrogate at index $index"
            throw PinfoldException.InvalidText("$what; cut texts between characters")
        }
        index += if (pair) 2 else 1
    }
    return text
}
