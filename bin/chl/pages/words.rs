//! Names of the catalog as people read them.

/// `sourced_revenue` as `Sourced revenue`.
pub(crate) fn titled(name: &str) -> String {
    let mut letters = name.chars().map(|letter| if letter == '_' { ' ' } else { letter });
    letters.next().map(|first| first.to_uppercase().chain(letters).collect()).unwrap_or_default()
}
