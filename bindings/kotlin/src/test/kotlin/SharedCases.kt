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

/** The shared cases as `tools/cases` prints them, and the folder of their lock files as `pins`. */
val vectors: JsonObject by lazy {
    val file = checkNotNull(System.getProperty("pinfold.cases")) { "-Dpinfold.cases names no file" }
    Json.parseToJsonElement(Files.readString(Path.of(file))).jsonObject
}

/** Runs core/vectors/api.toml, which `tools/cases` prints as JSON, and writes target/cases/kotlin.tsv. */
class SharedCases {
    private class Skipped(why: String) : Exception(why)

    /** Whether no case failed. */
    fun run(): Boolean {
        val rows = vectors.getValue("case").jsonArray.map { row(it.jsonObject) }
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
        val model = case["model"]?.jsonObject
        val source = model ?: case.getValue("lock").jsonObject
        if ("error" in source) {
            fails(source.text("error"), source.textOrNull("message").orEmpty()) {
                if (model != null) open(model).close() else openLock(source)
            }
            return
        }
        val pins = if (model == null) PinSteps(openLock(source)) else null
        pins.use {
            CaseSteps(pins).use { steps ->
                model?.let { steps.open(open(it)) }
                case["steps"]?.jsonArray.orEmpty().forEachIndexed { index, step -> take(steps, index, step.jsonObject) }
            }
        }
    }

    private fun take(steps: CaseSteps, index: Int, step: JsonObject) {
        try {
            steps.take(step)
        } catch (error: Throwable) {
            val what = (error as? PinfoldException)?.let { "${it.code}: ${it.message}" } ?: error.message
            throw AssertionError("step ${index + 1}, ${step.text("do")}: $what", error)
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
