package pinfold

import kotlin.coroutines.resume
import kotlinx.coroutines.CancellableContinuation
import kotlinx.coroutines.CoroutineDispatcher
import kotlinx.coroutines.CoroutineStart
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.coroutineScope
import kotlinx.coroutines.ensureActive
import kotlinx.coroutines.flow.Flow
import kotlinx.coroutines.flow.flow as coldFlow
import kotlinx.coroutines.launch
import kotlinx.coroutines.suspendCancellableCoroutine
import kotlinx.coroutines.withContext

/** A generation that was read to its end. */
public data class Completion(
    /** The text. */
    val text: String,
    /** The tokens that were sampled. */
    val tokens: List<GeneratedToken>,
    /** How it ended. */
    val finish: Finish,
)

/**
 * A generation as a cold flow; each collection is one. It is computed on threads of its own, so that collecting blocks
 * no thread, and no further than it is collected: after `take(n)` the session holds the pieces that came and no more.
 *
 * When the collector is cancelled, throws or wants no more, the generation ends and the session is free again before
 * the collection returns, also in the midst of a long prompt: within one decode step or one slice of a prefill.
 * [finished] hears how it ended, in the collector's context.
 *
 * The flow throws the errors of [Session.generate] and [Stream.next].
 */
public fun Session.flow(options: GenerateOptions = GenerateOptions(), finished: (Finish) -> Unit = {}): Flow<Chunk> =
    coldFlow {
        cancelling { cancel ->
            // Not the result of `withContext`, which is lost if the collector is cancelled at that moment.
            var stream: Stream? = null
            try {
                val opened = withContext(blocking) { generate(options, cancel).also { stream = it } }
                while (true) {
                    emit(withContext(blocking) { opened.next() } ?: break)
                }
                opened.finish?.let(finished)
            } finally {
                stream?.close()
            }
        }
    }

/**
 * Generates to the end. Cancelling the coroutine ends the generation, as for [flow].
 *
 * @throws PinfoldException those of [Session.generate] and [Stream.next].
 */
public suspend fun Session.complete(options: GenerateOptions = GenerateOptions()): Completion {
    val text = StringBuilder()
    val tokens = mutableListOf<GeneratedToken>()
    var finish: Finish? = null
    flow(options) { finish = it }.collect {
        text.append(it.text)
        tokens += it.tokens
    }
    return Completion(text.toString(), tokens, checkNotNull(finish) { "a generation ended without saying how" })
}

/**
 * Does blocking [work], such as a load, a pull or a verification, without blocking the thread of the coroutine:
 *
 *     val file = runCancellable { cancel -> lock.pull("intent", store, cancel = cancel) }
 *
 * When the coroutine is cancelled, so is the flag that the work is given; this returns once the work did. A model, or
 * whatever else can be closed, that the work had ready by then is closed.
 */
public suspend fun <T> runCancellable(work: (Cancel) -> T): T {
    // The result is lost on its way here if the coroutine is cancelled at that moment.
    var ready: T? = null
    try {
        return cancelling { cancel -> withContext(blocking) { work(cancel).also { ready = it } } }
    } catch (error: Throwable) {
        (ready as? AutoCloseable)?.close()
        throw error
    }
}

/** Does [work] with a flag that is set as soon as the coroutine is cancelled in its midst. */
private suspend fun <T> cancelling(work: suspend (Cancel) -> T): T = coroutineScope {
    val cancel = Cancel()
    lateinit var watch: CancellableContinuation<Unit>
    // Called by whoever cancels the coroutine, while the work blocks a thread.
    launch(Dispatchers.Unconfined, CoroutineStart.UNDISPATCHED) {
        suspendCancellableCoroutine {
            watch = it
            it.invokeOnCancellation { cancel.cancel() }
        }
    }
    try {
        work(cancel)
    } catch (error: PinfoldException.Cancelled) {
        ensureActive()
        throw error
    } finally {
        watch.resume(Unit)
    }
}

/** As many threads as a model has sessions at most, beside those that the app's own work on `Dispatchers.IO` has. */
private val blocking: CoroutineDispatcher = Dispatchers.IO.limitedParallelism(256, "pinfold")
