package pinfold

/**
 * Does [work] with an app's progress, if there is one: what the app's function throws is the cause of the error that
 * the work then ends with.
 */
internal inline fun <W : Watch, T> watched(watch: W?, work: (W?) -> T): T {
    try {
        return work(watch)
    } catch (error: PinfoldException.Callback) {
        watch?.thrown?.let(error::initCause)
        throw error
    }
}

/** An app's progress. Any throwable stops the work: what is not an exception would pass through the library unseen. */
internal sealed class Watch {
    /** What the app's function threw. */
    var thrown: Throwable? = null
        private set

    protected fun tell(progress: () -> Unit) {
        try {
            progress()
        } catch (error: Throwable) {
            thrown = error
            throw AppFailed()
        }
    }
}

internal class LoadWatch(private val progress: (Float) -> Unit) : Watch(), LoadProgress {
    override fun loaded(share: Float) = tell { progress(share) }
}

internal class PullWatch(private val progress: (String, ULong, ULong) -> Unit) : Watch(), PullProgress {
    override fun pulled(source: String, done: ULong, total: ULong) = tell { progress(source, done, total) }
}

internal class VerifyWatch(private val progress: (String, UInt, UInt) -> Unit) : Watch(), VerifyProgress {
    override fun verified(subject: String, done: UInt, total: UInt) = tell { progress(subject, done, total) }
}

internal class StoreWatch(private val progress: (ULong, ULong) -> Unit) : Watch(), StoreProgress {
    override fun processed(done: ULong, total: ULong) = tell { progress(done, total) }
}

/**
 * What the library is told when a function of the app throws; the app's own throwable stays here. It has no trace,
 * which would be sent along.
 */
internal class AppFailed : Exception("the app's function failed", null, false, false)
