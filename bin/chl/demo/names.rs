//! Names of companies, as plausible as a demo needs.

use super::dice::Dice;

const FIRST: &[&str] = &[
    "Alder", "Amber", "Anchor", "Aspen", "Atlas", "Aurora", "Basalt", "Beacon", "Birch", "Bright",
    "Cedar", "Cirrus", "Clear", "Cobalt", "Copper", "Coral", "Crest", "Delta", "Dune", "Ember",
    "Falcon", "Fjord", "Garnet", "Glacier", "Granite", "Harbor", "Hazel", "Helios", "Indigo",
    "Iron", "Juniper", "Keystone", "Lark", "Linden", "Lumen", "Maple", "Marble", "Meridian",
    "Nimbus", "North", "Oak", "Onyx", "Orchard", "Osprey", "Pine", "Quartz", "Raven", "Ridge",
    "River", "Saffron", "Sierra", "Silver", "Slate", "Solar", "Spruce", "Sterling", "Summit",
    "Tamarack", "Terra", "Tidal", "Timber", "Umber", "Vale", "Verdant", "Vista", "Willow",
    "Zephyr",
];

const TRADE: &[&str] = &[
    "Automation",
    "Cloud",
    "Consulting",
    "Data",
    "Digital",
    "Engineering",
    "Foods",
    "Freight",
    "Health",
    "Industries",
    "Infrastructure",
    "Instruments",
    "Insurance",
    "Labs",
    "Logistics",
    "Manufacturing",
    "Media",
    "Mobility",
    "Networks",
    "Optics",
    "Partners",
    "Pharma",
    "Power",
    "Press",
    "Retail",
    "Robotics",
    "Security",
    "Services",
    "Shipping",
    "Software",
    "Solutions",
    "Systems",
    "Technologies",
    "Telecom",
    "Textiles",
    "Utilities",
    "Ventures",
    "Works",
];

const FORM: &[&str] = &["", "", "AG", "BV", "GmbH", "Group", "Inc", "Ltd", "SA", "SARL", "& Co"];

/// A company's name.
pub(super) fn company(dice: &mut Dice) -> String {
    let name = [dice.pick(FIRST), dice.pick(TRADE), dice.pick(FORM)].join(" ");
    name.trim_end().to_owned()
}
