//! Over generated histories: no partner's feed shows anything of another's, and none misses what is
//! its own. `CHL_HISTORIES` says how many histories; a failure names its seed.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test fails by panicking")]

#[expect(dead_code, reason = "other tests use the rest")]
mod model;

use chl_bus::{Parties, PartiesError, Redacted, Redaction};
use chl_events::{
    Code, Commit, ConflictId, DealId, Event, LedgerId, PartnerId, conflict::ConflictEvent,
    deal::DealEvent,
};
use model::history::tell;
use serde_json::Value;
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

/// How many histories are told where nobody says.
const HISTORIES: u64 = 30;
/// The events in which a partner's own parent or distributor is named.
const LINKS: [&str; 4] =
    ["ParentAttached", "ParentDetached", "DistributorLinked", "DistributorUnlinked"];
/// The fields that name something of one partner, and the attributes of a command.
const NAMES: [&str; 9] =
    ["partner", "deal", "claim", "request", "sale", "person", "incumbent", "challenger", "note"];

/// Everything is known from the history itself: nobody needs to be asked.
struct Unasked;

impl Parties for Unasked {
    fn of_deal(&self, deal: &DealId) -> Result<Option<PartnerId>, PartiesError> {
        Err(PartiesError(format!("{deal} was not registered").into()))
    }

    fn of_conflict(&self, conflict: &ConflictId) -> Result<Vec<PartnerId>, PartiesError> {
        Err(PartiesError(format!("{conflict} was not opened").into()))
    }
}

/// All texts and numbers in a document, by the name of their field.
fn leaves(document: &Value, name: &str, to: &mut Vec<(String, String)>) {
    match document {
        Value::Object(fields) => fields.iter().for_each(|(name, value)| leaves(value, name, to)),
        Value::Array(values) => values.iter().for_each(|value| leaves(value, name, to)),
        Value::String(text) => to.push((name.to_owned(), text.clone())),
        Value::Number(number) => to.push((name.to_owned(), number.to_string())),
        Value::Null | Value::Bool(_) => {}
    }
}

/// What a history holds of each partner, told apart without the code under test: the commits that
/// name it or one of its deals.
#[derive(Default)]
struct Known {
    deals: BTreeMap<String, Option<String>>,
    /// What each partner's own events name.
    own: BTreeMap<String, BTreeSet<String>>,
    /// The values of each deal.
    values: BTreeMap<String, BTreeSet<String>>,
    registered: Vec<(String, String)>,
    opened: Vec<(String, String)>,
    /// Ids of commands, by the partner that sent them.
    commands: BTreeMap<String, Option<String>>,
}

impl Known {
    fn of(commits: &[Commit]) -> Self {
        let mut known = Self::default();
        for commit in commits {
            let sender = commit.origin.partner.as_ref().map(ToString::to_string);
            known.commands.insert(commit.origin.id.to_string(), sender);
            commit.events.iter().for_each(|recorded| known.learn(&recorded.event));
        }
        known
    }

    fn learn(&mut self, event: &Event) {
        if let Event::Deal(DealEvent::DealRegistered(deal)) = event {
            let partner = deal.partner.as_ref().map(ToString::to_string);
            self.deals.insert(deal.deal.to_string(), partner.clone());
            self.registered.extend(partner.map(|partner| (partner, deal.deal.to_string())));
        }
        if let Event::Conflict(ConflictEvent::ConflictOpened(opened)) = event {
            let sides = [&opened.incumbent_partner, &opened.challenger_partner];
            let sides: BTreeSet<_> = sides.into_iter().flatten().map(ToString::to_string).collect();
            let conflict = opened.conflict.to_string();
            self.opened.extend(sides.into_iter().map(|side| (side, conflict.clone())));
            return;
        }
        let data = &serde_json::to_value(event).unwrap()["data"];
        let text = |field: &str| data[field].as_str().map(str::to_owned);
        let owner = text("partner").or_else(|| self.deals.get(&text("deal")?)?.clone());
        if let (Some(deal), Some(value)) = (text("deal"), data["value"]["amount"].as_str()) {
            self.values.entry(deal).or_default().insert(value.to_owned());
        }
        let Some(owner) = owner else { return };
        let mut named = Vec::new();
        leaves(data, "", &mut named);
        let named = named.into_iter().filter(|(name, _)| NAMES.contains(&name.as_str()));
        self.own.entry(owner).or_default().extend(named.map(|(_, text)| text));
    }

    /// What is of others and not of this partner, too.
    fn others(&self, partner: &str) -> BTreeSet<&String> {
        let own = self.own.get(partner);
        let others = self.own.iter().filter(|(owner, _)| *owner != partner);
        let ids = others.flat_map(|(_, names)| names);
        let deals = self.deals.iter().filter(|(_, of)| of.as_deref() != Some(partner));
        let commands = self.commands.iter().filter(|(_, of)| of.as_deref() != Some(partner));
        let all = ids.chain(self.own.keys()).chain(deals.map(|(deal, _)| deal));
        let all = all.chain(commands.map(|(id, _)| id));
        all.filter(|id| *id != partner && !own.is_some_and(|own| own.contains(*id))).collect()
    }

    fn values_of_others(&self, partner: &str) -> BTreeSet<&String> {
        let of = |deal: &str| self.deals.get(deal).cloned().flatten();
        let (own, others): (Vec<_>, Vec<_>) =
            self.values.iter().partition(|(deal, _)| of(deal).as_deref() == Some(partner));
        let own: BTreeSet<&String> = own.into_iter().flat_map(|(_, values)| values).collect();
        others.into_iter().flat_map(|(_, values)| values).filter(|one| !own.contains(one)).collect()
    }
}

fn fold(commits: &[Commit]) -> Vec<Redacted> {
    let id = LedgerId([7; 16]);
    let mut redaction = Redaction::new(Code::new("main").unwrap(), id, Arc::new(Unasked));
    let encoded = commits.iter().map(|commit| commit.encode().unwrap());
    encoded.flat_map(|bytes| redaction.events(&bytes).unwrap()).collect()
}

/// No document of a feed names what is another's.
fn shows_nothing_of_others(known: &Known, partner: &str, fed: &[&Redacted]) {
    let (others, values) = (known.others(partner), known.values_of_others(partner));
    for one in fed {
        let document = &one.document;
        let allowed = [
            "specversion",
            "id",
            "source",
            "type",
            "subject",
            "time",
            "data",
            "datacontenttype",
            "effectiveon",
            "actor",
            "commandid",
            "commandsource",
            "correlationid",
        ];
        let fields = document.as_object().unwrap();
        assert!(fields.keys().all(|field| allowed.contains(&field.as_str())), "{document}");
        if one.kind.starts_with("Conflict") {
            let data = document["data"].as_object().unwrap();
            let seen: Vec<&String> = data.keys().collect();
            assert_eq!(seen, ["conflict", "state"], "{document}");
        }
        let mut said = Vec::new();
        leaves(document, "", &mut said);
        for (field, text) in said {
            let link =
                LINKS.contains(&one.kind) && ["parent", "distributor"].contains(&field.as_str());
            assert!(link || !others.contains(&text), "{partner} is shown {text}: {document}");
            let money = field == "amount" && one.kind.starts_with("Deal");
            assert!(!(money && values.contains(&text)), "{partner} is shown {text}: {document}");
        }
    }
}

#[test]
fn no_feed_shows_anything_of_others_and_none_misses_its_own() {
    let asked = std::env::var("CHL_HISTORIES").ok();
    let histories = asked.map_or(HISTORIES, |text| text.parse().unwrap());
    let mut kinds = BTreeSet::new();
    for seed in 0..histories {
        println!("seed {seed}");
        let commits: Vec<Commit> = tell(seed).ledger.commits().into_iter().collect();
        let (known, all) = (Known::of(&commits), fold(&commits));
        assert!(all == fold(&commits), "the same history gave other events");
        let ids: BTreeSet<&String> = all.iter().map(|one| &one.id).collect();
        assert_eq!(ids.len(), all.len(), "an id stands on two events");
        let mut feeds: BTreeMap<String, Vec<&Redacted>> = BTreeMap::new();
        for one in &all {
            kinds.insert(one.kind);
            feeds.entry(one.partner.to_string()).or_default().push(one);
        }
        for (partner, fed) in &feeds {
            shows_nothing_of_others(&known, partner, fed);
        }
        let heard = |partner: &str, kind: &str, field: &str, id: &str| {
            let fed = feeds.get(partner).map_or(&[][..], Vec::as_slice);
            let of = |one: &&&Redacted| one.kind == kind && one.document["data"][field] == id;
            fed.iter().filter(of).count()
        };
        for (partner, deal) in &known.registered {
            assert_eq!(heard(partner, "DealRegistered", "deal", deal), 1, "{partner}: {deal}");
        }
        for (partner, conflict) in &known.opened {
            let heard = heard(partner, "ConflictOpened", "conflict", conflict);
            assert_eq!(heard, 1, "{partner}: {conflict}");
        }
    }
    println!("{} types of events in the feeds: {kinds:?}", kinds.len());
    for kind in ["DealWon", "ConflictResolved", "AttributionSet", "ClaimPaid", "CoopAccrued"] {
        assert!(kinds.contains(kind), "no {kind} in {histories} histories: {kinds:?}");
    }
}
