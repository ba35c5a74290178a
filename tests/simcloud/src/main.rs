//! The embedded cloud as a command: a demonstration of the real function on it, or the cloud
//! alone for other programs to use.

mod arguments;
mod bench;
mod demo;
mod serving;

use std::process::ExitCode;

use arguments::Command;

#[tokio::main]
async fn main() -> ExitCode {
    let mut words = std::env::args().skip(1).peekable();
    if words.next_if(|word| word == "bench").is_some() {
        return bench::run(words).await.unwrap_or_else(|error| {
            eprintln!("simcloud: {error}");
            ExitCode::FAILURE
        });
    }
    let command = match arguments::read(words) {
        Ok(command) => command,
        Err(mistake) => {
            eprintln!("{mistake}\n\n{}", arguments::USAGE);
            return ExitCode::from(2);
        }
    };
    let done = match command {
        Command::Help => {
            println!("{}", arguments::USAGE);
            return ExitCode::SUCCESS;
        }
        Command::Demo { events } => demo::run(&events).await,
        Command::Report { page } => demo::report(&page).await,
        Command::Fleet => demo::fleet::run().await,
        Command::Serve { port, env_file } => serving::run(port, env_file.as_deref()).await,
    };
    match done {
        Ok(code) => code,
        Err(error) => {
            eprintln!("simcloud: {error}");
            ExitCode::FAILURE
        }
    }
}
