// Streams an answer of the embedded checkpoint, cancels one, and shows an error. See README.md for how to run it.

package example

import kotlinx.coroutines.cancelAndJoin
import kotlinx.coroutines.flow.take
import kotlinx.coroutines.launch
import kotlinx.coroutines.runBlocking
import pinfold.GenerateOptions
import pinfold.Message
import pinfold.Model
import pinfold.PinfoldException
import pinfold.Role
import pinfold.code
import pinfold.flow

fun main(arguments: Array<String>) = runBlocking<Unit> {
    val request = arguments.firstOrNull() ?: "will it rain in Lisbon tomorrow"
    Model.embedded("intent").use { model ->
        model.session().use { session ->
            // An answer, piece by piece.
            session.append(model.chatPrompt(listOf(Message(Role.USER, request))), parseSpecial = true)
            session.flow { finish -> println("\n${finish.reason} after ${finish.generatedTokens} tokens") }
                .collect { chunk -> print(chunk.text) }

            // Who cancels the coroutine cancels the generation; the session can be used again.
            session.rewind(1u)
            val job = launch { session.flow().collect { } }
            job.cancelAndJoin()
            println("cancelled: ${job.isCancelled}, and the session holds ${session.tokens().size} token")

            // So does who wants no more.
            session.flow(GenerateOptions(maxTokens = 100u)).take(1).collect { }
        }
    }

    // An error says what to do.
    try {
        Model.load("no-such-checkpoint.gguf")
    } catch (error: PinfoldException) {
        println("error ${error.code}: ${error.message}")
    }
}
