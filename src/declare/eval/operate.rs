//! Operators and conditionals.

use hcl_edit::Span as _;
use hcl_edit::expr::{BinaryOp, BinaryOperator, Conditional, Expression, UnaryOp, UnaryOperator};

use super::convert::{equal, holds_secret, number_of, to_bool, to_f64, to_number};
use super::{Eval, Evaluator, Scope, fault, secret};
use crate::model::{Number, Value};

impl Evaluator<'_> {
    pub(super) fn conditional(&self, conditional: &Conditional, scope: &Scope<'_>) -> Eval<Value> {
        match self.condition(&conditional.cond_expr, scope)? {
            Some(true) => self.eval(&conditional.true_expr, scope),
            Some(false) => self.eval(&conditional.false_expr, scope),
            None => Ok(secret()),
        }
    }

    pub(super) fn unary(&self, op: &UnaryOp, scope: &Scope<'_>) -> Eval<Value> {
        let value = self.eval(&op.expr, scope)?;
        if holds_secret(&value) {
            return Ok(secret());
        }
        let result = match op.operator.value() {
            UnaryOperator::Not => to_bool(&value).map(|b| Value::Bool(!b)),
            UnaryOperator::Neg => to_number(&value)
                .and_then(|number| match number {
                    Number::Int(n) => n.checked_neg().map(Number::Int).ok_or_else(|| too_large("-")),
                    Number::Float(n) => Ok(Number::Float(-n)),
                })
                .map(Value::Number),
        };
        result.or_else(|what| fault(&scope.span(op.expr.span()), what, "`!` takes true or false, `-` takes a number"))
    }

    pub(super) fn binary(&self, op: &BinaryOp, expr: &Expression, scope: &Scope<'_>) -> Eval<Value> {
        let operator = *op.operator.value();
        if let BinaryOperator::And | BinaryOperator::Or = operator {
            let decided = operator == BinaryOperator::Or;
            return match self.condition(&op.lhs_expr, scope)? {
                None => Ok(secret()),
                Some(b) if b == decided => Ok(Value::Bool(decided)),
                Some(_) => Ok(self.condition(&op.rhs_expr, scope)?.map_or_else(secret, Value::Bool)),
            };
        }
        let (left, right) = (self.eval(&op.lhs_expr, scope)?, self.eval(&op.rhs_expr, scope)?);
        if holds_secret(&left) || holds_secret(&right) {
            return Ok(secret());
        }
        match operator {
            BinaryOperator::Eq => return Ok(Value::Bool(equal(&left, &right))),
            BinaryOperator::NotEq => return Ok(Value::Bool(!equal(&left, &right))),
            _ => {}
        }
        let number = |value: &Value, side: &Expression| {
            to_number(value).or_else(|what| fault(&scope.span(side.span()), what, format!("`{}` takes two numbers", operator.as_str())))
        };
        let (a, b) = (number(&left, &op.lhs_expr)?, number(&right, &op.rhs_expr)?);
        arithmetic(operator, a, b).or_else(|(what, help)| fault(&scope.span(expr.span()), what, help))
    }
}

fn too_large(operator: &str) -> String {
    format!("the result of `{operator}` is too large")
}

/// Two numbers; whole ones stay exact.
fn arithmetic(operator: BinaryOperator, a: Number, b: Number) -> Result<Value, (String, &'static str)> {
    use BinaryOperator::{Div, Greater, GreaterEq, Less, LessEq, Minus, Mod, Mul, Plus};
    let order = match (a, b) {
        (Number::Int(a), Number::Int(b)) => a.cmp(&b),
        _ => to_f64(a).total_cmp(&to_f64(b)),
    };
    match operator {
        Less => return Ok(Value::Bool(order.is_lt())),
        LessEq => return Ok(Value::Bool(order.is_le())),
        Greater => return Ok(Value::Bool(order.is_gt())),
        GreaterEq => return Ok(Value::Bool(order.is_ge())),
        _ => {}
    }
    if matches!(operator, Div | Mod) && to_f64(b) == 0.0 {
        return Err(("division by zero".to_owned(), "guard it with a conditional: b == 0 ? … : a / b"));
    }
    let whole = match (operator, a, b) {
        (Plus, Number::Int(a), Number::Int(b)) => Some(a.checked_add(b)),
        (Minus, Number::Int(a), Number::Int(b)) => Some(a.checked_sub(b)),
        (Mul, Number::Int(a), Number::Int(b)) => Some(a.checked_mul(b)),
        (Mod, Number::Int(a), Number::Int(b)) => Some(a.checked_rem(b)),
        (Div, Number::Int(a), Number::Int(b)) if a.checked_rem(b) == Some(0) => Some(a.checked_div(b)),
        _ => None,
    };
    let number = if let Some(exact) = whole {
        exact.map(Number::Int)
    } else {
        let (a, b) = (to_f64(a), to_f64(b));
        number_of(match operator {
            Plus => a + b,
            Minus => a - b,
            Mul => a * b,
            Div => a / b,
            _ => a % b,
        })
    };
    number.map(Value::Number).ok_or_else(|| (too_large(operator.as_str()), "keep long numbers, such as ids, as text"))
}
