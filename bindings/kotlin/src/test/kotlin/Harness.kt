import java.util.concurrent.CompletableFuture
import java.util.concurrent.ExecutionException
import java.util.concurrent.TimeUnit
import kotlin.concurrent.thread
import kotlin.system.exitProcess
import pinfold.PinfoldException
import pinfold.code

/** Tests by their names. Without a framework, since none comes with the toolchain. */
class Suite(val name: String, fill: Suite.() -> Unit) {
    val tests = linkedMapOf<String, () -> Unit>()

    init {
        fill()
    }

    fun test(name: String, body: () -> Unit) {
        check(tests.put(name, body) == null) { "two tests named $name" }
    }
}

fun same(expected: Any?, found: Any?) {
    if (expected != found) throw AssertionError("expected $expected, found $found")
}

fun holds(condition: Boolean, what: String) {
    if (!condition) throw AssertionError(what)
}

/** What [body] throws, which must be a [T]. */
inline fun <reified T : Throwable> thrown(body: () -> Unit): T {
    try {
        body()
    } catch (error: Throwable) {
        if (error is T) return error
        throw AssertionError("expected ${T::class.java.name}, found $error", error)
    }
    throw AssertionError("expected ${T::class.java.name}, nothing was thrown")
}

/** [body] fails with this code, and a message that contains [part]. */
inline fun fails(code: String, part: String = "", body: () -> Unit): PinfoldException {
    val error = try {
        body()
        throw AssertionError("expected $code, nothing was thrown")
    } catch (error: PinfoldException) {
        error
    }
    same(code, error.code)
    holds(part in error.message.orEmpty(), "no `$part` in: ${error.message}")
    holds(error.message.orEmpty().isNotBlank(), "$code has no message")
    return error
}

/** Runs [body] on a thread of its own; what takes longer than a minute hangs. */
private fun run(body: () -> Unit) {
    val done = CompletableFuture<Unit>()
    thread(isDaemon = true) {
        try {
            body()
            done.complete(Unit)
        } catch (error: Throwable) {
            done.completeExceptionally(error)
        }
    }
    try {
        done.get(1, TimeUnit.MINUTES)
    } catch (error: ExecutionException) {
        throw error.cause ?: error
    }
}

fun main() {
    var failed = 0
    var passed = 0
    for (suite in listOf(sessions, coroutines, lifetimes, errors, callbacks, pins)) {
        for ((name, body) in suite.tests) {
            try {
                run(body)
                passed++
            } catch (error: Throwable) {
                failed++
                System.err.println("FAILED ${suite.name}: $name")
                error.printStackTrace()
            }
        }
    }
    println("kotlin: $passed tests passed, $failed failed")
    val cases = SharedCases().run()
    exitProcess(if (failed == 0 && cases) 0 else 1)
}
