//! A person who reads the report of a run that has stopped, does what it says, word by word, and nothing else.

use super::script::Mend;

/// What the report asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Order {
    /// What is to be mended before, with the sentence that says so.
    pub mends: Vec<(Mend, String)>,
    /// The command then.
    pub command: Command,
}

/// How a run goes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Command {
    Resume,
    RollBack,
}

/// What a sentence asks to have mended, by the words that stand between what happened and the command.
const WORDS: &[(&str, Mend)] = &[
    ("renew the AWS credentials of ", Mend::Credentials),
    ("renew the api_token of ", Mend::Credentials),
    ("renew the password ", Mend::Credentials),
    ("renew the credentials ", Mend::Credentials),
    ("check that the credentials are set", Mend::Credentials),
    ("mend what they name", Mend::Refusal),
    ("wait until it is at rest", Mend::Wait),
    ("wait until the service shows it", Mend::Wait),
    ("wait some minutes", Mend::Wait),
    ("see in the service what holds it up", Mend::Wait),
    ("check the network, the endpoint and the region", Mend::Network),
];

/// Reads what a person must do. An error says what cannot be followed.
pub fn read(needs: &[String], environment: &str, choice: usize) -> Result<Order, String> {
    let mut mends = Vec::new();
    let mut possible: Option<Vec<Command>> = None;
    if needs.is_empty() {
        return Err("the report asks for nothing".to_owned());
    }
    for need in needs {
        let commands = commands(need, environment);
        if commands.is_empty() {
            return Err(format!("no command goes on: {need}"));
        }
        let found: Vec<Mend> = WORDS.iter().filter(|(words, _)| need.contains(words)).map(|(_, mend)| *mend).collect();
        if found.is_empty() {
            return Err(format!("nothing is to be mended: {need}"));
        }
        mends.extend(found.into_iter().map(|mend| (mend, need.clone())));
        // What all sentences allow.
        possible = Some(match possible {
            None => commands,
            Some(before) => before.into_iter().filter(|command| commands.contains(command)).collect(),
        });
    }
    let possible = possible.unwrap_or_default();
    if possible.is_empty() {
        return Err(format!("the sentences ask for different commands: {needs:?}"));
    }
    Ok(Order { mends, command: possible[choice % possible.len()] })
}

fn commands(need: &str, environment: &str) -> Vec<Command> {
    let all = [("resume", Command::Resume), ("rollback", Command::RollBack)];
    all.iter().filter(|(word, _)| need.contains(&format!("`switchover {word} {environment}`"))).map(|(_, command)| *command).collect()
}

#[test]
fn a_person_does_what_is_written_and_nothing_else() {
    let need = "a/b could not be turned back (rds:X was throttled): wait some minutes; then `switchover rollback e` goes on with the way back";
    let order = read(&[need.to_owned()], "e", 0).unwrap();
    assert_eq!(order, Order { mends: vec![(Mend::Wait, need.to_owned())], command: Command::RollBack });
    let both = "renew the credentials that a/b needs (rds:X was denied); then `switchover resume e` goes on, `switchover rollback e` turns it back";
    assert_eq!(read(&[both.to_owned()], "e", 1).unwrap().command, Command::RollBack);
    assert_eq!(read(&[both.to_owned()], "e", 2).unwrap().command, Command::Resume);
    assert_eq!(read(&[both.to_owned(), need.to_owned()], "e", 2).unwrap().command, Command::RollBack);
    for useless in ["find out why", "mend what they name", "mend what they name; then `switchover resume other`"] {
        read(&[useless.to_owned()], "e", 0).unwrap_err();
    }
    read(&[], "e", 0).unwrap_err();
}
