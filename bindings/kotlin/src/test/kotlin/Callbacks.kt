import java.util.Collections
import java.util.concurrent.CopyOnWriteArrayList
import pinfold.Cancel
import pinfold.LogLevel
import pinfold.Model
import pinfold.PinfoldException
import pinfold.setLogSink

val callbacks = Suite("callbacks") {
    test("a load tells its progress on the calling thread") {
        val shares = mutableListOf<Float>()
        val threads = mutableSetOf<Thread>()
        Model.embedded("intent") { shares += it; threads += Thread.currentThread() }.close()
        holds(shares.isNotEmpty() && shares.all { it in 0f..1f }, "$shares")
        same(shares.sorted(), shares)
        same(1f, shares.last())
        same(setOf(Thread.currentThread()), threads)
    }
    test("what a progress throws ends the load and is the cause") {
        // An Error too, and a message that is no Unicode.
        for (mine in listOf(IllegalArgumentException("mine"), AssertionError("mine"), RuntimeException("\uD800"))) {
            val error = thrown<PinfoldException.Callback> { Model.embedded("intent") { throw mine } }
            same(mine, error.cause)
            holds("progress" in error.message.orEmpty(), error.message.orEmpty())
        }
        Model.embedded("intent").close()
    }
    test("a load is cancelled before it starts and from its progress") {
        fails("cancelled") { Model.embedded("intent", cancel = Cancel().apply { cancel() }) }
        val cancel = Cancel()
        fails("cancelled") { Model.embedded("intent", cancel = cancel) { cancel.cancel() } }
    }
    test("a log sink gets lines, and none once it is taken away") {
        val lines = CopyOnWriteArrayList<Triple<LogLevel, String, String>>()
        setLogSink(LogLevel.TRACE) { level, target, message -> lines += Triple(level, target, message) }
        Model.embedded("intent").use { model -> model.session().use { it.append("secret"); it.prefill() } }
        setLogSink(sink = null)
        holds(lines.isNotEmpty(), "no line")
        holds(lines.all { it.second.startsWith("pinfold") }, "$lines")
        holds(lines.none { "secret" in it.third }, "a line holds text of the user")
        val before = lines.size
        Model.embedded("intent").close()
        same(before, lines.size)
    }
    test("a log sink that throws loses its lines and nothing else") {
        val calls = Collections.synchronizedList(mutableListOf<String>())
        for (mine in listOf(IllegalArgumentException("mine"), AssertionError("mine"))) {
            setLogSink(LogLevel.TRACE) { _, target, _ -> calls += target; throw mine }
            Model.embedded("intent").close()
        }
        setLogSink(sink = null)
        holds(calls.isNotEmpty(), "the sink was not called")
    }
}
