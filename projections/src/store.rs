//! What folds ask of the place their rows are kept in.

use crate::{
    BalanceRow, CertificationRow, ClaimRow, ConflictRow, CustomerRow, DayRow, DealRow, FigureRow,
    Keeps, KeepsPostings, LotRow, MeasureRow, PartnerRow, ProgrammeRow, RequestRow, StoreError,
    Table, TierRow,
};
use chl_events::Commit;

/// Keeps the rows of all read models.
pub trait Store:
    Keeps<BalanceRow>
    + Keeps<LotRow>
    + Keeps<DealRow>
    + Keeps<ConflictRow>
    + Keeps<CustomerRow>
    + Keeps<ClaimRow>
    + Keeps<RequestRow>
    + Keeps<PartnerRow>
    + Keeps<TierRow>
    + Keeps<CertificationRow>
    + Keeps<MeasureRow>
    + Keeps<ProgrammeRow>
    + Keeps<DayRow>
    + Keeps<FigureRow>
    + KeepsPostings
{
    /// Reads an earlier commit, which a reversal names.
    fn earlier(&mut self, position: u64) -> Result<Commit, StoreError>;

    /// Whether the rows of a read model are still kept. Those of one that is not stay as they are,
    /// and who asks for them is refused.
    fn keeps(&self, _table: &Table) -> bool {
        true
    }
}
