package pinfold

/**
 * The folder with the bytes of pins, each file under its digest; all apps of a user may share it.
 *
 *     val store = Store.open()
 *     for (entry in store.entries()) println("${entry.digest} ${entry.size}")
 *
 * May be used from any thread, and beside other processes on the same folder. Calls block until they are done;
 * [runCancellable] makes them suspend. It holds nothing open, so it needs no closing.
 */
public class Store private constructor(internal val native: NativeStore) {
    /** Its folder. */
    public val root: String get() = native.root()

    /**
     * Its files, in the order of their digests.
     *
     * @throws PinfoldException.Io
     */
    public fun entries(): List<StoreEntry> = native.entries()

    /**
     * Hashes the files of [digests], or all if there are none, and gives those whose bytes were changed.
     *
     * [progress] hears the bytes that are done and those there are, on the calling thread. What it throws ends the
     * work with [PinfoldException.Callback], whose `cause` it is. [cancel] ends it from another thread.
     *
     * @throws PinfoldException `NotPulled` for a digest that is not here, `InvalidOption` for a text that is none,
     *   `Io`, `InvalidText`, `Cancelled` or `Callback`.
     */
    public fun verify(
        digests: List<String> = emptyList(),
        cancel: Cancel? = null,
        progress: ((done: ULong, total: ULong) -> Unit)? = null,
    ): List<DamagedEntry> {
        digests.forEach(::unicode)
        return watched(progress?.let(::StoreWatch)) { native.verify(digests, it, cancel?.native) }
    }

    /**
     * Removes the file of this [digest]; false if it is not here.
     *
     * @throws PinfoldException `InvalidOption` for a text that is no digest, `InvalidText` or `Io`.
     */
    public fun remove(digest: String): Boolean = native.remove(unicode(digest))

    /**
     * Removes what no known lock file pins, and what is left of downloads that nobody continues; with [dryRun] it only
     * says what it would remove. A lock file is known here once something of it was pulled.
     *
     * @throws PinfoldException `Io`, or `BadLock` of a known lock file that cannot be read: nothing is removed then.
     */
    public fun collect(dryRun: Boolean = false): Collected = native.collect(dryRun)

    /**
     * Copies the file at [path] into the store and gives its digest. With [expectedDigest] other bytes are refused.
     * [progress] and [cancel] are as in [verify].
     *
     * @throws PinfoldException `Io`, `WrongDigest`, `NoSpace`, `InvalidOption` for a text that is no digest,
     *   `InvalidText`, `Cancelled` or `Callback`.
     */
    public fun importFile(
        path: String,
        expectedDigest: String? = null,
        cancel: Cancel? = null,
        progress: ((done: ULong, total: ULong) -> Unit)? = null,
    ): String {
        unicode(path)
        expectedDigest?.let(::unicode)
        return watched(progress?.let(::StoreWatch)) { native.importFile(path, expectedDigest, it, cancel?.native) }
    }

    override fun toString(): String = "Store($root)"

    public companion object {
        /**
         * Opens the store, and makes its folders if they are missing. Without a root in [options] it is the user's; an
         * Android app names one of its own, e.g. `context.noBackupFilesDir.resolve("pinfold").path`.
         *
         * @throws PinfoldException `Io`, `BadStore`, `InvalidOption` or `InvalidText`.
         */
        public fun open(options: StoreOptions = StoreOptions()): Store {
            options.root?.let(::unicode)
            return Store(NativeStore.open(options))
        }
    }
}
