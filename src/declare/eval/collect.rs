//! Lists, objects and `for` expressions.

use hcl_edit::Span as _;
use hcl_edit::expr::{Array, Expression, ForExpr, Object, ObjectKey};
use indexmap::IndexMap;

use super::convert::{Weight, elements, short, to_text};
use super::{Binding, Eval, Evaluator, Scope, fault, secret};
use crate::model::Value;

impl Evaluator<'_> {
    pub(super) fn array(&self, array: &Array, scope: &Scope<'_>) -> Eval<Value> {
        let mut sum = Weight::default();
        let items = array.iter().map(|item| self.part(item, &mut sum, scope)).collect::<Eval<Vec<_>>>()?;
        Ok(Value::List(items))
    }

    pub(super) fn object(&self, object: &Object, expr: &Expression, scope: &Scope<'_>) -> Eval<Value> {
        let (mut entries, mut sum) = (IndexMap::new(), Weight::default());
        for (key, value) in object {
            let (name, place) = match key {
                ObjectKey::Ident(ident) => (ident.as_str().to_owned(), ident.span()),
                ObjectKey::Expression(key) => match self.key(key, scope)? {
                    Some(name) => (name, key.span()),
                    None => return Ok(secret()),
                },
            };
            let value = self.part(value.expr(), &mut sum, scope)?;
            if entries.contains_key(&name) {
                return fault(&scope.span(place), format!("the key `{}` is there twice", short(&name)), "keep one of them");
            }
            entries.insert(name, value);
        }
        self.checked(Value::Map(entries), expr, scope)
    }

    /// A key as text; none when it is secret.
    fn key(&self, expr: &Expression, scope: &Scope<'_>) -> Eval<Option<String>> {
        let value = self.eval(expr, scope)?;
        if matches!(value, Value::Secret(_)) {
            return Ok(None);
        }
        match to_text(&value) {
            Ok(text) => Ok(Some(text)),
            Err(what) => fault(&scope.span(expr.span()), format!("{what} as a key"), "a key is text, a number or a bool"),
        }
    }

    pub(super) fn for_expr(&self, each: &ForExpr, expr: &Expression, scope: &Scope<'_>) -> Eval<Value> {
        let collection = self.eval(&each.intro.collection_expr, scope)?;
        if matches!(collection, Value::Secret(_)) {
            return Ok(secret());
        }
        let Some(items) = elements(&collection) else {
            let what = format!("{} where a list or map is needed", collection.type_word());
            return fault(&scope.span(each.intro.collection_expr.span()), what, "`for` walks a list or a map");
        };
        let mut result = if each.key_expr.is_some() { Collected::Map(IndexMap::new()) } else { Collected::List(Vec::new()) };
        let mut sum = Weight::default();
        for (key, item) in &items {
            let value = Binding { name: each.intro.value_var.as_str(), value: item, next: scope.bindings };
            let name = each.intro.key_var.as_ref().map_or("", |ident| ident.as_str());
            let both = Binding { name, value: key, next: Some(&value) };
            let inner = Scope { bindings: Some(&both), ..*scope };
            if let Some(condition) = &each.cond {
                match self.condition(&condition.expr, &inner)? {
                    Some(true) => {}
                    Some(false) => continue,
                    None => return Ok(secret()),
                }
            }
            if !self.add(each, &mut result, &mut sum, &inner)? {
                return Ok(secret());
            }
        }
        let value = match result {
            Collected::List(items) => Value::List(items),
            Collected::Map(entries) => Value::Map(entries),
        };
        self.checked(value, expr, scope)
    }

    /// One round of a `for`; false when its key is secret.
    fn add(&self, each: &ForExpr, result: &mut Collected, sum: &mut Weight, scope: &Scope<'_>) -> Eval<bool> {
        let (entries, key_expr) = match (result, &each.key_expr) {
            (Collected::Map(entries), Some(key_expr)) => (entries, key_expr),
            (Collected::List(items), _) => {
                items.push(self.part(&each.value_expr, sum, scope)?);
                return Ok(true);
            }
            (Collected::Map(_), None) => return Ok(true),
        };
        let Some(key) = self.key(key_expr, scope)? else { return Ok(false) };
        let value = self.part(&each.value_expr, sum, scope)?;
        if each.grouping {
            if let Value::List(group) = entries.entry(key).or_insert_with(|| Value::List(Vec::new())) {
                group.push(value);
            }
        } else if entries.contains_key(&key) {
            let help = "give every element another key, or group with `...` after the value";
            return fault(&scope.span(key_expr.span()), format!("the key `{}` comes twice", short(&key)), help);
        } else {
            entries.insert(key, value);
        }
        Ok(true)
    }
}

enum Collected {
    List(Vec<Value>),
    Map(IndexMap<String, Value>),
}
