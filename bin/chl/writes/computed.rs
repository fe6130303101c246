//! Commands that a question to the read models comes to: asked, and then sent as any others.

use super::submit::send;
use crate::{
    asking,
    exit::Exit,
    failure::Outcome,
    output::{Output, Sink},
    owner::Submission,
    place::Place,
    reads::Read,
    talk, user,
};

/// Asks a question that is answered with commands, a line each, sends them, and prints the answers.
pub(crate) fn submit_computed(
    place: &Place,
    read: Read,
    source: &str,
    mut output: Output,
) -> Outcome<Exit> {
    let mut commands = Commands::default();
    let exit = asking::ask_into(place, read, &mut commands)?;
    if commands.lines.is_empty() {
        output.end()?;
        return Ok(exit);
    }
    let submission = Submission {
        actor: user::actor()?.to_string(),
        source: source.to_owned(),
        trust_claims: false,
        dry_run: false,
        wait: Vec::new(),
    };
    let lines = (1..).zip(commands.lines).map(Ok);
    let exit = send(place, &submission, lines, &mut output)?;
    output.end()?;
    Ok(exit)
}

/// Takes lines that are commands.
#[derive(Default)]
struct Commands {
    lines: Vec<Vec<u8>>,
}

impl Sink for Commands {
    fn line(&mut self, line: &str) -> Outcome {
        self.lines.push(line.as_bytes().to_vec());
        Ok(())
    }

    fn note(&mut self, text: &str) -> Outcome {
        talk::say(text);
        Ok(())
    }
}
