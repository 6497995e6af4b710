import java.util.concurrent.Callable
import java.util.concurrent.Executors
import kotlin.concurrent.thread
import pinfold.Cancel
import pinfold.FinishReason
import pinfold.GenerateOptions
import pinfold.Model
import pinfold.ModelOptions
import pinfold.PinfoldException
import pinfold.code

val lifetimes = Suite("lifetimes") {
    test("a closed object says so, and closing again does nothing") {
        val model = Model.scripted("hello")
        val session = model.session()
        session.append("q")
        val stream = session.generate()
        repeat(2) { stream.close() }
        stream.cancel()
        for (call in listOf<() -> Unit>({ stream.next() }, { stream.finish }, { stream.first() })) {
            same("the stream is closed", thrown<IllegalStateException> { call() }.message)
        }
        repeat(2) { session.close() }
        val calls = listOf<() -> Unit>({ session.append("x") }, { session.generate() }, { session.sequence().first() })
        for (call in calls) {
            same("the session is closed", thrown<IllegalStateException> { call() }.message)
        }
        repeat(2) { model.close() }
        for (call in listOf<() -> Unit>({ model.session() }, { model.facts }, { model.tokenize("x") })) {
            same("the model is closed", thrown<IllegalStateException> { call() }.message)
        }
    }
    test("objects are closed in any order") {
        for (order in listOf("msS", "mSs", "smS", "sSm", "Sms", "Ssm")) {
            val model = Model.scripted("hello")
            val session = model.session()
            session.append("q")
            val stream = session.generate()
            for (which in order) {
                when (which) {
                    'm' -> model
                    's' -> session
                    else -> stream
                }.close()
            }
        }
    }
    test("a session outlives its model, and a stream its session") {
        val model = Model.scripted("hello")
        val session = model.session()
        model.close()
        session.append("q")
        val stream = session.generate()
        session.close()
        // Its session is gone, so it ends; how much came before depends on the worker.
        while (stream.next() != null) Unit
        val ends = listOf(FinishReason.CANCELLED, FinishReason.END_OF_GENERATION)
        holds(stream.finish?.reason in ends, "${stream.finish}")
        stream.close()
    }
    test("use frees a session at once") {
        Model.scripted("hello", options = ModelOptions(sessions = 1u)).use { model ->
            repeat(50) {
                model.session().use { session ->
                    session.append("q")
                    session.generate().use { it.next() }
                    session.append("x")
                }
            }
        }
    }
    test("texts that are refused hold nothing") {
        Model.scripted("hello", options = ModelOptions(sessions = 1u)).use { model ->
            repeat(3) {
                model.session().use { session -> fails("invalid_text") { session.append("\uD800") } }
            }
        }
    }
    test("closing a stream ends another thread's wait") {
        scripted("slow", 300_000u) { session ->
            val stream = session.generate()
            val reader = thread { runCatching { while (stream.next() != null) Unit } }
            Thread.sleep(50)
            stream.close()
            reader.join(2000)
            holds(!reader.isAlive, "the reader still waits")
            session.tokens()
        }
    }
    test("a cancel ends a generation, from any thread and as often as one likes") {
        scripted("x".repeat(900), 2000u) { session ->
            val cancel = Cancel()
            session.generate(cancel = cancel).use { stream ->
                stream.next()
                List(4) { thread { repeat(100) { cancel.cancel(); stream.cancel() } } }.forEach(Thread::join)
                holds(cancel.isCancelled, "the flag is not set")
                while (stream.next() != null) Unit
                same(FinishReason.CANCELLED, stream.finish?.reason)
            }
            fails("cancelled") { session.prefill(cancel) }
        }
    }
    test("a cancel after the end does nothing") {
        scripted("hello") { session ->
            session.generate().use { stream ->
                same("hello", stream.joinToString("") { it.text })
                stream.cancel()
                same(FinishReason.END_OF_GENERATION, stream.finish?.reason)
            }
        }
    }
    test("threads share a model") {
        val pool = Executors.newFixedThreadPool(8)
        Model.scripted("hello", 50u, ModelOptions(sessions = 8u, contextTokens = 4096u)).use { model ->
            val work = List(8) {
                Callable {
                    repeat(25) {
                        model.session().use { session ->
                            session.append("q")
                            same("hello", session.sequence().joinToString("") { it.text })
                        }
                    }
                }
            }
            pool.invokeAll(work).forEach { it.get() }
        }
        pool.shutdown()
    }
    test("threads that share a session are told that it is busy") {
        scripted("hello", 100u) { session ->
            val outcomes = List(4) { mutableListOf<String>() }
            outcomes.map { outcome ->
                thread {
                    repeat(50) {
                        outcome += try {
                            session.generate(GenerateOptions(maxTokens = 3u)).use { it.next() }
                            "ok"
                        } catch (error: PinfoldException) {
                            error.code
                        }
                    }
                }
            }.forEach(Thread::join)
            val kinds = outcomes.flatten().toSet()
            holds(kinds.all { it in setOf("ok", "session_busy", "context_full") }, "$kinds")
            holds("ok" in kinds, "no generation at all")
        }
    }
    test("what is not closed is collected") {
        Model.scripted("hello", options = ModelOptions(sessions = 4u, contextTokens = 8192u)).use { model ->
            var refused = 0
            repeat(64) {
                while (true) {
                    val session = runCatching { model.session() }.getOrNull()
                    if (session != null) break
                    refused++
                    System.gc()
                    Thread.sleep(5)
                }
            }
            holds(refused > 0, "more sessions than there are")
        }
    }
}
