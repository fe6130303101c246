//! Questions: the read models as JSON, page by page, as far as the caller may see them.

use super::{
    behind::{Behind, LEDGER, pairs},
    caller::Caller,
    problem::Problem,
    remembered::{self, Remembered, Standing, unchanged_until},
    standing::Opened,
};
use crate::{
    failure::Failure,
    reads::{Asked, MALFORMED, Page, clock, require_models, unanswered, view_names},
};
use axum::{
    Router,
    extract::{Path, State, rejection::PathRejection},
    http::{
        HeaderMap, HeaderValue, StatusCode, Uri,
        header::{CACHE_CONTROL, CONTENT_TYPE, ETAG, IF_NONE_MATCH, VARY},
    },
    response::{IntoResponse, Response},
    routing::get,
};
use chl_bus::{Asker, Unanswered};
use data_encoding::HEXLOWER;
use serde_json::{Map, Value};
use sha2::{Digest, Sha256};

/// How many bytes of an answer's digest its tag has.
const TAG_BYTES: usize = 8;

/// The parameter that may be given more than once.
const WHERE: &str = "where";
/// The parameter that is a number.
const LIMIT: &str = "limit";

/// The routes of the read models.
pub(super) fn routes() -> Router<Behind> {
    Router::new().route("/v1/{view}", get(show))
}

async fn show(
    State(behind): State<Behind>,
    Caller(actor): Caller,
    view: Result<Path<String>, PathRejection>,
    uri: Uri,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let view = view.ok().filter(|Path(view)| view_names().any(|name| name == view));
    let Some(Path(view)) = view else {
        let known: Vec<&str> = view_names().collect();
        let text = format!("no read model is called so; there are {}", known.join(", "));
        return Err(Problem::new(StatusCode::NOT_FOUND, "query.unknown_view", text));
    };
    let asked = asked(&uri)?;
    let ledger = behind.ledger(&uri)?;
    let known: Vec<HeaderValue> = headers.get_all(IF_NONE_MATCH).iter().cloned().collect();
    let remembered = behind.remembered.clone();
    let answer = move |ledger: &Opened, asker: &Asker| {
        let question = Question { view, asked, uri, known };
        question.answer(ledger, asker, &remembered)
    };
    let (tag, body) = behind.ask(ledger, &actor, answer).await?;
    let mut response = match body {
        None => StatusCode::NOT_MODIFIED.into_response(),
        Some(body) => {
            ([(CONTENT_TYPE, HeaderValue::from_static("application/json"))], body).into_response()
        }
    };
    let own = response.headers_mut();
    // What one caller sees is not what another does, and what is shown now is not for ever.
    own.insert(CACHE_CONTROL, HeaderValue::from_static("private, no-cache"));
    own.insert(VARY, HeaderValue::from_static("authorization"));
    own.extend(HeaderValue::from_str(&tag).ok().map(|tag| (ETAG, tag)));
    Ok(response)
}

/// A question, and the tags of the answers that the caller has.
struct Question {
    view: String,
    asked: Asked,
    uri: Uri,
    known: Vec<HeaderValue>,
}

impl Question {
    /// The answer's tag; and the answer, unless the caller has it.
    fn answer(
        self,
        ledger: &Opened,
        asker: &Asker,
        remembered: &Remembered,
    ) -> Result<(String, Option<Vec<u8>>), Unanswered> {
        let Self { view, asked, uri, known } = self;
        let told = |failure: Failure| unanswered(&failure);
        let has = |tag: &String| known.iter().any(|known| names(known, tag));
        let mut again = None;
        // Who asks again is likely to do so once more.
        if !known.is_empty() {
            require_models(&ledger.reading)?;
            let now = clock();
            let (standing, reader) = Standing::of(&ledger.reading).map_err(told)?;
            let key = remembered::key(&ledger.ledger, asker, &uri);
            if let Some(tag) = remembered.tag(&key, &standing, now).filter(has) {
                return Ok((tag, None));
            }
            let until = unchanged_until(&view, &asked, &reader, now).map_err(told)?;
            again = until.map(|until| (key, standing, until));
        }
        let page = Page::of(&view, asked, asker, &ledger.reading)?;
        let body = serde_json::to_vec(&page);
        let body = body.map_err(|error| Unanswered::refused("internal", error))?;
        let tag = tag(page.position, &body);
        if let Some((key, standing, until)) = again {
            remembered.keep(key, standing, until, tag.clone());
        }
        let body = (!has(&tag)).then_some(body);
        Ok((tag, body))
    }
}

/// The tag of an answer: the position it stands for, where that is told, and a digest of it, since
/// ages and effective states change while no position does.
fn tag(position: Option<u64>, body: &[u8]) -> String {
    let digest = Sha256::digest(body);
    let digest = HEXLOWER.encode(digest.get(..TAG_BYTES).unwrap_or_default());
    position.map_or_else(|| format!("\"{digest}\""), |at| format!("\"{at}-{digest}\""))
}

/// Whether a condition names a tag (RFC 9110, 13.1.2: weakly compared).
fn names(condition: &HeaderValue, tag: &str) -> bool {
    let tags = condition.to_str().unwrap_or_default().split(',').map(str::trim);
    tags.map(|one| one.strip_prefix("W/").unwrap_or(one)).any(|one| one == tag || one == "*")
}

/// What the parameters of an address ask.
fn asked(uri: &Uri) -> Result<Asked, Unanswered> {
    let refused = |text: String| Unanswered::refused(MALFORMED, text);
    let mut fields = Map::new();
    for (name, value) in pairs(uri).filter(|(name, _)| name != LEDGER) {
        if name == WHERE {
            let all = fields.entry(WHERE).or_insert_with(|| Value::Array(Vec::new()));
            all.as_array_mut().into_iter().for_each(|all| all.push(value.clone().into()));
            continue;
        }
        let number = value.parse::<u64>().ok().filter(|_| name == LIMIT);
        let value = number.map_or_else(|| value.into(), Value::from);
        if fields.insert(name.clone(), value).is_some() {
            return Err(refused(format!("{name}: it is given twice")));
        }
    }
    serde_path_to_error::deserialize(Value::Object(fields))
        .map_err(|error| refused(error.to_string()))
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

    use super::*;

    #[test]
    fn a_parameter_that_cannot_be_is_named() {
        let problem = |query: &str| {
            let uri = format!("/v1/deals?{query}").parse().unwrap();
            asked(&uri).map_err(|refused| refused.message)
        };
        let right = "partner=p-1&limit=7&as_of=12&where=a%3D1&where=b%3E%3D2&ledger=main";
        assert!(problem(right).is_ok(), "{:?}", problem(right));
        for (query, named) in [
            ("colour=red", "colour"),
            ("limit=many", "limit"),
            ("limit=-1", "limit"),
            ("period=spring", "period"),
            ("effective=yesterday", "effective"),
            ("state=won&state=lost", "state"),
        ] {
            let message = problem(query).unwrap_err();
            assert!(message.contains(named), "{query}: {message}");
        }
    }

    #[test]
    fn a_condition_names_tags_in_any_form() {
        let tag = tag(Some(7), b"[]");
        assert!(tag.starts_with("\"7-"), "{tag}");
        assert_ne!(tag, super::tag(Some(7), b"[1]"));
        let holds = |text: &str| names(&HeaderValue::from_str(text).unwrap(), &tag);
        assert!(holds(&tag) && holds("*") && holds(&format!("\"x\", W/{tag}")));
        assert!(!holds("\"7\"") && !holds(""));
    }
}
