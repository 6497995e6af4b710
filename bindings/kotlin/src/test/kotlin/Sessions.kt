import java.nio.ByteBuffer
import pinfold.FinishReason
import pinfold.GenerateOptions
import pinfold.Message
import pinfold.Model
import pinfold.ModelOptions
import pinfold.Role
import pinfold.Sampling
import pinfold.Session
import pinfold.devices
import pinfold.embeddedCheckpoints
import pinfold.version

/** A session of a scripted model that holds a prompt. */
inline fun <T> scripted(answer: String, stepMicroseconds: UInt = 0u, use: (Session) -> T): T =
    Model.scripted(answer, stepMicroseconds).use { model ->
        model.session().use { session ->
            session.append("q")
            use(session)
        }
    }

val sessions = Suite("sessions") {
    test("the library says what it is") {
        holds(Regex("""\d+\.\d+\.\d+.*""").matches(version()), version())
        holds(devices().isNotEmpty(), "no device")
        same(listOf("intent"), embeddedCheckpoints().map { it.name }.filter { it == "intent" })
    }
    test("a stream is a sequence") {
        scripted("hello") { session ->
            session.generate().use { stream ->
                same("hello", stream.joinToString("") { it.text })
                same(null, stream.next())
                same(FinishReason.END_OF_GENERATION, stream.finish?.reason)
                same(5u, stream.finish?.generatedTokens)
            }
            same(6, session.tokens().size)
        }
    }
    test("a sequence is a generation each time it is iterated") {
        scripted("hello world") { session ->
            val reasons = mutableListOf<FinishReason>()
            val words = session.sequence(GenerateOptions(maxTokens = 6u)) { reasons += it.reason }
            same("hello ", words.joinToString("") { it.text })
            same("world", words.joinToString("") { it.text })
            same(listOf(FinishReason.LENGTH, FinishReason.END_OF_GENERATION), reasons)
        }
    }
    test("a sequence that is left early ends with the next call") {
        scripted("hello world", 2000u) { session ->
            val first = session.sequence().first()
            same(listOf('q'.code.toUInt()) + first.tokens.map { it.token }, session.tokens())
            session.rewind(1u)
            same("hello world", session.sequence().joinToString("") { it.text })
        }
    }
    test("a sequence that the session ended says so") {
        scripted("hello world", 2000u) { session ->
            val pieces = session.sequence().iterator()
            pieces.next()
            session.tokens()
            holds("closed" in thrown<IllegalStateException> { pieces.next() }.message.orEmpty(), "another message")
        }
    }
    test("log-probabilities come with their tokens") {
        scripted("hello") { session ->
            val tokens = session.sequence(GenerateOptions(logprobs = 2u)).flatMap { it.tokens }.toList()
            same(5, tokens.size)
            for (token in tokens) {
                same(2, token.top.size)
                holds(token.logprob!! <= 0f, "a probability above 1")
            }
        }
    }
    test("a bias forbids a token") {
        scripted("hello") { session ->
            val sampling = Sampling(logitBias = mapOf('h'.code.toUInt() to Float.NEGATIVE_INFINITY))
            val options = GenerateOptions(sampling = sampling, maxTokens = 1u)
            holds(session.sequence(options).joinToString("") { it.text } != "h", "the token came")
        }
    }
    test("a checkpoint is loaded from bytes of every kind") {
        val path = sharedData("checkpoints/stories260K.gguf") ?: return@test
        val options = ModelOptions(contextTokens = 64u, threads = 1u)
        val bytes = path.toFile().readBytes()
        val digest = Model.load(path.toString(), options).use { it.digest() }
        Model.fromBytes("array", bytes, options).use { same(digest, it.digest()) }
        // A heap buffer and a direct one, each with bytes before and after, which must not be read.
        val size = bytes.size + 7
        for (buffer in listOf(ByteBuffer.allocate(size), ByteBuffer.allocateDirect(size))) {
            buffer.position(4)
            buffer.put(bytes)
            buffer.position(4)
            buffer.limit(4 + bytes.size)
            Model.fromBytes("buffer", buffer, options).use { same(digest, it.digest()) }
            same(4, buffer.position())
        }
    }
    test("the embedded checkpoint answers a chat") {
        Model.embedded("intent").use { model ->
            model.session().use { session ->
                session.append(model.chatPrompt(listOf(Message(Role.USER, "play some jazz"))), parseSpecial = true)
                val answer = session.sequence().joinToString("") { it.text }
                holds(answer.startsWith("{\"intent\":\"PlayMusic\""), answer)
            }
        }
    }
}
