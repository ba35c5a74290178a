//! Single parameters of a listing's query, read as Cinder reads them.

use super::literal;
use crate::answer::{self, Answer};
use crate::quirks::Filtering;
use crate::rows::Metadata;

/// A whole number that is not negative.
pub(super) fn whole_number(name: &str, value: Option<&str>) -> Result<Option<usize>, Answer> {
    let Some(value) = value else {
        return Ok(None);
    };
    let number: i64 = value
        .parse()
        .map_err(|_| answer::fault(400, &format!("{name} param must be an integer")))?;
    let positive = || answer::fault(400, &format!("{name} param must be positive"));
    usize::try_from(number).map(Some).map_err(|_| positive())
}

/// Keys to sort by, each with whether it ascends; never empty.
pub(super) fn sort(
    sort: Option<&str>,
    key: Option<&str>,
    direction: Option<&str>,
) -> Result<Vec<(String, bool)>, Answer> {
    let ascends = |direction: &str| match direction {
        "asc" => Ok(true),
        "desc" => Ok(false),
        _ => {
            let text = "Invalid input received: Unknown sort direction, must be 'desc' or 'asc'.";
            Err(answer::fault(400, text))
        }
    };
    match sort {
        Some(sort) => sort
            .split(',')
            .map(|part| {
                let (key, direction) = part.trim().split_once(':').unwrap_or((part.trim(), "desc"));
                Ok((key.to_owned(), ascends(direction)?))
            })
            .collect(),
        None => {
            let key = key.unwrap_or("created_at").to_owned();
            Ok(vec![(key, ascends(direction.unwrap_or("desc"))?)])
        }
    }
}

/// A `metadata` filter: whether a row has all its pairs, upper or lower case alike, as
/// MariaDB compares; or what an odd cloud makes of it. `None` for a value that finds nothing.
///
/// # Errors
/// Where the cloud refuses such a filter.
pub(super) fn metadata_filter(
    value: &str,
    filtering: Filtering,
) -> Result<Option<impl Fn(&Metadata) -> bool + use<>>, Answer> {
    if let Filtering::Refused(status) = filtering {
        let text = "Invalid filters metadata are found in query options.";
        return Err(answer::fault(status, text));
    }
    let Some(mut wanted) = literal::dictionary(value).filter(|_| filtering != Filtering::Empty)
    else {
        return Ok(None);
    };
    match filtering {
        Filtering::Ignored => wanted.clear(),
        Filtering::FirstPair => wanted.truncate(1),
        _ => {}
    }
    let any = filtering == Filtering::AnyPair && !wanted.is_empty();
    Ok(Some(move |metadata: &Metadata| {
        let has = |(key, value): &(String, String)| {
            metadata
                .iter()
                .any(|(have, text)| same_text(have, key) && same_text(text, value))
        };
        if any {
            wanted.iter().any(has)
        } else {
            wanted.iter().all(has)
        }
    }))
}

/// Whether two texts are the same for MariaDB. ASCII needs no copies: a filter looks at a
/// hundred thousand rows.
pub(super) fn same_text(one: &str, other: &str) -> bool {
    if one.is_ascii() && other.is_ascii() {
        one.eq_ignore_ascii_case(other)
    } else {
        one.to_lowercase() == other.to_lowercase()
    }
}
