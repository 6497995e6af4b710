import pinfold.GenerateOptions
import pinfold.Message
import pinfold.Model
import pinfold.ModelOptions
import pinfold.Offload
import pinfold.PinfoldException
import pinfold.Role
import pinfold.inspectCheckpoint

/** Texts with a lone surrogate, and where it is. */
private val illFormed = mapOf("\uD800" to 0, "ab\uDC00" to 2, "\uD83D\uD83D\uDE00" to 0, "😀\uD83D" to 2)

val errors = Suite("errors") {
    test("an error is its class, with code and message") {
        val error = thrown<PinfoldException.Io> { Model.load("no-such-checkpoint.gguf") }
        holds("no-such-checkpoint.gguf" in error.message.orEmpty(), error.message.orEmpty())
        fails("unknown_checkpoint", "intent") { Model.embedded("nothing") }
        fails("bad_checkpoint") { Model.fromBytes("bytes", byteArrayOf(71, 71, 85, 70, 3, 0)) }
        fails("bad_checkpoint") { Model.fromBytes("no bytes", ByteArray(0)) }
        fails("io") { inspectCheckpoint("no-such-checkpoint.gguf") }
        fails("invalid_option", "sessions") { Model.embedded("intent", ModelOptions(sessions = 0u)) }
        fails("io") { Model.load("a\u0000b") }
    }
    test("every text is checked") {
        Model.scripted("hello").use { model ->
            model.session().use { session ->
                session.append("q")
                for ((text, index) in illFormed) {
                    val calls = listOf<() -> Unit>(
                        { session.append(text) },
                        { session.save(text) },
                        { session.restore(text) },
                        { session.generate(GenerateOptions(stop = listOf("ok", text))) },
                        { model.tokenize(text) },
                        { model.chatPrompt(listOf(Message(Role.USER, text))) },
                        { Model.load(text) },
                        { Model.embedded(text) },
                        { Model.fromBytes(text, ByteArray(4)) },
                        { Model.scripted(text) },
                        { Model.load("x", ModelOptions(offload = Offload(devices = listOf(text)))) },
                        { inspectCheckpoint(text) },
                    )
                    for (call in calls) {
                        val error = fails("invalid_text", "lone surrogate at index $index", call)
                        holds(text !in error.message.orEmpty(), "the message holds the text")
                    }
                }
                same(1, session.tokens().size)
            }
        }
    }
    test("zero characters and characters of every plane come through") {
        val text = "\u0000é漢😀\u0000" + "\uFFFD\uD7FF\uE000" + String(Character.toChars(0x10FFFF))
        Model.scripted(text).use { model ->
            same(text, model.detokenize(model.tokenize(text)))
            model.session().use { session ->
                session.append("q")
                same(text, session.sequence().joinToString("") { it.text })
            }
        }
    }
    test("numbers at their ends are refused or taken") {
        scripted("hello") { session ->
            fails("invalid_option") { session.rewind(UInt.MAX_VALUE) }
            fails("unknown_token") { session.append(listOf(UInt.MAX_VALUE)) }
            holds(session.nextTokens(UInt.MAX_VALUE).size <= 258, "more tokens than the vocabulary has")
            same(0, session.nextTokens(0u).size)
            session.sequence(GenerateOptions(maxTokens = UInt.MAX_VALUE)).count()
        }
    }
}
