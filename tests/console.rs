//! The console as a browser without scripts uses it: signing in, pages by role, the form that
//! decides a conflict, and what of another site is refused.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test fails by panicking")]

mod cli;

use cli::{
    Desk, contest_lines, partner_lines, programme_lines,
    watched::{Reply, Watched},
};
use serde_json::{Value, json};

/// A name that would be a script where it is not escaped.
const NAME: &str = "<script>alert('p-3')</script>";

fn contested() -> Desk {
    let desk = Desk::new();
    let lines = partner_lines() + &programme_lines() + &contest_lines();
    // The conflict is still open whenever the tests run.
    let lines = lines.replace("\"protection_days\":90", "\"protection_days\":3650");
    let data = json!({ "partner": "p-3", "name": NAME, "types": ["reseller"] });
    let partner = json!({ "id": "p-3", "type": "RecruitPartner", "data": data });
    let enrol = json!({ "id": "e-3", "type": "ApplyForProgramme", "reason": NAME,
        "data": { "partner": "p-3" } });
    let run = desk.submit(&format!("{lines}{partner}\n{enrol}\n"));
    assert_eq!(run.code, 0, "{}\n{}", run.out, run.err);
    desk
}

/// Somebody's browser.
struct Browser<'a> {
    door: &'a Watched,
    cookie: String,
}

impl<'a> Browser<'a> {
    fn sign_in(door: &'a Watched, name: &str) -> Self {
        let form = format!("token=token-{name}");
        let reply = door.call("POST", "/sign-in", &[], &form);
        assert_eq!((reply.status, reply.headers["location"].as_str()), (303, "/"), "{reply:?}");
        let cookie = &reply.headers["set-cookie"];
        for word in ["HttpOnly", "SameSite=Strict", "Path=/", "Max-Age="] {
            assert!(cookie.contains(word), "{cookie}");
        }
        assert!(!cookie.contains("token-"), "the token stays out of the browser's jar");
        Self { door, cookie: cookie.split(';').next().unwrap().to_owned() }
    }

    fn get(&self, path: &str) -> Reply {
        self.door.call("GET", path, &[("Cookie", &self.cookie)], "")
    }

    fn page(&self, path: &str) -> String {
        let reply = self.get(path);
        assert_eq!(reply.status, 200, "{path}: {}", reply.body);
        check(path, &reply);
        reply.body
    }

    fn post(&self, path: &str, form: &str, more: &[(&str, &str)]) -> Reply {
        let headers = [&[("Cookie", self.cookie.as_str())], more].concat();
        self.door.call("POST", path, &headers, form)
    }
}

/// A page loads nothing from elsewhere, runs nothing, and is whole.
fn check(path: &str, reply: &Reply) {
    let policy = &reply.headers["content-security-policy"];
    assert!(policy.starts_with("default-src 'none'") && !policy.contains("script"), "{policy}");
    assert!(policy.contains("frame-ancestors 'none'"), "{policy}");
    assert_eq!(reply.headers["x-content-type-options"], "nosniff");
    assert_eq!(reply.headers["cache-control"], "no-store");
    let page = &reply.body;
    assert!(!page.contains("<script"), "{path}");
    assert!(!page.contains("http://") && !page.contains("https://"), "{path}");
    assert!(page.contains("<html lang=\"en\">") && page.contains("name=\"viewport\""), "{path}");
    assert_eq!(page.matches("<h1").count(), 1, "{path}");
    for field in ["input", "select", "textarea"] {
        for tag in page.split(&format!("<{field} ")).skip(1) {
            let tag = tag.split('>').next().unwrap();
            let hidden = tag.contains("type=\"hidden\"") || tag.ends_with(" hidden");
            let id = tag.split("id=\"").nth(1).and_then(|rest| rest.split('"').next());
            let labelled = id.is_some_and(|id| page.contains(&format!("<label for=\"{id}\"")));
            assert!(hidden || labelled, "{path}: no label for {tag}");
        }
    }
}

/// What a hidden field of a page holds.
fn hidden(page: &str, name: &str) -> String {
    let field = format!("name=\"{name}\" value=\"");
    let value = page.split(&field).nth(1).unwrap_or_else(|| panic!("no {name} in {page}"));
    value.split('"').next().unwrap().to_owned()
}

fn conflict(door: &Watched) -> String {
    let rows = door.get_as("ana", "/v1/conflicts").json();
    rows["rows"][0]["conflict"].as_str().unwrap().to_owned()
}

#[test]
fn who_has_not_signed_in_sees_the_form_and_nothing_else() {
    let desk = contested();
    let door = Watched::for_callers(&desk);
    for path in ["/", "/conflicts", "/conflicts/cf-x", "/scorecards", "/history", "/lag"] {
        for cookie in ["", "chl_session=guessed", "chl_session=token-cm"] {
            let reply = door.call("GET", path, &[("Cookie", cookie)], "");
            assert_eq!((reply.status, reply.headers["location"].as_str()), (303, "/sign-in"));
            assert!(!reply.body.contains("p-1"));
        }
    }
    let reply = door.call("GET", "/sign-in", &[], "");
    assert_eq!(reply.status, 200);
    check("/sign-in", &reply);
    let wrong = door.call("POST", "/sign-in", &[], "token=%3Cscript%3E");
    assert_eq!(wrong.status, 401);
    assert!(wrong.body.contains("is of nobody") && !wrong.headers.contains_key("set-cookie"));
    check("/sign-in", &wrong);
    let elsewhere = [("Origin", "https://evil.example")];
    let strange = door.call("POST", "/sign-in", &elsewhere, "token=token-cm");
    assert_eq!((strange.status, strange.headers.contains_key("set-cookie")), (403, false));
    let secure = [("X-Forwarded-Proto", "https")];
    let reply = door.call("POST", "/sign-in", &secure, "token=token-cm");
    assert!(reply.headers["set-cookie"].contains("; Secure"), "{reply:?}");
    // A cookie is no token, and a token no cookie.
    let browser = Browser::sign_in(&door, "ana");
    let cookie = [("Cookie", browser.cookie.as_str())];
    assert_eq!(door.call("GET", "/v1/balances", &cookie, "").status, 401);
    assert_eq!(door.stop(), 0);
}

#[test]
fn each_page_shows_what_it_is_for() {
    let desk = contested();
    let door = Watched::for_callers(&desk);
    let browser = Browser::sign_in(&door, "cm");
    let id = conflict(&door);
    for (path, shown) in [
        ("/", &["p-1", "3600.00", "As of position"][..]),
        ("/conflicts", &[&id, "p-1", "p-2", "acme"]),
        ("/conflicts?state=resolved", &["There are none."]),
        (&format!("/conflicts/{id}"), &["d-1", "d-2", "50000.00 USD", "Guarded since", "Resolve"]),
        ("/scorecards?period=2026-Q1", &["p-1", "gold", "/scorecards/p-1?period=2026-Q1"]),
        ("/scorecards", &["Period"]),
        ("/history", &["Stream"]),
        ("/history?stream=customer%2Facme", &["DealRegistered", "ConflictOpened", "50000.00"]),
        ("/history?stream=customer%2Fnobody", &["Nothing is recorded"]),
        ("/lag", &["balances", "Lag positions", "embedded"]),
    ] {
        let page = browser.page(path);
        shown.iter().for_each(|word| assert!(page.contains(word), "{path}: no {word} in {page}"));
    }
    let scorecard = browser.get("/scorecards/p-1?period=2026-Q1");
    assert_eq!(scorecard.status, 200);
    assert!(scorecard.body.contains("Acme Resale") && scorecard.body.contains("As of position"));
    for (path, status, said) in [
        ("/history?stream=nonsense", 400, "stream"),
        ("/scorecards?period=spring", 400, "period"),
        ("/scorecards/p-9", 400, "p-9"),
        ("/conflicts/cf-x", 404, "cf-x"),
        ("/conflicts?state=happy", 400, "happy"),
    ] {
        let reply = browser.get(path);
        assert_eq!(reply.status, status, "{path}");
        assert!(reply.body.contains(said), "{path}: {}", reply.body);
        check(path, &reply);
    }
    assert_eq!(door.get("/console.css").0, 200);
    assert_eq!(door.stop(), 0);
}

#[test]
fn what_others_wrote_is_text_and_no_markup() {
    let desk = contested();
    let door = Watched::for_callers(&desk);
    let browser = Browser::sign_in(&door, "ops");
    let page = browser.page("/history?stream=partner%2Fp-3");
    assert!(page.contains("script&#62;alert") || page.contains("script&gt;alert"), "{page}");
    let query = "%3Cscript%3Ealert(1)%3C%2Fscript%3E";
    for path in ["/history?stream=", "/scorecards?period=", "/conflicts?state=", "/conflicts/"] {
        let reply = browser.get(&format!("{path}{query}"));
        assert!(reply.status >= 400, "{path}");
        check(path, &reply);
    }
    let own = browser.get("/scorecards/p-3?period=2026-Q1");
    assert!(!own.body.contains("<script"), "{}", own.body);
    assert_eq!(door.stop(), 0);
}

#[test]
fn a_conflict_is_decided_by_a_form_of_its_own_page_and_once() {
    let desk = contested();
    let door = Watched::for_callers(&desk);
    let id = conflict(&door);
    let path = format!("/conflicts/{id}");
    let browser = Browser::sign_in(&door, "cm");
    let page = browser.page(&path);
    let (form, command) = (hidden(&page, "form"), hidden(&page, "id"));
    let fields = |form: &str, resolution: &str| {
        format!(
            "form={form}&id={command}&customer=acme&resolution={resolution}\
             &criterion=opportunity_history&note=Met+%26+agreed&share.p-1=&share.p-2="
        )
    };
    // Without the word of the session, with another's, from another site: nothing happens.
    let other = Browser::sign_in(&door, "cm");
    let others = hidden(&other.page(&path), "form");
    for (form, headers) in [
        ("", &[][..]),
        (&others, &[]),
        (&form, &[("Origin", "https://evil.example")]),
        (&form, &[("Sec-Fetch-Site", "cross-site")]),
    ] {
        let reply = browser.post(&path, &fields(form, "uphold_incumbent"), headers);
        assert_eq!(reply.status, 403, "{reply:?}");
    }
    assert_eq!(door.get_as("ana", "/v1/conflicts").json()["rows"][0]["resolution"], Value::Null);
    // What is refused is said, and what was written is still there.
    let refused = browser.post(&path, &fields(&form, "split"), &[]);
    assert_eq!(refused.status, 400, "{refused:?}");
    assert!(refused.body.contains("role=\"alert\"") && refused.body.contains("Met &#38; agreed"));
    assert!(refused.body.contains("value=\"split\" selected"));
    check(&path, &refused);
    for _ in 0..2 {
        let reply = browser.post(&path, &fields(&form, "uphold_incumbent"), &[]);
        assert_eq!(reply.status, 303, "{reply:?}");
        assert_eq!(reply.headers["location"], format!("{path}?done=1"));
    }
    let row = door.get_as("ana", "/v1/conflicts").json()["rows"][0].clone();
    assert_eq!((&row["state"], &row["resolved_by"]), (&json!("resolved"), &json!("cm")));
    let resolved = desk.run(&["log", "view", "--type", "ConflictResolved"]);
    assert_eq!(resolved.json_lines().len(), 1, "sent twice, decided once");
    let page = browser.page(&format!("{path}?done=1"));
    assert!(page.contains("The conflict is resolved.") && !page.contains("Decide it"));
    // Signed out is signed out.
    let end = browser.post("/sign-out", &format!("form={form}"), &[]);
    assert!(end.status == 303 && end.headers["set-cookie"].contains("Max-Age=0"), "{end:?}");
    assert_eq!(browser.get("/").status, 303);
    assert_eq!(door.stop(), 0);
}

#[test]
fn a_role_sees_what_it_may_see() {
    let desk = contested();
    let door = Watched::for_callers(&desk);
    let id = conflict(&door);
    let analyst = Browser::sign_in(&door, "ana");
    let page = analyst.page(&format!("/conflicts/{id}"));
    assert!(!page.contains("Decide it"), "an analyst decides nothing");
    let form = hidden(&page, "form");
    let fields = format!(
        "form={form}&id=x&customer=acme&resolution=uphold_incumbent&criterion=capability&note=n"
    );
    let reply = analyst.post(&format!("/conflicts/{id}"), &fields, &[]);
    assert_eq!(reply.status, 403, "{reply:?}");
    let partner = Browser::sign_in(&door, "p-1-app");
    for path in ["/", "/conflicts", "/scorecards?period=2026-Q1"] {
        let page = partner.page(path);
        assert!(page.contains("p-1"), "{path}");
        for others in ["p-2", "d-2", "As of position", "/history", "/lag"] {
            assert!(!page.contains(others), "{path} shows {others}: {page}");
        }
    }
    let own = partner.get("/scorecards/p-1?period=2026-Q1");
    assert!(own.status == 200 && !own.body.contains("As of position"), "{}", own.body);
    for path in ["/history?stream=customer%2Facme", "/lag", "/scorecards/p-2"] {
        assert_eq!(partner.get(path).status, 403, "{path}");
    }
    assert_eq!(partner.get(&format!("/conflicts/{id}")).status, 403);
    assert_eq!(door.stop(), 0);
}

#[test]
fn customers_that_may_be_one_are_merged_or_kept_apart() {
    let desk = Desk::new();
    let door = Watched::for_callers(&desk);
    for customer in ["c-1", "c-2", "c-3"] {
        let data = json!({ "customer": customer, "name": "Granite" });
        let line = json!({ "id": customer, "type": "RegisterCustomer", "data": data });
        assert_eq!(door.send_as("svc", &line.to_string()).status, 200);
    }
    for (customer, other) in [("c-1", "c-2"), ("c-1", "c-3")] {
        let alike = json!([{ "likeness": "same_name", "score": 100 }]);
        let data = json!({ "customer": customer, "other": other, "score": 100, "evidence": alike });
        let id = format!("like-{other}");
        let line = json!({ "id": id, "type": "ReportPossibleDuplicate", "data": data });
        let reply = door.send_as("svc", &line.to_string());
        assert_eq!(reply.status, 200, "{}", reply.body);
    }
    let browser = Browser::sign_in(&door, "cm");
    let rows = door.get_as("ana", "/v1/conflicts").json();
    for row in rows["rows"].as_array().unwrap() {
        let path = format!("/conflicts/{}", row["conflict"].as_str().unwrap());
        let page = browser.page(&path);
        let other = hidden(&page, "other");
        assert!(!page.contains("Ground") && page.contains("One customer: c-1 stays"), "{page}");
        let (form, id) = (hidden(&page, "form"), hidden(&page, "id"));
        let resolution = if other == "c-2" { "stays.c-1" } else { "apart" };
        let fields = format!(
            "form={form}&id={id}&customer=c-1&other={other}&resolution={resolution}&note=Asked"
        );
        let reply = browser.post(&path, &fields, &[]);
        assert_eq!(reply.status, 303, "{reply:?}");
        assert!(browser.page(&format!("{path}?done=1")).contains("The conflict is resolved."));
    }
    let rows = door.get_as("ana", "/v1/conflicts").json()["rows"].clone();
    let decided =
        rows.as_array().unwrap().iter().map(|row| {
            (row["other_customer"].as_str().unwrap(), row["resolution"].as_str().unwrap())
        });
    let decided: std::collections::BTreeMap<_, _> = decided.collect();
    assert_eq!(decided, [("c-2", "merged"), ("c-3", "kept_apart")].into());
    assert_eq!(door.stop(), 0);
}
