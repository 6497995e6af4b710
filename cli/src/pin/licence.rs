//! The licence of what is pinned: somebody has to have seen it.

use pinfold::checkpoint::Header;

use crate::ask;
use crate::output::{self, Exit, Failure, Table, excerpt};

/// What a file says of its licence.
struct Said<'a> {
    licence: Option<&'a str>,
    name: Option<&'a str>,
    link: Option<&'a str>,
}

impl<'a> Said<'a> {
    fn of(header: &'a Header) -> Self {
        let text = |key| header.metadata.str(key).map(str::trim).filter(|text| !text.is_empty());
        Self {
            licence: text("general.license"),
            name: text("general.license.name"),
            link: text("general.license.link"),
        }
    }

    /// What is recorded. The Hub's word for a licence that it has no identifier for is `other`.
    fn text(&self) -> Option<&'a str> {
        match self.licence {
            Some(licence) if licence != "other" => Some(licence),
            other => self.name.or(other),
        }
    }

    fn table(&self) -> Table {
        let mut table = Table::facts();
        for (name, value) in [("licence", self.licence), ("its name", self.name), ("its text", self.link)] {
            if let Some(value) = value {
                table.fact(name, excerpt(value, 200));
            }
        }
        table
    }
}

/// Before anything is downloaded: fails where nobody could be asked.
pub fn check_that_somebody_decides(given: Option<&str>, yes: bool) -> Result<(), Failure> {
    if given.is_some() || yes || ask::somebody() {
        return Ok(());
    }
    Err(Failure::usage("nobody can be asked for the licence: stdin is no terminal")
        .hint("--licence TEXT names it, --yes takes what the file says"))
}

/// The licence to record.
pub fn decide(header: &Header, given: Option<&str>, yes: bool) -> Result<String, Failure> {
    if let Some(given) = given {
        return Ok(given.to_owned());
    }
    let said = Said::of(header);
    let declined = || ask::declined("without a licence nothing is pinned");
    match said.text() {
        Some(text) if yes => Ok(text.to_owned()),
        Some(text) => {
            output::note(said.table().to_string().trim_end());
            match ask::yes("Do you agree to it?")? {
                true => Ok(text.to_owned()),
                false => Err(declined()),
            }
        }
        None if ask::somebody() => {
            output::note("The file does not say under which licence it is.");
            match ask::text("Its licence, as an SPDX expression or in words:")? {
                text if text.is_empty() => Err(declined()),
                text => Ok(text),
            }
        }
        None => {
            Err(Failure::new(Exit::Failed, "no_licence", "the file does not say under which licence it is")
                .hint("look it up where the file comes from, and name it by --licence TEXT"))
        }
    }
}
