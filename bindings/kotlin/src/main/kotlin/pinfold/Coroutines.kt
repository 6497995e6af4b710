package pinfold

import kotlinx.coroutines.CoroutineDispatcher
import kotlinx.coroutines.CoroutineStart
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.coroutineScope
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
        coroutineScope {
            val cancel = Cancel()
            // Called by whoever cancels the collector, while `next` blocks a thread below.
            val watch = launch(Dispatchers.Unconfined, CoroutineStart.UNDISPATCHED) {
                suspendCancellableCoroutine<Unit> { it.invokeOnCancellation { cancel.cancel() } }
            }
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
                watch.cancel()
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

/** As many threads as a model has sessions at most, beside those that the app's own work on `Dispatchers.IO` has. */
private val blocking: CoroutineDispatcher = Dispatchers.IO.limitedParallelism(256, "pinfold")
