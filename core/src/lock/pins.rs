//! The sections `[checkpoints]` and `[adapters]`.

use std::collections::{BTreeMap, HashSet};

use super::fault::{Fault, Parsed};
use super::field::{Field, Fields};
use super::node::{self, Node};
use super::parse::{Entry, check_known};
use super::{AdapterPin, CheckpointPin, FilePin, Lock, Source};
use crate::error::Error;
use crate::signature;

/// The only format there is. Others would have other keys.
const FORMAT: &str = "gguf";

impl Entry for CheckpointPin {
    const SECTION: &str = "checkpoints";
    const WHAT: &str = "checkpoint";
    const KEYS: &[&str] = &[
        "sources",
        "sha256",
        "size",
        "format",
        "architecture",
        "quantization",
        "context_length",
        "licence",
        "tokenizer_sha256",
        "chat_template_sha256",
        "minisig",
    ];

    fn read(fields: Fields<'_>) -> Parsed<Self> {
        Ok(Self {
            file: read_file(fields)?,
            architecture: fields.require("architecture")?.some_text()?,
            quantization: fields.require("quantization")?.some_text()?,
            context_length: fields.require("context_length")?.u32(1)?,
            tokenizer_sha256: fields.require("tokenizer_sha256")?.digest()?,
            chat_template_sha256: fields
                .get("chat_template_sha256")
                .map(|field| field.digest())
                .transpose()?,
        })
    }

    fn write(&self) -> node::Pairs {
        let mut fields = begin(&self.file);
        fields.push(("architecture".into(), Node::text(&self.architecture)));
        fields.push(("quantization".into(), Node::text(&self.quantization)));
        fields.push(("context_length".into(), Node::integer(self.context_length.into())));
        fields.push(("licence".into(), Node::text(&self.file.licence)));
        fields.push(("tokenizer_sha256".into(), Node::digest(self.tokenizer_sha256)));
        if let Some(digest) = self.chat_template_sha256 {
            fields.push(("chat_template_sha256".into(), Node::digest(digest)));
        }
        end(fields, &self.file)
    }

    fn of(lock: &Lock) -> &BTreeMap<String, Self> {
        &lock.checkpoints
    }

    fn of_mut(lock: &mut Lock) -> &mut BTreeMap<String, Self> {
        &mut lock.checkpoints
    }
}

impl Entry for AdapterPin {
    const SECTION: &str = "adapters";
    const WHAT: &str = "adapter";
    const KEYS: &[&str] =
        &["sources", "sha256", "size", "format", "architecture", "licence", "base", "base_sha256", "minisig"];

    fn read(fields: Fields<'_>) -> Parsed<Self> {
        Ok(Self {
            file: read_file(fields)?,
            architecture: fields.require("architecture")?.some_text()?,
            base: fields.require("base")?.text()?,
            base_sha256: fields.require("base_sha256")?.digest()?,
        })
    }

    fn write(&self) -> node::Pairs {
        let mut fields = begin(&self.file);
        fields.push(("architecture".into(), Node::text(&self.architecture)));
        fields.push(("licence".into(), Node::text(&self.file.licence)));
        fields.push(("base".into(), Node::text(&self.base)));
        fields.push(("base_sha256".into(), Node::digest(self.base_sha256)));
        end(fields, &self.file)
    }

    fn check(&self, name: &str, at: usize, fields: Fields<'_>, lock: &Lock) -> Parsed<()> {
        if lock.checkpoints.contains_key(name) {
            let reason = format!("{name:?} is the name of a checkpoint too: rename one of the two");
            return Err(Fault::new(at, reason));
        }
        let base = fields.require("base")?;
        let pin = check_known(base, &self.base, &lock.checkpoints)?;
        let digest = fields.require("base_sha256")?;
        if pin.file.sha256 != self.base_sha256 {
            let reason = format!(
                "must be the sha256 of the checkpoint {:?}, {}: an adapter fits one base only",
                self.base, pin.file.sha256
            );
            return Err(digest.fault(reason));
        }
        if pin.architecture != self.architecture {
            let reason = format!("must be that of the checkpoint {:?}, {:?}", self.base, pin.architecture);
            return Err(fields.require("architecture")?.fault(reason));
        }
        Ok(())
    }

    fn of(lock: &Lock) -> &BTreeMap<String, Self> {
        &lock.adapters
    }

    fn of_mut(lock: &mut Lock) -> &mut BTreeMap<String, Self> {
        &mut lock.adapters
    }
}

fn read_file(fields: Fields<'_>) -> Parsed<FilePin> {
    let format = fields.require("format")?;
    if format.text()? != FORMAT {
        return Err(format.fault(format!("must be {FORMAT:?}, the only format that there is")));
    }
    Ok(FilePin {
        sources: read_sources(fields)?,
        sha256: fields.require("sha256")?.digest()?,
        size: fields.require("size")?.integer(1..=i64::MAX as u64)?,
        licence: fields.require("licence")?.some_text()?,
        minisig: fields.get("minisig").map(read_minisig).transpose()?,
    })
}

fn read_sources(fields: Fields<'_>) -> Parsed<Vec<Source>> {
    let field = fields.require("sources")?;
    let mut seen = HashSet::new();
    let mut sources = Vec::new();
    for element in field.list()? {
        let source: Source = element.text()?.parse().map_err(|error| match error {
            Error::BadSource { reason, .. } => element.fault(format!("is no source: {reason}")),
            other => element.fault(other.to_string()),
        })?;
        if !seen.insert(source.clone()) {
            return Err(element.fault("has the same source twice: keep one"));
        }
        sources.push(source);
    }
    if sources.is_empty() { Err(field.fault("is empty: give at least one source")) } else { Ok(sources) }
}

fn read_minisig(field: Field<'_>) -> Parsed<String> {
    let text = field.text()?;
    match signature::check_form(&text) {
        Ok(()) => Ok(text),
        Err(reason) => Err(field.fault(reason)),
    }
}

/// The keys that all files begin with.
fn begin(file: &FilePin) -> node::Pairs {
    vec![
        (
            "sources".into(),
            Node::Column(file.sources.iter().map(|source| Node::text(source.to_string())).collect()),
        ),
        ("sha256".into(), Node::digest(file.sha256)),
        ("size".into(), Node::integer(file.size)),
        ("format".into(), Node::text(FORMAT)),
    ]
}

/// The key that files may end with.
fn end(mut fields: node::Pairs, file: &FilePin) -> node::Pairs {
    fields.extend(file.minisig.iter().map(|text| ("minisig".into(), Node::Block(text.clone()))));
    fields
}
