//! Where the names of a template stand.

use std::cell::RefCell;
use std::rc::Rc;

use super::tree::Name;
use super::value::Value;

/// Names that were set in a block, within those of the block around it.
#[derive(Default)]
pub(super) struct Scope {
    /// In the order of their numbers.
    names: RefCell<Vec<(Name, Value)>>,
    outer: Option<Rc<Scope>>,
}

impl Scope {
    /// A scope within `outer`.
    pub fn within(outer: &Rc<Self>) -> Rc<Self> {
        Rc::new(Self { names: RefCell::default(), outer: Some(outer.clone()) })
    }

    /// What `name` was set to, in the innermost scope that has it.
    pub fn get(&self, name: Name) -> Option<Value> {
        let mut scope = Some(self);
        while let Some(current) = scope {
            let names = current.names.borrow();
            if let Ok(index) = names.binary_search_by_key(&name, |(other, _)| *other) {
                return Some(names[index].1.clone());
            }
            scope = current.outer.as_deref();
        }
        None
    }

    /// Sets a name in this scope.
    pub fn set(&self, name: Name, value: Value) {
        let mut names = self.names.borrow_mut();
        match names.binary_search_by_key(&name, |(other, _)| *other) {
            // The old value is dropped when the names are free again.
            Ok(index) => {
                let old = std::mem::replace(&mut names[index].1, value);
                drop(names);
                drop(old);
            }
            Err(index) => names.insert(index, (name, value)),
        }
    }

    /// Forgets its names.
    pub fn clear(&self) {
        let names = std::mem::take(&mut *self.names.borrow_mut());
        drop(names);
    }
}
