//! Statements: what a template does.

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::sync::Arc;

use super::evaluator::{Evaluator, Outcome, fail};
use super::scope::Scope;
use super::tree::{Body, Expression, For, Macro, Name, Node, Statement, Step, Target};
use super::value::{Callable, Kind, List, Loop, Value};
use crate::prompt::text::Text;

/// How a body ends.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Flow {
    Next,
    Continue,
    Break,
}

impl Evaluator<'_> {
    /// Executes statements in `scope`.
    pub fn body(&mut self, body: &Body, scope: &Rc<Scope>) -> Outcome<Flow> {
        self.deeper(|this| {
            for Node { line, statement } in body {
                this.line = *line;
                match this.statement(statement, scope)? {
                    Flow::Next => {}
                    flow => return Ok(flow),
                }
            }
            Ok(Flow::Next)
        })
    }

    fn statement(&mut self, statement: &Statement, scope: &Rc<Scope>) -> Outcome<Flow> {
        match statement {
            Statement::Write(text) => self.write(text)?,
            Statement::Print(expression) => {
                let value = self.expression(expression, scope)?;
                let text = self.display(&value)?;
                self.write(&text)?;
            }
            Statement::For(repeat) => {
                let iterable = self.expression(&repeat.iterable, scope)?;
                self.repeat(repeat, &iterable, scope, 0)?;
            }
            Statement::If { branches, otherwise } => {
                for (condition, body) in branches {
                    if self.expression(condition, scope)?.is_true() {
                        return self.body(body, scope);
                    }
                }
                return self.body(otherwise, scope);
            }
            Statement::With { assignments, body } => {
                let inner = Scope::within(scope);
                for (target, value) in assignments {
                    let value = self.expression(value, scope)?;
                    self.assign(target, value, &inner)?;
                }
                return self.body(body, &inner);
            }
            Statement::Set { target, value } => {
                let value = self.expression(value, scope)?;
                self.assign(target, value, scope)?;
            }
            Statement::SetBlock { target, filters, body } => {
                let value = self.filtered(filters, body, scope)?;
                self.assign(target, value, scope)?;
            }
            Statement::FilterBlock { filters, body } => {
                let value = self.filtered(filters, body, scope)?;
                let text = self.display(&value)?;
                self.write(&text)?;
            }
            Statement::Macro { name, declaration } => {
                let value = self.declare(declaration, scope);
                scope.set(*name, value);
            }
            Statement::CallBlock { call, caller } => self.call_block(call, caller, scope)?,
            Statement::Do(expression) => drop(self.expression(expression, scope)?),
            Statement::Continue => return Ok(Flow::Continue),
            Statement::Break => return Ok(Flow::Break),
            Statement::Unsupported(what) => return fail(format!("{what} is not supported")),
        }
        Ok(Flow::Next)
    }

    /// A loop over `iterable`; `depth` counts the recursive calls around it.
    pub fn repeat(
        &mut self,
        repeat: &Arc<For>,
        iterable: &Value,
        outer: &Rc<Scope>,
        depth: usize,
    ) -> Outcome<()> {
        let mut items = self.iterate(iterable)?;
        if let Some(filter) = &repeat.filter {
            let mut kept = Vec::new();
            for item in &items.items {
                let scope = Scope::within(outer);
                self.assign(&repeat.target, item.clone(), &scope)?;
                if self.expression(filter, &scope)?.is_true() {
                    kept.push(item.clone());
                }
            }
            items = Rc::new(List::new(Kind::List, kept)?);
        }
        if items.items.is_empty() {
            self.body(&repeat.otherwise, &Scope::within(outer))?;
            return Ok(());
        }
        let state = repeat.loop_name.map(|name| {
            let recursion = repeat.recursive.then(|| (repeat.clone(), outer.clone()));
            let (index, last) = (Cell::new(0), RefCell::default());
            (name, Rc::new(Loop { items: items.clone(), index, depth, last, recursion }))
        });
        for (index, item) in items.items.iter().enumerate() {
            let scope = Scope::within(outer);
            self.assign(&repeat.target, item.clone(), &scope)?;
            if let Some((name, state)) = &state {
                state.index.set(index);
                scope.set(*name, Value::Loop(state.clone()));
            }
            if self.body(&repeat.body, &scope)? == Flow::Break {
                break;
            }
        }
        Ok(())
    }

    /// Assigns in `scope`; to an attribute of what a name stands for there.
    pub fn assign(&mut self, target: &Target, value: Value, scope: &Rc<Scope>) -> Outcome<()> {
        self.charge(1)?;
        match target {
            Target::Name(name) => scope.set(*name, value),
            Target::Attribute(name, attribute) => self.assign_attribute(*name, attribute, value, scope)?,
            Target::Tuple(targets) => {
                let items = self.iterate(&value)?;
                let (needed, found) = (targets.len(), items.items.len());
                if needed != found {
                    return fail(format!("{found} values cannot be assigned to {needed} names"));
                }
                for (target, item) in targets.iter().zip(&items.items) {
                    self.assign(target, item.clone(), scope)?;
                }
            }
        }
        Ok(())
    }

    fn assign_attribute(
        &mut self,
        name: Name,
        attribute: &Arc<Text>,
        value: Value,
        scope: &Rc<Scope>,
    ) -> Outcome<()> {
        let Value::Namespace(namespace) = self.lookup(name, scope) else {
            return fail("an attribute can be set of a namespace only");
        };
        if attribute.as_str().starts_with('_') {
            return fail("an attribute of a namespace cannot begin with an underscore");
        }
        let mut attributes = namespace.attributes.borrow_mut();
        self.charge(attributes.len())?;
        let old = match attributes.iter_mut().find(|(other, _)| other.as_str() == attribute.as_str()) {
            Some((_, old)) => Some(std::mem::replace(old, value)),
            None => {
                attributes.push((attribute.clone(), value));
                None
            }
        };
        drop(attributes);
        drop(old);
        Ok(())
    }

    /// What a body writes, after filters.
    fn filtered(&mut self, filters: &[Step], body: &Body, scope: &Rc<Scope>) -> Outcome<Value> {
        let inner = Scope::within(scope);
        let text = self.capture(|this| this.body(body, &inner).map(drop))?;
        self.steps(Value::text(text), filters, &inner)
    }

    fn declare(&mut self, declaration: &Arc<Macro>, scope: &Rc<Scope>) -> Value {
        self.hold_scope(scope);
        Value::callable(Callable::Macro(declaration.clone(), scope.clone()))
    }

    /// Calls with what the block writes as `caller`.
    fn call_block(&mut self, call: &Expression, caller: &Arc<Macro>, scope: &Rc<Scope>) -> Outcome<()> {
        let caller = self.declare(caller, scope);
        self.deeper(|this| this.call_with(call, caller, scope))
    }

    fn call_with(&mut self, call: &Expression, caller: Value, scope: &Rc<Scope>) -> Outcome<()> {
        let Expression::Path { first, steps } = call else { return fail("a call block calls nothing") };
        let Some((last, before)) = steps.split_last() else { return fail("a call block calls nothing") };
        let first = self.expression(first, scope)?;
        let callee = self.steps(first, before, scope)?;
        let value = self.call_step(callee, last, Some(caller), scope)?;
        let text: Arc<Text> = self.display(&value)?;
        self.write(&text)
    }
}
