//! Cinder's database, for what no API can do: making things old, and a history of years.

use std::io;
use std::process::Stdio;

use tokio::io::AsyncWriteExt;
use tokio::process::Command;

/// Where a database is: `mysql://USER:PASSWORD@HOST:PORT/NAME`.
#[derive(Clone, Copy, Debug)]
pub struct Database<'a> {
    user: &'a str,
    password: &'a str,
    host: &'a str,
    port: &'a str,
    name: &'a str,
}

impl<'a> Database<'a> {
    pub(super) fn at(url: &'a str) -> Self {
        let rest = url.strip_prefix("mysql://").unwrap_or(url);
        let (login, place) = rest.split_once('@').unwrap_or(("", rest));
        let (user, password) = login.split_once(':').unwrap_or((login, ""));
        let (address, name) = place.split_once('/').unwrap_or((place, ""));
        let (host, port) = address.split_once(':').unwrap_or((address, "3306"));
        Self {
            user,
            password,
            host,
            port,
            name,
        }
    }

    /// Runs statements; what they select, a row a line, with tabs between columns.
    ///
    /// # Errors
    /// What the client or the database has to say against it.
    pub async fn run(&self, sql: &str) -> io::Result<String> {
        let mut client = Command::new("mariadb")
            .args(["--no-defaults", "--batch", "--skip-column-names"])
            .args(["--host", self.host, "--port", self.port])
            .args(["--user", self.user, self.name])
            .env("MYSQL_PWD", self.password)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()?;
        if let Some(mut input) = client.stdin.take() {
            input.write_all(sql.as_bytes()).await?;
        }
        let done = client.wait_with_output().await?;
        if done.status.success() {
            Ok(String::from_utf8_lossy(&done.stdout).into_owned())
        } else {
            Err(io::Error::other(
                String::from_utf8_lossy(&done.stderr).into_owned(),
            ))
        }
    }
}
