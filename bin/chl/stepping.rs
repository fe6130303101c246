//! A replay before people: event by event, and on a terminal one at a time.

use crate::{
    asking::ask_into,
    exit::Exit,
    failure::{Failure, Outcome},
    output::{Output, Sheet, Sink, cell_text},
    place::Place,
    reads::{Read, Replay},
};
use serde_json::{Map, Value};
use std::io::{self, BufRead, BufReader, IsTerminal};

/// What is asked between two events.
const PROMPT: &str = "Enter: the next event; a number: so many; q: the end";

/// Replays a ledger's history onto standard output.
pub(crate) fn replay(place: &Place, asked: Replay, mut output: Output) -> Outcome<Exit> {
    // Where nobody sits at both ends, nobody could say when to go on.
    let people = io::stdin().is_terminal() && io::stdout().is_terminal();
    let input = (asked.step && people).then(|| BufReader::new(io::stdin()));
    let told = output.is_table();
    let mut steps = Steps { sink: &mut output, told, input, ahead: 0, columns: Vec::new() };
    // Who has seen enough has gone, and gets no error for it.
    let exit = match ask_into(place, Read::Replay(asked), &mut steps) {
        Err(Failure::ReaderGone) => Exit::Success,
        answered => answered?,
    };
    output.end()?;
    Ok(exit)
}

/// Passes events on: as text where people read them, and no faster than they ask.
struct Steps<'a, R: BufRead> {
    sink: &'a mut dyn Sink,
    /// Whether events are told as text.
    told: bool,
    /// Where people say how to go on, as long as they are asked.
    input: Option<R>,
    /// How many events come before they are asked again.
    ahead: u64,
    columns: Vec<String>,
}

impl<R: BufRead> Steps<'_, R> {
    /// Asks how to go on.
    fn ask(&mut self) -> Outcome {
        if let Some(left) = self.ahead.checked_sub(1) {
            self.ahead = left;
            return Ok(());
        }
        let Some(input) = &mut self.input else { return Ok(()) };
        self.sink.pass_on()?;
        loop {
            self.sink.note(PROMPT)?;
            let mut line = String::new();
            let read = input.read_line(&mut line);
            match (read, line.trim()) {
                // Nobody is left who could be asked: the rest comes at once.
                (Ok(0) | Err(_), _) => self.input = None,
                (Ok(_), "") => {}
                (Ok(_), "q") => {
                    self.input = None;
                    return Err(Failure::ReaderGone);
                }
                (Ok(_), number) => match number.parse::<u64>() {
                    Ok(number) => self.ahead = number.saturating_sub(1),
                    Err(_) => continue,
                },
            }
            return Ok(());
        }
    }

    fn tell(&mut self, values: Vec<Value>) -> Outcome {
        let fields = self.columns.iter().cloned().zip(values);
        let event: Map<String, Value> = fields.collect();
        let text = |name: &str| event.get(name).map(cell_text).unwrap_or_default();
        self.sink.line(&format!(
            "{}.{} {} v{}: {} by {}, {}",
            text("position"),
            text("event"),
            text("stream"),
            text("version"),
            text("command"),
            text("actor"),
            text("recorded_at")
        ))?;
        self.sink.line(&format!("  {} {}", text("type"), text("data")))?;
        let changed = event.get("changed").and_then(Value::as_array);
        for row in changed.into_iter().flatten() {
            self.tell_row(row)?;
        }
        Ok(())
    }

    /// What is different in a row, field by field.
    fn tell_row(&mut self, row: &Value) -> Outcome {
        let of = |name: &str| row.get(name).cloned().unwrap_or_default();
        let (before, after) = (of("before"), of("after"));
        let name = format!("{} {}", cell_text(&of("row")), cell_text(&of("key")));
        let (Some(old), Some(new)) = (before.as_object(), after.as_object()) else {
            let (sign, shown) = if after.is_null() { ("-", before) } else { ("+", after) };
            return self.sink.line(&format!("  {sign} {name} {shown}"));
        };
        self.sink.line(&format!("  ~ {name}"))?;
        for (field, now) in new {
            let then = old.get(field).unwrap_or(&Value::Null);
            if then != now {
                self.sink.line(&format!("      {field}: {then} -> {now}"))?;
            }
        }
        Ok(())
    }
}

impl<R: BufRead> Sink for Steps<'_, R> {
    fn begin(&mut self, sheet: &Sheet<'_>) -> Outcome {
        self.columns = sheet.columns.iter().map(ToString::to_string).collect();
        if self.told { Ok(()) } else { self.sink.begin(sheet) }
    }

    fn row(&mut self, values: Vec<Value>) -> Outcome {
        if self.told {
            self.tell(values)?;
        } else {
            self.sink.row(values)?;
        }
        self.ask()
    }

    fn document(&mut self, json: &str) -> Outcome {
        self.sink.document(json)
    }

    fn line(&mut self, line: &str) -> Outcome {
        self.sink.line(line)
    }

    fn pass_on(&mut self) -> Outcome {
        self.sink.pass_on()
    }

    fn note(&mut self, text: &str) -> Outcome {
        self.sink.note(text)
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

    use super::*;
    use serde_json::json;

    /// Keeps what is said.
    #[derive(Default)]
    struct Heard {
        lines: Vec<String>,
        notes: usize,
    }

    impl Sink for Heard {
        fn begin(&mut self, sheet: &Sheet<'_>) -> Outcome {
            self.lines.push(sheet.columns.join(" "));
            Ok(())
        }

        fn row(&mut self, values: Vec<Value>) -> Outcome {
            self.lines.push(Value::Array(values).to_string());
            Ok(())
        }

        fn document(&mut self, json: &str) -> Outcome {
            self.line(json)
        }

        fn line(&mut self, line: &str) -> Outcome {
            self.lines.push(line.to_owned());
            Ok(())
        }

        fn note(&mut self, _: &str) -> Outcome {
            self.notes += 1;
            Ok(())
        }
    }

    /// Sends five events through, with what somebody types; says what was seen, how often they were
    /// asked, and whether they ended it.
    fn stepped(typed: &str) -> (usize, usize, bool) {
        let mut heard = Heard::default();
        let input = Some(typed.as_bytes());
        let columns = Vec::new();
        let mut steps = Steps { sink: &mut heard, told: false, input, ahead: 0, columns };
        let mut seen = 0;
        let ended = (0..5).try_for_each(|number| {
            seen += 1;
            steps.row(vec![json!(number)])
        });
        (seen, heard.notes, matches!(ended, Err(Failure::ReaderGone)))
    }

    #[test]
    fn enter_shows_the_next_event_and_a_number_so_many() {
        assert_eq!(stepped("\n\n\n\n\n"), (5, 5, false));
        assert_eq!(stepped("3\n\n\n"), (5, 3, false));
        assert_eq!(stepped("what?\n9\n"), (5, 2, false), "asked again");
    }

    #[test]
    fn q_ends_it_and_where_nobody_is_left_the_rest_comes() {
        assert_eq!(stepped("\nq\n"), (2, 2, true));
        assert_eq!(stepped("\n"), (5, 2, false));
        assert_eq!(stepped(""), (5, 1, false));
    }

    #[test]
    fn people_read_what_changed_in_a_row() {
        let mut heard = Heard::default();
        let input: Option<&[u8]> = None;
        let mut steps =
            Steps { sink: &mut heard, told: true, input, ahead: 0, columns: Vec::new() };
        steps.begin(&Sheet::new("", &["position", "type", "changed"])).unwrap();
        let changed = json!([
            { "row": "Deal", "key": "d", "before": null, "after": { "state": "new" } },
            { "row": "Slot", "key": "s", "before": { "a": 1, "b": 2 }, "after": { "a": 1, "b": 3 } },
            { "row": "Slot", "key": "t", "before": { "a": 1 }, "after": null },
        ]);
        steps.row(vec![json!(7), json!("DealRegistered"), changed]).unwrap();
        let told: Vec<&str> = heard.lines.iter().skip(1).map(String::as_str).collect();
        let expected = [
            "  DealRegistered ",
            "  + Deal d {\"state\":\"new\"}",
            "  ~ Slot s",
            "      b: 2 -> 3",
            "  - Slot t {\"a\":1}",
        ];
        assert_eq!(told, expected);
    }
}
