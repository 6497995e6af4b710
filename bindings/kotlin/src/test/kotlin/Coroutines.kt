import kotlin.system.measureTimeMillis
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.async
import kotlinx.coroutines.awaitAll
import kotlinx.coroutines.cancelAndJoin
import kotlinx.coroutines.delay
import kotlinx.coroutines.flow.collect
import kotlinx.coroutines.flow.first
import kotlinx.coroutines.flow.map
import kotlinx.coroutines.flow.take
import kotlinx.coroutines.flow.toList
import kotlinx.coroutines.launch
import kotlinx.coroutines.runBlocking
import kotlinx.coroutines.withTimeoutOrNull
import pinfold.FinishReason
import pinfold.GenerateOptions
import pinfold.Model
import pinfold.ModelOptions
import pinfold.complete
import pinfold.flow

private fun Suite.coroutine(name: String, body: suspend CoroutineScope.() -> Unit) =
    test(name) { runBlocking(Dispatchers.Default, body) }

val coroutines = Suite("coroutines") {
    coroutine("a flow gives the answer, and is a generation each time it is collected") {
        scripted("hello world") { session ->
            val reasons = mutableListOf<FinishReason>()
            val flow = session.flow(GenerateOptions(maxTokens = 6u)) { reasons += it.reason }
            same("hello ", flow.map { it.text }.toList().joinToString(""))
            same("world", flow.map { it.text }.toList().joinToString(""))
            same(listOf(FinishReason.LENGTH, FinishReason.END_OF_GENERATION), reasons)
        }
    }
    coroutine("a completion holds text, tokens and finish") {
        scripted("hello") { session ->
            val completion = session.complete()
            same("hello", completion.text)
            same("hello".map { it.code.toUInt() }, completion.tokens.map { it.token })
            same(FinishReason.END_OF_GENERATION, completion.finish.reason)
        }
    }
    coroutine("an early end frees the session before it returns, which holds what came") {
        scripted("a rather long answer", 1000u) { session ->
            repeat(20) {
                session.rewind(1u)
                val came = session.flow().take(3).toList().sumOf { it.tokens.size }
                same(1 + came, session.tokens().size)
                session.rewind(1u)
                same(1 + session.flow().first().tokens.size, session.tokens().size)
            }
        }
    }
    coroutine("a cancelled collector ends a generation that blocks") {
        scripted("slow", 300_000u) { session ->
            val job = launch { session.flow().collect() }
            delay(100)
            val waited = measureTimeMillis { job.cancelAndJoin() }
            holds(waited < 1500, "$waited ms, but a step takes 300 ms")
            session.tokens()
        }
    }
    coroutine("a cancel is prompt between the steps of a generation") {
        scripted("x".repeat(900), 10_000u) { session ->
            val job = launch { session.flow().collect() }
            delay(100)
            val waited = measureTimeMillis { job.cancelAndJoin() }
            holds(waited < 1000, "$waited ms until the end of a cancelled generation")
            session.append("x")
        }
    }
    coroutine("a timeout ends a completion and the session can be used again") {
        scripted("x".repeat(900), 10_000u) { session ->
            same(null, withTimeoutOrNull(100) { session.complete() })
            session.rewind(1u)
            same(2, session.complete(GenerateOptions(maxTokens = 2u)).tokens.size)
        }
    }
    coroutine("a long prompt is left in its midst") {
        val path = sharedData("checkpoints/stories260K.gguf") ?: return@coroutine
        Model.load(path.toString(), ModelOptions(contextTokens = 200_000u, threads = 1u)).use { model ->
            model.session().use { session ->
                session.append(List(20_000) { 300u })
                val waited = measureTimeMillis { withTimeoutOrNull(200) { session.complete() } }
                holds(waited < 5000, "$waited ms until the end of a cancelled prefill")
                session.rewind(0u)
            }
        }
    }
    coroutine("a collector that throws ends the generation") {
        scripted("a rather long answer", 1000u) { session ->
            same("mine", thrown<IllegalArgumentException> {
                session.flow().collect { throw IllegalArgumentException("mine") }
            }.message)
            session.tokens()
        }
    }
    coroutine("errors come through a flow") {
        Model.scripted("hello world", options = ModelOptions(contextTokens = 6u)).use { model ->
            model.session().use { session ->
                fails("session_empty", "append text") { session.complete() }
                session.append("q")
                val text = StringBuilder()
                fails("context_full", "6 of 6") { session.flow().collect { text.append(it.text) } }
                same("hello", text.toString())
            }
        }
    }
    coroutine("a hundred flows share a model") {
        Model.scripted("hello", 100u, ModelOptions(sessions = 100u, contextTokens = 10_000u)).use { model ->
            val answers = (1..100).map {
                async {
                    model.session().use { session ->
                        session.append("q")
                        session.complete().text
                    }
                }
            }
            same(List(100) { "hello" }, answers.awaitAll())
        }
    }
    coroutine("a flow that is cancelled at any moment leaves the session free") {
        scripted("hello", 50u) { session ->
            for (microseconds in 0 until 3000 step 30) {
                val job = launch { session.flow().collect() }
                val end = System.nanoTime() + microseconds * 1000L
                while (System.nanoTime() < end) Thread.onSpinWait()
                job.cancelAndJoin()
                session.rewind(1u)
            }
        }
    }
}
