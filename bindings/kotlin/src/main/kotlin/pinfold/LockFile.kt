package pinfold

import java.nio.ByteBuffer

/**
 * A lock file: what an app runs, pinned by digest. A name gives exactly the pinned bytes, or an error.
 *
 *     val lock = LockFile.open("pinfold.lock")
 *     val store = Store.open()
 *     lock.pull("intent", store)
 *     lock.load("intent", store).use { model -> .. }
 *
 * It shows the file as it was when it was read; the program `pinfold` writes lock files. May be used from any thread.
 * Calls block until they are done; [runCancellable] makes them suspend. It holds nothing open, so it needs no closing.
 */
public class LockFile private constructor(private val native: NativeLockFile) {
    /** The file's path. */
    public val path: String get() = native.path()

    /** The checkpoints, in the order of their names. */
    public fun checkpoints(): List<PinnedCheckpoint> = native.checkpoints()

    /** The adapters, in the order of their names. */
    public fun adapters(): List<PinnedAdapter> = native.adapters()

    /** The goldens, in the order of their names. */
    public fun goldens(): List<PinnedGolden> = native.goldens()

    /**
     * The settings of the sampler of this [name], for [GenerateOptions].
     *
     * @throws PinfoldException `NotPinned` or `InvalidText`.
     */
    public fun sampling(name: String): Sampling = native.sampling(unicode(name))

    /**
     * A file with exactly the bytes that the checkpoint or adapter [name] is pinned to: of the store, or else of a
     * `file:` source. Nothing is downloaded. With [fullCheck] the file is hashed even if it was before and was not
     * touched since.
     *
     * @throws PinfoldException `NotPinned`, `NotPulled`, `WrongDigest`, `BadLock` if the pinned size is wrong, `Io` or
     *   `InvalidText`.
     */
    public fun resolve(name: String, store: Store, fullCheck: Boolean = false): PinnedFile =
        native.resolve(unicode(name), store.native, fullCheck)

    /**
     * Checks that the bytes of [name] are signed by this minisign key, with the signature that the lock file carries.
     * [publicKey] is one that the app embeds: its base64, or the text of the `.pub` file.
     *
     * @throws PinfoldException `BadSignature`, also if there is none, and those of [resolve].
     */
    public fun checkSignature(name: String, store: Store, publicKey: String): Unit =
        native.checkSignature(unicode(name), store.native, unicode(publicKey))

    /**
     * Brings the bytes of [name] into the store, unless they are there.
     *
     * [progress] hears the source, the bytes that are done and those there are in all, 0 as long as that is not known,
     * on the calling thread. What it throws ends the pull with [PinfoldException.Callback], whose `cause` it is.
     * [cancel] ends the pull from another thread. What arrived is kept for the next attempt.
     *
     * @throws PinfoldException `NotPinned`, `PullFailed`, `NoSpace`, `InvalidOption`, `Io`, `InvalidText`, `Cancelled`
     *   or `Callback`.
     */
    public fun pull(
        name: String,
        store: Store,
        options: PullOptions = PullOptions(),
        cancel: Cancel? = null,
        progress: ((source: String, done: ULong, total: ULong) -> Unit)? = null,
    ): PinnedFile {
        unicode(name)
        val checked = options.checked()
        return watched(progress?.let(::PullWatch)) { native.pull(name, store.native, checked, it, cancel?.native) }
    }

    /**
     * Resolves [name] and loads it. Takes what [Model.load] takes.
     *
     * @throws PinfoldException those of [resolve] and of [Model.load].
     */
    public fun load(
        name: String,
        store: Store,
        options: ModelOptions = ModelOptions(),
        cancel: Cancel? = null,
        progress: ((Float) -> Unit)? = null,
    ): Model {
        unicode(name)
        return Model.watched(options, progress) { native.load(name, store.native, options, it, cancel?.native) }
    }

    /**
     * Checks the files and replays the goldens; what is wrong with a pin stands in the report.
     *
     * [progress] hears what is looked at, empty once all is done, the number of things that are done and those there
     * are, on the calling thread. What it throws ends the work with [PinfoldException.Callback], whose `cause` it is.
     * [cancel] ends it from another thread.
     *
     * @throws PinfoldException `NotPinned` for an unknown name, `InvalidOption`, `InvalidText`, `Cancelled` or
     *   `Callback`.
     */
    public fun verify(
        store: Store,
        options: VerifyOptions = VerifyOptions(),
        cancel: Cancel? = null,
        progress: ((subject: String, done: UInt, total: UInt) -> Unit)? = null,
    ): VerifyReport {
        options.names.forEach(::unicode)
        return watched(progress?.let(::VerifyWatch)) { native.verify(store.native, options, it, cancel?.native) }
    }

    override fun toString(): String = "LockFile($path)"

    public companion object {
        /**
         * Reads the lock file at [path].
         *
         * @throws PinfoldException `Io`, `InvalidText`, or `BadLock`, whose message begins with path, line and column.
         */
        public fun open(path: String = "pinfold.lock"): LockFile = LockFile(NativeLockFile.open(unicode(path)))

        /**
         * Reads a lock file that must be signed: its minisign signature lies beside it, with `.minisig` at the end of
         * the name. [publicKey] is one that the app embeds: its base64, or the text of the `.pub` file.
         *
         * @throws PinfoldException `BadSignature`, also if there is none, and those of [open].
         */
        public fun openSigned(path: String, publicKey: String): LockFile =
            LockFile(NativeLockFile.openSigned(unicode(path), unicode(publicKey)))

        /**
         * Reads a lock file that is in memory, e.g. a resource or an asset of the app. [path] stands in errors, and
         * `file:` sources are relative to its folder.
         *
         * @throws PinfoldException `BadLock` or `InvalidText`.
         */
        public fun fromBytes(bytes: ByteArray, path: String = "pinfold.lock"): LockFile {
            unicode(path)
            val direct = direct(ByteBuffer.wrap(bytes))
            // The lock keeps the memory, which JNA only has the address of, from being collected during the call.
            return synchronized(direct) { LockFile(NativeLockFile.openBytes(path, direct)) }
        }

        /**
         * Reads the nearest `pinfold.lock`, in [folder] or one around it.
         *
         * @throws PinfoldException `Io` if there is none, and those of [open].
         */
        public fun find(folder: String = "."): LockFile = LockFile(NativeLockFile.find(unicode(folder)))
    }
}

/** How downloads are done. */
public data class PullOptions(
    /** Connections for one file, 1 to 16. */
    val connections: UInt = 4u,
    /** Attempts at one source before the next is tried, 1 to 100. Those that brought bytes do not count. */
    val attempts: UInt = 5u,
    /**
     * The address of the Hugging Face Hub; by default `HF_ENDPOINT` of the environment, or else
     * `https://huggingface.co`.
     */
    val hubEndpoint: String? = null,
    /**
     * The Hub's access token; by default `HF_TOKEN` of the environment. It is sent to the endpoint only, and
     * [toString] hides it.
     */
    val hubToken: String? = null,
    /** A PEM file of certificates that are trusted as well; by default `SSL_CERT_FILE` of the environment. */
    val certificates: String? = null,
    /** Milliseconds without a byte after which a connection is given up. */
    val stallTimeoutMs: UInt = 30_000u,
) {
    override fun toString(): String =
        "PullOptions(connections=$connections, attempts=$attempts, hubEndpoint=$hubEndpoint, " +
            "hubToken=${hubToken?.let { "hidden" }}, certificates=$certificates, stallTimeoutMs=$stallTimeoutMs)"

    /** @throws PinfoldException.InvalidText */
    internal fun checked(): NativePullOptions {
        listOfNotNull(hubEndpoint, hubToken, certificates).forEach(::unicode)
        return NativePullOptions(connections, attempts, hubEndpoint, hubToken, certificates, stallTimeoutMs)
    }
}
