//! What the sources that were named have now.

use std::path::{Component, Path, PathBuf};

use pinfold::lock::Reference;
use pinfold::pull::{self, Fetched, Offer};
use pinfold::{Check, Digest, Error, PullOptions, PullProgress, PullWatch, Source, Store};

use crate::interrupt::Interrupt;
use crate::output::{Exit, Failure, excerpt};
use crate::pins;
use crate::progress::Bar;

pub struct Sources<'a> {
    /// What is going to be pinned.
    pub name: &'a str,
    /// What `file:` sources are relative to.
    pub folder: &'a Path,
    pub store: &'a Store,
    pub options: &'a PullOptions,
    pub interrupt: &'a Interrupt,
}

/// A file that was brought into the store.
pub struct Found {
    pub fetched: Fetched,
    pub path: PathBuf,
    /// The source as it was given, where that may move.
    pub moving: Option<Source>,
}

impl Sources<'_> {
    /// Brings what `source` has now.
    pub fn fetch(&self, source: &Source, expected: Option<Digest>) -> Result<Found, Failure> {
        let wrong = |actual: Digest| match expected {
            Some(expected) if expected != actual => Err(wrong_digest(source, actual, expected)),
            _ => Ok(()),
        };
        // A source that says so saves the download.
        if expected.is_some()
            && let Some(actual) = self.look(source)?.digest
        {
            wrong(actual)?;
        }
        let mut bar = Bar::bytes(excerpt(self.name, 24));
        let mut progress = |progress: &PullProgress| bar.set_bytes(progress.done, progress.total);
        let watch = PullWatch { progress: Some(&mut progress), cancel: self.interrupt.work() };
        let fetched = pull::fetch(source, self.folder, self.store, self.options, watch)?;
        drop(bar);
        wrong(fetched.digest)?;
        let digest = fetched.digest;
        let missing = || Error::NotPulled { name: pins::label(source), digest };
        let path = self.store.get(digest, Check::Stamp)?.ok_or_else(missing)?;
        let moving = (fetched.source != *source).then(|| source.clone());
        Ok(Found { fetched, path, moving })
    }

    /// Checks that `mirror` has the bytes of `digest`; gives it as it is to be recorded.
    pub fn check(&self, mirror: &Source, digest: Digest) -> Result<Vec<Source>, Failure> {
        let offer = self.look(mirror)?;
        match offer.digest {
            Some(actual) if actual == digest => {
                let fixed = fixed(mirror, &offer);
                let moving = (fixed != *mirror).then(|| mirror.clone());
                Ok([fixed].into_iter().chain(moving).collect())
            }
            Some(actual) => Err(wrong_digest(mirror, actual, digest)),
            None => {
                let Found { fetched, moving, .. } = self.fetch(mirror, Some(digest))?;
                Ok([fetched.source].into_iter().chain(moving).collect())
            }
        }
    }

    fn look(&self, source: &Source) -> Result<Offer, Failure> {
        Ok(pull::look(source, self.folder, self.options, &self.interrupt.work())?)
    }
}

fn wrong_digest(source: &Source, actual: Digest, expected: Digest) -> Failure {
    let source = excerpt(&pins::label(source), 200);
    let message = format!("{source}: the bytes there have the digest {actual}, not {expected}");
    Failure::new(Exit::Verification, "wrong_digest", message).hint("nothing was recorded")
}

/// A source with what may move replaced by what it is now.
fn fixed(source: &Source, offer: &Offer) -> Source {
    match (source, &offer.revision) {
        (Source::Hub { repository, file, .. }, Some(revision)) => {
            Source::Hub { repository: repository.clone(), file: file.clone(), revision: revision.clone() }
        }
        (Source::Oci { registry, repository, .. }, Some(digest)) => Source::Oci {
            registry: registry.clone(),
            repository: repository.clone(),
            reference: Reference::Digest(digest.clone()),
        },
        (source, _) => source.clone(),
    }
}

/// A path that was typed in this folder, as it is written in a file of `folder`. An absolute one stays so.
pub fn relative(path: &Path, folder: &Path) -> Result<PathBuf, Failure> {
    if path.is_absolute() {
        return Ok(path.to_owned());
    }
    let name = path.file_name().ok_or_else(|| {
        Failure::usage(format!("{}: not the path of a file", path.display())).hint("file:PATH names one")
    })?;
    let parent = match path.parent() {
        Some(parent) if parent != Path::new("") => parent,
        _ => Path::new("."),
    };
    // A link to the file stays one; those on the way to it are followed, since `..` needs that.
    let parent = parent.canonicalize().map_err(Error::io(path))?;
    let folder = folder.canonicalize().map_err(Error::io(folder))?;
    Ok(from(&folder, &parent).join(name))
}

/// The way from one folder to another.
fn from(folder: &Path, to: &Path) -> PathBuf {
    let common = folder.components().zip(to.components()).take_while(|(a, b)| a == b).count();
    let up = folder.components().skip(common).map(|_| Component::ParentDir);
    up.chain(to.components().skip(common)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ways_between_folders() {
        let way = |folder, to| from(Path::new(folder), Path::new(to)).to_str().unwrap().to_owned();
        assert_eq!(way("/a/b", "/a/b"), "");
        assert_eq!(way("/a/b", "/a/b/c"), "c");
        assert_eq!(way("/a/b/c", "/a/d"), "../../d");
        assert_eq!(way("/", "/a"), "a");
    }
}
