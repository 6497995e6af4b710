package pinfold

import java.nio.ByteBuffer

/**
 * A loaded checkpoint, ready for sessions.
 *
 * May be used from any thread. Every call blocks until it is done. Close it when it is no longer needed, e.g. with
 * `use`; the memory is given back when the last model, session and stream is closed, in whatever order. A closed
 * model throws [IllegalStateException].
 */
public class Model internal constructor(private val native: NativeModel) : AutoCloseable {
    /** Facts about the checkpoint. */
    public val facts: Facts get() = open().facts()

    /** Tokens that all sessions hold together. */
    public val contextTokens: UInt get() = open().contextTokens()

    /** The number of tokens of the vocabulary. */
    public val vocabularySize: UInt get() = open().vocabularySize()

    /**
     * Opens a session.
     *
     * @throws PinfoldException.TooManySessions
     */
    public fun session(options: SessionOptions = SessionOptions()): Session = Session(open().session(options))

    /**
     * The tokens of [text], without a begin-of-sequence token. With [parseSpecial], special tokens that are spelled
     * out are read as tokens: only for text that the author of a prompt or a chat template wrote.
     *
     * @throws PinfoldException.InvalidText if it holds a lone surrogate.
     */
    public fun tokenize(text: String, parseSpecial: Boolean = false): List<Token> =
        open().tokenize(unicode(text), parseSpecial)

    /**
     * The text of [tokens] as a reader sees it; what is not UTF-8 becomes U+FFFD.
     *
     * @throws PinfoldException.UnknownToken
     */
    public fun detokenize(tokens: List<Token>): String = open().detokenize(tokens)

    /**
     * The prompt that the checkpoint's chat template makes of [messages], ready for the answer; append it with
     * `parseSpecial`.
     *
     * @throws PinfoldException.ChatTemplate if there is none, or if it fails.
     * @throws PinfoldException.InvalidText if a message holds a lone surrogate.
     */
    public fun chatPrompt(messages: List<Message>): String {
        messages.forEach { unicode(it.content) }
        return open().chatPrompt(messages)
    }

    /**
     * The SHA-256 of the checkpoint's bytes, in hexadecimal. The first call reads the file.
     *
     * @throws PinfoldException.Io
     * @throws PinfoldException.BadSession if the file was changed after it was loaded.
     */
    public fun digest(): String = open().digest()

    /** Lets go of the model. Sessions that are open can be used on. Closing it again does nothing. */
    override fun close(): Unit = native.close()

    private fun open(): NativeModel {
        check(!native.uniffiIsDestroyed) { "the model is closed" }
        return native
    }

    public companion object {
        /**
         * Loads the GGUF checkpoint at [path], after the preflight.
         *
         * [progress] hears the share that is loaded, 0 to 1, on the calling thread. What it throws ends the load with
         * [PinfoldException.Callback], whose `cause` it is. [cancel] ends the load from another thread.
         *
         * @throws PinfoldException `Io`, `BadCheckpoint`, `OutOfMemory`, `Unsupported` (a pure encoder), `LoadFailed`,
         *   `InvalidOption`, `InvalidText`, `Cancelled` or `Callback`.
         */
        public fun load(
            path: String,
            options: ModelOptions = ModelOptions(),
            cancel: Cancel? = null,
            progress: ((Float) -> Unit)? = null,
        ): Model = watched(options, progress) { NativeModel.load(unicode(path), options, it, cancel?.native) }

        /**
         * Loads the checkpoint of this [name] that is compiled into the library; [embeddedCheckpoints] lists them.
         *
         * @throws PinfoldException `UnknownCheckpoint`, and those of [load].
         */
        public fun embedded(
            name: String,
            options: ModelOptions = ModelOptions(),
            cancel: Cancel? = null,
            progress: ((Float) -> Unit)? = null,
        ): Model = watched(options, progress) { NativeModel.loadEmbedded(unicode(name), options, it, cancel?.native) }

        /**
         * Loads a GGUF checkpoint that is in memory; [name] stands in errors. The bytes are read from the buffer's
         * position to its limit, which stay. A direct buffer, such as a mapped file, is not copied first; it must not
         * change until the call returns.
         *
         * @throws PinfoldException those of [load].
         */
        public fun fromBytes(
            name: String,
            bytes: ByteBuffer,
            options: ModelOptions = ModelOptions(),
            cancel: Cancel? = null,
            progress: ((Float) -> Unit)? = null,
        ): Model {
            // A slice, since the address that JNA takes of a buffer is that of its first byte, not of its position.
            val direct = if (bytes.isDirect) bytes.slice() else direct(bytes)
            // The lock keeps the memory, which JNA only has the address of, from being collected during the load.
            return synchronized(direct) {
                watched(options, progress) {
                    NativeModel.loadBytes(unicode(name), direct, options, it, cancel?.native)
                }
            }
        }

        /** [fromBytes] of an array, which is copied first. */
        public fun fromBytes(
            name: String,
            bytes: ByteArray,
            options: ModelOptions = ModelOptions(),
            cancel: Cancel? = null,
            progress: ((Float) -> Unit)? = null,
        ): Model = fromBytes(name, ByteBuffer.wrap(bytes), options, cancel, progress)

        /**
         * A model without a checkpoint that gives the same [answer] to every prompt, byte by byte, and ends: for tests
         * of an app. Each token takes [stepMicroseconds]. Its tokens are the 256 bytes, then `<bos>` and `<eos>`; its
         * context has 1024 tokens unless the options say otherwise.
         *
         * @throws PinfoldException.InvalidOption
         * @throws PinfoldException.InvalidText
         */
        public fun scripted(
            answer: String,
            stepMicroseconds: UInt = 0u,
            options: ModelOptions = ModelOptions(),
        ): Model = watched(options, null) { NativeModel.scripted(unicode(answer), stepMicroseconds, options) }

        /** Loads with the app's progress. */
        internal inline fun watched(
            options: ModelOptions,
            noinline progress: ((Float) -> Unit)?,
            load: (LoadProgress?) -> NativeModel,
        ): Model {
            options.offload.devices.forEach(::unicode)
            return Model(watched(progress?.let(::LoadWatch), load))
        }
    }
}

/** A copy of what is left in [bytes], where JNA can take the address of it. */
internal fun direct(bytes: ByteBuffer): ByteBuffer {
    val copy = ByteBuffer.allocateDirect(bytes.remaining())
    copy.put(bytes.duplicate())
    copy.rewind()
    return copy
}
