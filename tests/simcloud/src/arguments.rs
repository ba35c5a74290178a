//! The command line.

use std::path::PathBuf;

use crate::demo::DEFAULT_PAGE;

/// What the command does, for people.
pub(crate) const USAGE: &str = "\
usage: cargo run -p simcloud -- EVENT.json [EVENT.json ...]
           Starts a small cloud, builds the function, runs it on each event in turn
           and shows its log, its answer, and the snapshots before and after.
       cargo run -p simcloud -- report [--page PATH]
           Reports how the volumes of that cloud stand, as a table, and writes the
           dashboard's page (target/report.html unless a path is given).
       cargo run -p simcloud -- fleet
           Starts three clouds, one of them sick, and plays a tick of the schedules:
           the targets, each one's event, and what came of it.
       cargo run -p simcloud -- serve [--port N] [--env-file PATH]
           Keeps the cloud running until Ctrl-C and prints the OS_* variables for it.";

/// What to do.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Command {
    Help,
    Demo {
        events: Vec<PathBuf>,
    },
    Report {
        /// Where the dashboard's page goes.
        page: PathBuf,
    },
    Fleet,
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
        Some("report") => report(arguments.skip(1)),
        Some("fleet") => match arguments.nth(1) {
            None => Ok(Command::Fleet),
            Some(other) => Err(format!("fleet does not know {other}")),
        },
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

fn report(mut arguments: impl Iterator<Item = String>) -> Result<Command, String> {
    let mut page = PathBuf::from(DEFAULT_PAGE);
    while let Some(argument) = arguments.next() {
        match (argument.as_str(), arguments.next()) {
            ("--page", Some(path)) => page = path.into(),
            ("--page", None) => return Err("--page needs a value".into()),
            (other, _) => return Err(format!("report does not know {other}")),
        }
    }
    Ok(Command::Report { page })
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
            ("report --page", "--page"),
            ("report now", "now"),
            ("fleet 4", "4"),
        ] {
            let mistake = read_words(line).expect_err(line);
            assert!(mistake.contains(word), "{mistake}");
        }
    }
}
