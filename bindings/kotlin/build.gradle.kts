// Written for Gradle 8.14.3 and not run yet: there was no Maven repository within reach. What is tested is the jar that
// bindings/kotlin/build-jar makes of the same sources.
plugins {
    kotlin("jvm") version "2.2.21" apply false
    kotlin("android") version "2.2.21" apply false
    id("com.android.library") version "8.11.1" apply false
}

allprojects {
    group = "pinfold"
    // The workspace's version, said once.
    version = rootDir.resolve("../../Cargo.toml").readLines()
        .first { it.startsWith("version = ") }.substringAfter('"').substringBefore('"')
}
