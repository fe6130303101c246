//! Who runs the program: the operating user, as the actor of what is sent from the command line.

use crate::{
    exit::Exit,
    failure::{Outcome, Step},
};
use chl_events::{ActorId, MAX_ID_BYTES};

/// The actor of the operating user, by the login name; characters an identifier has not become `-`.
pub(crate) fn actor() -> Outcome<ActorId> {
    let name = ["LOGNAME", "USER"].into_iter().find_map(|name| std::env::var(name).ok());
    ActorId::new(identifier(&name.unwrap_or_default()))
        .or_exit(Exit::Internal, "the operating user has no name that can be an actor")
}

fn identifier(name: &str) -> String {
    let allowed = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
    let mut id: String = name.chars().map(|c| if allowed(c) { c } else { '-' }).collect();
    id.truncate(MAX_ID_BYTES);
    let id = id.trim_start_matches(['-', '_']);
    if id.is_empty() { "operator".into() } else { id.into() }
}

#[cfg(test)]
mod tests {
    use super::identifier;

    #[test]
    fn any_login_name_becomes_an_actor() {
        assert_eq!(identifier("ann.lee@corp"), "ann-lee-corp");
        assert_eq!(identifier("_apt"), "apt");
        assert_eq!(identifier("Ümit"), "mit");
        assert_eq!(identifier(""), "operator");
    }
}
