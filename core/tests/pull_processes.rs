//! Downloads by several processes, processes that are killed, disks that are full, and what the environment says.
//! The processes are this test itself, started again.
#![cfg(unix)]
#![allow(clippy::unwrap_used, reason = "a test fails by a panic")]

mod pull_support;

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use pinfold::lock::FilePin;
use pinfold::pull::pull_file;
use pinfold::{Digest, PullOptions, PullWatch};
use pull_support::server::Manner;
use pull_support::{Reply, Server, assert_store_is_right, bytes, options, store, tls};

/// What a child is to pull.
#[derive(serde::Serialize, serde::Deserialize)]
struct Task {
    folder: PathBuf,
    url: String,
    sha256: String,
    size: u64,
}

impl Task {
    fn new(folder: &Path, server: &Server, body: &[u8]) -> Self {
        let sha256 = Digest::of_bytes(body).to_string();
        Self { folder: folder.to_owned(), url: server.url("model.gguf"), sha256, size: body.len() as u64 }
    }

    /// A process that does it, by way of a shell that says `before` first.
    fn start(&self, before: &str) -> Child {
        self.start_in(before, &[])
    }

    /// The same with variables of the environment.
    fn start_in(&self, before: &str, variables: &[(&str, &str)]) -> Child {
        let mut command = Command::new("sh");
        command.arg("-c").arg(format!("{before}; exec \"$0\" \"$@\"")).arg(std::env::current_exe().unwrap());
        command.args(["--exact", "a_child_pulls", "--nocapture"]);
        for name in [
            "HF_HOME",
            "HF_TOKEN",
            "HTTPS_PROXY",
            "https_proxy",
            "ALL_PROXY",
            "all_proxy",
            "NO_PROXY",
            "no_proxy",
        ] {
            command.env_remove(name);
        }
        command.envs(variables.iter().copied());
        command.env("PINFOLD_TEST_TASK", serde_json::to_string(self).unwrap());
        command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
    }
}

/// Not a test, but what the children do.
#[test]
fn a_child_pulls() {
    let Ok(task) = std::env::var("PINFOLD_TEST_TASK") else { return };
    let task: Task = serde_json::from_str(&task).unwrap();
    let pin = FilePin {
        sources: vec![task.url.parse().unwrap()],
        sha256: task.sha256.parse().unwrap(),
        size: task.size,
        licence: "MIT".to_owned(),
        minisig: None,
    };
    let options = PullOptions { attempts: 1, stall_timeout_ms: 10_000, hub_token: None, ..options() };
    let pulled =
        pull_file("model", &pin, Path::new("."), &store(&task.folder), &options, PullWatch::default());
    println!("pulled: {pulled:?}");
}

fn said(output: &Output) -> String {
    assert!(output.status.success(), "{output:?}");
    let text = String::from_utf8(output.stdout.clone()).unwrap();
    text.lines().find_map(|line| line.split_once("pulled: ")).unwrap().1.to_owned()
}

/// Gives a kilobyte each few milliseconds and connection.
fn slow(body: &Arc<Vec<u8>>, pause_ms: u64) -> Server {
    let (body, manner) =
        (body.clone(), Manner { drip: Some((1024, Duration::from_millis(pause_ms))), ..Manner::default() });
    Server::start(move |request| Reply::file(request, &body, Some("\"v1\"")).in_manner(manner))
}

#[test]
fn killed_processes_leave_what_the_next_one_continues() {
    std::thread::scope(|scope| {
        for seed in 0..8 {
            scope.spawn(move || killed_again_and_again(seed));
        }
    });
}

fn killed_again_and_again(seed: u64) {
    let mut random = fastrand::Rng::with_seed(seed);
    let folder = tempfile::tempdir().unwrap();
    let body = bytes(seed, 500_000);
    let server = slow(&body, 12);
    let task = Task::new(folder.path(), &server, &body);
    let mut continued = 0;
    for _ in 0..4 {
        let before = server.requests().len();
        let mut child = task.start(":");
        std::thread::sleep(Duration::from_millis(random.u64(300..900)));
        child.kill().unwrap();
        child.wait().unwrap();
        continued += usize::from(begins_later(&server, before));
        assert_store_is_right(&store(folder.path()));
    }
    let before = server.requests().len();
    let output = task.start(":").wait_with_output().unwrap();
    assert!(said(&output).starts_with("Ok("), "{output:?}");
    continued += usize::from(begins_later(&server, before));
    let store = store(folder.path());
    let path = store.get(Digest::of_bytes(&body), pinfold::Check::Full).unwrap().unwrap();
    assert!(std::fs::read(path).unwrap() == *body, "other bytes");
    assert!(continued > 0, "every process began from the start");
    println!(
        "seed {seed}: {continued} of 5 processes continued, {:.2} times the bytes were sent",
        server.sent() as f64 / 5e5
    );
    assert!(server.sent() < 4 * 500_000, "{} bytes were sent", server.sent());
}

/// Whether the request with this number asks for bytes after the first.
fn begins_later(server: &Server, number: usize) -> bool {
    server.requests().get(number).is_some_and(|first| !first.header("range").unwrap().starts_with("bytes=0-"))
}

#[test]
fn two_processes_download_once() {
    let folder = tempfile::tempdir().unwrap();
    let body = bytes(20, 200_000);
    let server = slow(&body, 10);
    let task = Task::new(folder.path(), &server, &body);
    let children: Vec<Child> = (0..3).map(|_| task.start(":")).collect();
    for child in children {
        let output = child.wait_with_output().unwrap();
        assert!(said(&output).starts_with("Ok("), "{output:?}");
    }
    assert_eq!(server.sent(), 200_000);
    assert_store_is_right(&store(folder.path()));
}

/// A limit on the size of files is what a test can set without rights.
#[test]
fn a_full_disk_is_an_error_that_names_the_file_and_keeps_what_is_there() {
    // In blocks of 512 bytes: below what is to be written, above all else that is.
    let full = "trap '' XFSZ; ulimit -f 128";
    let folder = tempfile::tempdir().unwrap();
    let body = bytes(21, 300_000);
    let server = Server::of_file(body.clone());
    let task = Task::new(folder.path(), &server, &body);
    let error = said(&task.start(full).wait_with_output().unwrap());
    assert!(error.starts_with("Err(Io { path: ") && error.contains("partial"), "{error}");

    // The same in the middle: the file has its size, but cannot be written beyond the limit.
    let slow = slow(&body, 20);
    let begun = Task { url: slow.url("model.gguf"), ..task };
    let mut child = begun.start(":");
    let note = folder.path().join(format!("store/partial/sha256-{}.json", Digest::of_bytes(&body)));
    while !note.exists() {
        std::thread::sleep(Duration::from_millis(10));
    }
    child.kill().unwrap();
    child.wait().unwrap();
    let error = said(&Task::new(folder.path(), &server, &body).start(full).wait_with_output().unwrap());
    assert!(error.starts_with("Err(Io { path: ") && error.contains("partial"), "{error}");

    let before = server.sent();
    let task = Task::new(folder.path(), &server, &body);
    assert!(said(&task.start(":").wait_with_output().unwrap()).starts_with("Ok("));
    assert!(server.sent() - before < 300_000, "what was there was asked for again");
    assert_store_is_right(&store(folder.path()));
}

/// Connects as a client asks, but to `to` whatever the client names.
fn proxy(to: u16) -> (u16, Arc<Mutex<Vec<String>>>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let asked = Arc::new(Mutex::new(Vec::new()));
    let seen = Arc::clone(&asked);
    let serve = move |client: TcpStream| {
        let mut head = Vec::new();
        let mut byte = [0];
        while !head.ends_with(b"\r\n\r\n") && (&client).read(&mut byte)? == 1 {
            head.push(byte[0]);
        }
        seen.lock()
            .unwrap()
            .push(String::from_utf8_lossy(&head).lines().next().unwrap_or_default().to_owned());
        (&client).write_all(b"HTTP/1.1 200 Connected\r\n\r\n")?;
        let server = TcpStream::connect(("127.0.0.1", to))?;
        let (mut from, mut into) = (client.try_clone()?, server.try_clone()?);
        std::thread::spawn(move || std::io::copy(&mut from, &mut into));
        std::io::copy(&mut &server, &mut &client)
    };
    let serve = Arc::new(serve);
    std::thread::spawn(move || {
        for client in listener.incoming() {
            let (client, serve) = (client.unwrap(), Arc::clone(&serve));
            std::thread::spawn(move || serve(client));
        }
    });
    (port, asked)
}

#[test]
fn proxy_and_roots_of_the_environment_are_used_but_not_for_this_machine() {
    let folder = tempfile::tempdir().unwrap();
    let (root, config) = tls::authority(folder.path());
    let (body, other) = (bytes(22, 50_000), bytes(23, 50_000));
    let file = body.clone();
    let server = Server::start_with(Some(config), move |request| Reply::file(request, &file, Some("\"v1\"")));
    let (port, asked) = proxy(server.port());
    let proxy = format!("http://127.0.0.1:{port}");
    let variables = [("HTTPS_PROXY", proxy.as_str()), ("SSL_CERT_FILE", root.to_str().unwrap())];

    let mut task = Task::new(folder.path(), &server, &body);
    task.url = "https://mirror.example/model.gguf".to_owned();
    let output = task.start_in(":", &variables).wait_with_output().unwrap();
    assert!(said(&output).starts_with("Ok("), "{output:?}");
    assert_eq!(asked.lock().unwrap()[0], "CONNECT mirror.example:443 HTTP/1.1");

    let before = asked.lock().unwrap().len();
    let here = Server::of_file(other.clone());
    let output =
        Task::new(folder.path(), &here, &other).start_in(":", &variables).wait_with_output().unwrap();
    assert!(said(&output).starts_with("Ok("), "{output:?}");
    assert_eq!(asked.lock().unwrap().len(), before);
}

#[test]
fn endpoint_and_token_of_the_environment_are_used() {
    let body = bytes(24, 1000);
    let home = tempfile::tempdir().unwrap();
    let home = home.path().to_str().unwrap();
    std::fs::write(format!("{home}/token"), "hf_of_the_file\n").unwrap();
    for (variables, token) in [
        (vec![("HF_TOKEN", "hf_a")], Some("Bearer hf_a")),
        (vec![("HUGGING_FACE_HUB_TOKEN", "hf_b")], Some("Bearer hf_b")),
        (vec![], Some("Bearer hf_of_the_file")),
        (vec![("HF_HUB_DISABLE_IMPLICIT_TOKEN", "1")], None),
        (vec![("HF_TOKEN", "hf secret")], Some("an error")),
    ] {
        let folder = tempfile::tempdir().unwrap();
        let server = Server::of_file(body.clone());
        let endpoint = server.url("");
        let mut task = Task::new(folder.path(), &server, &body);
        task.url = "hf:owner/repo/model.gguf@main".to_owned();
        let variables = [variables, vec![("HF_HOME", home), ("HF_ENDPOINT", &endpoint)]].concat();
        let output = task.start_in(":", &variables).wait_with_output().unwrap();
        let told = said(&output);
        if token == Some("an error") {
            assert!(told.starts_with("Err(InvalidOption") && !told.contains("secret"), "{told}");
        } else {
            assert!(told.starts_with("Ok("), "{told}");
            let request = &server.requests()[0];
            assert_eq!(request.header("authorization"), token, "{variables:?}");
            assert_eq!(request.path, "/owner/repo/resolve/main/model.gguf");
        }
    }
}
