//! Deliberate mistakes: what a careless hand might do to the program, and the seeds have to find.
//!
//! A mistake says which text of which file it replaces. White space does not count in it, so a
//! line that is wrapped or indented anew changes nothing; what moves to another file or is renamed
//! is found by the test that asks for each text to be there exactly once.

mod clouds;
mod passes;
mod restores;
mod weeks;

use std::ops::Range;

pub use clouds::OF_CLOUDS;
pub use passes::OF_PASSES;
pub use restores::OF_RESTORES;
pub use weeks::OF_WEEKS;

/// One mistake.
#[derive(Clone, Copy, Debug)]
pub struct Mistake {
    /// A short name.
    pub name: &'static str,
    /// What is wrong with the program then.
    pub says: &'static str,
    /// What is replaced.
    pub changes: &'static [Change],
}

/// A text that is replaced by another.
#[derive(Clone, Copy, Debug)]
pub struct Change {
    /// The file, from the root of the workspace.
    pub file: &'static str,
    /// What is there exactly once, white space apart.
    pub find: &'static str,
    /// What is put in its place.
    pub put: &'static str,
}

impl Change {
    /// The text of the file with the change made, or how often the text to find is there.
    pub fn applied_to(&self, text: &str) -> Result<String, usize> {
        let found = occurrences(text, self.find);
        match found.as_slice() {
            [only] => {
                let mut changed = text.to_owned();
                changed.replace_range(only.clone(), self.put);
                Ok(changed)
            }
            several => Err(several.len()),
        }
    }
}

/// Where a text is, white space apart.
fn occurrences(text: &str, find: &str) -> Vec<Range<usize>> {
    let dense: Vec<(usize, char)> = text
        .char_indices()
        .filter(|(_, letter)| !letter.is_whitespace())
        .collect();
    let find: Vec<char> = find
        .chars()
        .filter(|letter| !letter.is_whitespace())
        .collect();
    let (Some(first), true) = (find.first(), dense.len() >= find.len()) else {
        return Vec::new();
    };
    let starts = (0..=dense.len() - find.len()).filter(|&at| dense[at].1 == *first);
    let starts = starts.filter(|&at| {
        let there = dense[at..].iter().map(|(_, letter)| letter);
        there.zip(&find).all(|(there, wanted)| there == wanted)
    });
    starts
        .map(|at| {
            let (last, letter) = dense[at + find.len() - 1];
            dense[at].0..last + letter.len_utf8()
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::{fs, path::Path};

    use super::*;

    fn all() -> impl Iterator<Item = &'static Mistake> {
        [OF_PASSES, OF_WEEKS, OF_RESTORES, OF_CLOUDS]
            .into_iter()
            .flatten()
    }

    #[test]
    fn each_mistake_is_found_at_exactly_one_place_of_the_program() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
        let mut wrong = Vec::new();
        for mistake in all() {
            for change in mistake.changes {
                let text = fs::read_to_string(root.join(change.file)).unwrap_or_default();
                if let Err(times) = change.applied_to(&text) {
                    let (name, file, find) = (mistake.name, change.file, change.find);
                    wrong.push(format!("{name}: {times} times in {file}: {find}"));
                }
            }
        }
        assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    }

    #[test]
    fn each_mistake_has_a_name_of_its_own() {
        let names: BTreeSet<&str> = all().map(|mistake| mistake.name).collect();
        assert_eq!(names.len(), all().count());
    }

    #[test]
    fn white_space_does_not_count_and_twice_is_too_often() {
        let change = Change {
            file: "",
            find: "if a { b }",
            put: "c",
        };
        let text = "x;\n    if a {\n        b\n    }\ny;";
        assert_eq!(change.applied_to(text), Ok("x;\n    c\ny;".to_owned()));
        assert_eq!(change.applied_to("if a{b} if a { b }"), Err(2));
        assert_eq!(change.applied_to("nothing"), Err(0));
    }
}
