//! Pages of listings that were answered before: while no row changes, the same question has the
//! same answer, and need not be written again.

use std::collections::HashMap;

use super::Caller;
use crate::answer::Answer;

/// So many pages are kept, none larger than so many bytes.
const KEPT: usize = 32;
const LARGEST: usize = 256 * 1024;

/// Everything that a page depends on besides the rows and the configuration.
#[derive(Debug, PartialEq, Eq, Hash)]
pub(super) struct Asked {
    /// The page's address, query included.
    pub(super) uri: String,
    /// What its links begin with.
    pub(super) base: String,
    pub(super) caller: Caller,
}

/// Pages that show the rows of one version.
#[derive(Debug, Default)]
pub(crate) struct Pages {
    version: u64,
    pages: HashMap<Asked, Answer>,
}

impl Pages {
    /// The page, if it was answered in this version.
    pub(super) fn get(&self, version: u64, asked: &Asked) -> Option<Answer> {
        let page = self.pages.get(asked)?;
        (self.version == version).then(|| page.clone())
    }

    /// Keeps a page that shows the rows of this version.
    pub(super) fn keep(&mut self, version: u64, asked: Asked, page: &Answer) {
        if self.version != version || self.pages.len() >= KEPT {
            self.clear();
            self.version = version;
        }
        if page.body().len() <= LARGEST {
            self.pages.insert(asked, page.clone());
        }
    }

    /// Forgets all: what is listed depends on more than rows.
    pub(crate) fn clear(&mut self) {
        self.pages.clear();
    }
}
