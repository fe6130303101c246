//! The pages of the console: what is on each, as templates show it.

use askama::Template;

/// The style of all of them.
pub(crate) const STYLE: &str =
    concat!(include_str!("palette.css"), include_str!("console/console.css"));

/// What stands around every page.
pub(crate) struct Frame {
    /// The heading.
    pub(crate) title: String,
    /// Where among the links it belongs.
    pub(crate) at: &'static str,
    /// Who looks; nobody yet before signing in.
    pub(crate) who: Option<Who>,
}

/// Who looks.
pub(crate) struct Who {
    pub(crate) actor: String,
    pub(crate) role: &'static str,
    /// What every form of this session brings back.
    pub(crate) form: String,
    pub(crate) links: &'static [Place],
}

/// A page to go to.
pub(crate) struct Place {
    pub(crate) to: &'static str,
    pub(crate) name: &'static str,
}

/// Rows of a read model.
pub(crate) struct Table {
    pub(crate) caption: String,
    pub(crate) columns: Vec<String>,
    pub(crate) rows: Vec<Vec<Cell>>,
    /// What is said where there are none.
    pub(crate) nothing: &'static str,
    /// Where the next ones are.
    pub(crate) more: Option<String>,
}

/// One cell.
pub(crate) struct Cell {
    pub(crate) label: String,
    pub(crate) text: String,
    pub(crate) to: Option<String>,
}

/// One of several choices.
pub(crate) struct Choice {
    pub(crate) to: String,
    pub(crate) name: &'static str,
    pub(crate) here: bool,
}

/// A question with one field.
pub(crate) struct Ask {
    pub(crate) label: &'static str,
    pub(crate) name: &'static str,
    pub(crate) value: String,
    pub(crate) such_as: &'static str,
}

/// A page of tables.
#[derive(Template)]
#[template(path = "console/tables.html")]
pub(crate) struct Tables {
    pub(crate) frame: Frame,
    pub(crate) note: Option<String>,
    pub(crate) ask: Option<Ask>,
    pub(crate) choices: Vec<Choice>,
    pub(crate) tables: Vec<Table>,
}

/// Signing in.
#[derive(Template)]
#[template(path = "console/sign_in.html")]
pub(crate) struct SignIn {
    pub(crate) frame: Frame,
    pub(crate) wrong: Option<String>,
    /// Those to choose from, where there are several.
    pub(crate) ledgers: Vec<String>,
}

/// What cannot be shown.
#[derive(Template)]
#[template(path = "console/trouble.html")]
pub(crate) struct Trouble {
    pub(crate) frame: Frame,
    pub(crate) detail: String,
}

/// One conflict.
#[derive(Template)]
#[template(path = "console/conflict.html")]
pub(crate) struct Conflict {
    pub(crate) frame: Frame,
    pub(crate) done: Option<&'static str>,
    /// Why it could not be decided.
    pub(crate) wrong: Option<String>,
    pub(crate) facts: Vec<Fact>,
    pub(crate) tables: Vec<Table>,
    /// For those who may decide it.
    pub(crate) form: Option<Decision>,
}

/// What is known of it.
pub(crate) struct Fact {
    pub(crate) name: String,
    pub(crate) value: String,
    pub(crate) to: Option<String>,
}

/// The form that decides it.
pub(crate) struct Decision {
    pub(crate) form: String,
    /// The id of the command: sent twice, the form decides once.
    pub(crate) id: String,
    pub(crate) customer: String,
    /// The customer it may be, where that is the question.
    pub(crate) other: Option<String>,
    pub(crate) resolutions: Vec<Word>,
    pub(crate) criteria: Vec<Word>,
    pub(crate) shares: Vec<Share>,
    pub(crate) note: String,
}

/// A choice of a form.
pub(crate) struct Word {
    pub(crate) word: String,
    pub(crate) name: String,
    pub(crate) chosen: bool,
}

/// One side's share of a split.
pub(crate) struct Share {
    pub(crate) name: String,
    pub(crate) partner: String,
    pub(crate) value: String,
}

/// A stream's history.
#[derive(Template)]
#[template(path = "console/history.html")]
pub(crate) struct History {
    pub(crate) frame: Frame,
    pub(crate) stream: String,
    pub(crate) commits: Vec<Commit>,
    pub(crate) more: Option<String>,
}

/// A commit of it.
pub(crate) struct Commit {
    pub(crate) position: String,
    pub(crate) version: String,
    pub(crate) recorded_at: String,
    pub(crate) command: String,
    pub(crate) actor: String,
    pub(crate) events: Vec<Event>,
}

/// An event of a commit.
pub(crate) struct Event {
    pub(crate) name: String,
    pub(crate) data: String,
}
