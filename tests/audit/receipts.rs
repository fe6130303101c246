//! Receipts: of a claim, a deal, a position; verified without the ledger; and forged.

use crate::{cli::Desk, cli::contest_lines, stand::Stand};
use std::fs;

#[test]
fn a_partner_verifies_a_receipt_without_the_ledger() {
    let stand = Stand::with_sales(12);
    let elsewhere = Desk::new();
    for (args, event, named) in
        [(["--claim", "c-5-x"], "CoopClaimed", "c-5-x"), (["--deal", "d-1"], "DealApproved", "d-1")]
    {
        let receipt = stand.audited(&[&["prove"], args.as_slice()].concat()).out;
        assert!(receipt.starts_with("c2sp.org/tlog-proof@v1\nextra "), "{receipt}");
        fs::write(elsewhere.path("receipt"), &receipt).unwrap();
        let checked = elsewhere.run(&["audit", "check", "receipt", "--key", &stand.key]);
        assert_eq!(checked.code, 0, "{}", checked.err);
        let row = Stand::row(&checked);
        assert_eq!((&row["holds"], &row["origin"]), (&true.into(), &"main".into()));
        let events = row["events"].as_array().unwrap();
        let proved = events.iter().find(|one| one["type"] == event).unwrap();
        assert!(proved["data"].to_string().contains(named), "{row}");
    }
    let checked = elsewhere.run(&["audit", "check", "receipt"]);
    assert_eq!(checked.code, 2, "without a key nothing is proved");
    let other = Stand::new();
    let checked = elsewhere.run(&["audit", "check", "receipt", "--key", &other.key]);
    assert_eq!(checked.code, 6);
    let row = Stand::row(&checked);
    assert_eq!(row["holds"], false);
    assert!(row["why_not"].as_str().unwrap().contains("none of the given keys"), "{row}");
    assert!(row["events"].is_null(), "nothing is shown of what is not believed");
}

#[test]
fn a_receipt_of_a_deal_shows_nothing_of_the_other_side() {
    let stand = Stand::new();
    assert_eq!(stand.desk.submit(&contest_lines()).code, 0);
    let receipt = stand.audited(&["prove", "--deal", "d-2"]).out;
    fs::write(stand.desk.path("receipt"), receipt).unwrap();
    let row = Stand::row(&stand.audit_with_key(&["check", "receipt"]));
    assert_eq!(row["events"][0]["type"], "DealRegistered");
    for others in ["d-1", "p-1"] {
        let quoted = format!("\"{others}\"");
        assert!(!row["events"].to_string().contains(&quoted), "{row}");
    }
    // The conflict itself has both sides: it is proved by its position alone.
    let conflict = stand.desk.run(&["log", "view", "--type", "ConflictOpened"]);
    let position = Stand::row(&conflict)["position"].to_string();
    stand.audited(&["prove", "--position", &position]);
}

#[test]
fn what_is_not_there_has_no_receipt() {
    let stand = Stand::new();
    for args in
        [["--claim", "nope"], ["--deal", "nope"], ["--position", "999"], ["--claim", "c-1 or so"]]
    {
        let run = stand.audit(&[&["prove"], args.as_slice()].concat());
        assert_eq!((run.code, run.out.as_str()), (2, ""), "{args:?}: {}", run.err);
    }
    assert_eq!(stand.audit(&["prove"]).code, 2);
    assert_eq!(stand.audit(&["prove", "--claim", "c-1", "--deal", "d-1"]).code, 2);
    assert_eq!(stand.audit_with_key(&["check", "nowhere"]).code, 2);
}

#[test]
fn an_earlier_checkpoint_vouches_for_what_it_covers() {
    let stand = Stand::new();
    let kept = fs::read_to_string(stand.checkpoint("kept")).unwrap();
    stand.sell(0, 10);
    let receipt = stand.audited(&["prove", "--claim", "c-1"]).out;
    assert!(receipt.ends_with(&kept), "nothing new is signed where it need not be");
    let receipt = stand.audited(&["prove", "--claim", "c-5-x"]).out;
    assert!(!receipt.ends_with(&kept));
}
