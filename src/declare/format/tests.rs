mod any;

use proptest::prelude::*;

use super::canonical;

#[track_caller]
fn becomes(before: &str, after: &str) {
    assert_eq!(canonical(before).unwrap_or_else(|_| panic!("not formatted: {before}")), after);
    assert_eq!(canonical(after).unwrap_or_else(|_| panic!("not formatted: {after}")), after, "formatting again changes something");
}

#[test]
fn attributes_and_comments_stand_in_columns() {
    becomes(
        "\n\na  {\nx=1 // one\n  longer =  [1,2 ,3]   # two\n\n\n\ny = {\n  k=1\n  \"q\"  = -2\n}\nzz=1\n}\n",
        "a {\n  x      = 1         # one\n  longer = [1, 2, 3] # two\n\n  y = {\n    k   = 1\n    \"q\" = -2\n  }\n  zz = 1\n}\n",
    );
}

#[test]
fn operators_calls_and_indices_have_their_blanks() {
    becomes(
        "a=b+c*-d\nb=!x&&y||z\nc=f( a,b... )\nd=a [ 0 ].b[*].c*2\ne=x?1:2\nf={for k,v in m:\"${k}\"=>v if v!=null}\ng=a.*.b+1\n",
        "a = b + c * -d\nb = !x && y || z\nc = f(a, b...)\nd = a[0].b[*].c * 2\ne = x ? 1 : 2\nf = { for k, v in m : \"${k}\" => v if v != null }\ng = a.*.b + 1\n",
    );
}

#[test]
fn blocks_on_one_line_stand_in_columns() {
    becomes(
        "z {\nrecord \"A\" \"a.example\" { value = \"1\" }\nrecord \"CNAME\" \"b\" {}\nother \"A\" \"c\" { x = 1 }\nrecord \"A\" {\n}\n}\n",
        "z {\n  record \"A\"     \"a.example\" { value = \"1\" }\n  record \"CNAME\" \"b\"         {}\n  other \"A\" \"c\" { x = 1 }\n  record \"A\" {\n  }\n}\n",
    );
}

#[test]
fn brackets_opened_together_indent_once() {
    becomes(
        "a {\nx = merge({\na = 1\n}, {\nb = 2\n})\ny = f(\n1,\n[\n2,\n],\n)\n}\n",
        "a {\n  x = merge({\n    a = 1\n  }, {\n    b = 2\n  })\n  y = f(\n    1,\n    [\n      2,\n    ],\n  )\n}\n",
    );
}

#[test]
fn what_stands_in_texts_and_heredocs_stays() {
    let file = "a {\n  x = <<-EOT\n      kept   as = it\n    is\n  EOT\n  y = \"a   ${ b+c }\"\n  /* two\n       lines */\n  z = 1\n}\n";
    becomes(file, file);
    becomes("# c\r\na = 1\r\n", "# c\na = 1\n");
    becomes("", "");
    becomes("\n\n# only\n\n\n", "# only\n");
    becomes("a {}\nb { }\nc { x = 1 }\n", "a {}\nb {}\nc { x = 1 }\n");
}

#[test]
fn what_does_not_parse_is_not_touched() {
    for text in ["a {", "a = ", "a = 'x'", "x = \"${\"\n"] {
        assert!(canonical(text).is_err(), "{text}");
    }
}

/// Pieces that files are made of, so that most of what is generated parses.
fn file() -> impl Strategy<Value = String> {
    let blank = prop_oneof![Just(""), Just(" "), Just("   "), Just("\t")];
    let leaf = prop_oneof![
        Just("1".to_owned()),
        Just("-1.5".to_owned()),
        Just("\"a ${b.c[0]} # no\"".to_owned()),
        Just("var.x".to_owned()),
        Just("!true".to_owned()),
        Just("x.*.y".to_owned()),
        Just("x[*]".to_owned()),
        Just("<<EOT\n  raw {\nEOT\n".to_owned()),
        Just("<<-E\n x\n   E\n".to_owned()),
    ];
    let value = leaf.prop_recursive(4, 24, 3, move |inner| {
        let blank = blank.clone();
        prop_oneof![
            (inner.clone(), inner.clone(), blank.clone(), prop_oneof![Just("+"), Just("-"), Just("=="), Just("&&"), Just("%")])
                .prop_map(|(a, b, s, op)| format!("({s}{a}{s}{op} {b}{s})")),
            (prop::collection::vec(inner.clone(), 0..3), any::<bool>(), blank.clone()).prop_map(|(items, lines, s)| {
                let between = if lines { format!(",{s}\n") } else { format!("{s},{s}") };
                format!("[{s}{}{s}]", items.join(&between))
            }),
            (prop::collection::vec(inner.clone(), 0..3), blank.clone()).prop_map(|(items, s)| {
                let items: Vec<String> = items.iter().enumerate().map(|(n, item)| format!("{s}key{n}{s}={s}{item}")).collect();
                format!("{{{s}\n{}\n}}", items.join(" # why\n"))
            }),
            (inner.clone(), inner.clone(), inner.clone()).prop_map(|(a, b, c)| format!("({a}?{b}:{c})")),
            (prop::collection::vec(inner.clone(), 0..3), blank).prop_map(|(items, s)| format!("f({s}{}{s})", items.join(","))),
            inner.prop_map(|a| format!("[for k,v in x:{a} if true]")),
        ]
    });
    let line = prop_oneof![
        4 => (any::<prop::sample::Index>(), value).prop_map(|(n, v)| format!("a{}={v}\n", n.index(100_000))),
        1 => Just("\n\n".to_owned()),
        1 => Just("  // words\n".to_owned()),
        1 => Just("\t/* a\n b */\n".to_owned()),
    ];
    let block = (prop::collection::vec(line.clone(), 0..5), any::<bool>())
        .prop_map(|(lines, label)| format!("block{}{{ # open\n{}}}\n", if label { " \"l\"  " } else { "" }, lines.concat()));
    prop::collection::vec(prop_oneof![3 => line, 1 => block], 0..6).prop_map(|parts| parts.concat())
}

proptest! {
    #[test]
    fn formatting_twice_is_formatting_once_and_what_parses_is_formatted(text in file()) {
        if super::parse::body(&text).is_ok() {
            let once = canonical(&text);
            prop_assert!(once.is_ok(), "refused:\n{text}");
            let once = once.unwrap_or_default();
            let twice = canonical(&once).unwrap_or_default();
            prop_assert_eq!(&twice, &once, "from:\n{}", text);
            let ragged = once.lines().find(|line| line.ends_with(' ') && !line.contains('"'));
            prop_assert!(ragged.is_none(), "blanks at the end of {:?}", ragged);
        }
    }
}
