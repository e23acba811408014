//! Shows how to build fixtures for the tests of a handler, and how such tests look.
//!
//! ```text
//! cargo run --example fixtures    # prints the fixtures
//! cargo test --example fixtures   # runs the tests that use the fixtures
//! ```

// A fixture that cannot be built should fail its test.
#![allow(clippy::unwrap_used)]

use serde_json::json;
use twt_chat_webhooks::{
    Event, OfflineFormContent, Payload, Status, Timestamp, UnrepliedContent, UnrepliedContentBuilder, fixtures,
};

/// The code under test: the message of a handler to the team, or `None` if nobody has to do anything.
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

/// A message that passes validation. Each fixture below changes the fields that matter to its test.
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
    // Here "" means that there is no agent, as in a body of the platform.
    unreplied(message().status(Status::Queued).assigned_agent_nickname(""))
}

/// The other events are built in the same way, with `PreChatFormContent` or `OfflineFormContent`. An array gives
/// several items.
fn two_offline_forms() -> Payload {
    let forms = ["Visitor16", "Visitor17"].map(|visitor| {
        OfflineFormContent::builder(visitor, at(1_765_439_652)).subject("Offline").property_name("shop").build()
    });
    Payload::new(at(1_765_439_941), WEBHOOK_ID, forms)
}

/// The platform may add events. The crate keeps an unknown event, and a handler must not fail because of it.
fn unknown_event() -> Payload {
    let event = Event::from_parts("EVENT_OF_TOMORROW", json!([{"visitor_name": "Visitor15"}])).unwrap();
    Payload::new(at(1_765_439_941), WEBHOOK_ID, event)
}

/// Only decoding can add an unknown field, so this fixture starts as text.
fn with_an_unknown_field() -> Payload {
    fixtures::UNREPLIED.replace(r#""sbs": "","#, r#""sbs": "", "language": "zh-CN","#).parse().unwrap()
}

/// The crate can decode this payload, but the payload does not pass validation.
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
    fn an_unknown_event_gives_no_notice() {
        assert_eq!(notice(&unknown_event()), None);
    }

    #[test]
    fn an_unknown_field_is_kept_and_does_not_change_the_notice() {
        let payload = with_an_unknown_field();
        assert_eq!(notice(&payload), notice(&fixtures::unreplied()));
        assert_eq!(payload.event.as_unreplied().unwrap()[0].extra()["language"], "zh-CN");
    }

    #[test]
    fn the_good_fixture_passes_validation() {
        assert_eq!(good().validate(), Ok(()));
    }

    #[test]
    fn validation_reports_every_violation_of_the_invalid_fixture() {
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
    fn a_payload_from_yesterday_is_stale() {
        let tomorrow = at(1_765_439_941 + 86_400);
        assert!(good().check_freshness(tomorrow, Duration::from_secs(300)).is_err());
    }
}
