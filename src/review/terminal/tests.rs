use crate::review::{Style, sample, terminal};

fn show(plan: &crate::plan::Plan, width: usize) -> String {
    terminal(plan, &Style::plain(width), None)
}

#[test]
#[allow(clippy::print_stdout, reason = "temporary")]
fn look() {
    for plan in [sample::database(), sample::dns_swap(), sample::nothing(), sample::held(), sample::blocked(), sample::hostile()] {
        for width in [60, 100, 160] {
            println!("=================== {width}");
            println!("{}", terminal(&plan, &Style { color: true, width }, Some("plans/staging.json")));
        }
    }
    let _ = show(&sample::database(), 80);
}
