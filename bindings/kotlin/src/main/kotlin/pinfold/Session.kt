package pinfold

import java.util.concurrent.atomic.AtomicReference

/**
 * A sequence of tokens: what was read and what was generated.
 *
 * May be used from any thread; calls are done one after another and block until they are done. While a stream of the
 * session is open, every call but [tokens] throws [PinfoldException.SessionBusy]. It keeps its model alive. A closed
 * session throws [IllegalStateException].
 */
public class Session internal constructor(private val native: NativeSession) : AutoCloseable {
    /** The stream of a sequence that was not read to its end, if there is one. */
    private val left = AtomicReference<Stream?>()

    /**
     * Adds text and returns the number of tokens held. Nothing is computed yet. At the start of a session the
     * checkpoint's begin-of-sequence token is put in front, where it wants one. With [parseSpecial], special tokens
     * that are spelled out are read as tokens: only for text that the author of a prompt or a chat template wrote,
     * never for a user's.
     *
     * @throws PinfoldException.ContextFull if it does not fit; nothing is added then.
     * @throws PinfoldException.InvalidText if it holds a lone surrogate; nothing is added then.
     */
    public fun append(text: String, parseSpecial: Boolean = false): UInt = open().append(unicode(text), parseSpecial)

    /**
     * Adds tokens as they are and returns the number of tokens held.
     *
     * @throws PinfoldException `UnknownToken` or `ContextFull`; nothing is added then.
     */
    public fun append(tokens: List<Token>): UInt = open().appendTokens(tokens)

    /**
     * Computes what was added, so that the first token of the next generation comes at once.
     *
     * @throws PinfoldException.Cancelled what was computed by then stays.
     */
    public fun prefill(cancel: Cancel? = null): Unit = open().prefill(cancel?.native)

    /**
     * Starts a generation after the tokens held. The stream computes what was added first. Close it, e.g. with `use`,
     * to use the session again.
     *
     * @throws PinfoldException `InvalidOption`, `InvalidText` (a stop text) or `SessionEmpty`; later errors come from
     *   the stream.
     */
    public fun generate(options: GenerateOptions = GenerateOptions(), cancel: Cancel? = null): Stream {
        options.stop.forEach(::unicode)
        return Stream(open().generate(options, cancel?.native))
    }

    /**
     * A generation as a sequence, for blocking code; each iteration is one. [finished] hears how it ended, on the
     * thread that reads. A sequence that is left early, e.g. by `take`, ends with the next call of the session, which
     * then holds the pieces that were read and no more; to end it at once, close the session or use [generate].
     *
     * @throws PinfoldException while it is iterated, those of [generate] and [Stream.next].
     */
    public fun sequence(
        options: GenerateOptions = GenerateOptions(),
        cancel: Cancel? = null,
        finished: (Finish) -> Unit = {},
    ): Sequence<Chunk> = Sequence {
        val stream = generate(options, cancel)
        left.set(stream)
        iterator {
            try {
                yieldAll(stream)
                stream.finish?.let(finished)
            } finally {
                left.compareAndSet(stream, null)
                stream.close()
            }
        }
    }

    /**
     * The [count] likeliest next tokens, the likeliest first.
     *
     * @throws PinfoldException `SessionEmpty` or `Cancelled`.
     */
    public fun nextTokens(count: UInt, cancel: Cancel? = null): List<TokenLogprob> =
        open().nextTokens(count, cancel?.native)

    /** The tokens held. */
    public fun tokens(): List<Token> = open().tokens()

    /**
     * Forgets all tokens after the first [length].
     *
     * @throws PinfoldException.InvalidOption if fewer are held.
     */
    public fun rewind(length: UInt): Unit = open().rewind(length)

    /**
     * Another session that holds the same tokens; what is computed is not computed again.
     *
     * @throws PinfoldException `TooManySessions`, or `ContextFull`, since a fork counts in full.
     */
    public fun fork(): Session = Session(open().fork())

    /**
     * Writes the session to a file: beside it first, then renamed. The file is bound to the bytes of the checkpoint.
     * It holds the tokens, so treat it as the text that it stands for.
     *
     * @throws PinfoldException `Io` or `InvalidText`.
     */
    public fun save(path: String): Unit = open().save(unicode(path))

    /**
     * Puts a saved session in the place of what is held.
     *
     * @throws PinfoldException `BadSession` for a damaged file, another format or another checkpoint, `Io` or
     *   `InvalidText`; the session keeps what it held.
     */
    public fun restore(path: String): Unit = open().restore(unicode(path))

    /** Frees the session for another one. A stream that is open ends. Closing it again does nothing. */
    override fun close() {
        left.getAndSet(null)?.close()
        native.close()
    }

    private fun open(): NativeSession {
        check(!native.uniffiIsDestroyed) { "the session is closed" }
        left.getAndSet(null)?.close()
        return native
    }
}
