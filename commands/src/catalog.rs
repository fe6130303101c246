//! The catalog: every command of every area, once.

use chl_events::{FreeText, PartnerId, RecordedCommand, Role, Sealable, Stream, Whom};
use schemars::Schema;

/// What the catalog says of a type of command.
#[derive(Clone, Copy)]
pub struct CommandKind {
    /// The number of the type; it never changes.
    pub tag: u16,
    /// The newest version of its struct.
    pub version: u16,
    /// The name, as in envelopes and on subjects.
    pub name: &'static str,
    /// The area it belongs to.
    pub area: &'static str,
    /// What it does.
    pub doc: &'static str,
    /// Who may send it. An operator may send every command that a person may.
    pub roles: &'static [Role],
    /// Its JSON Schema.
    pub schema: fn() -> Schema,
}

impl CommandKind {
    /// Whether a role may send it.
    pub fn allows(&self, role: Role) -> bool {
        let internal = self.roles.iter().all(|role| matches!(role, Role::Policy | Role::Clock));
        self.roles.contains(&role) || (role == Role::Operator && !internal)
    }
}

impl std::fmt::Debug for CommandKind {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name)
    }
}

/// Says why recorded bytes are no command.
#[derive(Debug, thiserror::Error)]
pub enum CommandError {
    /// The pair of number and version is from a newer release, or damaged.
    #[error("an unknown command type {tag} version {version}")]
    Unknown {
        /// The number of the type.
        tag: u16,
        /// The version.
        version: u16,
    },
    /// The bytes do not decode.
    #[error("the bytes of a {name} command: {source}")]
    Bytes {
        /// The type's name.
        name: &'static str,
        /// What the codec says.
        source: postcard::Error,
    },
}

/// Adds a field's text, if it has one.
pub(crate) fn texts<'a>(
    field: &'a mut impl Texts,
    mut texts: Vec<&'a mut dyn Sealable>,
) -> Vec<&'a mut dyn Sealable> {
    field.push(&mut texts);
    texts
}

/// A text that is still to be sealed, or nothing.
pub(crate) trait Texts {
    fn push<'a>(&'a mut self, to: &mut Vec<&'a mut dyn Sealable>);
}

impl Texts for FreeText {
    fn push<'a>(&'a mut self, to: &mut Vec<&'a mut dyn Sealable>) {
        to.push(self);
    }
}

impl Texts for Option<FreeText> {
    fn push<'a>(&'a mut self, to: &mut Vec<&'a mut dyn Sealable>) {
        to.extend(self.as_mut().map(|text| text as &mut dyn Sealable));
    }
}

/// One area's commands. A command is
/// `number, version => Name by [roles] on stream-of-the-command of owner seals [texts] { fields }`.
macro_rules! area {
    ($(#[$adoc:meta])* $area:ident = $word:literal {
        $($(#[doc = $doc:literal])* $tag:literal, $version:literal => $name:ident
            by [$($role:ident),*]
            on |$c:ident| $stream:expr;
            of |$o:ident| $owner:expr;
            seals [$($text:ident),*]
        {
            $($(#[$fmeta:meta])* $field:ident: $type:ty),* $(,)?
        })+
    }) => {
        $(
            $(#[doc = $doc])*
            #[derive(Debug, Clone, PartialEq, Eq)]
            #[derive(serde::Serialize, serde::Deserialize, schemars::JsonSchema)]
            #[serde(deny_unknown_fields)]
            pub struct $name {
                $($(#[$fmeta])* pub $field: $type),*
            }

            impl From<$name> for $crate::Command {
                fn from(command: $name) -> Self {
                    $crate::Command::$area($area::$name(command))
                }
            }
        )+

        $(#[$adoc])*
        #[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
        #[serde(untagged)]
        pub enum $area {
            $($(#[doc = $doc])* $name($name)),+
        }

        impl $area {
            pub(crate) const KINDS: &'static [$crate::CommandKind] = &[$($crate::CommandKind {
                tag: $tag,
                version: $version,
                name: stringify!($name),
                area: $word,
                doc: concat!($($doc, "\n"),*),
                roles: &[$(chl_events::Role::$role),*],
                schema: || schemars::schema_for!($name),
            }),+];

            pub(crate) fn tag(&self) -> u16 {
                match self { $(Self::$name(_) => $tag),+ }
            }

            pub(crate) fn stream(&self) -> Option<chl_events::Stream> {
                match self { $(Self::$name($c) => { let _ = $c; $stream }),+ }
            }

            pub(crate) fn owner(&self) -> Option<&chl_events::PartnerId> {
                match self { $(Self::$name($o) => { let _ = $o; $owner }),+ }
            }

            pub(crate) fn texts(&mut self) -> Vec<&mut dyn chl_events::Sealable> {
                match self { $(Self::$name(_command) => {
                    let texts = Vec::new();
                    $(let texts = $crate::catalog::texts(&mut _command.$text, texts);)*
                    texts
                }),+ }
            }

            pub(crate) fn encode(&self) -> Result<Vec<u8>, postcard::Error> {
                match self { $(Self::$name(command) => chl_events::to_bytes(command)),+ }
            }

            pub(crate) fn decode(
                tag: u16,
                version: u16,
                data: &[u8],
            ) -> Option<Result<Self, $crate::CommandError>> {
                match (tag, version) {
                    $(($tag, $version) => {
                        Some(postcard::from_bytes(data).map(Self::$name).map_err(|source| {
                            $crate::CommandError::Bytes { name: stringify!($name), source }
                        }))
                    })+
                    _ => None,
                }
            }

            pub(crate) fn read<'de, D: serde::Deserializer<'de>>(
                tag: u16,
                data: D,
            ) -> Result<Self, D::Error> {
                match tag {
                    $($tag => <$name as serde::Deserialize>::deserialize(data).map(Self::$name),)+
                    _ => Err(serde::de::Error::custom("an unknown command type")),
                }
            }
        }
    };
}
pub(crate) use area;

macro_rules! areas {
    ($($(#[$doc:meta])* $variant:ident in $module:ident),+ $(,)?) => {
        /// A command of any area. As JSON: its data alone; its type stands in the envelope.
        #[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
        #[serde(untagged)]
        pub enum Command {
            $($(#[$doc])* $variant(crate::$module::$variant)),+
        }

        const KINDS: &[&[CommandKind]] = &[$(crate::$module::$variant::KINDS),+];

        impl Command {
            fn tag(&self) -> u16 {
                match self { $(Self::$variant(command) => command.tag()),+ }
            }

            /// The one stream it changes; none where only the log can tell (`ReverseEntry`).
            pub fn stream(&self) -> Option<Stream> {
                match self { $(Self::$variant(command) => command.stream()),+ }
            }

            /// The partner in whose name it speaks, for the check of ownership.
            pub fn owner(&self) -> Option<&PartnerId> {
                match self { $(Self::$variant(command) => command.owner()),+ }
            }

            /// Its free texts, to be sealed under the writing actor's key before anybody keeps them.
            pub fn texts(&mut self) -> Vec<&mut dyn Sealable> {
                match self { $(Self::$variant(command) => command.texts()),+ }
            }

            /// The form in which its commit keeps it.
            pub fn record(&self) -> Result<RecordedCommand, postcard::Error> {
                let kind = self.kind();
                let data = match self { $(Self::$variant(command) => command.encode()),+ }?;
                Ok(RecordedCommand { tag: kind.tag, version: kind.version, data })
            }

            /// Reads a recorded command of any version back as the newest.
            pub fn decode(recorded: &RecordedCommand) -> Result<Self, CommandError> {
                let RecordedCommand { tag, version, data } = recorded;
                $(if let Some(command) = crate::$module::$variant::decode(*tag, *version, data) {
                    return command.map(Self::$variant);
                })+
                Err(CommandError::Unknown { tag: *tag, version: *version })
            }

            /// Reads the data of a command of a kind from any self-describing format.
            pub fn read<'de, D: serde::Deserializer<'de>>(
                kind: &CommandKind,
                data: D,
            ) -> Result<Self, D::Error> {
                match kind.area {
                    $(stringify!($module) => {
                        crate::$module::$variant::read(kind.tag, data).map(Self::$variant)
                    })+
                    _ => Err(serde::de::Error::custom("an unknown area")),
                }
            }
        }
    };
}

areas! {
    /// The ledger itself.
    Ledger in ledger,
    /// Partners.
    Partner in partner,
    /// Programmes.
    Programme in programme,
    /// Customers.
    Customer in customer,
    /// Deals.
    Deal in deal,
    /// Conflicts.
    Conflict in conflict,
    /// Co-op.
    Coop in coop,
    /// MDF budgets.
    Budget in budget,
    /// MDF requests.
    Mdf in mdf,
    /// Claims.
    Claim in claim,
    /// Rebates.
    Rebate in rebate,
}

impl Command {
    /// The name of a natural person it brings, and the pseudonym it is kept under.
    ///
    /// Sealed under that person's own key, where other texts are under the writing actor's.
    pub fn person_name(&mut self) -> Option<(PartnerId, &mut dyn Sealable)> {
        if let Self::Partner(crate::partner::Partner::RecruitPartner(recruit)) = self
            && recruit.natural_person
        {
            return Some((recruit.partner.clone(), &mut recruit.name));
        }
        None
    }

    /// Whom it forgets. The bus puts the person's keys in the person's place before anybody decides
    /// on it or keeps it.
    pub fn forgets(&mut self) -> Option<&mut Whom> {
        if let Self::Ledger(crate::ledger::Ledger::ForgetPerson(forget)) = self {
            return Some(&mut forget.person);
        }
        None
    }

    /// Whether it forgets anybody.
    pub fn is_forgetting(&self) -> bool {
        matches!(self, Self::Ledger(crate::ledger::Ledger::ForgetPerson(_)))
    }

    /// Every type of command, area by area.
    pub fn kinds() -> impl Iterator<Item = &'static CommandKind> {
        KINDS.iter().flat_map(|area| area.iter())
    }

    /// The type of a name.
    pub fn kind_named(name: &str) -> Option<&'static CommandKind> {
        Self::kinds().find(|kind| kind.name == name)
    }

    /// The type of a number.
    pub fn kind_tagged(tag: u16) -> Option<&'static CommandKind> {
        Self::kinds().find(|kind| kind.tag == tag)
    }

    /// Its type.
    pub fn kind(&self) -> &'static CommandKind {
        Self::kind_tagged(self.tag()).expect("every variant stands in its area's list")
    }

    /// Reads a command's data from any self-describing format by the name of its type.
    pub fn read_named<'de, D: serde::Deserializer<'de>>(
        name: &str,
        data: D,
    ) -> Result<Self, D::Error> {
        let kind = Self::kind_named(name).ok_or_else(|| {
            serde::de::Error::custom(format_args!("unknown command type {name:?}"))
        })?;
        Self::read(kind, data)
    }
}
