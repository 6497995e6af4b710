import java.nio.file.Files
import java.nio.file.Path
import kotlinx.serialization.json.Json
import kotlinx.serialization.json.JsonObject
import kotlinx.serialization.json.jsonArray
import kotlinx.serialization.json.jsonObject
import pinfold.Model
import pinfold.ModelOptions
import pinfold.PinfoldException
import pinfold.code

/** A file of the data that is shared between projects, or null where that is absent. */
fun sharedData(path: String): Path? {
    val root = System.getenv("PINFOLD_SHARED_DATA")?.let(Path::of) ?: Path.of("../shared/data")
    return root.resolve(path).takeIf { Files.exists(root) }
}

/** Runs core/vectors/api.toml, which `tools/cases` prints as JSON, and writes target/cases/kotlin.tsv. */
class SharedCases {
    private class Skipped(why: String) : Exception(why)

    /** Whether no case failed. */
    fun run(): Boolean {
        val file = checkNotNull(System.getProperty("pinfold.cases")) { "-Dpinfold.cases names no file" }
        val cases = Json.parseToJsonElement(Files.readString(Path.of(file))).jsonObject.getValue("case").jsonArray
        val rows = cases.map { row(it.jsonObject) }
        val out = Path.of("target/cases/kotlin.tsv")
        Files.createDirectories(out.parent)
        Files.write(out, rows.map { it.joinToString("\t") })
        val counts = rows.groupingBy { it[1] }.eachCount()
        println("kotlin: " + counts.entries.joinToString { "${it.value} cases ${it.key}" })
        return rows.none { it[1] == "failed" }
    }

    private fun row(case: JsonObject): List<String> {
        val name = case.text("name")
        return try {
            one(case)
            listOf(name, "passed", "")
        } catch (skipped: Skipped) {
            listOf(name, "skipped", skipped.message.orEmpty())
        } catch (error: Throwable) {
            System.err.println("FAILED case: $name: $error")
            listOf(name, "failed", error.toString().replace(Regex("\\s+"), " "))
        }
    }

    private fun one(case: JsonObject) {
        val model = case.getValue("model").jsonObject
        if ("error" in model) {
            fails(model.text("error"), model.textOrNull("message").orEmpty()) { open(model).close() }
            return
        }
        open(model).use { opened ->
            CaseSteps(opened).use { steps ->
                for ((index, step) in case["steps"]?.jsonArray.orEmpty().withIndex()) {
                    try {
                        steps.take(step.jsonObject)
                    } catch (error: Throwable) {
                        val what = (error as? PinfoldException)?.let { "${it.code}: ${it.message}" } ?: error.message
                        throw AssertionError("step ${index + 1}, ${step.jsonObject.text("do")}: $what", error)
                    }
                }
            }
        }
    }

    private fun open(model: JsonObject): Model {
        val defaults = ModelOptions()
        val options = defaults.copy(
            contextTokens = model.countOrNull("context_tokens") ?: defaults.contextTokens,
            sessions = model.countOrNull("sessions") ?: defaults.sessions,
        )
        return when {
            "scripted" in model ->
                Model.scripted(model.text("scripted"), model.countOrNull("step_microseconds") ?: 0u, options)
            "embedded" in model -> Model.embedded(model.text("embedded"), options)
            "file" in model -> Model.load(model.text("file"), options)
            "bytes" in model ->
                Model.fromBytes("bytes", model.counts("bytes").map { it.toByte() }.toByteArray(), options)
            "shared" in model -> {
                val path = sharedData(model.text("shared")) ?: throw Skipped("the shared data is absent")
                Model.load(path.toString(), options)
            }
            else -> throw AssertionError("no such model: ${model.keys}")
        }
    }
}
