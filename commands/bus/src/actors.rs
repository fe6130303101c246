//! The list of actors: what each one is to the ledger.
//!
//! ```toml
//! [svc-portal]
//! role = "service"
//! sources = ["/portal"]
//! per_second = 500
//! tokens = ["sha256:2bb80d537b1da3e38bd30361aa855686bde0eacd7162fef6a25fe97bf527a25b"]
//!
//! [p-042-app]
//! role = "partner"
//! partner = "p-042"
//! ```
//!
//! An actor that names no sources has one of its own, `/as/ACTOR`: so nobody can use up another's
//! ids. Only role `operator` may leave the choice open with `sources = "any"`. Tokens are for doors
//! whose transport does not say who calls: the list has digests of them, several while one takes
//! another's place.

use crate::{
    authorise::{Connection, Sources},
    quota::Quotas,
    refusal::Refusal,
    token::TokenDigest,
};
use chl_events::{ActorId, PartnerId, Role};
use serde::Deserialize;
use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::Path,
    sync::{Arc, Mutex, PoisonError, RwLock},
    time,
};

/// Says why a list of actors cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ActorsError {
    /// The file cannot be read.
    #[error("the list of actors {path} cannot be read: {source}")]
    Unreadable {
        /// The file.
        path: String,
        /// What the file system says.
        source: std::io::Error,
    },
    /// It is no list of actors.
    #[error("the list of actors: {0}")]
    Malformed(#[from] toml::de::Error),
    /// An actor's entries do not go together.
    #[error("the list of actors: {actor}: {problem}")]
    Contradiction {
        /// The actor.
        actor: ActorId,
        /// What is wrong.
        problem: &'static str,
    },
    /// Whoever shows a token would be two actors at once.
    #[error("the list of actors: {0} and {1} have the same token")]
    SharedToken(ActorId, ActorId),
}

/// What an actor is to the ledger.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Actor {
    /// What its documents may say.
    pub connection: Connection,
    /// How many commands it may send in a second; as many in one go.
    pub per_second: Option<u32>,
    /// The digests of its tokens.
    pub tokens: Vec<TokenDigest>,
}

/// The entries of a list.
type Listed = BTreeMap<ActorId, Arc<Actor>>;

/// Who may send. Clones share the list, and what is used up of quotas, whichever door it was used
/// at.
#[derive(Debug, Clone, Default)]
pub struct Actors {
    listed: Arc<RwLock<Arc<Listed>>>,
    quotas: Arc<Mutex<Quotas>>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    role: Role,
    partner: Option<PartnerId>,
    level: Option<u8>,
    sources: Option<Allowed>,
    per_second: Option<u32>,
    #[serde(default)]
    tokens: Vec<TokenDigest>,
}

#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum Allowed {
    These(Vec<String>),
    Word(String),
}

impl Actors {
    /// Reads a list.
    pub fn read(path: &Path) -> Result<Self, ActorsError> {
        let unreadable =
            |source| ActorsError::Unreadable { path: path.display().to_string(), source };
        Self::parse(&fs::read_to_string(path).map_err(unreadable)?)
    }

    /// Takes a list as text.
    pub fn parse(text: &str) -> Result<Self, ActorsError> {
        let entries: BTreeMap<ActorId, Entry> = toml::from_str(text)?;
        let actors = entries.into_iter().map(|(id, entry)| {
            let actor = entry.settle(&id)?;
            Ok((id, Arc::new(actor)))
        });
        let listed: Listed = actors.collect::<Result<_, ActorsError>>()?;
        check_tokens(&listed)?;
        let listed = Arc::new(RwLock::new(Arc::new(listed)));
        Ok(Self { listed, quotas: Arc::default() })
    }

    /// Takes another list over, for all clones at once; says whether anything in it is other than
    /// before. What is used up of quotas stays so.
    pub fn replace(&self, other: &Self) -> bool {
        let new = other.list();
        let mut listed = self.listed.write().unwrap_or_else(PoisonError::into_inner);
        let changed = **listed != *new;
        *listed = new;
        changed
    }

    /// How many are in the list.
    pub fn count(&self) -> usize {
        self.list().len()
    }

    fn list(&self) -> Arc<Listed> {
        Arc::clone(&self.listed.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// The partners that have somebody in the list.
    pub fn partners(&self) -> BTreeSet<PartnerId> {
        self.list().values().filter_map(|actor| actor.connection.partner.clone()).collect()
    }

    /// What an actor is; none for one that is not in the list.
    pub fn get(&self, actor: &ActorId) -> Option<Arc<Actor>> {
        self.list().get(actor).cloned()
    }

    /// The actor that a bearer token is of. All are compared, whichever it is, so that the time an
    /// answer takes tells nothing.
    pub fn bearer(&self, token: &str) -> Option<Arc<Actor>> {
        let (shown, listed) = (TokenDigest::of(token), self.list());
        let mut found = None;
        for actor in listed.values() {
            for known in &actor.tokens {
                if *known == shown {
                    found = Some(Arc::clone(actor));
                }
            }
        }
        found
    }

    /// Takes one command's worth of an actor's quota.
    pub fn take(&self, actor: &Actor) -> Result<(), Refusal> {
        let Some(per_second) = actor.per_second else { return Ok(()) };
        let mut quotas = self.quotas.lock().unwrap_or_else(PoisonError::into_inner);
        match quotas.take(&actor.connection.actor, per_second, time::Instant::now()) {
            true => Ok(()),
            false => Err(Refusal::Quota { per_second }),
        }
    }
}

fn check_tokens(listed: &Listed) -> Result<(), ActorsError> {
    let mut seen: BTreeMap<String, &ActorId> = BTreeMap::new();
    for (id, actor) in listed {
        for digest in &actor.tokens {
            if let Some(first) = seen.insert(digest.to_string(), id) {
                return Err(ActorsError::SharedToken(first.clone(), id.clone()));
            }
        }
    }
    Ok(())
}

impl Entry {
    fn settle(self, actor: &ActorId) -> Result<Actor, ActorsError> {
        let wrong = |problem| ActorsError::Contradiction { actor: actor.clone(), problem };
        if matches!(self.role, Role::Policy | Role::Clock) {
            return Err(wrong("the ledger's own roles are nobody's"));
        }
        if (self.role == Role::Partner) != self.partner.is_some() {
            return Err(wrong("role partner, and no other, names its partner"));
        }
        if self.level.is_some() && self.role != Role::ChannelManager {
            return Err(wrong("only a channel manager has a level"));
        }
        if self.per_second == Some(0) {
            return Err(wrong("per_second is at least 1"));
        }
        let own = format!("/as/{actor}");
        let sources = match self.sources {
            None => Sources::Only(vec![own.clone()]),
            Some(Allowed::These(sources)) if !sources.is_empty() => Sources::Only(sources),
            Some(Allowed::Word(any)) if any == "any" && self.role == Role::Operator => Sources::Any,
            Some(_) => {
                let problem =
                    "sources is a list of at least one; only an operator's may be \"any\"";
                return Err(wrong(problem));
            }
        };
        let default_source = match &sources {
            Sources::Only(sources) => sources.first().cloned(),
            Sources::Any => Some(own),
        };
        let connection = Connection {
            actor: actor.clone(),
            role: self.role,
            partner: self.partner,
            level: self.level,
            sources,
            default_source,
            trust_claims: false,
            replay: false,
        };
        Ok(Actor { connection, per_second: self.per_second, tokens: self.tokens })
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

    use super::*;

    #[test]
    fn an_actor_without_sources_has_one_of_its_own() {
        let text = "[p-042-app]\nrole = \"partner\"\npartner = \"p-042\"\n\
                    [ops]\nrole = \"operator\"\nsources = \"any\"\nper_second = 9\n";
        let actors = Actors::parse(text).unwrap();
        let app = actors.get(&"p-042-app".parse().unwrap()).unwrap();
        assert_eq!(app.connection.sources, Sources::Only(vec!["/as/p-042-app".into()]));
        assert_eq!(app.connection.default_source.as_deref(), Some("/as/p-042-app"));
        let ops = actors.get(&"ops".parse().unwrap()).unwrap();
        assert_eq!((&ops.connection.sources, ops.per_second), (&Sources::Any, Some(9)));
        assert_eq!(actors.get(&"nobody".parse().unwrap()), None);
    }

    #[test]
    fn a_token_is_of_one_actor() {
        let entry = |name: &str, tokens: &[&str]| {
            let digests = tokens.iter().map(|token| TokenDigest::of(token).to_string());
            let digests: Vec<String> = digests.collect();
            format!("[{name}]\nrole = \"service\"\ntokens = {digests:?}\n")
        };
        let list = entry("a", &["old", "new"]) + &entry("b", &["other"]) + &entry("c", &[]);
        let actors = Actors::parse(&list).unwrap();
        let bearer = |token| actors.bearer(token).map(|actor| actor.connection.actor.to_string());
        assert_eq!(bearer("old").as_deref(), Some("a"));
        assert_eq!(bearer("new").as_deref(), Some("a"));
        assert_eq!(bearer("other").as_deref(), Some("b"));
        assert_eq!((bearer(""), bearer("c"), bearer("sha256:")), (None, None, None));
        let twice = Actors::parse(&(entry("a", &["one"]) + &entry("b", &["one"]))).unwrap_err();
        assert!(twice.to_string().contains("a and b have the same token"), "{twice}");
        assert!(!format!("{actors:?}").contains("old"), "a list holds no token");
    }

    #[test]
    fn a_quota_is_one_at_all_doors() {
        let actors = Actors::parse("[a]\nrole = \"service\"\nper_second = 1\n").unwrap();
        let (actor, elsewhere) = (actors.get(&"a".parse().unwrap()).unwrap(), actors.clone());
        assert_eq!(actors.take(&actor), Ok(()));
        assert_eq!(elsewhere.take(&actor), Err(Refusal::Quota { per_second: 1 }));
    }

    #[test]
    fn another_list_counts_at_all_doors_at_once_and_forgets_no_quota() {
        let list = |text| Actors::parse(text).unwrap();
        let actors = list("[a]\nrole = \"service\"\nper_second = 1\n[b]\nrole = \"analyst\"\n");
        let elsewhere = actors.clone();
        let (a, b) = ("a".parse().unwrap(), "b".parse().unwrap());
        assert_eq!(actors.take(&actors.get(&a).unwrap()), Ok(()));
        let before = actors.get(&a).unwrap();
        let other = list("[a]\nrole = \"service\"\nper_second = 1\n");
        assert!(actors.replace(&other) && !actors.replace(&other));
        assert_eq!((elsewhere.get(&b), elsewhere.count()), (None, 1));
        assert_eq!(elsewhere.get(&a).as_ref(), Some(&before), "nothing of it has changed");
        let a = elsewhere.get(&a).unwrap();
        assert_eq!(elsewhere.take(&a), Err(Refusal::Quota { per_second: 1 }));
    }

    #[test]
    fn what_does_not_go_together_is_named() {
        for (entry, problem) in [
            ("role = \"partner\"", "names its partner"),
            ("role = \"service\"\npartner = \"p\"", "names its partner"),
            ("role = \"policy\"", "nobody's"),
            ("role = \"service\"\nlevel = 2", "only a channel manager"),
            ("role = \"service\"\nsources = \"any\"", "at least one"),
            ("role = \"service\"\nsources = []", "at least one"),
            ("role = \"service\"\nper_second = 0", "at least 1"),
            ("role = \"service\"\ntokens = [\"secret\"]", "no digest of a token"),
            ("role = \"service\"\ncolour = 1", "colour"),
            ("role = \"king\"", "king"),
        ] {
            let error = Actors::parse(&format!("[a]\n{entry}\n")).unwrap_err().to_string();
            assert!(error.contains(problem), "{entry}: {error}");
        }
    }
}
