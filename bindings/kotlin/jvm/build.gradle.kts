// The JVM jar: `gradle :jvm:jar`. Written, not run yet; see the project above.
import org.jetbrains.kotlin.gradle.dsl.JvmTarget

plugins {
    kotlin("jvm")
    `java-library`
    `maven-publish`
}

kotlin {
    compilerOptions {
        jvmTarget = JvmTarget.JVM_11
        freeCompilerArgs.add("-Xjdk-release=11")
    }
    sourceSets["main"].kotlin.setSrcDirs(listOf("../src/main/kotlin", "../generated"))
}

java {
    sourceCompatibility = JavaVersion.VERSION_11
    targetCompatibility = JavaVersion.VERSION_11
    withSourcesJar()
}

dependencies {
    api("org.jetbrains.kotlinx:kotlinx-coroutines-core:1.10.2")
    // The generated code's classes derive from JNA's.
    api("net.java.dev.jna:jna:5.17.0")
}

val repository: File = rootDir.resolve("../..")

val library by tasks.registering(Exec::class) {
    workingDir = repository
    commandLine("cargo", "build", "--release", "--workspace")
}

// Where JNA looks in a jar for the library of a machine.
val system = if (System.getProperty("os.name").startsWith("Mac")) "darwin" else "linux"
val machine = if (System.getProperty("os.arch") == "aarch64") "aarch64" else "x86-64"

tasks.processResources {
    dependsOn(library)
    from(repository.resolve("target/release")) {
        include("libpinfold_ffi.so", "libpinfold_ffi.dylib")
        into("$system-$machine")
    }
}

publishing {
    publications {
        create<MavenPublication>("jvm") {
            artifactId = "pinfold"
            from(components["java"])
        }
    }
}
