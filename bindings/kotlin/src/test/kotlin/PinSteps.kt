import java.nio.file.Files
import java.nio.file.Path
import java.security.MessageDigest
import kotlin.experimental.xor
import kotlinx.serialization.json.JsonObject
import kotlinx.serialization.json.jsonPrimitive
import pinfold.Cancel
import pinfold.LockFile
import pinfold.Model
import pinfold.ModelOptions
import pinfold.PinnedCheckpoint
import pinfold.PinnedFile
import pinfold.PullOptions
import pinfold.Store
import pinfold.StoreOptions
import pinfold.VerifyOptions

/** The folder of the lock files that the cases open. */
val pinsFolder: Path by lazy { Path.of(vectors.getValue("pins").jsonPrimitive.content) }

fun sha256(bytes: ByteArray): String =
    MessageDigest.getInstance("SHA-256").digest(bytes).joinToString("") { "%02x".format(it) }

/** The lock file of a case. */
fun openLock(source: JsonObject): LockFile {
    fun path(key: String) = pinsFolder.resolve(source.text(key)).toString()
    return when {
        "bytes_of" in source ->
            LockFile.fromBytes(Files.readAllBytes(Path.of(path("bytes_of"))), "$pinsFolder/embedded.lock")
        "find" in source -> LockFile.find(path("find"))
        "public_key" in source -> LockFile.openSigned(path("file"), source.text("public_key"))
        else -> LockFile.open(path("file"))
    }
}

/** An empty folder for a store, and a store there. */
class OwnStore : AutoCloseable {
    private val folder: Path = Files.createTempDirectory("pinfold-store")
    val store: Store = Store.open(StoreOptions(root = folder.toString()))

    override fun close() {
        folder.toFile().deleteRecursively()
    }
}

/** The steps of a case that are about a lock file, over a store of its own. */
class PinSteps(private val lock: LockFile) : AutoCloseable {
    private val own = OwnStore()
    private val store = own.store

    override fun close(): Unit = own.close()

    fun load(step: JsonObject): Model =
        lock.load(step.text("name"), store, ModelOptions(reproducible = step.flag("reproducible")))

    /** False if it is no step of a lock file. */
    fun act(step: JsonObject): Boolean {
        when (step.text("do")) {
            "checkpoints" -> lines(step, lock.checkpoints().map(::line))
            "adapters" -> lines(
                step,
                lock.adapters().map { "${it.name} ${it.architecture} ${it.base} ${it.licence} ${it.sources[0]}" },
            )
            "goldens" -> lines(step, lock.goldens().map { "${it.name} ${it.checkpoint}" })
            "sampling" -> sampling(step)
            "resolve" -> isPinned(lock.resolve(step.text("name"), store, step.flag("full_check")))
            "pull" -> pull(step)
            "check_signature" -> lock.checkSignature(step.text("name"), store, step.text("public_key"))
            "verify" -> verify(step)
            "entries" -> length(step, store.entries().size)
            "remove" -> length(step, if (store.remove(pin(step).digest)) 1 else 0)
            "collect" -> length(step, store.collect(step.flag("dry_run")).removed.size)
            "verify_store" -> {
                val watch = StepWatch(step)
                length(step, store.verify(cancel = watch.cancel, progress = watch::hear).size)
            }
            "import_file" -> importFile(step)
            "damage_stored" -> damage(step)
            else -> return false
        }
        return true
    }

    private fun sampling(step: JsonObject) {
        val found = lock.sampling(step.text("name"))
        same(step.text("temperature").toFloat(), found.temperature)
        same(step.text("seed").toULong(), found.seed)
        same(step.countOrNull("top_k"), found.topK)
        same(1, found.logitBias.size)
    }

    private fun pull(step: JsonObject) {
        val watch = StepWatch(step)
        val defaults = PullOptions()
        val options = defaults.copy(attempts = step.countOrNull("attempts") ?: defaults.attempts)
        val file = lock.pull(step.text("name"), store, options, watch.cancel) { _, done, total ->
            watch.hear(done, total)
        }
        if (step.flag("whole")) pin(step).size.let { same(it to it, watch.last) }
        holds(file.path.startsWith(store.root), "${file.path} is not in the store")
        isPinned(file)
    }

    private fun verify(step: JsonObject) {
        val watch = StepWatch(step)
        val options = VerifyOptions(names = step.texts("names"), threads = 1u)
        val report = lock.verify(store, options, watch.cancel) { _, done, total ->
            watch.hear(done.toULong(), total.toULong())
        }
        same(step.flag("passed"), report.passed)
        val causes = report.files.flatMap { it.causes } + report.goldens.mapNotNull { it.cause }
        same(step.texts("causes"), causes.map { it.name.lowercase() })
    }

    private fun importFile(step: JsonObject) {
        val path = pinsFolder.resolve(step.text("path"))
        val watch = StepWatch(step)
        val expected = if ("name" in step) pin(step).digest else null
        val digest = store.importFile(path.toString(), expected, watch.cancel, watch::hear)
        same(sha256(Files.readAllBytes(path)), digest)
    }

    /** Puts another file in the place of the stored one, with a bit flipped. */
    private fun damage(step: JsonObject) {
        val digest = pin(step).digest
        val path = Path.of(store.entries().single { it.digest == digest }.path)
        val bytes = Files.readAllBytes(path)
        val at = step.text("damage").toInt()
        bytes[at] = bytes[at] xor 1
        Files.delete(path)
        Files.write(path, bytes)
    }

    private fun pin(step: JsonObject): PinnedCheckpoint = lock.checkpoints().single { it.name == step.text("name") }

    private fun isPinned(file: PinnedFile) = same(sha256(Files.readAllBytes(Path.of(file.path))), file.digest)

    private fun length(step: JsonObject, found: Int) = same(step.countOrNull("length")?.toInt() ?: found, found)

    private fun lines(step: JsonObject, found: List<String>) = same(step.text("text"), found.joinToString("\n"))

    private fun line(pin: PinnedCheckpoint): String {
        val signed = if (pin.signed) "signed" else "unsigned"
        val template = if (pin.chatTemplateDigest == null) "no template" else "template"
        val facts = listOf(pin.name, pin.architecture, pin.quantization, pin.licence, pin.sources[0])
        return (facts + listOf("${pin.contextLength}", signed, template)).joinToString(" ")
    }
}

/** Hears of the work of a step, and stops it as the step says. */
private class StepWatch(private val step: JsonObject) {
    val cancel = Cancel()
    var last: Pair<ULong, ULong>? = null

    init {
        if (step.textOrNull("cancel") == "before") cancel.cancel()
    }

    fun hear(done: ULong, total: ULong) {
        last = done to total
        if (step.textOrNull("cancel") == "progress") cancel.cancel()
        if (step.flag("fail_progress")) throw ArithmeticException("as the step says")
    }
}
