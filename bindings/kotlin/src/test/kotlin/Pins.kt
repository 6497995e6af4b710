import java.net.InetAddress
import java.net.ServerSocket
import java.nio.file.Files
import java.util.concurrent.Callable
import java.util.concurrent.Executors
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.Job
import kotlinx.coroutines.async
import kotlinx.coroutines.cancelAndJoin
import kotlinx.coroutines.job
import kotlinx.coroutines.launch
import kotlinx.coroutines.runBlocking
import kotlinx.coroutines.withTimeoutOrNull
import pinfold.Cancel
import pinfold.LockFile
import pinfold.Model
import pinfold.ModelOptions
import pinfold.NativePullOptions
import pinfold.Offload
import pinfold.PinfoldException
import pinfold.PullOptions
import pinfold.Store
import pinfold.StoreOptions
import pinfold.VerifyOptions
import pinfold.code
import pinfold.runCancellable

private const val ILL_FORMED = "ab\uDC00"

private fun sharedLock() = LockFile.open(pinsFolder.resolve("pinfold.lock").toString())

/** The lock file of the cases, a store, and the checkpoint that a `file:` source has. */
private fun pinned(use: (lock: LockFile, store: Store, checkpoint: String) -> Unit) = OwnStore().use { own ->
    val lock = sharedLock()
    use(lock, own.store, lock.resolve("intent", own.store).path)
}

val pins = Suite("pins") {
    test("every text of a lock file and a store is checked") {
        pinned { lock, store, checkpoint ->
            val bad = ILL_FORMED
            val calls = listOf<() -> Unit>(
                { LockFile.open(bad) },
                { LockFile.openSigned(bad, "RW") },
                { LockFile.openSigned(lock.path, bad) },
                { LockFile.fromBytes(ByteArray(0), bad) },
                { LockFile.find(bad) },
                { lock.sampling(bad) },
                { lock.resolve(bad, store) },
                { lock.checkSignature(bad, store, "RW") },
                { lock.checkSignature("intent", store, bad) },
                { lock.pull(bad, store) },
                { lock.pull("intent", store, PullOptions(hubEndpoint = bad)) },
                { lock.pull("intent", store, PullOptions(hubToken = bad)) },
                { lock.pull("intent", store, PullOptions(certificates = bad)) },
                { lock.load(bad, store) },
                { lock.load("intent", store, ModelOptions(offload = Offload(devices = listOf(bad)))) },
                { lock.verify(store, VerifyOptions(names = listOf("intent", bad))) },
                { Store.open(StoreOptions(root = bad)) },
                { store.verify(listOf(bad)) },
                { store.remove(bad) },
                { store.importFile(bad) },
                { store.importFile(checkpoint, bad) },
            )
            for (call in calls) {
                val error = fails("invalid_text", "lone surrogate at index 2", call)
                holds(bad !in error.message.orEmpty(), "the message holds the text")
            }
            same(0, store.entries().size)
        }
    }
    test("what is out of its range is refused") {
        pinned { lock, store, checkpoint ->
            for (options in listOf(PullOptions(connections = 0u), PullOptions(connections = UInt.MAX_VALUE))) {
                fails("invalid_option", "connections") { lock.pull("intent", store, options) }
            }
            fails("invalid_option", "attempts") { lock.pull("intent", store, PullOptions(attempts = 101u)) }
            for (tolerance in listOf(Float.NaN, -1f, Float.POSITIVE_INFINITY)) {
                fails("invalid_option", "tolerance") { lock.verify(store, VerifyOptions(tolerance = tolerance)) }
            }
            for (digest in listOf("", "x", "0".repeat(63), "g".repeat(64), "\u0000".repeat(64), "é".repeat(64))) {
                fails("invalid_option", "64 hexadecimal digits") { store.remove(digest) }
                fails("invalid_option", "64 hexadecimal digits") { store.verify(listOf(digest)) }
                fails("invalid_option", "64 hexadecimal digits") { store.importFile(checkpoint, digest) }
            }
            fails("bad_store") { Store.open(StoreOptions(root = checkpoint)) }
            fails("not_pulled") { store.verify(listOf("0".repeat(64))) }
            fails("not_pinned", "intent") { lock.load("", store) }
        }
    }
    test("a store within a quota says what does not fit") {
        OwnStore().use { own ->
            val store = Store.open(StoreOptions(own.store.root, quota = 1000u))
            fails("no_space") { sharedLock().pull("intent", store) }
            same(0, store.entries().size)
        }
    }
    test("bytes that are no lock file say where") {
        for (bytes in listOf("", "\u0000", "version = 1\nx", "[").map(String::toByteArray) + byteArrayOf(-1, -2)) {
            val message = thrown<PinfoldException.BadLock> { LockFile.fromBytes(bytes, "app.lock") }.message.orEmpty()
            holds(Regex("""app\.lock:\d+:\d+: .+""").containsMatchIn(message), message)
        }
        same(0, LockFile.fromBytes("version = 1".toByteArray()).checkpoints().size)
        fails("io") { LockFile.open("a\u0000b") }
        fails("io") { LockFile.find("/") }
    }
    test("values say what is pinned and stored") {
        pinned { lock, store, _ ->
            same("LockFile(${lock.path})", lock.toString())
            same("Store(${store.root})", store.toString())
            val pin = lock.checkpoints().single { it.name == "intent" }
            val file = lock.pull("intent", store)
            same(pin.digest to "intent", file.digest to file.name)
            val entry = store.entries().single()
            same(listOf(pin.digest, pin.size, file.path), listOf(entry.digest, entry.size, entry.path))
            same(listOf(lock.path), entry.pinnedBy)
            holds(entry.used != null, "it was never used")
            same(pin.digest, lock.load("intent", store).use { it.digest() })
            same(0.toULong() to true, store.collect(dryRun = true).freed to store.remove(pin.digest.uppercase()))
        }
    }
    test("the defaults of a pull are those of the library, and its secret is hidden") {
        val defaults = NativePullOptions()
        val mine = PullOptions(hubToken = "hf_secret")
        same(
            listOf(defaults.connections, defaults.attempts, defaults.stallTimeoutMs),
            listOf(mine.connections, mine.attempts, mine.stallTimeoutMs),
        )
        same(listOf(defaults.hubEndpoint, defaults.certificates), listOf(mine.hubEndpoint, mine.certificates))
        holds("secret" !in "$mine", "$mine")
        holds("$mine" != "${mine.copy(hubToken = null)}", "nothing says that there is a token")
        same(mine, mine.copy())
    }
    test("work on pins tells its progress on the calling thread") {
        pinned { lock, store, checkpoint ->
            val heard = mutableListOf<Pair<ULong, ULong>>()
            val said = mutableListOf<String>()
            val threads = mutableSetOf<Thread>()
            val hear = { done: ULong, total: ULong -> heard += done to total; threads += Thread.currentThread() }
            val size = lock.checkpoints().single { it.name == "intent" }.size
            fun ends(total: ULong) {
                same(total to total, heard.last())
                same(heard.map { it.first }.sorted(), heard.map { it.first })
                same(setOf(Thread.currentThread()), threads)
                heard.clear()
            }
            lock.pull("intent", store) { source, done, total -> said += source; hear(done, total) }
            holds(said.all { it.startsWith("file:") }, "$said")
            ends(size)
            lock.pull("intent", store) { _, done, total -> hear(done, total) }
            same(0, heard.size)
            store.verify(progress = hear)
            ends(size)
            store.remove(store.entries().single().digest)
            store.importFile(checkpoint, progress = hear)
            ends(size)
            said.clear()
            val options = VerifyOptions(names = listOf("music"), threads = 1u)
            val report = lock.verify(store, options) { subject, done, total ->
                said += subject
                hear(done.toULong(), total.toULong())
            }
            holds(report.passed && report.goldens.single().name == "music", "$report")
            holds(said.last().isEmpty() && said.any { "music" in it }, "$said")
            ends(heard.last().second)
        }
    }
    test("what a progress of work on pins throws ends it and is the cause") {
        pinned { lock, store, checkpoint ->
            // An Error too, and a message that is no Unicode.
            for (mine in listOf(IllegalArgumentException("mine"), AssertionError("mine"), RuntimeException("\uD800"))) {
                val calls = listOf<() -> Unit>(
                    { lock.pull("intent", store) { _, _, _ -> throw mine } },
                    { lock.load("intent", store) { throw mine }.close() },
                    { lock.verify(store, VerifyOptions(listOf("music"))) { _, _, _ -> throw mine } },
                    { store.importFile(checkpoint) { _, _ -> throw mine } },
                )
                for (call in calls) {
                    val error = thrown<PinfoldException.Callback> { call() }
                    same(mine, error.cause)
                    holds("progress" in error.message.orEmpty(), error.message.orEmpty())
                }
                same(0, store.entries().size)
            }
        }
    }
    test("work on pins is cancelled before it starts and from its progress") {
        pinned { lock, store, checkpoint ->
            val before = Cancel().apply { cancel() }
            fails("cancelled") { lock.pull("intent", store, cancel = before) }
            fails("cancelled") { lock.load("intent", store, cancel = before) }
            fails("cancelled") { lock.verify(store, cancel = before) }
            fails("cancelled") { store.importFile(checkpoint, cancel = before) }
            val cancel = Cancel()
            fails("cancelled") { lock.pull("intent", store, cancel = cancel) { _, _, _ -> cancel.cancel() } }
            same(0, store.entries().size)
        }
    }
    test("threads that pull the same name get the same file") {
        pinned { lock, store, _ ->
            val pool = Executors.newFixedThreadPool(4)
            val files = pool.invokeAll(List(4) { Callable { lock.pull("intent", store) } }).map { it.get() }
            pool.shutdown()
            same(1, files.toSet().size)
            same(1, store.entries().size)
        }
    }
    test("a coroutine that is cancelled ends a pull that waits for bytes") {
        // It takes connections and says nothing.
        ServerSocket(0, 8, InetAddress.getLoopbackAddress()).use { silent ->
            val text = Files.readString(pinsFolder.resolve("pinfold.lock"))
            val lock = LockFile.fromBytes(text.replace("127.0.0.1:9", "127.0.0.1:${silent.localPort}").toByteArray())
            OwnStore().use { own ->
                runBlocking(Dispatchers.Default) {
                    same(null, withTimeoutOrNull(300) {
                        runCancellable { cancel -> lock.pull("elsewhere", own.store, cancel = cancel) }
                    })
                    val job = launch {
                        runCancellable { cancel -> lock.pull("elsewhere", own.store, cancel = cancel) }
                    }
                    silent.accept().use { job.cancelAndJoin() }
                    holds(job.isCancelled, "it ended in another way")
                }
            }
        }
    }
    test("a coroutine gets the result or the error of its work") {
        pinned { lock, store, _ ->
            runBlocking {
                lateinit var flag: Cancel
                val file = runCancellable { cancel -> flag = cancel; lock.pull("intent", store, cancel = cancel) }
                same(lock.resolve("intent", store), file)
                holds(!flag.isCancelled, "the flag was set at the end")
                same(null, runCancellable { null })
                fails("not_pinned") { runCancellable { lock.resolve("nothing", store) } }
                same("mine", thrown<IllegalArgumentException> {
                    runCancellable { throw IllegalArgumentException("mine") }
                }.message)
                val passed = async(Dispatchers.Default) {
                    runCancellable { lock.verify(store, VerifyOptions(listOf("music"), threads = 1u), it).passed }
                }
                holds(passed.await(), "it did not pass")
            }
        }
    }
    test("a model that is ready when its coroutine is cancelled is closed") {
        runBlocking(Dispatchers.Default) {
            lateinit var model: Model
            lateinit var job: Job
            launch {
                job = coroutineContext.job
                runCancellable<Model> { Model.scripted("hello").also { model = it; job.cancel() } }
            }.join()
            same("the model is closed", thrown<IllegalStateException> { model.facts }.message)
        }
    }
}
