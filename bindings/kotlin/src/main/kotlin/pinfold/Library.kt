package pinfold

/**
 * Reads the header of the checkpoint at [path] and runs the preflight, without loading the weights.
 *
 * @throws PinfoldException `Io` if it cannot be read, `BadCheckpoint` if it would not run, `InvalidText`.
 */
public fun inspectCheckpoint(path: String, options: ModelOptions = ModelOptions()): CheckpointInfo {
    options.offload.devices.forEach(::unicode)
    return nativeInspectCheckpoint(unicode(path), options)
}

/**
 * Sends log lines of [level] and above to [sink], in the place of the sink before; without a sink the log is silent, as
 * it is at the start. Lines never hold text of the user.
 *
 * The sink gets the level, the part that speaks, e.g. `pinfold::llama`, and the message. It is called on the thread
 * that logs, so it must be quick and must not call Pinfold. If it throws, the line is lost and nothing else happens.
 *
 * @throws PinfoldException.Unsupported in a Rust program that collects the log itself.
 */
public fun setLogSink(level: LogLevel = LogLevel.INFO, sink: ((LogLevel, String, String) -> Unit)?) {
    nativeSetLogSink(sink?.let(::Sink), level)
}

/** An app's sink. Any throwable counts as its failure: JNA would print what is not an exception. */
private class Sink(private val sink: (LogLevel, String, String) -> Unit) : LogSink {
    override fun log(level: LogLevel, target: String, message: String) {
        try {
            sink(level, target, message)
        } catch (_: Throwable) {
            throw AppFailed()
        }
    }
}
