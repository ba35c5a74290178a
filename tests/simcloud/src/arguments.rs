//! The command line.

use std::path::PathBuf;

/// What the command does, for people.
pub(crate) const USAGE: &str = "\
usage: cargo run -p simcloud -- EVENT.json [EVENT.json ...]
           Starts a small cloud, builds the function, runs it on each event in turn
           and shows its log, its answer, and the snapshots before and after.
       cargo run -p simcloud -- serve [--port N] [--env-file PATH]
           Keeps the cloud running until Ctrl-C and prints the OS_* variables for it.";

/// What to do.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Command {
    Help,
    Demo {
        events: Vec<PathBuf>,
    },
    Serve {
        /// 0 takes a free one.
        port: u16,
        env_file: Option<PathBuf>,
    },
}

/// Reads the arguments; a mistake is told in a sentence.
pub(crate) fn read(arguments: impl Iterator<Item = String>) -> Result<Command, String> {
    let mut arguments = arguments.peekable();
    match arguments.peek().map(String::as_str) {
        None => Err("no event file given".into()),
        Some("-h" | "--help" | "help") => Ok(Command::Help),
        Some("serve") => serve(arguments.skip(1)),
        Some(_) => {
            let events: Vec<String> = arguments.collect();
            match events.iter().find(|event| event.starts_with('-')) {
                Some(option) => Err(format!("unknown option {option}")),
                None => Ok(Command::Demo {
                    events: events.into_iter().map(PathBuf::from).collect(),
                }),
            }
        }
    }
}

fn serve(mut arguments: impl Iterator<Item = String>) -> Result<Command, String> {
    let (mut port, mut env_file) = (0, None);
    while let Some(argument) = arguments.next() {
        let mut value = || {
            arguments
                .next()
                .ok_or_else(|| format!("{argument} needs a value"))
        };
        match argument.as_str() {
            "--port" => {
                let text = value()?;
                port = text
                    .parse()
                    .map_err(|_| format!("--port: {text} is no port"))?;
            }
            "--env-file" => env_file = Some(value()?.into()),
            other => return Err(format!("serve does not know {other}")),
        }
    }
    Ok(Command::Serve { port, env_file })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read_words(line: &str) -> Result<Command, String> {
        read(line.split_whitespace().map(str::to_owned))
    }

    #[test]
    fn event_files_are_a_demonstration() {
        let events = vec!["a.json".into(), "b.json".into()];
        assert_eq!(read_words("a.json b.json"), Ok(Command::Demo { events }));
    }

    #[test]
    fn serving_takes_a_port_and_a_file() {
        let env_file = Some("cloud.env".into());
        let expected = Ok(Command::Serve {
            port: 8776,
            env_file,
        });
        assert_eq!(
            read_words("serve --env-file cloud.env --port 8776"),
            expected
        );
        assert_eq!(
            read_words("serve"),
            Ok(Command::Serve {
                port: 0,
                env_file: None
            })
        );
    }

    #[test]
    fn mistakes_are_named() {
        for (line, word) in [
            ("", "no event file"),
            ("--fast", "--fast"),
            ("serve --port", "--port"),
            ("serve --port x", "x is no port"),
            ("serve now", "now"),
        ] {
            let mistake = read_words(line).expect_err(line);
            assert!(mistake.contains(word), "{mistake}");
        }
    }
}
