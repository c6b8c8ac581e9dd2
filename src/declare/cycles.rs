//! Circles in a graph: among locals, and among resources through `depends_on`.

/// Walks the graph whose node `n` points to `edges[n]` and gives each circle as its nodes in order. Of circles that share all
/// their nodes with earlier ones nothing is said. Takes no stack per node, so a chain of any length is fine.
#[must_use]
pub fn find(edges: &[Vec<usize>]) -> Vec<Vec<usize>> {
    #[derive(Clone, Copy, PartialEq)]
    enum Mark {
        New,
        Open,
        Done,
    }
    let mut marks = vec![Mark::New; edges.len()];
    let mut told = vec![false; edges.len()];
    let mut circles = Vec::new();
    for start in 0..edges.len() {
        if marks[start] != Mark::New {
            continue;
        }
        let mut path: Vec<(usize, usize)> = vec![(start, 0)];
        marks[start] = Mark::Open;
        while let Some((node, next)) = path.last_mut() {
            let Some(&target) = edges[*node].get(*next) else {
                marks[*node] = Mark::Done;
                path.pop();
                continue;
            };
            *next += 1;
            match marks.get(target) {
                Some(Mark::New) => {
                    marks[target] = Mark::Open;
                    path.push((target, 0));
                }
                Some(Mark::Open) => {
                    let from = path.iter().position(|(node, _)| *node == target).unwrap_or(0);
                    let circle: Vec<usize> = path[from..].iter().map(|(node, _)| *node).collect();
                    if circle.iter().any(|node| !told[*node]) {
                        for node in &circle {
                            told[*node] = true;
                        }
                        circles.push(circle);
                    }
                }
                Some(Mark::Done) | None => {}
            }
        }
    }
    circles
}

/// `a → b → a`, shortened in the middle when it is long.
#[must_use]
pub fn words(names: &[String]) -> String {
    let mut shown: Vec<&str> = names.iter().map(String::as_str).collect();
    if shown.len() > 12 {
        shown.splice(6..shown.len() - 5, ["…"]);
    }
    shown.extend(names.first().map(String::as_str));
    shown.join(" → ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn circles_are_found_once_and_named_in_order() {
        assert_eq!(find(&[vec![1], vec![2], vec![]]), Vec::<Vec<usize>>::new());
        assert_eq!(find(&[vec![1], vec![2], vec![0]]), vec![vec![0, 1, 2]]);
        assert_eq!(find(&[vec![0]]), vec![vec![0]]);
        assert_eq!(find(&[vec![1], vec![0], vec![3], vec![2]]), vec![vec![0, 1], vec![2, 3]]);
        assert_eq!(words(&["a".into(), "b".into()]), "a → b → a");
    }

    #[test]
    fn a_long_chain_takes_no_stack() {
        let mut edges: Vec<Vec<usize>> = (1..=200_000).map(|next| vec![next]).collect();
        edges.push(vec![0]);
        assert_eq!(find(&edges).len(), 1);
    }
}
