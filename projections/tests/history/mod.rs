//! Histories for tests: commits as decisions would have made them, grown from a row of choices.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test fails by panicking")]

pub(crate) mod funds;
pub(crate) mod sales;

use chl_events::{
    ActorId, Code, Commit, Currency, Date, DisplayName, Event, Instant, Money, Name, Origin,
    PartnerId, Period, PostingLine, ProgrammeId, RecordedCommand, RecordedEvent, Role, Stream,
    ledger::{EntryReversed, LedgerOpened},
    partner::{
        CertificationRecorded, MeasureRecorded, PartnerActivated, PartnerEnrolled,
        PartnerRecruited, PartnerType, ScorecardPublished,
    },
    programme::ProgrammePublished,
    scorecard::Figures,
    terms::Terms,
};
use std::str::FromStr;

/// Takes a literal as an identifier, date or the like.
pub(crate) fn id<T: FromStr<Err: std::fmt::Debug>>(text: &str) -> T {
    text.parse().unwrap()
}

/// The programmes and their currencies.
pub(crate) const PROGRAMMES: [(&str, &str); 2] = [("gold", "USD"), ("gelb", "EUR")];
const PARTNERS: usize = 6;

/// A history that grows.
pub(crate) struct History {
    pub(crate) commits: Vec<Commit>,
    pub(crate) funds: funds::Funds,
    pub(crate) sales: sales::Sales,
    reversible: Vec<u64>,
}

/// An event with the lines it posts.
pub(crate) type Fact = (Event, Vec<PostingLine>);

impl History {
    /// Opens a ledger with two programmes and six partners, enrolled in both.
    pub(crate) fn begin() -> Self {
        let mut history = Self {
            commits: Vec::new(),
            funds: funds::Funds::default(),
            sales: sales::Sales::default(),
            reversible: Vec::new(),
        };
        history.add(
            Stream::Ledger,
            vec![(
                LedgerOpened {
                    name: "main".into(),
                    origin: "test".into(),
                    ledger: chl_events::LedgerId([7; 16]),
                    format: 1,
                }
                .into(),
                vec![],
            )],
        );
        for (programme, currency) in PROGRAMMES {
            history.publish(id(programme), Currency::new(currency).unwrap());
        }
        for number in 0..PARTNERS {
            history.recruit(&id(&format!("p{number}")));
        }
        history
    }

    /// The moment of the next commit: an hour a commit, from 1 January 2026.
    pub(crate) fn now(&self) -> Instant {
        let begin: Instant = id("2026-01-01T09:00:00Z");
        Instant::from_micros(begin.micros() + 3_600_000_000 * self.commits.len() as i64)
    }

    pub(crate) fn today(&self) -> Date {
        self.now().date_utc()
    }

    /// Adds a commit, effective on its day.
    pub(crate) fn add(&mut self, stream: Stream, facts: Vec<Fact>) -> u64 {
        let position = self.commits.len() as u64;
        let today = self.today();
        let events = facts.into_iter().map(|(event, lines)| RecordedEvent {
            effective_on: today,
            posted_on: today,
            event,
            lines,
        });
        self.commits.push(Commit {
            position,
            stream,
            version: position + 1,
            origin: Origin {
                source: "/test".into(),
                id: format!("c-{position}").into(),
                actor: id::<ActorId>("svc"),
                on_behalf_of: None,
                role: Role::Service,
                partner: None,
                level: None,
                backfill: false,
                reason: None,
                correlation: None,
                causation: None,
            },
            command: RecordedCommand { tag: 1, version: 1, data: vec![] },
            recorded_at: self.now(),
            believed_time: None,
            events: events.collect(),
        });
        position
    }

    fn publish(&mut self, programme: ProgrammeId, currency: Currency) {
        let event = ProgrammePublished {
            programme: programme.clone(),
            version: 1,
            effective_from: id("2026-01-01"),
            currency,
            time_zone: "UTC".into(),
            terms: Box::new(Terms::default()),
        };
        self.add(Stream::Programme(programme), vec![(event.into(), vec![])]);
    }

    fn recruit(&mut self, partner: &PartnerId) {
        let stream = Stream::Partner(partner.clone());
        let recruited = PartnerRecruited {
            partner: partner.clone(),
            name: Name::Plain(DisplayName::new("Señor \\Tab & Söhne").unwrap()),
            types: vec![PartnerType::Reseller],
            country: Some(id("DE")),
            territories: vec![id("west")],
            natural_person: false,
        };
        self.add(stream.clone(), vec![(recruited.into(), vec![])]);
        let activated = PartnerActivated { partner: partner.clone(), note: None };
        self.add(stream.clone(), vec![(activated.into(), vec![])]);
        for (programme, _) in PROGRAMMES {
            let enrolled =
                PartnerEnrolled { partner: partner.clone(), programme: id(programme), tier: None };
            self.add(stream.clone(), vec![(enrolled.into(), vec![])]);
        }
    }

    /// Takes the money of an entry back by its exact mirror.
    fn reverse(&mut self, choice: usize) {
        if self.reversible.is_empty() {
            return;
        }
        let position = self.reversible.remove(choice % self.reversible.len());
        let earlier = self.commits[position as usize].clone();
        let lines = earlier.events.iter().flat_map(|event| event.lines.clone());
        let lines: Vec<_> = lines.map(funds::mirrored).collect();
        if !self.funds.may_take(&earlier.stream, &lines) {
            return;
        }
        let event = EntryReversed {
            position,
            stream: earlier.stream.clone(),
            reason: chl_events::Sealed { key: chl_events::KeyId([1; 16]), ciphertext: vec![1] },
        };
        self.add(earlier.stream, vec![(event.into(), lines)]);
    }

    fn measure(&mut self, partner: PartnerId, choice: usize) {
        let stream = Stream::Partner(partner.clone());
        let event: Event = if choice.is_multiple_of(2) {
            let code: Code = id("satisfaction");
            let period: Period = id("2026-01");
            let value = id(&format!("0.{}", choice % 100));
            MeasureRecorded { partner, measure: code, period, value }.into()
        } else if choice.is_multiple_of(5) {
            let figures = Figures {
                total: Some(id(&format!("{}.5", choice % 100))),
                coverage: Some(id("1")),
                gate_passed: None,
                categories: Vec::new(),
                metrics: Vec::new(),
                peer_count: 1,
                percentile: None,
            };
            ScorecardPublished {
                partner,
                programme: id("gold"),
                period: id(&format!("2026-{:02}", choice % 12 + 1)),
                programme_version: 1,
                position: self.commits.len() as u64 - 1,
                figures,
            }
            .into()
        } else {
            let person = id(&format!("person-{}", choice % 3));
            let valid_until = self.today().plus_days(choice as i32 % 400).unwrap();
            CertificationRecorded { partner, person, credential: id("pro"), valid_until }.into()
        };
        self.add(stream, vec![(event, vec![])]);
    }

    /// Takes one step: what a choice stands for, as far as it can happen now.
    pub(crate) fn step(&mut self, choice: u32) {
        let choice = choice as usize;
        let kind = choice % 16;
        let choice = choice / 16;
        let partner: PartnerId = id(&format!("p{}", choice % PARTNERS));
        let choice = choice / PARTNERS;
        let (programme, currency) = PROGRAMMES[choice % 2];
        let of = funds::Of { partner, programme: id(programme), currency: id_currency(currency) };
        let choice = choice / 2;
        match kind {
            0..=2 => {
                let position = funds::accrue(self, &of, choice);
                self.reversible.push(position);
            }
            3 => funds::give_back(self, &of, choice),
            4 | 5 => funds::claim(self, &of, choice),
            6 | 7 => funds::move_claim(self, choice),
            8 => funds::end_lot(self, &of, choice),
            9 => funds::allocate(self, &of, choice),
            10 => self.reverse(choice),
            11 => self.measure(of.partner, choice),
            12 | 13 => sales::register(self, &of, choice),
            _ => sales::move_deal(self, choice),
        }
    }
}

fn id_currency(code: &str) -> Currency {
    Currency::new(code).unwrap()
}

/// Grows a history by a row of choices.
pub(crate) fn grown(choices: &[u32]) -> Vec<Commit> {
    let mut history = History::begin();
    for choice in choices {
        history.step(*choice);
    }
    history.commits
}

/// An amount.
pub(crate) fn money(minor: i128, currency: Currency) -> Money {
    Money::from_minor(minor, currency)
}
