//! Rejections of conflicts.

use crate::rejection::rejections;
use chl_events::{ConflictId, DealId, PartnerId, Role};

rejections! {
    /// Rejections of conflicts, in order of precedence.
    ConflictRejection {
        /// The sender has not the authority of the conflict's level. Escalate it, or send the
        /// decision of somebody who has.
        NotAuthorised { level: u8, role: Role }
            = "conflict.not_authorised", NotPermitted,
            "level {level} is decided by a {role} of that level";
        /// No such conflict is known on the customer.
        Unknown { conflict: ConflictId }
            = "conflict.unknown", Unknown, "no conflict {conflict} is known on this customer";
        /// The conflict is open already.
        AlreadyOpen { conflict: ConflictId }
            = "conflict.already_open", AlreadyDone, "conflict {conflict} was opened already";
        /// The conflict was decided already. A resolution is final.
        AlreadyResolved { conflict: ConflictId }
            = "conflict.already_resolved", AlreadyDone, "conflict {conflict} is resolved";
        /// The conflict is at this level, or was before.
        LevelReached { conflict: ConflictId, level: u8 }
            = "conflict.level_reached", AlreadyDone, "conflict {conflict} is at level {level}";
        /// The conflict ended undecided, because one of its deals did.
        Lapsed { conflict: ConflictId }
            = "conflict.lapsed", WrongState, "conflict {conflict} has lapsed";
        /// The deal came into no such conflict.
        NotContested { challenger: DealId }
            = "conflict.not_contested", WrongState, "deal {challenger} is not contested";
        /// The terms have no such level.
        LevelUnknown { level: u8 }
            = "conflict.level_unknown", Terms, "the terms have no level {level}";
        /// Credit is split between the two partners of the conflict only.
        NotAParty { partner: PartnerId }
            = "conflict.not_a_party", Terms, "{partner} is no party of this conflict";
    }
}
