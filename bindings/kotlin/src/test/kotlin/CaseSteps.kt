import java.nio.file.Files
import java.nio.file.Path
import kotlin.experimental.xor
import kotlinx.serialization.json.JsonObject
import kotlinx.serialization.json.jsonArray
import kotlinx.serialization.json.jsonPrimitive
import pinfold.Finish
import pinfold.GenerateOptions
import pinfold.Message
import pinfold.Model
import pinfold.Role
import pinfold.Sampling
import pinfold.Session
import pinfold.Stream
import pinfold.Token

fun JsonObject.text(key: String): String = getValue(key).jsonPrimitive.content
fun JsonObject.textOrNull(key: String): String? = get(key)?.jsonPrimitive?.content
fun JsonObject.countOrNull(key: String): UInt? = get(key)?.jsonPrimitive?.content?.toUInt()
fun JsonObject.texts(key: String): List<String> = get(key)?.jsonArray.orEmpty().map { it.jsonPrimitive.content }
fun JsonObject.counts(key: String): List<UInt> = getValue(key).jsonArray.map { it.jsonPrimitive.content.toUInt() }
fun JsonObject.flag(key: String): Boolean = textOrNull(key)?.toBooleanStrict() ?: false
private fun JsonObject.number(key: String, otherwise: Float): Float = textOrNull(key)?.toFloat() ?: otherwise

/** The steps of a case, over its lock file if it has one, its model, and the session that it opened last. */
class CaseSteps(private val pins: PinSteps?) : AutoCloseable {
    private val opened = mutableListOf<AutoCloseable>()
    private lateinit var model: Model
    private lateinit var session: Session
    private var open: Stream? = null
    private val file: Path = Files.createTempFile("pinfold-case", ".session")

    private fun <T : AutoCloseable> keep(one: T): T = one.also(opened::add)

    /** Goes on with this model, and a session of it. */
    fun open(loaded: Model) {
        model = keep(loaded)
        session = keep(loaded.session())
    }

    override fun close() {
        opened.asReversed().forEach(AutoCloseable::close)
        Files.deleteIfExists(file)
    }

    fun take(step: JsonObject) {
        val error = step.textOrNull("error")
        // A generation checks its text also where it ends with an error.
        if (error == null || step.text("do") == "generate") {
            act(step)
        } else {
            fails(error, step.textOrNull("message").orEmpty()) { act(step) }
        }
    }

    private fun act(step: JsonObject) {
        when (val what = step.text("do")) {
            "append" -> length(step, session.append(repeated(step), step.flag("parse_special")))
            "append_chat" -> length(step, session.append(model.chatPrompt(messages(step)), parseSpecial = true))
            "append_tokens" -> length(step, session.append(step.counts("tokens")))
            "prefill" -> session.prefill()
            "generate" -> generate(step)
            "generate_busy" -> open = keep(session.generate())
            "drop_stream" -> checkNotNull(open) { "no stream is open" }.close()
            "tokens" -> tokens(step, session.tokens())
            "rewind" -> session.rewind(step.text("to").toUInt())
            "fork" -> session = keep(session.fork())
            "second_session" -> keep(model.session())
            "save" -> session.save(file.toString())
            "restore" -> session.restore((step.countOrNull("damage")?.let(::damaged) ?: file).toString())
            "next_tokens" -> tokens(step, session.nextTokens(step.text("count").toUInt()).map { it.token })
            "tokenize" -> tokens(step, model.tokenize(repeated(step), step.flag("parse_special")))
            "detokenize" -> model.detokenize(step.counts("tokens")).let { same(step.textOrNull("text") ?: it, it) }
            "ill_formed_text" -> session.append("\uD800")
            "load" -> open(checkNotNull(pins) { "the case has no lock file" }.load(step))
            else -> holds(pins?.act(step) == true, "no such step: $what")
        }
    }

    private fun generate(step: JsonObject) {
        val defaults = Sampling()
        val logprobs = step.countOrNull("logprobs")
        val options = GenerateOptions(
            sampling = defaults.copy(
                temperature = step.number("temperature", defaults.temperature),
                seed = step.textOrNull("seed")?.toULong() ?: defaults.seed,
                topK = step.countOrNull("top_k") ?: defaults.topK,
                topP = step.number("top_p", defaults.topP),
                minP = step.number("min_p", defaults.minP),
            ),
            maxTokens = step.countOrNull("max_tokens"),
            stop = step.texts("stop"),
            logprobs = logprobs,
        )
        val held = session.tokens()
        val error = step.textOrNull("error")
        val text = StringBuilder()
        val tokens = mutableListOf<Token>()
        val body = {
            session.generate(options).use { stream ->
                for (chunk in stream) {
                    text.append(chunk.text)
                    tokens += chunk.tokens.map { it.token }
                    for (token in chunk.tokens) {
                        same(logprobs != null, token.logprob != null)
                        same(logprobs?.toInt() ?: 0, token.top.size)
                    }
                    if (tokens.size >= (step.countOrNull("cancel_after")?.toInt() ?: Int.MAX_VALUE)) stream.cancel()
                }
                val finish = checkNotNull(stream.finish) { "no finish" }
                same(step.textOrNull("finish") ?: finish.code(), finish.code())
                if ("cancel_after" in step) same("cancelled", finish.code())
            }
        }
        if (error == null) body() else fails(error, step.textOrNull("message").orEmpty(), body)
        step.textOrNull("text")?.let { expected ->
            if ("cancel_after" in step) {
                holds(expected.startsWith(text), "`$text` does not begin `$expected`")
                same(held + tokens, session.tokens())
            } else {
                same(expected, text.toString())
            }
        }
        if ("tokens" in step) same(step.counts("tokens"), tokens)
    }

    private fun Finish.code() = reason.name.lowercase()

    /** A copy of the saved session with a bit of byte [at] flipped. */
    private fun damaged(at: UInt): Path {
        val bytes = Files.readAllBytes(file)
        bytes[at.toInt()] = bytes[at.toInt()] xor 1
        val copy = Files.createTempFile("pinfold-case", ".damaged")
        opened += AutoCloseable { Files.deleteIfExists(copy) }
        return Files.write(copy, bytes)
    }

    private fun repeated(step: JsonObject) = step.text("text").repeat(step.countOrNull("repeat")?.toInt() ?: 1)

    private fun messages(step: JsonObject) = step.getValue("messages").jsonArray.map {
        val (role, text) = it.jsonArray.map { part -> part.jsonPrimitive.content }
        Message(Role.valueOf(role.uppercase()), text)
    }

    private fun length(step: JsonObject, found: UInt) = same(step.countOrNull("length") ?: found, found)

    private fun tokens(step: JsonObject, found: List<Token>) {
        if ("tokens" in step) same(step.counts("tokens"), found)
        length(step, found.size.toUInt())
    }
}
