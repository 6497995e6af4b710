//! From minijinja's tree to ours.

use std::collections::HashMap;
use std::sync::Arc;

use minijinja::machinery::ast;
use minijinja::value::{Value, ValueKind};

use super::tree::{
    Argument, Body, Conditional, Constant, Expression, For, Macro, Name, Node, Operator, Parameter,
    Statement, Step, Target, Tree,
};
use super::{filters, predicates};
use crate::prompt::text::Text;

/// How deep blocks and expressions may be nested. The evaluator recurses as deep.
const DEPTH: usize = 100;

/// Translates a template. The error says where and why.
pub(super) fn translate(template: &ast::Stmt<'_>) -> Result<Tree, String> {
    let mut translator = Translator::default();
    let body = match template {
        ast::Stmt::Template(template) => translator.body(&template.children)?,
        _ => return Err("it is not a template".into()),
    };
    Ok(Tree { names: translator.names, body })
}

#[derive(Default)]
struct Translator<'a> {
    names: Vec<Arc<str>>,
    numbers: HashMap<&'a str, Name>,
    depth: usize,
    line: u32,
    /// The names that were read so far and that make a difference where they are.
    special: Special,
}

#[derive(Default, Clone, Copy)]
struct Special {
    r#loop: Option<Name>,
    caller: Option<Name>,
    varargs: Option<Name>,
    kwargs: Option<Name>,
}

type Result<T, E = String> = std::result::Result<T, E>;

impl<'a> Translator<'a> {
    fn name(&mut self, spelling: &'a str) -> Name {
        let next = Name(self.names.len() as u32);
        let name = *self.numbers.entry(spelling).or_insert(next);
        if name == next {
            self.names.push(spelling.into());
        }
        name
    }

    fn nested<T>(&mut self, translate: impl FnOnce(&mut Self) -> Result<T>) -> Result<T> {
        self.depth += 1;
        if self.depth > DEPTH {
            return Err(format!("line {}: it is nested too deeply", self.line));
        }
        let translated = translate(self)?;
        self.depth -= 1;
        Ok(translated)
    }

    fn body(&mut self, statements: &'a [ast::Stmt<'a>]) -> Result<Body> {
        self.nested(|this| statements.iter().map(|statement| this.statement(statement)).collect())
    }

    fn statement(&mut self, statement: &'a ast::Stmt<'a>) -> Result<Node> {
        let line = match statement {
            ast::Stmt::EmitRaw(it) => it.span(),
            ast::Stmt::EmitExpr(it) => it.span(),
            ast::Stmt::ForLoop(it) => it.span(),
            ast::Stmt::IfCond(it) => it.span(),
            ast::Stmt::WithBlock(it) => it.span(),
            ast::Stmt::Set(it) => it.span(),
            ast::Stmt::SetBlock(it) => it.span(),
            ast::Stmt::FilterBlock(it) => it.span(),
            ast::Stmt::Macro(it) => it.span(),
            ast::Stmt::CallBlock(it) => it.span(),
            ast::Stmt::Do(it) => it.span(),
            ast::Stmt::Include(it) => it.span(),
            ast::Stmt::AutoEscape(it) => it.span(),
            _ => Default::default(),
        };
        if line.start_line > 0 {
            self.line = line.start_line.into();
        }
        let line = self.line;
        let statement = match statement {
            ast::Stmt::EmitRaw(raw) => Statement::Write(Text::author(raw.raw)),
            ast::Stmt::EmitExpr(print) => Statement::Print(self.expression(&print.expr)?),
            ast::Stmt::ForLoop(repeat) => Statement::For(Arc::new(self.repeat(repeat)?)),
            ast::Stmt::IfCond(condition) => self.condition(condition)?,
            ast::Stmt::WithBlock(with) => {
                let assignments = with.assignments.iter();
                let assignments = assignments
                    .map(|(target, value)| Ok((self.target(target)?, self.expression(value)?)))
                    .collect::<Result<_>>()?;
                Statement::With { assignments, body: self.body(&with.body)? }
            }
            ast::Stmt::Set(set) => {
                Statement::Set { value: self.expression(&set.expr)?, target: self.target(&set.target)? }
            }
            ast::Stmt::SetBlock(set) => Statement::SetBlock {
                target: self.target(&set.target)?,
                filters: set.filter.as_ref().map_or(Ok(Vec::new()), |filter| self.filters(filter))?,
                body: self.body(&set.body)?,
            },
            ast::Stmt::FilterBlock(block) => Statement::FilterBlock {
                filters: self.filters(&block.filter)?,
                body: self.body(&block.body)?,
            },
            ast::Stmt::Macro(declaration) => Statement::Macro {
                name: self.name(declaration.name),
                declaration: Arc::new(self.declaration(declaration)?),
            },
            ast::Stmt::CallBlock(block) => {
                let (callee, arguments) = (&block.call.expr, &block.call.args);
                Statement::CallBlock {
                    call: self.call(callee, arguments, line)?,
                    caller: Arc::new(self.declaration(&block.macro_decl)?),
                }
            }
            ast::Stmt::Do(call) => Statement::Do(self.call(&call.call.expr, &call.call.args, line)?),
            ast::Stmt::Continue(_) => Statement::Continue,
            ast::Stmt::Break(_) => Statement::Break,
            ast::Stmt::Block(block) => {
                Statement::With { assignments: Vec::new(), body: self.body(&block.body)? }
            }
            ast::Stmt::AutoEscape(block) => {
                let escapes = Node { line, statement: Statement::Unsupported("autoescape") };
                let branches = vec![(self.expression(&block.enabled)?, vec![escapes])];
                Statement::If { branches, otherwise: self.body(&block.body)? }
            }
            ast::Stmt::Include(_) => Statement::Unsupported("include"),
            ast::Stmt::Extends(_) => Statement::Unsupported("extends"),
            ast::Stmt::Import(_) | ast::Stmt::FromImport(_) => Statement::Unsupported("import"),
            ast::Stmt::Template(_) => Statement::Unsupported("a template in a template"),
        };
        Ok(Node { line, statement })
    }

    fn repeat(&mut self, repeat: &'a ast::ForLoop<'a>) -> Result<For> {
        let iterable = self.expression(&repeat.iter)?;
        let target = self.target(&repeat.target)?;
        let filter = repeat.filter_expr.as_ref().map(|filter| self.expression(filter)).transpose()?;
        let outer = std::mem::take(&mut self.special.r#loop);
        let body = self.body(&repeat.body)?;
        let loop_name = std::mem::replace(&mut self.special.r#loop, outer);
        let otherwise = self.body(&repeat.else_body)?;
        Ok(For { target, iterable, filter, recursive: repeat.recursive, loop_name, body, otherwise })
    }

    /// An `if` with all of its `elif`, each of which is an `if` in the `else` of the one before.
    fn condition(&mut self, mut condition: &'a ast::IfCond<'a>) -> Result<Statement> {
        let mut branches = Vec::new();
        loop {
            branches.push((self.expression(&condition.expr)?, self.body(&condition.true_body)?));
            match condition.false_body.as_slice() {
                [ast::Stmt::IfCond(next)] => condition = next,
                otherwise => {
                    let otherwise = self.body(otherwise)?;
                    return Ok(Statement::If { branches, otherwise });
                }
            }
        }
    }

    fn declaration(&mut self, declaration: &'a ast::Macro<'a>) -> Result<Macro> {
        let required = declaration.args.len() - declaration.defaults.len();
        let mut parameters = Vec::with_capacity(declaration.args.len());
        let outer = std::mem::take(&mut self.special);
        for (index, argument) in declaration.args.iter().enumerate() {
            let ast::Expr::Var(argument) = argument else { return Err(self.fault("a parameter")) };
            let default = index.checked_sub(required).and_then(|index| declaration.defaults.get(index));
            let default = default.map(|default| self.expression(default)).transpose()?;
            parameters.push(Parameter {
                name: self.name(argument.id),
                spelling: argument.id.into(),
                default,
            });
        }
        let body = self.body(&declaration.body)?;
        let inner = std::mem::replace(&mut self.special, outer);
        // A macro in a loop may name the loop.
        self.special.r#loop = self.special.r#loop.or(inner.r#loop);
        let free = |name: &Name| parameters.iter().all(|parameter| parameter.name != *name);
        Ok(Macro {
            name: declaration.name.into(),
            caller: inner.caller.filter(free),
            varargs: inner.varargs.filter(free),
            kwargs: inner.kwargs.filter(free),
            parameters,
            body,
        })
    }

    fn target(&mut self, target: &'a ast::Expr<'a>) -> Result<Target> {
        match target {
            ast::Expr::Var(name) => Ok(Target::Name(self.name(name.id))),
            ast::Expr::GetAttr(attribute) => match &attribute.expr {
                ast::Expr::Var(name) => {
                    Ok(Target::Attribute(self.name(name.id), Arc::new(Text::author(attribute.name))))
                }
                _ => Err(self.fault("a target")),
            },
            ast::Expr::List(list) => self.nested(|this| {
                Ok(Target::Tuple(list.items.iter().map(|item| this.target(item)).collect::<Result<_>>()?))
            }),
            _ => Err(self.fault("a target")),
        }
    }

    /// The filters of a block, which have no operand of their own.
    fn filters(&mut self, filter: &'a ast::Expr<'a>) -> Result<Vec<Step>> {
        match self.path(filter)? {
            (None, steps) => Ok(steps),
            (Some(_), _) => Err(self.fault("a filter")),
        }
    }

    fn call(
        &mut self,
        callee: &'a ast::Expr<'a>,
        arguments: &'a [ast::CallArg<'a>],
        line: u32,
    ) -> Result<Expression> {
        let (first, mut steps) = self.path(callee)?;
        let arguments = self.arguments(arguments)?;
        push_call(&mut steps, line, arguments);
        self.joined(first, steps)
    }

    fn expression(&mut self, expression: &'a ast::Expr<'a>) -> Result<Expression> {
        self.nested(|this| this.unguarded(expression))
    }

    fn expressions(&mut self, expressions: &'a [ast::Expr<'a>]) -> Result<Vec<Expression>> {
        expressions.iter().map(|expression| self.expression(expression)).collect()
    }

    fn unguarded(&mut self, expression: &'a ast::Expr<'a>) -> Result<Expression> {
        Ok(match expression {
            ast::Expr::Const(constant) => {
                let constant = literal(&constant.value);
                Expression::Constant(constant.ok_or_else(|| self.fault("a constant"))?)
            }
            ast::Expr::Var(name) => {
                let number = self.name(name.id);
                match name.id {
                    "loop" => self.special.r#loop = Some(number),
                    "caller" => self.special.caller = Some(number),
                    "varargs" => self.special.varargs = Some(number),
                    "kwargs" => self.special.kwargs = Some(number),
                    _ => {}
                }
                Expression::Name(number)
            }
            ast::Expr::List(list) => Expression::List(self.expressions(&list.items)?),
            ast::Expr::Tuple(tuple) => Expression::Tuple(self.expressions(&tuple.items)?),
            ast::Expr::Map(map) => Expression::Dict(
                (map.keys.iter().zip(&map.values))
                    .map(|(key, value)| Ok((self.expression(key)?, self.expression(value)?)))
                    .collect::<Result<_>>()?,
            ),
            ast::Expr::UnaryOp(unary) => {
                let operand = Box::new(self.expression(&unary.expr)?);
                match unary.op {
                    ast::UnaryOpKind::Not => Expression::Not(operand),
                    ast::UnaryOpKind::Neg => Expression::Negate(operand),
                }
            }
            ast::Expr::BinOp(_) => self.chain(expression)?,
            ast::Expr::Compare(compare) => Expression::Compare {
                first: Box::new(self.expression(&compare.expr)?),
                rest: (compare.ops.iter())
                    .map(|operand| Ok((comparison(operand.op), self.expression(&operand.expr)?)))
                    .collect::<Result<_>>()?,
            },
            ast::Expr::IfExpr(conditional) => Expression::If(Box::new(Conditional {
                test: self.expression(&conditional.test_expr)?,
                then: self.expression(&conditional.true_expr)?,
                otherwise: (conditional.false_expr.as_ref())
                    .map(|otherwise| self.expression(otherwise))
                    .transpose()?,
            })),
            _ => {
                let (first, steps) = self.path(expression)?;
                self.joined(first, steps)?
            }
        })
    }

    /// Operators that are nested on their left sides.
    fn chain(&mut self, expression: &'a ast::Expr<'a>) -> Result<Expression> {
        let mut rest = Vec::new();
        let mut left = expression;
        while let ast::Expr::BinOp(operation) = left {
            rest.push((operator(operation.op), &operation.right));
            left = &operation.left;
        }
        let first = Box::new(self.expression(left)?);
        let rest = rest.into_iter().rev().map(|(operator, right)| Ok((operator, self.expression(right)?)));
        Ok(Expression::Chain { first, rest: rest.collect::<Result<_>>()? })
    }

    /// What an expression begins with, and the steps from there. A filter of a block begins with nothing.
    fn path(&mut self, expression: &'a ast::Expr<'a>) -> Result<(Option<Expression>, Vec<Step>)> {
        let mut nodes = Vec::new();
        let mut first = Some(expression);
        while let Some(node) = first {
            first = match node {
                ast::Expr::GetAttr(attribute) => Some(&attribute.expr),
                ast::Expr::GetItem(item) => Some(&item.expr),
                ast::Expr::Slice(slice) => Some(&slice.expr),
                ast::Expr::Call(call) => Some(&call.expr),
                ast::Expr::Filter(filter) => filter.expr.as_ref(),
                ast::Expr::Test(test) => Some(&test.expr),
                _ => break,
            };
            nodes.push(node);
        }
        let first = first.map(|first| self.expression(first)).transpose()?;
        let mut steps = Vec::with_capacity(nodes.len());
        for node in nodes.into_iter().rev() {
            let line = node.span().start_line.into();
            match node {
                ast::Expr::GetAttr(attribute) => steps.push(Step::Attribute(attribute.name.into())),
                ast::Expr::GetItem(item) => steps.push(Step::Item(self.expression(&item.subscript_expr)?)),
                ast::Expr::Slice(slice) => {
                    let mut bound = |bound: &'a Option<ast::Expr<'a>>| {
                        bound.as_ref().map(|bound| self.expression(bound)).transpose()
                    };
                    let bounds = [bound(&slice.start)?, bound(&slice.stop)?, bound(&slice.step)?];
                    steps.push(Step::Slice(Box::new(bounds)));
                }
                ast::Expr::Call(call) => {
                    let arguments = self.arguments(&call.args)?;
                    push_call(&mut steps, line, arguments);
                }
                ast::Expr::Filter(filter) => {
                    let arguments = self.arguments(&filter.args)?;
                    let found = filters::find(filter.name);
                    steps.push(Step::Filter(line, found, filter.name.into(), arguments));
                }
                ast::Expr::Test(test) => {
                    let arguments = self.arguments(&test.args)?;
                    let found = predicates::find(test.name);
                    steps.push(Step::Test(line, found, test.name.into(), arguments));
                }
                _ => {}
            }
        }
        Ok((first, steps))
    }

    fn joined(&self, first: Option<Expression>, steps: Vec<Step>) -> Result<Expression> {
        let first = first.ok_or_else(|| self.fault("a filter without an operand"))?;
        if steps.is_empty() {
            return Ok(first);
        }
        Ok(Expression::Path { first: Box::new(first), steps })
    }

    fn arguments(&mut self, arguments: &'a [ast::CallArg<'a>]) -> Result<Vec<Argument>> {
        let translated = arguments.iter().map(|argument| {
            Ok(match argument {
                ast::CallArg::Pos(value) => Argument::Positional(self.expression(value)?),
                ast::CallArg::Kwarg(name, value) => {
                    Argument::Named(Arc::new(Text::author(*name)), self.expression(value)?)
                }
                ast::CallArg::PosSplat(values) => Argument::Unpacked(self.expression(values)?),
                ast::CallArg::KwargSplat(values) => Argument::UnpackedNamed(self.expression(values)?),
            })
        });
        translated.collect()
    }

    fn fault(&self, what: &str) -> String {
        format!("line {}: syntax error: {what} cannot stand here", self.line)
    }
}

/// A call; of the attribute before it, if there is one.
fn push_call(steps: &mut Vec<Step>, line: u32, arguments: Vec<Argument>) {
    let called = match steps.pop() {
        Some(Step::Attribute(name)) => Step::Method(line, name, arguments),
        before => {
            steps.extend(before);
            Step::Call(line, arguments)
        }
    };
    steps.push(called);
}

fn literal(value: &Value) -> Option<Constant> {
    match value.kind() {
        ValueKind::None => Some(Constant::None),
        ValueKind::Bool => Some(Constant::Bool(value.is_true())),
        ValueKind::Number if value.is_integer() => i128::try_from(value.clone()).ok().map(Constant::Int),
        ValueKind::Number => f64::try_from(value.clone()).ok().map(Constant::Float),
        ValueKind::String => Some(Constant::Text(Arc::new(Text::author(value.as_str()?)))),
        _ => None,
    }
}

fn comparison(operator: ast::CompareOpKind) -> Operator {
    match operator {
        ast::CompareOpKind::Eq => Operator::Equal,
        ast::CompareOpKind::Ne => Operator::Unequal,
        ast::CompareOpKind::Lt => Operator::Less,
        ast::CompareOpKind::Lte => Operator::LessOrEqual,
        ast::CompareOpKind::Gt => Operator::Greater,
        ast::CompareOpKind::Gte => Operator::GreaterOrEqual,
        ast::CompareOpKind::In => Operator::In,
        ast::CompareOpKind::NotIn => Operator::NotIn,
    }
}

fn operator(operator: ast::BinOpKind) -> Operator {
    match operator {
        ast::BinOpKind::Eq => Operator::Equal,
        ast::BinOpKind::Ne => Operator::Unequal,
        ast::BinOpKind::Lt => Operator::Less,
        ast::BinOpKind::Lte => Operator::LessOrEqual,
        ast::BinOpKind::Gt => Operator::Greater,
        ast::BinOpKind::Gte => Operator::GreaterOrEqual,
        ast::BinOpKind::In => Operator::In,
        ast::BinOpKind::ScAnd => Operator::And,
        ast::BinOpKind::ScOr => Operator::Or,
        ast::BinOpKind::Add => Operator::Add,
        ast::BinOpKind::Sub => Operator::Subtract,
        ast::BinOpKind::Mul => Operator::Multiply,
        ast::BinOpKind::Div => Operator::Divide,
        ast::BinOpKind::FloorDiv => Operator::FloorDivide,
        ast::BinOpKind::Rem => Operator::Remainder,
        ast::BinOpKind::Pow => Operator::Power,
        ast::BinOpKind::Concat => Operator::Concatenate,
    }
}
