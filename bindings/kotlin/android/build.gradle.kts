// The AAR for Android: `gradle :android:assembleRelease`. Written, not run yet; see the project above. It needs the
// SDK, the NDK below, `cargo install cargo-ndk --version 4.1.2 --locked`, and
// `rustup target add aarch64-linux-android x86_64-linux-android`.
import org.jetbrains.kotlin.gradle.dsl.JvmTarget

plugins {
    id("com.android.library")
    kotlin("android")
    `maven-publish`
}

// java.time, which the generated code has timestamps in.
val minimumApi = 26
val jniLibs: Provider<Directory> = layout.buildDirectory.dir("jniLibs")

android {
    namespace = "pinfold"
    compileSdk = 36
    // Its linker aligns to pages of 16 KB, which Android 15 wants.
    ndkVersion = "28.2.13676358"
    defaultConfig {
        minSdk = minimumApi
        consumerProguardFiles("consumer-rules.pro")
    }
    compileOptions {
        sourceCompatibility = JavaVersion.VERSION_11
        targetCompatibility = JavaVersion.VERSION_11
    }
    sourceSets["main"].kotlin.setSrcDirs(listOf("../src/main/kotlin", "../generated"))
    sourceSets["main"].jniLibs.setSrcDirs(listOf(jniLibs))
    lint {
        // The generated code looks for java.lang.ref.Cleaner, of API 33, before it uses it.
        disable += "NewApi"
    }
    publishing {
        singleVariant("release") { withSourcesJar() }
    }
}

kotlin {
    compilerOptions { jvmTarget = JvmTarget.JVM_11 }
}

dependencies {
    api("org.jetbrains.kotlinx:kotlinx-coroutines-android:1.10.2")
    api("net.java.dev.jna:jna:5.17.0@aar")
}

// Phones and tablets, and the emulator. No other ABI: 32 bits cannot map a checkpoint of common size.
val library by tasks.registering(Exec::class) {
    workingDir = rootDir.resolve("../..")
    outputs.dir(jniLibs)
    // cargo knows what is stale.
    outputs.upToDateWhen { false }
    doFirst { environment("ANDROID_NDK_HOME", android.ndkDirectory.path) }
    commandLine(
        "cargo", "ndk", "--platform", "$minimumApi", "-t", "arm64-v8a", "-t", "x86_64", "-o", jniLibs.get().asFile.path,
        "build", "--release", "--package", "pinfold-ffi",
    )
}

tasks.named("preBuild") { dependsOn(library) }

afterEvaluate {
    publishing {
        publications {
            create<MavenPublication>("release") {
                artifactId = "pinfold-android"
                from(components["release"])
            }
        }
    }
}
