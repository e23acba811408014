//! Fixtures for the tests of a handler: what a test module that uses this crate looks like.
//!
//! ```text
//! cargo run --example fixtures    # print the fixtures
//! cargo test --example fixtures   # run the tests that use them
//! ```

// A fixture that cannot be built should fail its test.
#![allow(clippy::unwrap_used)]

use serde_json::json;
use twt_chat_webhooks::{
    Event, OfflineFormContent, Payload, Status, Timestamp, UnrepliedContent, UnrepliedContentBuilder, fixtures,
};

/// The code under test: what a handler tells the team, or `None` if nobody needs to do anything.
fn notice(payload: &Payload) -> Option<String> {
    match &payload.event {
        Event::Unreplied(messages) => messages.iter().max_by_key(|message| message.push_times).map(|message| {
            let visitor = &message.visitor_name;
            match &message.assigned_agent_nickname {
                None => format!("{visitor} waits for an agent"),
                Some(agent) if message.is_last_push() => format!("last call: {agent}, please answer {visitor}"),
                Some(agent) => format!("{agent}, please answer {visitor}"),
            }
        }),
        Event::OfflineFormSubmit(forms) => forms.first().map(|form| format!("call {} back", form.visitor_name)),
        _ => None,
    }
}

const WEBHOOK_ID: &str = "58946f5f583edd94f5cf87e3534d04fb";

fn at(unix_seconds: i64) -> Timestamp {
    Timestamp::from_unix(unix_seconds).unwrap()
}

/// A message with everything in it that the platform documents. A fixture changes what it is about.
fn message() -> UnrepliedContentBuilder {
    UnrepliedContent::builder("Visitor15", at(1_765_439_652))
        .subject("New Conversation")
        .message_content("Is anybody there?")
        .property_name("shop")
        .assigned_agent_nickname("Agent7")
        .time_sec(289)
}

fn unreplied(message: UnrepliedContentBuilder) -> Payload {
    Payload::new(at(1_765_439_941), WEBHOOK_ID, message.build())
}

fn good() -> Payload {
    unreplied(message())
}

fn last_push() -> Payload {
    unreplied(message().push_times(UnrepliedContent::MAX_PUSH_TIMES))
}

fn queued_without_agent() -> Payload {
    // The platform writes "" for none, and so may a fixture.
    unreplied(message().status(Status::Queued).assigned_agent_nickname(""))
}

/// Any other event is built like this, with `PreChatFormContent` or `OfflineFormContent`; an array gives several items.
fn two_offline_forms() -> Payload {
    let forms = ["Visitor16", "Visitor17"].map(|visitor| {
        OfflineFormContent::builder(visitor, at(1_765_439_652)).subject("Offline").property_name("shop").build()
    });
    Payload::new(at(1_765_439_941), WEBHOOK_ID, forms)
}

/// What the platform may send one day: decoding keeps it, and a handler should not stumble over it.
fn unknown_event() -> Payload {
    let event = Event::from_parts("EVENT_OF_TOMORROW", json!([{"visitor_name": "Visitor15"}])).unwrap();
    Payload::new(at(1_765_439_941), WEBHOOK_ID, event)
}

/// Fields that the crate does not know come from a body only, so this one starts as text.
fn with_an_unknown_field() -> Payload {
    fixtures::UNREPLIED.replace(r#""sbs": "","#, r#""sbs": "", "language": "zh-CN","#).parse().unwrap()
}

/// Decodes well, but is not what the platform documents.
fn invalid() -> Payload {
    let message = message().subject("").status(Status::from("9")).push_times(7);
    Payload::new(at(1_765_439_000), "not an id", message.build())
}

fn main() {
    let all = [
        ("documented", fixtures::unreplied()),
        ("good", good()),
        ("last push", last_push()),
        ("queued without agent", queued_without_agent()),
        ("two offline forms", two_offline_forms()),
        ("unknown event", unknown_event()),
        ("with an unknown field", with_an_unknown_field()),
        ("invalid", invalid()),
    ];
    for (name, payload) in all {
        println!("{name}");
        println!("  body    {}", String::from_utf8_lossy(&payload.to_vec()));
        println!("  notice  {}", notice(&payload).as_deref().unwrap_or("none"));
        match payload.validate() {
            Ok(()) => println!("  report  as documented"),
            Err(report) => {
                for violation in report.violations() {
                    println!("  report  {violation}");
                }
            }
        }
        println!();
    }
}

#[cfg(test)]
mod tests {
    use core::time::Duration;

    use twt_chat_webhooks::Rule;

    use super::*;

    #[test]
    fn the_agent_is_asked_to_answer() {
        assert_eq!(notice(&good()).unwrap(), "Agent7, please answer Visitor15");
    }

    #[test]
    fn the_last_push_is_a_last_call() {
        assert_eq!(notice(&last_push()).unwrap(), "last call: Agent7, please answer Visitor15");
    }

    #[test]
    fn a_queued_visitor_waits_for_an_agent() {
        assert_eq!(notice(&queued_without_agent()).unwrap(), "Visitor15 waits for an agent");
    }

    #[test]
    fn an_offline_form_asks_for_a_call() {
        assert_eq!(notice(&two_offline_forms()).unwrap(), "call Visitor16 back");
    }

    #[test]
    fn an_event_of_tomorrow_is_none_of_our_business() {
        assert_eq!(notice(&unknown_event()), None);
    }

    #[test]
    fn a_field_of_tomorrow_changes_nothing_and_is_kept() {
        let payload = with_an_unknown_field();
        assert_eq!(notice(&payload), notice(&fixtures::unreplied()));
        assert_eq!(payload.event.as_unreplied().unwrap()[0].extra()["language"], "zh-CN");
    }

    #[test]
    fn the_good_fixture_is_what_the_platform_documents() {
        assert_eq!(good().validate(), Ok(()));
    }

    #[test]
    fn the_invalid_fixture_is_reported_in_full() {
        let report = invalid().validate().unwrap_err();
        let found: Vec<_> = report.violations().iter().map(|violation| (violation.path(), violation.rule())).collect();
        assert_eq!(
            found,
            [
                ("webhook_id", Rule::MalformedWebhookId),
                ("content[0].subject", Rule::EmptyText),
                ("content[0].created_at", Rule::CreatedAfterSent),
                ("content[0].status", Rule::UndocumentedStatus),
                ("content[0].push_times", Rule::PushTimesOutOfRange),
            ],
        );
    }

    #[test]
    fn a_body_of_yesterday_is_stale() {
        let tomorrow = at(1_765_439_941 + 86_400);
        assert!(good().check_freshness(tomorrow, Duration::from_secs(300)).is_err());
    }
}
