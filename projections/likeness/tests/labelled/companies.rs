//! Companies that were made up: families, places, trades and coined words of several languages,
//! among them many that share a word without being one company.

use rand::RngExt;
use rand_chacha::ChaCha8Rng;
use std::collections::BTreeSet;

/// A company as it calls itself.
#[derive(Debug, Clone)]
pub(crate) struct Company {
    /// With its legal form.
    pub(crate) name: String,
    /// Without it.
    pub(crate) plain: String,
    pub(crate) domain: Option<String>,
    pub(crate) country: &'static str,
}

const FAMILIES: &[&str] = &[
    "Müller",
    "Keller",
    "Schröder",
    "Weiß",
    "Brandt",
    "Öztürk",
    "Nowak",
    "Łukasik",
    "Dvořák",
    "Horváth",
    "Lindström",
    "Sørensen",
    "Håkansson",
    "García",
    "Núñez",
    "Peña",
    "Ferreira",
    "Gonçalves",
    "Rossi",
    "Bianchi",
    "Lefèvre",
    "Bélanger",
    "O'Neil",
    "McAllister",
    "Whitaker",
    "Thornton",
    "Okafor",
    "Nakamura",
    "Tanaka",
    "Sharma",
    "Venkataraman",
    "Kowalczyk",
    "Van Dijk",
    "De Vries",
    "Papadopoulos",
    "Andersson",
    "Fitzgerald",
    "Castellano",
    "Haddad",
    "Mbeki",
];

const PLACES: &[&str] = &[
    "Riverside",
    "Lakeview",
    "Northgate",
    "Bergen",
    "Salzburg",
    "Malmö",
    "Córdoba",
    "São Paulo",
    "Genève",
    "Kraków",
    "Aberdeen",
    "Winnipeg",
    "Tallahassee",
    "Wellington",
    "Osaka",
    "Pune",
    "Harbour",
    "Summit",
    "Pioneer",
    "Midland",
    "Prairie",
    "Cascade",
    "Granite",
    "Evergreen",
];

const TRADES: &[&str] = &[
    "Logistics",
    "Technologies",
    "Systems",
    "Consulting",
    "Engineering",
    "Manufacturing",
    "Pharmaceuticals",
    "Solutions",
    "Industries",
    "Foods",
    "Energy",
    "Insurance",
    "Holdings",
    "Services",
    "Laboratories",
    "Construction",
    "Motors",
    "Textiles",
    "Software",
    "Electric",
    "Chemicals",
    "Packaging",
    "Optics",
    "Marine",
    "Robotics",
    "Printing",
    "Security",
    "Furniture",
    "Telecommunications",
    "Hospital",
    "Brewery",
    "Mining",
    "Travel",
    "Bank",
];

const SYLLABLES: &[&str] = &[
    "ve", "lor", "zen", "tix", "ka", "ru", "mo", "qui", "lex", "an", "tra", "dor", "fi", "nex",
    "bry", "sol", "um", "pha", "go", "rin", "tec", "vo", "la", "mer", "xi", "cor", "dal", "syn",
];

/// A country and its legal forms.
const COUNTRIES: &[(&str, &[&str])] = &[
    ("DE", &["GmbH", "AG", "GmbH & Co. KG", "KG"]),
    ("US", &["Inc.", "Corp.", "LLC", "Corporation", "Co."]),
    ("GB", &["Ltd", "PLC", "Limited", "LLP"]),
    ("FR", &["S.A.", "SARL", "SAS"]),
    ("ES", &["S.L.", "S.A."]),
    ("IT", &["S.p.A.", "S.r.l."]),
    ("SE", &["AB"]),
    ("NL", &["B.V.", "N.V."]),
    ("PL", &["Sp. z o.o.", "S.A."]),
    ("BR", &["Ltda.", "S.A."]),
    ("IN", &["Pvt Ltd", "Private Limited"]),
    ("AU", &["Pty Ltd"]),
    ("MX", &["S.A. de C.V.", "S. de R.L."]),
    ("JP", &["K.K.", "Co., Ltd."]),
];

pub(crate) fn one<T: Copy>(rng: &mut ChaCha8Rng, of: &[T]) -> T {
    of[rng.random_range(0..of.len())]
}

/// Legal forms of a country.
pub(crate) fn forms(country: &str) -> &'static [&'static str] {
    COUNTRIES.iter().find(|(name, _)| *name == country).map_or(&["Ltd"], |(_, forms)| forms)
}

fn coined(rng: &mut ChaCha8Rng) -> String {
    let count = rng.random_range(2..=4);
    let word: String = (0..count).map(|_| one(rng, SYLLABLES)).collect();
    let mut chars = word.chars();
    chars.next().map(|first| first.to_uppercase().chain(chars).collect()).unwrap_or_default()
}

fn plain(rng: &mut ChaCha8Rng) -> String {
    let (family, trade, place) = (one(rng, FAMILIES), one(rng, TRADES), one(rng, PLACES));
    match rng.random_range(0..12) {
        0 => format!("{family} & {} {trade}", one(rng, FAMILIES)),
        1 => format!("{family} & Söhne {}", coined(rng)),
        2 => format!("{} {family} Brothers", coined(rng)),
        3 => format!("{place} {} {trade}", coined(rng)),
        4 => format!("{} International {trade}", coined(rng)),
        5 => format!("{} Group", coined(rng)),
        6 => format!("{} {family} {trade} {}", one(rng, PLACES), rng.random_range(1..40)),
        7 => format!("{} Center for {trade} and {}", coined(rng), one(rng, TRADES)),
        8 => format!("First National Bank of {} {place}", coined(rng)),
        9 => format!("{family} {place} {trade}"),
        _ => format!("{} {trade}", coined(rng)),
    }
}

/// Companies of different names.
pub(crate) fn made_up(rng: &mut ChaCha8Rng, number: usize) -> Vec<Company> {
    let mut taken = BTreeSet::new();
    let mut companies = Vec::new();
    while companies.len() < number {
        let plain = plain(rng);
        if !taken.insert(plain.clone()) {
            continue;
        }
        let (country, forms) = one(rng, COUNTRIES);
        let name = format!("{plain} {}", one(rng, forms));
        let site: String =
            plain.to_lowercase().chars().filter(char::is_ascii_alphanumeric).take(40).collect();
        let domain = (rng.random_range(0..10) < 6).then(|| format!("{site}.test"));
        companies.push(Company { name, plain, domain, country });
    }
    companies
}
