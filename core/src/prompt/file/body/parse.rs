//! From pieces to the tree of a template.

use super::lex::{self, Kind, Piece, Tag};
use super::tree::{Block, Call, Expression, Head, Helper, Node, Partial, Path, Template};
use super::words::Words;
use crate::prompt::file::source::{Fault, Parsed, Source, unknown};

/// How deep blocks may be nested.
const MAX_DEPTH: usize = 48;

/// The tree of the bytes from `start` to `end` of a file.
pub(in crate::prompt::file) fn parse(source: &Source, start: usize, end: usize) -> Parsed<Template> {
    let mut open: Vec<Open> = Vec::new();
    let mut nodes = Template::new();
    for piece in lex::pieces(source, start, end)? {
        let tag = match piece {
            Piece::Text { text, .. } => {
                if !text.is_empty() {
                    nodes.push(Node::Text(text));
                }
                continue;
            }
            Piece::Tag(tag) => tag,
        };
        let mut words = Words::new(source, tag.start, tag.end);
        let fault = |reason: &str| Err(Fault::new(source.place(tag.at), reason));
        match tag.kind {
            Kind::Comment => {}
            Kind::Value | Kind::Bare => {
                let value = value(&mut words, &tag)?;
                nodes.push(Node::Value { value, bare: tag.kind == Kind::Bare, at: tag.at });
            }
            Kind::Partial => nodes.push(Node::Partial(Box::new(partial(&mut words, tag)?))),
            Kind::Open | Kind::OpenInverse => {
                let outer = std::mem::take(&mut nodes);
                open.push(Open::new(&open, &mut words, &tag, outer)?);
            }
            Kind::Else => {
                let Some(block) = open.last_mut() else {
                    return fault("`{{else}}` stands outside of a block");
                };
                if block.body.is_some() {
                    return fault("a block has only one `{{else}}` without a condition, as its last");
                }
                block.body = Some(std::mem::take(&mut nodes));
                if !words.is_end()? {
                    open.push(Open::new(&open, &mut words, &tag, Template::new())?);
                }
            }
            Kind::Close => {
                let name = words.rest().trim().to_owned();
                loop {
                    let Some(block) = open.pop() else {
                        return fault(&format!("`{{{{/{name}}}}}` closes a block that is not open"));
                    };
                    let chained = block.chained;
                    if !chained && block.name != name {
                        let line = source.place(block.at).line;
                        let expected = &block.name;
                        return fault(&format!(
                            "`{{{{/{name}}}}}` stands where the block of line {line} must be closed: \
                             `{{{{/{expected}}}}}`"
                        ));
                    }
                    nodes = block.close(std::mem::take(&mut nodes));
                    if !chained {
                        break;
                    }
                }
            }
        }
    }
    match open.iter().rev().find(|block| !block.chained) {
        Some(block) => {
            let name = &block.name;
            let reason = format!("the block is not closed: `{{{{/{name}}}}}` is missing");
            Err(Fault::new(source.place(block.at), reason))
        }
        None => Ok(nodes),
    }
}

/// A block whose end was not seen yet.
struct Open {
    at: usize,
    name: String,
    head: Head,
    names: Vec<String>,
    /// What stands before it.
    outer: Template,
    /// What stands before its `else`.
    body: Option<Template>,
    /// Whether it is an `{{else if}}`, which ends with the block around it.
    chained: bool,
    /// Whether it is `{{^name}}`.
    inverted: bool,
}

impl Open {
    /// The block that a tag opens within those of `around`; `outer` stands before it.
    fn new(around: &[Self], words: &mut Words<'_>, tag: &Tag, outer: Template) -> Parsed<Self> {
        if around.len() >= MAX_DEPTH {
            return Err(words.fault(tag.at, "blocks are nested too deep"));
        }
        let (name, head, names) = head(words, tag)?;
        let (chained, inverted) = (tag.kind == Kind::Else, tag.kind == Kind::OpenInverse);
        Ok(Self { at: tag.at, name, head, names, outer, body: None, chained, inverted })
    }

    fn close(self, last: Template) -> Template {
        let (body, inverse) = match self.body {
            Some(body) => (body, last),
            None => (last, Template::new()),
        };
        let (body, inverse) = if self.inverted { (inverse, body) } else { (body, inverse) };
        let block = Block { at: self.at, head: self.head, names: self.names, body, inverse };
        let mut nodes = self.outer;
        nodes.push(Node::Block(Box::new(block)));
        nodes
    }
}

fn value(words: &mut Words<'_>, tag: &Tag) -> Parsed<Expression> {
    let (path, params, hash) = words.call()?;
    words.end("a tag has one value, or a helper with its parameters")?;
    let helper = path.name().and_then(Helper::named);
    match helper {
        Some(helper) if helper.is_block() => {
            let name = helper.name();
            let reason = format!("`{name}` is a block: {{{{#{name} ...}}}}...{{{{/{name}}}}}");
            Err(words.fault(tag.at, reason))
        }
        Some(helper) => {
            let call = Call { at: tag.at, helper, params, hash };
            words.check(&call)?;
            Ok(Expression::Call(Box::new(call)))
        }
        None if params.is_empty() && hash.is_empty() => Ok(Expression::Path(path)),
        None => Err(no_helper(words, &path)),
    }
}

pub(super) fn no_helper(words: &Words<'_>, path: &Path) -> Fault {
    let names: Vec<&str> = Helper::ALL.iter().map(|(name, _)| *name).collect();
    words.fault(path.at, unknown("helper", &path.segments.join("."), &names))
}

/// What opens a block: its name, as its end says it again, and the names behind `as`.
fn head(words: &mut Words<'_>, tag: &Tag) -> Parsed<(String, Head, Vec<String>)> {
    let name = words.first_word();
    let (path, params, hash) = words.call()?;
    let names = words.block_names()?;
    words.end("a block has one helper with its parameters")?;
    match path.name().and_then(Helper::named) {
        Some(helper) if helper.is_block() => {
            let call = Call { at: tag.at, helper, params, hash };
            words.check(&call)?;
            if !names.is_empty() && !matches!(helper, Helper::Each | Helper::With) {
                return Err(words.fault(tag.at, format!("`{}` gives nothing a name", helper.name())));
            }
            Ok((name, Head::Helper(call), names))
        }
        Some(helper) => {
            let name = helper.name();
            Err(words.fault(tag.at, format!("`{name}` is no block: write `{{{{{name} ...}}}}`")))
        }
        None if params.is_empty() && hash.is_empty() => Ok((name, Head::Path(path), names)),
        None => Err(no_helper(words, &path)),
    }
}

fn partial(words: &mut Words<'_>, tag: Tag) -> Parsed<Partial> {
    let name = words.partial_name()?;
    let (mut params, hash) = words.arguments()?;
    words.end("a partial takes one context and `name=value`")?;
    let context = params.pop().filter(|context| !matches!(context, Expression::Path(path) if path.is_this()));
    if !params.is_empty() {
        return Err(words.fault(tag.at, "a partial takes one context at most"));
    }
    Ok(Partial { at: tag.at, name, context, hash, indent: tag.indent })
}
