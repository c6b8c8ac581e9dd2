//! `format` and `formatlist`.

use super::{Function, Outcome, Wrong, room_for, text};
use crate::declare::eval::convert::{to_bool, to_f64, to_int, to_number, to_text};
use crate::model::Value;

pub(super) const TABLE: &[Function] = &[
    Function::new("format", 1, None, "(text, values…)", "the text with its %s, %d, %v, %q, %t, %f, %x … replaced by the values", |a| {
        render(&text(a, 0)?, &a[1..]).map(Value::String)
    }),
    Function::new("formatlist", 1, None, "(text, values or lists…)", "format for each element of the lists", format_list),
];

/// The widest field and the most decimals.
const MAX_WIDTH: usize = 1_000;

/// One `%…` of a format.
#[derive(Default)]
struct Verb {
    minus: bool,
    plus: bool,
    zero: bool,
    width: Option<usize>,
    precision: Option<usize>,
    argument: Option<usize>,
}

fn render(format: &str, values: &[Value]) -> Result<String, Wrong> {
    let mut result = String::new();
    let mut chars = format.chars().peekable();
    let mut next = 0;
    let mut explicit = false;
    while let Some(c) = chars.next() {
        if c != '%' {
            result.push(c);
            continue;
        }
        let mut verb = Verb::default();
        let letter = loop {
            match chars.next().ok_or("the text ends within a `%` verb")? {
                '-' => verb.minus = true,
                '+' => verb.plus = true,
                '0' if verb.width.is_none() && verb.precision.is_none() => verb.zero = true,
                ' ' | '#' => {}
                '[' => {
                    let digits: String = std::iter::from_fn(|| chars.next_if(char::is_ascii_digit)).collect();
                    let number: usize = digits.parse().ok().filter(|n| *n > 0).ok_or("`%[` needs the number of an argument")?;
                    chars.next_if_eq(&']').ok_or("`%[` without `]`")?;
                    verb.argument = Some(number - 1);
                }
                '.' => verb.precision = Some(0),
                digit if digit.is_ascii_digit() => {
                    let field = if verb.precision.is_some() { &mut verb.precision } else { &mut verb.width };
                    let number = field.unwrap_or(0) * 10 + digit.to_digit(10).unwrap_or(0) as usize;
                    if number > MAX_WIDTH {
                        return Err(format!("a width of more than {MAX_WIDTH} is not possible").into());
                    }
                    *field = Some(number);
                }
                letter => break letter,
            }
        };
        if letter == '%' {
            result.push('%');
            continue;
        }
        explicit |= verb.argument.is_some();
        let index = verb.argument.unwrap_or(next);
        let value = values.get(index).ok_or_else(|| format!("there is no value for `%{letter}`"))?;
        next = index + 1;
        let shown = one(letter, &verb, value).map_err(|what| Wrong { argument: Some(index + 1), what })?;
        room_for(result.len() + shown.len())?;
        result.push_str(&shown);
    }
    if !explicit && next < values.len() {
        return Err(Wrong { argument: Some(next + 1), what: "more values than `%` verbs".to_owned() });
    }
    Ok(result)
}

/// One value by one verb, padded.
fn one(letter: char, verb: &Verb, value: &Value) -> Result<String, String> {
    let signed = |text: String| if verb.plus && !text.starts_with('-') { format!("+{text}") } else { text };
    let decimals = verb.precision.unwrap_or(6);
    let body = match letter {
        'v' => match value {
            Value::List(_) | Value::Map(_) | Value::Null => value.to_json().to_string(),
            other => to_text(other)?,
        },
        's' => {
            let text = to_text(value)?;
            verb.precision.map_or(text.clone(), |most| text.chars().take(most).collect())
        }
        'q' => serde_json::Value::from(to_text(value)?).to_string(),
        't' => to_bool(value)?.to_string(),
        'd' => signed(to_int(value)?.to_string()),
        'b' => format!("{:b}", to_int(value)?),
        'o' => format!("{:o}", to_int(value)?),
        'x' => format!("{:x}", to_int(value)?),
        'X' => format!("{:X}", to_int(value)?),
        'f' => signed(format!("{:.*}", decimals, to_f64(to_number(value)?))),
        'e' => signed(format!("{:.*e}", decimals, to_f64(to_number(value)?))),
        'g' => signed(to_f64(to_number(value)?).to_string()),
        other => return Err(format!("there is no verb `%{other}`")),
    };
    let missing = verb.width.unwrap_or(0).saturating_sub(body.chars().count());
    Ok(if verb.minus {
        body + &" ".repeat(missing)
    } else if verb.zero && !matches!(letter, 's' | 'q' | 'v' | 't') {
        let (sign, digits) = body.strip_prefix(['-', '+']).map_or(("", body.as_str()), |digits| (&body[..1], digits));
        format!("{sign}{}{digits}", "0".repeat(missing))
    } else {
        " ".repeat(missing) + &body
    })
}

fn format_list(args: &[Value]) -> Outcome {
    let format = text(args, 0)?;
    let lengths = args[1..].iter().filter_map(|value| if let Value::List(items) = value { Some(items.len()) } else { None });
    let count = lengths.clone().max().unwrap_or(1);
    if lengths.into_iter().any(|length| length != count) {
        return Err("the lists are not of one length".into());
    }
    room_for(count.saturating_mul(format.len()))?;
    let row =
        |n: usize| args[1..].iter().map(|value| if let Value::List(items) = value { items[n].clone() } else { value.clone() }).collect::<Vec<_>>();
    (0..count).map(|n| render(&format, &row(n)).map(Value::String)).collect::<Result<_, _>>().map(Value::List)
}
