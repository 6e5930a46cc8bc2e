//! A real server with an emitted application.

use super::program;
use std::fs;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

/// A server that is stopped when the test ends, however it ends.
pub struct Server {
    process: Child,
    /// Where it answers.
    pub url: String,
    /// What it printed.
    pub log: PathBuf,
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn free_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    listener.local_addr().expect("an address").port()
}

/// A real uvicorn with the application, once it answers.
pub fn serve(backend: &Path, settings: &[(&str, &str)]) -> Server {
    let port = free_port();
    let log = backend.join("server.log");
    let file = fs::File::create(&log).expect("a log file");
    let mut command = program("uvicorn", backend);
    command.args(["--factory", "app.main:create_app", "--port", &port.to_string()]);
    command.envs(settings.iter().copied());
    command.stdout(file.try_clone().expect("a log file")).stderr(file).stdin(Stdio::null());
    let process = command.spawn().expect("uvicorn starts");
    let mut server = Server { process, url: format!("http://127.0.0.1:{port}"), log };
    let start = Instant::now();
    while std::net::TcpStream::connect(("127.0.0.1", port)).is_err() {
        let ended = server.process.try_wait().expect("the server can be asked");
        let log = || fs::read_to_string(&server.log).unwrap_or_default();
        assert!(ended.is_none(), "the server ended:\n{}", log());
        assert!(
            start.elapsed() < Duration::from_secs(60),
            "the server does not answer:\n{}",
            log()
        );
        std::thread::sleep(Duration::from_millis(50));
    }
    server
}
