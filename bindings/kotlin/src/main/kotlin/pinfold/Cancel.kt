package pinfold

/**
 * A flag that stops a load, a prefill, a generation, a pull or a verification from another thread.
 *
 * Setting it takes no lock and never blocks. A flag that was set stays set: make a new one for new work. It needs no
 * closing. A coroutine that collects [flow] needs none, and one in [runCancellable] is
 * given one; cancel the coroutine.
 */
public class Cancel {
    // Never closed but left to the garbage collector: a closed flag could not be given to a call safely.
    internal val native = NativeCancel()

    /** Whether [cancel] was called. */
    public val isCancelled: Boolean get() = native.isCancelled()

    /** Asks the work to stop; it does so within one decode step or one slice of a prefill, and a pull at once. */
    public fun cancel(): Unit = native.cancel()
}
