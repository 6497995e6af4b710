//! Expressions: what a template computes.

use std::rc::Rc;
use std::sync::Arc;

use super::evaluator::{Evaluator, Failure, Outcome, fail};
use super::scope::Scope;
use super::tree::{Argument, Expression, Macro, Operator, Step};
use super::value::{Callable, Value};
use crate::prompt::text::Text;

/// What something is called with.
#[derive(Default)]
pub(super) struct Arguments {
    pub positional: Vec<Value>,
    pub named: Vec<(Arc<Text>, Value)>,
}

impl Arguments {
    /// The arguments for parameters of these names, in this order; `None` for those that were not given.
    ///
    /// # Errors
    /// For an argument that has no parameter, and for a parameter that has two.
    pub fn bind<const N: usize>(self, names: [&str; N]) -> Outcome<[Option<Value>; N]> {
        let mut bound = [const { None }; N];
        if self.positional.len() > N {
            return fail(format!("{} arguments are given, but at most {N} taken", self.positional.len()));
        }
        for (slot, value) in bound.iter_mut().zip(self.positional) {
            *slot = Some(value);
        }
        for (name, value) in self.named {
            let Some(index) = names.iter().position(|other| *other == name.as_str()) else {
                return fail("an argument of an unknown name is given");
            };
            if bound[index].replace(value).is_some() {
                return fail(format!("the argument {:?} is given twice", names[index]));
            }
        }
        Ok(bound)
    }

    /// [`bind`](Self::bind) where the first `M` must be given.
    pub fn need<const M: usize, const N: usize>(
        self,
        needed: [&str; M],
        others: [&str; N],
    ) -> Outcome<([Value; M], [Option<Value>; N])> {
        let mut rest = self;
        let mut first = Vec::with_capacity(M);
        let positional = rest.positional.len().min(M);
        first.extend(rest.positional.drain(..positional));
        for name in &needed[positional..] {
            let Some(index) = rest.named.iter().position(|(other, _)| other.as_str() == *name) else {
                return fail(format!("the argument {name:?} is missing"));
            };
            first.push(rest.named.remove(index).1);
        }
        let first = first.try_into().map_err(|_| Failure::new("an argument is missing"))?;
        Ok((first, rest.bind(others)?))
    }

    /// That there are none.
    pub fn none(self) -> Outcome<()> {
        self.bind([]).map(drop)
    }
}

impl Evaluator<'_> {
    pub fn expression(&mut self, expression: &Expression, scope: &Rc<Scope>) -> Outcome<Value> {
        match expression {
            // What cannot recurse.
            Expression::Constant(constant) => {
                self.charge(1)?;
                Ok(constant.into())
            }
            Expression::Name(name) => {
                self.charge(1)?;
                Ok(self.lookup(*name, scope))
            }
            _ => self.deeper(|this| this.compound(expression, scope)),
        }
    }

    fn compound(&mut self, expression: &Expression, scope: &Rc<Scope>) -> Outcome<Value> {
        match expression {
            Expression::Constant(constant) => Ok(constant.into()),
            Expression::Name(name) => Ok(self.lookup(*name, scope)),
            Expression::List(items) => Value::list(self.expressions(items, scope)?),
            Expression::Tuple(items) => Value::tuple(self.expressions(items, scope)?),
            Expression::Dict(entries) => {
                let mut dict = Vec::with_capacity(entries.len());
                for (key, value) in entries {
                    let (key, value) = (self.expression(key, scope)?, self.expression(value, scope)?);
                    self.insert(&mut dict, key, value)?;
                }
                Value::dict(dict)
            }
            Expression::Not(operand) => Ok(Value::Bool(!self.expression(operand, scope)?.is_true())),
            Expression::Negate(operand) => {
                let operand = self.expression(operand, scope)?;
                self.negate(&operand)
            }
            Expression::Chain { first, rest } => {
                let mut value = self.expression(first, scope)?;
                for (operator, operand) in rest {
                    match operator {
                        Operator::And if !value.is_true() => {}
                        Operator::Or if value.is_true() => {}
                        Operator::And | Operator::Or => value = self.expression(operand, scope)?,
                        _ => {
                            let operand = self.expression(operand, scope)?;
                            value = self.operate(*operator, &value, &operand)?;
                        }
                    }
                }
                Ok(value)
            }
            Expression::Compare { first, rest } => {
                let mut left = self.expression(first, scope)?;
                for (operator, right) in rest {
                    let right = self.expression(right, scope)?;
                    if !self.operate(*operator, &left, &right)?.is_true() {
                        return Ok(Value::Bool(false));
                    }
                    left = right;
                }
                Ok(Value::Bool(true))
            }
            Expression::If(conditional) => {
                if self.expression(&conditional.test, scope)?.is_true() {
                    return self.expression(&conditional.then, scope);
                }
                match &conditional.otherwise {
                    Some(otherwise) => self.expression(otherwise, scope),
                    None => Ok(Value::Undefined),
                }
            }
            Expression::Path { first, steps } => {
                let first = self.expression(first, scope)?;
                self.steps(first, steps, scope)
            }
        }
    }

    fn expressions(&mut self, expressions: &[Expression], scope: &Rc<Scope>) -> Outcome<Vec<Value>> {
        expressions.iter().map(|expression| self.expression(expression, scope)).collect()
    }

    /// What `value` becomes by steps.
    pub fn steps(&mut self, mut value: Value, steps: &[Step], scope: &Rc<Scope>) -> Outcome<Value> {
        for step in steps {
            self.charge(1)?;
            value = match step {
                Step::Attribute(name) => self.attribute(&value, name)?,
                Step::Item(key) => {
                    let key = self.expression(key, scope)?;
                    self.item(&value, &key)?
                }
                Step::Slice(bounds) => {
                    let mut values = [const { None }; 3];
                    for (value, bound) in values.iter_mut().zip(&**bounds) {
                        *value = bound.as_ref().map(|bound| self.expression(bound, scope)).transpose()?;
                    }
                    self.slice(&value, &values)?
                }
                Step::Filter(line, filter, name, arguments) => {
                    let Some(filter) = filter else { return self.unknown(*line, "filter", name) };
                    let arguments = self.arguments(arguments, scope)?;
                    self.line = *line;
                    filter(self, &value, arguments)?
                }
                Step::Test(line, predicate, name, arguments) => {
                    let Some(predicate) = predicate else { return self.unknown(*line, "test", name) };
                    let arguments = self.arguments(arguments, scope)?;
                    self.line = *line;
                    Value::Bool(predicate(self, &value, arguments)?)
                }
                Step::Call(..) | Step::Method(..) => self.call_step(value, step, None, scope)?,
            };
        }
        Ok(value)
    }

    fn unknown<T>(&mut self, line: u32, what: &str, name: &str) -> Outcome<T> {
        self.line = line;
        fail(format!("there is no {what} {name:?}"))
    }

    /// A step that calls, with what stands in a call block, if it is one.
    pub fn call_step(
        &mut self,
        value: Value,
        step: &Step,
        caller: Option<Value>,
        scope: &Rc<Scope>,
    ) -> Outcome<Value> {
        let (line, method, arguments) = match step {
            Step::Call(line, arguments) => (*line, None, arguments),
            Step::Method(line, name, arguments) => (*line, Some(name), arguments),
            _ => return fail("a call block calls nothing"),
        };
        // As in Python, what is called is found before the arguments are evaluated.
        let callee = match method {
            Some(name) if Self::has_method(&value, name) => {
                let arguments = self.call_arguments(line, arguments, caller, scope)?;
                return self.method(&value, name, arguments);
            }
            Some(name) => self.attribute(&value, name)?,
            None => value.clone(),
        };
        let arguments = self.call_arguments(line, arguments, caller, scope)?;
        match (&callee, method) {
            (Value::Undefined, Some(name)) => fail(format!("{} has no method {name:?}", value.type_name())),
            _ => self.call(&callee, arguments),
        }
    }

    fn call_arguments(
        &mut self,
        line: u32,
        arguments: &[Argument],
        caller: Option<Value>,
        scope: &Rc<Scope>,
    ) -> Outcome<Arguments> {
        let mut arguments = self.arguments(arguments, scope)?;
        arguments.named.extend(caller.map(|caller| (Arc::new(Text::author("caller")), caller)));
        self.line = line;
        Ok(arguments)
    }

    /// Evaluates the arguments of a call.
    fn arguments(&mut self, arguments: &[Argument], scope: &Rc<Scope>) -> Outcome<Arguments> {
        let mut evaluated = Arguments::default();
        for argument in arguments {
            match argument {
                Argument::Positional(value) => evaluated.positional.push(self.expression(value, scope)?),
                Argument::Named(name, value) => {
                    evaluated.named.push((name.clone(), self.expression(value, scope)?));
                }
                Argument::Unpacked(values) => {
                    let values = self.expression(values, scope)?;
                    evaluated.positional.extend(self.copied(&values)?);
                }
                Argument::UnpackedNamed(values) => {
                    let Value::Dict(values) = self.expression(values, scope)? else {
                        return fail("what is unpacked by ** must be a dictionary");
                    };
                    self.charge(values.entries.len())?;
                    for (name, value) in &values.entries {
                        let name = name.need_text("the name of an argument")?;
                        evaluated.named.push((name.clone(), value.clone()));
                    }
                }
            }
        }
        Ok(evaluated)
    }

    /// Calls a value.
    pub fn call(&mut self, callee: &Value, arguments: Arguments) -> Outcome<Value> {
        match callee {
            Value::Callable(callable) => match &**callable {
                Callable::Function(function) => self.function(*function, arguments),
                Callable::Method(value, name) => self.method(value, name, arguments),
                Callable::Macro(declaration, scope) => {
                    self.deeper(|this| this.call_macro(declaration, scope, arguments))
                }
                Callable::Joiner(separator, used) => {
                    arguments.none()?;
                    let first = !used.replace(true);
                    Ok(if first { Value::author("") } else { Value::Text(separator.clone()) })
                }
                Callable::Cycler(..) => fail("a cycler cannot be called; call its next()"),
            },
            Value::Loop(repeat) => {
                let [items] = arguments.need(["iterable"], [])?.0;
                let Some((body, scope)) = &repeat.recursion else {
                    return fail("a loop that is called must be recursive");
                };
                let text = self
                    .deeper(|this| this.capture(|this| this.repeat(body, &items, scope, repeat.depth + 1)))?;
                Ok(Value::text(text))
            }
            Value::Undefined => fail("what is called is undefined"),
            other => fail(format!("{} cannot be called", other.type_name())),
        }
    }

    fn call_macro(
        &mut self,
        declaration: &Arc<Macro>,
        outer: &Rc<Scope>,
        arguments: Arguments,
    ) -> Outcome<Value> {
        let Arguments { positional, mut named } = arguments;
        self.charge(1 + positional.len() + named.len())?;
        let scope = Scope::within(outer);
        let mut positional = positional.into_iter();
        let mut defaults = Vec::new();
        for parameter in &declaration.parameters {
            let by_name = |named: &mut Vec<(Arc<Text>, Value)>| {
                let spelling = &*parameter.spelling;
                let index = named.iter().position(|(name, _)| name.as_str() == spelling)?;
                Some(named.remove(index).1)
            };
            match positional.next().or_else(|| by_name(&mut named)) {
                Some(value) => scope.set(parameter.name, value),
                None => defaults.push(parameter),
            }
        }
        // A default may name the parameters before it.
        for parameter in defaults {
            let default = parameter.default.as_ref();
            let value = default.map_or(Ok(Value::Undefined), |default| self.expression(default, &scope))?;
            scope.set(parameter.name, value);
        }
        if let Some(name) = declaration.caller {
            let given = named.iter().position(|(name, _)| name.as_str() == "caller");
            let caller = given.map_or(Value::Undefined, |index| named.remove(index).1);
            scope.set(name, caller);
        }
        let rest: Vec<Value> = positional.collect();
        match declaration.varargs {
            Some(name) => scope.set(name, Value::tuple(rest)?),
            None if !rest.is_empty() => {
                return fail(format!("the macro {:?} is given too many arguments", declaration.name));
            }
            None => {}
        }
        match declaration.kwargs {
            Some(name) => {
                let entries = named.into_iter().map(|(name, value)| (Value::Text(name), value)).collect();
                scope.set(name, Value::dict(entries)?);
            }
            None if !named.is_empty() => {
                return fail(format!(
                    "the macro {:?} is given an argument that it has not",
                    declaration.name
                ));
            }
            None => {}
        }
        let line = self.line;
        let text = self.capture(|this| this.body(&declaration.body, &scope).map(drop))?;
        self.line = line;
        Ok(Value::text(text))
    }
}
