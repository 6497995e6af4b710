package pinfold

/**
 * A generation under way: a [Sequence] that can be read once and must be closed.
 *
 *     session.generate().use { stream -> for (chunk in stream) print(chunk.text) }
 *
 * The library runs ahead by at most 64 pieces. Once the stream was cancelled or closed, its session holds the tokens
 * that the stream gave out and no more, and can be used again at once. May be used from any thread; one reads at a
 * time. A closed stream throws [IllegalStateException].
 */
public class Stream internal constructor(private val native: NativeStream) : AutoCloseable, Sequence<Chunk> {
    /** How it ended; null while it goes on and after an error. Never waits. */
    public val finish: Finish? get() = open().finish()

    /**
     * Waits for the next piece; null at the end. Pieces that are ready come joined, at most 64, so that a reader that
     * is slower than the engine makes fewer calls.
     *
     * @throws PinfoldException what ended the generation, e.g. `ContextFull`, once the text before it was given out.
     */
    public fun next(): Chunk? = open().next()

    /** The pieces that are still to come. */
    override fun iterator(): Iterator<Chunk> = generateSequence { next() }.iterator()

    /**
     * Ends the generation, from any thread: [next] gives nothing more, and [finish] says `CANCELLED`. After the end it
     * does nothing.
     */
    public fun cancel() {
        try {
            native.cancel()
        } catch (_: IllegalStateException) {
            // Closed, thus ended; another thread may close it at any time.
        }
    }

    /** Ends the generation and frees its session, also while another thread waits in [next]. */
    override fun close() {
        cancel()
        native.close()
    }

    private fun open(): NativeStream {
        check(!native.uniffiIsDestroyed) { "the stream is closed" }
        return native
    }
}
