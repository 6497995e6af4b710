//! The evaluator: what it may compute, what it wrote, and what it looks up.

use std::borrow::Cow;
use std::rc::Rc;
use std::sync::Arc;
use std::time::SystemTime;

use super::functions::Function;
use super::scope::Scope;
use super::tree::{Name, Tree};
use super::value::{Callable, Namespace, Value};
use crate::prompt::text::Text;

/// How much a template may compute: about a step for each unit, and for each 16 bytes that it reads or makes.
/// Enough for thousands of messages, and over in a fraction of a second.
const FUEL: u64 = 3_000_000;

/// Bytes that are as much work as a step.
const BYTES: usize = 16;

/// Items of a list that are as much work as a step, where they are only looked at.
const ITEMS: usize = 8;

/// The most bytes that a template may write, and that one text may have.
pub(super) const OUTPUT_LIMIT: usize = 10 << 20;

/// How deep blocks, expressions and macros may be in each other when they are evaluated.
const DEPTH: u32 = 200;

/// Why a template cannot be rendered. It quotes nothing but what the template's author wrote.
#[derive(Debug)]
pub(super) struct Failure(Box<Cow<'static, str>>);

pub(super) type Outcome<T> = Result<T, Failure>;

impl Failure {
    pub fn new(reason: impl Into<Cow<'static, str>>) -> Self {
        Self(Box::new(reason.into()))
    }

    pub fn reason(&self) -> &str {
        &self.0
    }
}

/// A failure for `reason`.
pub(super) fn fail<T>(reason: impl Into<Cow<'static, str>>) -> Outcome<T> {
    Err(Failure::new(reason))
}

fn too_long<T>() -> Outcome<T> {
    fail(format!("it writes more than {OUTPUT_LIMIT} bytes"))
}

/// Evaluates one template once.
pub(super) struct Evaluator<'t> {
    tree: &'t Tree,
    pub now: SystemTime,
    /// The variables of the conversation, by the numbers of their names.
    variables: Vec<Option<Value>>,
    fuel: u64,
    depth: u32,
    /// Where the statement under way stands.
    pub line: u32,
    /// What was written, since the last capture began.
    output: Text,
    /// What macros and attributes may hold in a circle: emptied at the end.
    closures: Vec<Rc<Scope>>,
    namespaces: Vec<Rc<Namespace>>,
}

impl<'t> Evaluator<'t> {
    /// `variable` gives the value of a name, where the conversation has one.
    pub fn new(
        tree: &'t Tree,
        now: SystemTime,
        variable: impl Fn(&str) -> Outcome<Option<Value>>,
    ) -> Outcome<Self> {
        let variables = tree.names.iter().map(|name| variable(name)).collect::<Outcome<_>>()?;
        Ok(Self {
            tree,
            now,
            variables,
            fuel: FUEL,
            depth: 0,
            line: 0,
            output: Text::new(),
            closures: Vec::new(),
            namespaces: Vec::new(),
        })
    }

    /// Writes the whole template.
    pub fn run(&mut self) -> Outcome<Text> {
        self.body(&self.tree.body, &Rc::default())?;
        Ok(std::mem::take(&mut self.output))
    }

    /// Pays for `units` of work.
    pub fn charge(&mut self, units: usize) -> Outcome<()> {
        match self.fuel.checked_sub(units as u64) {
            Some(fuel) => {
                self.fuel = fuel;
                Ok(())
            }
            None => fail("it does not come to an end, or is too slow for this conversation"),
        }
    }

    /// Pays for reading or making as many bytes.
    pub fn charge_bytes(&mut self, bytes: usize) -> Outcome<()> {
        self.charge(1 + bytes / BYTES)
    }

    /// Pays for as many small things that are made or looked at one by one: characters, pieces of a text.
    pub fn charge_each(&mut self, count: usize) -> Outcome<()> {
        self.charge(1 + count / 2)
    }

    /// Pays for a text of as many bytes, before it is made.
    pub fn charge_text(&mut self, bytes: Option<usize>) -> Outcome<()> {
        match bytes {
            Some(bytes) if bytes <= OUTPUT_LIMIT => self.charge_bytes(bytes),
            _ => too_long(),
        }
    }

    /// Pays for as many bytes more in `text`, before they are appended.
    pub fn charge_growth(&mut self, text: &Text, bytes: usize) -> Outcome<()> {
        match text.len().checked_add(bytes) {
            Some(sum) if sum <= OUTPUT_LIMIT => self.charge_bytes(bytes),
            _ => too_long(),
        }
    }

    /// Pays for looking once at all that a value is made of, without what its items hold.
    pub fn charge_value(&mut self, value: &Value) -> Outcome<()> {
        match value {
            Value::Text(text) => self.charge_bytes(text.len()),
            Value::List(list) => self.charge(1 + list.items.len() / ITEMS),
            Value::Dict(dict) => self.charge(1 + dict.entries.len() / ITEMS),
            Value::Iterator(iterator) => self.charge(1 + iterator.rest.borrow().len() / ITEMS),
            _ => self.charge(1),
        }
    }

    /// Evaluates something one level deeper.
    pub fn deeper<T>(&mut self, evaluate: impl FnOnce(&mut Self) -> Outcome<T>) -> Outcome<T> {
        self.charge(1)?;
        self.depth += 1;
        if self.depth > DEPTH {
            return fail("it is nested too deeply, or a macro calls itself without end");
        }
        let value = evaluate(self)?;
        self.depth -= 1;
        Ok(value)
    }

    /// Writes text.
    pub fn write(&mut self, text: &Text) -> Outcome<()> {
        if text.len() > OUTPUT_LIMIT - self.output.len() {
            return too_long();
        }
        self.charge_bytes(text.len())?;
        self.output.push_text(text);
        Ok(())
    }

    /// What `evaluate` writes.
    pub fn capture(&mut self, evaluate: impl FnOnce(&mut Self) -> Outcome<()>) -> Outcome<Text> {
        let outer = std::mem::take(&mut self.output);
        evaluate(self)?;
        Ok(std::mem::replace(&mut self.output, outer))
    }

    /// What a name stands for.
    pub fn lookup(&self, name: Name, scope: &Scope) -> Value {
        let variable = || self.variables.get(name.0 as usize).cloned().flatten();
        scope.get(name).or_else(variable).unwrap_or_else(|| match Function::named(self.spelling(name)) {
            Some(function) => Value::callable(Callable::Function(function)),
            None => Value::Undefined,
        })
    }

    pub fn spelling(&self, name: Name) -> &'t Arc<str> {
        &self.tree.names[name.0 as usize]
    }

    /// Notes a scope that a macro holds.
    pub fn hold_scope(&mut self, scope: &Rc<Scope>) {
        if !self.closures.last().is_some_and(|last| Rc::ptr_eq(last, scope)) {
            self.closures.push(scope.clone());
        }
    }

    /// A namespace of `attributes`.
    pub fn namespace(&mut self, attributes: Vec<(Arc<Text>, Value)>) -> Value {
        let namespace = Rc::new(Namespace { attributes: attributes.into() });
        self.namespaces.push(namespace.clone());
        Value::Namespace(namespace)
    }
}

impl Drop for Evaluator<'_> {
    fn drop(&mut self) {
        for scope in &self.closures {
            scope.clear();
        }
        for namespace in &self.namespaces {
            let attributes = std::mem::take(&mut *namespace.attributes.borrow_mut());
            drop(attributes);
        }
    }
}
