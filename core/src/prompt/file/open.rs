//! From files to a prompt that is checked.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use serde_json::Value;

use super::body::{self, Program};
use super::front::Front;
use super::source::{self, Fault, Place, Source};
use super::{PromptFile, PromptParts, uses, yaml};
use crate::digest::Digest;
use crate::error::{Error, Result};

/// Partials that a prompt may have, with those of its partials.
const MAX_PARTIALS: usize = 256;

impl PromptFile {
    /// Reads a prompt file; partials (`_name.prompt`) are looked for beside it.
    ///
    /// # Errors
    /// [`Error::Io`], [`Error::BadPrompt`], and [`Error::BadVariable`] if the body uses a variable that the
    /// input schema does not declare.
    pub fn open(path: impl AsRef<Path>) -> Result<Self> {
        let path = path.as_ref();
        let folder = path.parent().unwrap_or(Path::new(""));
        let text = read(path)?;
        Self::build(path, text, &BTreeMap::new(), |name| {
            let (folders, name) = name.rsplit_once('/').unwrap_or(("", name));
            let file = folder.join(folders).join(format!("_{name}.prompt"));
            match read(&file) {
                Err(Error::Io { source, .. }) if source.kind() == std::io::ErrorKind::NotFound => Ok(None),
                Err(error) => Err(error),
                Ok(text) => Ok(Some((file, text))),
            }
        })?
        .with_examples(Some(folder))
    }

    /// Reads a prompt from text, with what it refers to. `path` stands in messages.
    ///
    /// # Errors
    /// Those of [`open`](Self::open).
    pub fn from_text(path: impl Into<PathBuf>, text: &str, parts: &PromptParts) -> Result<Self> {
        let path = path.into();
        Self::build(&path, text.to_owned(), &parts.schemas, |name| {
            let partial = parts.partials.get(name);
            Ok(partial.map(|text| (path.with_file_name(format!("_{name}.prompt")), text.clone())))
        })?
        .with_examples(None)
    }

    fn build(
        path: &Path,
        text: String,
        schemas: &BTreeMap<String, Value>,
        mut partial: impl FnMut(&str) -> Result<Option<(PathBuf, String)>>,
    ) -> Result<Self> {
        let source = Source::new(path, text)?;
        let in_file = |fault: Fault| fault.in_file(path);
        let split = source::split(&source.text).map_err(in_file)?;
        let front = match split.front {
            Some(range) => {
                let lines = source.place(range.start).line - 1;
                let node = yaml::parse(&source.text[range], lines).map_err(in_file)?;
                Front::read(&node, schemas).map_err(in_file)?
            }
            None => Front::default(),
        };
        let program = Program::new(source, split.body).map_err(in_file)?;
        let mut prompt = Self {
            front,
            digest: Digest::of_bytes(program.source.text.as_bytes()),
            program,
            partials: BTreeMap::new(),
            used: BTreeSet::new(),
            uses_all: false,
            examples: None,
        };
        prompt.load_partials(&mut partial)?;
        prompt.seal_digest();
        prompt.check_body()?;
        Ok(prompt)
    }

    fn load_partials(
        &mut self,
        partial: &mut impl FnMut(&str) -> Result<Option<(PathBuf, String)>>,
    ) -> Result<()> {
        let mut wanted = self.wanted(&self.program);
        while let Some((name, at, path)) = wanted.pop() {
            if self.partials.contains_key(&name) {
                continue;
            }
            let fault = |reason: String| Err(Fault::new(at, reason).in_file(path.clone()));
            if self.partials.len() == MAX_PARTIALS {
                return fault(format!("there are more than {MAX_PARTIALS} partials"));
            }
            let Some((file, text)) = partial(&name)? else {
                return fault(format!("there is no partial {name:?}: it would be a file `_{name}.prompt`"));
            };
            let source = Source::new(file, text)?;
            let (file, end) = (source.path.clone(), source.text.len());
            let program = Program::new(source, 0..end).map_err(|fault| fault.in_file(file))?;
            wanted.extend(self.wanted(&program));
            self.partials.insert(name, program);
        }
        Ok(())
    }

    /// The partials that a program includes and that are not there yet, each with where it does.
    fn wanted(&self, program: &Program) -> Vec<(String, Place, PathBuf)> {
        let source = &program.source;
        let names = body::partials(&program.template);
        let new = names.into_iter().filter(|(name, _)| !self.partials.contains_key(*name));
        new.map(|(name, at)| (name.to_owned(), source.place(at), source.path.clone())).collect()
    }

    /// Puts the partials into the digest.
    fn seal_digest(&mut self) {
        if self.partials.is_empty() {
            return;
        }
        let mut lines = format!("{}\n", self.digest);
        for (name, program) in &self.partials {
            lines += &format!("{} {name}\n", Digest::of_bytes(program.source.text.as_bytes()));
        }
        self.digest = Digest::of_bytes(lines.as_bytes());
    }

    /// What can be said of the body without values.
    fn check_body(&mut self) -> Result<()> {
        let uses = uses::of(&self.program, &self.partials);
        let quotes = self.front.output.iter().flat_map(|schema| schema.quotes.iter().map(|(name, _)| name));
        let documents = self.front.documents.iter().map(|(name, _)| name);
        let body = uses.variables.iter().map(|used| used.name);
        self.used = body
            .chain(quotes.chain(documents).map(String::as_str))
            .filter(|name| !self.gives(name))
            .map(str::to_owned)
            .collect();
        self.uses_all = uses.whole;
        let wrong = uses.marks.iter().find_map(|mark| match mark.kind {
            uses::MarkKind::Role(Some(name)) if body::role(name).is_none() => Some((mark, name)),
            _ => None,
        });
        if let Some((mark, name)) = wrong {
            let fault = Fault::new(mark.place(), body::unknown_role(name));
            return Err(fault.in_file(mark.source.path.clone()));
        }
        let Some(schema) = self.front.input.as_ref().filter(|schema| !schema.is_open()) else {
            return Ok(());
        };
        let undeclared =
            uses.variables.iter().find(|used| !schema.declares(used.name) && !self.gives(used.name));
        match undeclared {
            None => Ok(()),
            Some(used) => {
                let meant = source::suggestion(used.name, schema.declared.keys().map(String::as_str));
                let meant = meant.map(|name| format!(": did you mean `{name}`?")).unwrap_or_default();
                Err(Error::BadVariable {
                    path: used.source.path.clone(),
                    line: used.place().line,
                    name: used.name.to_owned(),
                    reason: format!("is used here, but not declared in `input.schema`{meant}"),
                })
            }
        }
    }
}

fn read(path: &Path) -> Result<String> {
    let mut bytes = Vec::new();
    // One byte more than fits: what is too long is refused as that, however long it is.
    let file = File::open(path).map_err(Error::io(path))?;
    file.take(source::MAX_BYTES as u64 + 1).read_to_end(&mut bytes).map_err(Error::io(path))?;
    String::from_utf8(bytes).map_err(|error| {
        let before = &error.as_bytes()[..error.utf8_error().valid_up_to()];
        let line = before.iter().filter(|byte| **byte == b'\n').count() + 1;
        Fault::new(Place { line, column: 1 }, "a prompt file is UTF-8, which this line is not").in_file(path)
    })
}
