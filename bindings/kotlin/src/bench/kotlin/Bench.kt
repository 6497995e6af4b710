// What a token costs in Kotlin above Rust; see bindings/kotlin/bench.

package bench

import java.lang.management.ManagementFactory
import kotlinx.coroutines.runBlocking
import kotlinx.serialization.json.Json
import kotlinx.serialization.json.jsonObject
import kotlinx.serialization.json.jsonPrimitive
import pinfold.GenerateOptions
import pinfold.Model
import pinfold.ModelOptions
import pinfold.Offload
import pinfold.Session
import pinfold.flow

private const val TOKENS = 200
private const val ROUNDS = 30
private const val REPETITIONS = 5

/** Generations until the JVM has compiled what is called. */
private const val WARM = 200

private val options = GenerateOptions(maxTokens = TOKENS.toUInt())
private val clock = ManagementFactory.getThreadMXBean()

/** Calls of `next`, and the nanoseconds that their thread computed. */
private var calls = 0
private var computed = 0L

/** The arguments: a checkpoint, and the program `pinfold`. */
fun main(arguments: Array<String>) {
    val (checkpoint, program) = arguments
    val load = ModelOptions(contextTokens = 512u, threads = 1u, offload = Offload(layers = 0u))
    Model.load(checkpoint, load).use { model ->
        repeat(WARM) {
            microseconds(model, ::stream)
            microseconds(model, ::flow)
        }
        calls = 0
        computed = 0
        val (rust, streams, flows) = List(3) { mutableListOf<Double>() }
        repeat(ROUNDS) {
            rust += rust(program, checkpoint)
            repeat(REPETITIONS) {
                streams += microseconds(model, ::stream)
                flows += microseconds(model, ::flow)
            }
        }
        val tokens = TOKENS * ROUNDS * REPETITIONS
        val base = quartile(rust)
        println("Rust %.1f us a token".format(base))
        println("stream %.1f, above Rust %.1f".format(quartile(streams), quartile(streams) - base))
        println("flow %.1f, above Rust %.1f".format(quartile(flows), quartile(flows) - base))
        val (each, joined) = computed / 1e3 / tokens to tokens / calls.toDouble()
        println("a stream's reader computes %.1f us a token, %.2f tokens a call".format(each, joined))
    }
}

private fun stream(session: Session): Int {
    val start = clock.currentThreadCpuTime
    var tokens = 0
    session.generate(options).use { stream ->
        while (true) {
            tokens += (stream.next() ?: break).tokens.size
            calls++
        }
    }
    computed += clock.currentThreadCpuTime - start
    return tokens
}

private fun flow(session: Session): Int = runBlocking {
    var tokens = 0
    session.flow(options).collect { tokens += it.tokens.size }
    tokens
}

/** Microseconds a token of one generation. */
private fun microseconds(model: Model, generate: (Session) -> Int): Double = model.session().use { session ->
    session.append(listOf(1u))
    session.prefill()
    val start = System.nanoTime()
    val tokens = generate(session)
    check(tokens == TOKENS) { "$tokens tokens of $TOKENS" }
    (System.nanoTime() - start) / 1e3 / tokens
}

/** Microseconds a token of one run of `pinfold bench`, which reads a stream of the core's. */
private fun rust(program: String, checkpoint: String): Double {
    val switches = listOf("--prompt-tokens=0", "--gen-tokens=$TOKENS", "--repetitions=1", "--threads=1", "--json")
    val process = ProcessBuilder(listOf(program, "bench", checkpoint) + switches)
        .redirectError(ProcessBuilder.Redirect.INHERIT).start()
    val answer = process.inputStream.bufferedReader().readText()
    check(process.waitFor() == 0) { "pinfold bench failed" }
    val speed = Json.parseToJsonElement(answer).jsonObject.getValue("gen_tokens_per_second")
    return 1e6 / speed.jsonPrimitive.content.toDouble()
}

/** The lower quartile: what the machine does when nothing disturbs it. */
private fun quartile(times: List<Double>): Double = times.sorted()[times.size / 4]
