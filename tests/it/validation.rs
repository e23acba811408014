//! Validation reports every violation of what the platform documents, and nothing else.

use serde_json::json;
use twt_chat_webhooks::validate::{self, MAX_PUSH_TIMES, WEBHOOK_ID_LENGTH};
use twt_chat_webhooks::{
    Event, OfflineFormContent, Payload, PreChatFormContent, Rule, Status, Timestamp, UnrepliedContent,
    UnrepliedContentBuilder,
};

use crate::body::{Body, EVENT_OF_TOMORROW};

const WEBHOOK_ID: &str = "58946f5f583edd94f5cf87e3534d04fb";
const SENT: i64 = 1_000;

fn at(unix_seconds: i64) -> Timestamp {
    Timestamp::from_unix(unix_seconds).unwrap()
}

fn payload(event: impl Into<Event>) -> Payload {
    Payload::new(at(SENT), WEBHOOK_ID, event)
}

/// This message passes validation. So do the two forms below.
fn message() -> UnrepliedContentBuilder {
    UnrepliedContent::builder("visitor", at(SENT)).subject("subject").property_name("property")
}

fn pre_chat_form() -> PreChatFormContent {
    PreChatFormContent::builder("visitor", at(SENT)).subject("subject").property_name("property").build()
}

fn offline_form() -> OfflineFormContent {
    OfflineFormContent::builder("visitor", at(SENT)).subject("subject").property_name("property").build()
}

#[track_caller]
fn assert_violations(payload: &Payload, expected: &[(&str, Rule)]) {
    let outcome = payload.validate();
    let found: Vec<_> = match &outcome {
        Ok(()) => Vec::new(),
        Err(error) => error.violations().iter().map(|violation| (violation.path(), violation.rule())).collect(),
    };
    assert_eq!(found, expected);
    assert_eq!(outcome.is_ok(), expected.is_empty());
}

#[test]
fn a_documented_payload_passes() {
    assert_violations(&payload(message().build()), &[]);
    assert_violations(&payload(pre_chat_form()), &[]);
    assert_violations(&payload(offline_form()), &[]);
}

#[test]
fn an_unknown_event_is_reported_and_only_its_envelope_is_checked() {
    for content in [json!(null), json!([]), json!([{"subject": "", "push_times": 9}])] {
        let event = Event::from_parts(EVENT_OF_TOMORROW, content).unwrap();
        assert_violations(&payload(event.clone()), &[("event", Rule::UndocumentedEvent)]);
        assert_violations(
            &Payload::new(at(SENT), "", event),
            &[("event", Rule::UndocumentedEvent), ("webhook_id", Rule::MalformedWebhookId)],
        );
    }
}

#[test]
fn an_event_name_in_another_case_is_called_that() {
    for name in ["unreplied", "Unreplied", "pre_chat_form_submit", "Offline_Form_Submit"] {
        let event = Event::from_parts(name, json!([{"subject": "", "push_times": 9}])).unwrap();
        assert_violations(&payload(event), &[("event", Rule::EventInAnotherCase)]);
    }
    // `ſ` is `S` in upper case, but not in ASCII. The other names differ in more than their case.
    for name in ["", "UNREPLIED ", "UNREPLIED_", "unreplie", "pre-chat-form-submit", "offline_form_ſubmit"] {
        let event = Event::from_parts(name, json!([])).unwrap();
        assert_violations(&payload(event), &[("event", Rule::UndocumentedEvent)]);
    }
}

#[test]
fn a_webhook_id_must_be_32_lower_case_hex_digits() {
    assert_eq!(WEBHOOK_ID_LENGTH, 32);
    for id in [WEBHOOK_ID, "00000000000000000000000000000000", "0123456789abcdef0123456789abcdef"] {
        assert_eq!(validate::webhook_id(id), Ok(()), "{id}");
        assert_violations(&Payload::new(at(SENT), id, offline_form()), &[]);
    }
    for id in [
        "",
        "58946f5f583edd94f5cf87e3534d04f",
        "58946f5f583edd94f5cf87e3534d04fb0",
        "58946F5F583EDD94F5CF87E3534D04FB",
        "58946f5f583edd94f5cf87e3534d04fg",
        "58946f5f583edd94f5cf87e3534d04f/",
        "58946f5f583edd94f5cf87e3534d04f:",
        "58946f5f583edd94f5cf87e3534d04f`",
        " 8946f5f583edd94f5cf87e3534d04fb",
        // The first has 32 bytes, and the second has 32 characters. Not all of them are ASCII hex digits.
        "58946f5f583edd94f5cf87e3534d04é",
        "５８９４６f5f583edd94f5cf87e3534d04fb",
    ] {
        assert_eq!(validate::webhook_id(id), Err(Rule::MalformedWebhookId), "{id}");
        let payload = Payload::new(at(SENT), id, offline_form());
        assert_violations(&payload, &[("webhook_id", Rule::MalformedWebhookId)]);
    }
}

#[test]
fn an_event_must_have_an_item() {
    assert_violations(&payload([] as [UnrepliedContent; 0]), &[("content", Rule::EmptyContent)]);
    assert_violations(&payload([] as [PreChatFormContent; 0]), &[("content", Rule::EmptyContent)]);
    assert_violations(&payload([] as [OfflineFormContent; 0]), &[("content", Rule::EmptyContent)]);
}

#[test]
fn subject_visitor_name_and_property_name_must_not_be_empty() {
    let rule = Rule::EmptyText;
    assert_violations(&payload(message().subject("").build()), &[("content[0].subject", rule)]);
    assert_violations(&payload(message().property_name("").build()), &[("content[0].property_name", rule)]);
    let mut nameless = message().build();
    nameless.visitor_name.clear();
    assert_violations(&payload(nameless), &[("content[0].visitor_name", rule)]);

    let all = [("content[0].subject", rule), ("content[0].visitor_name", rule), ("content[0].property_name", rule)];
    assert_violations(&payload(UnrepliedContent::builder("", at(SENT)).build()), &all);
    assert_violations(&payload(PreChatFormContent::builder("", at(SENT)).build()), &all);
    assert_violations(&payload(OfflineFormContent::builder("", at(SENT)).build()), &all);
}

#[test]
fn the_message_and_the_optional_fields_may_be_empty() {
    let item = message().message_content("").visitor_nickname("").sbs("").assigned_agent_nickname("");
    assert_violations(&payload(item.build()), &[]);
}

#[test]
fn an_item_must_not_be_created_after_the_payload_was_sent() {
    let created = |created_at| {
        let mut message = message().build();
        message.created_at = created_at;
        payload(message)
    };
    for created_at in [Timestamp::MIN, at(SENT - 1), at(SENT)] {
        assert_violations(&created(created_at), &[]);
    }
    for created_at in [at(SENT + 1), Timestamp::MAX] {
        assert_violations(&created(created_at), &[("content[0].created_at", Rule::CreatedAfterSent)]);
    }

    let mut form = pre_chat_form();
    form.created_at = at(SENT + 1);
    assert_violations(&payload(form), &[("content[0].created_at", Rule::CreatedAfterSent)]);
    let mut form = offline_form();
    form.created_at = at(SENT + 1);
    assert_violations(&payload(form), &[("content[0].created_at", Rule::CreatedAfterSent)]);
}

#[test]
fn a_message_must_be_pushed_once_to_four_times() {
    assert_eq!(MAX_PUSH_TIMES, 4);
    for times in 1..=4 {
        assert_eq!(validate::push_times(times), Ok(()), "{times}");
        assert_violations(&payload(message().push_times(times).build()), &[]);
    }
    for times in [0, 5, u32::MAX] {
        assert_eq!(validate::push_times(times), Err(Rule::PushTimesOutOfRange), "{times}");
        let payload = payload(message().push_times(times).build());
        assert_violations(&payload, &[("content[0].push_times", Rule::PushTimesOutOfRange)]);
    }
}

#[test]
fn a_status_must_be_documented() {
    for status in Status::DOCUMENTED {
        assert_eq!(validate::status(status), Ok(()), "{status}");
        assert_violations(&payload(message().status(status.clone()).build()), &[]);
    }
    for status in ["", "0", "99", "01", " 1", "unreplied"].map(Status::from) {
        assert_eq!(validate::status(&status), Err(Rule::UndocumentedStatus), "{status}");
        let payload = payload(message().status(status).build());
        assert_violations(&payload, &[("content[0].status", Rule::UndocumentedStatus)]);
    }
}

/// Three items: the first and the last violate every rule for items, and the second violates none.
fn with_many_violations() -> Payload {
    let wrong = UnrepliedContent::builder("", at(SENT + 1)).status("9".into()).push_times(0).build();
    Payload::new(at(SENT), "not an id", [wrong.clone(), message().build(), wrong])
}

#[test]
fn every_violation_is_reported_in_the_order_of_the_body() {
    assert_violations(
        &with_many_violations(),
        &[
            ("webhook_id", Rule::MalformedWebhookId),
            ("content[0].subject", Rule::EmptyText),
            ("content[0].visitor_name", Rule::EmptyText),
            ("content[0].created_at", Rule::CreatedAfterSent),
            ("content[0].property_name", Rule::EmptyText),
            ("content[0].status", Rule::UndocumentedStatus),
            ("content[0].push_times", Rule::PushTimesOutOfRange),
            ("content[2].subject", Rule::EmptyText),
            ("content[2].visitor_name", Rule::EmptyText),
            ("content[2].created_at", Rule::CreatedAfterSent),
            ("content[2].property_name", Rule::EmptyText),
            ("content[2].status", Rule::UndocumentedStatus),
            ("content[2].push_times", Rule::PushTimesOutOfRange),
        ],
    );
}

#[test]
fn a_decoded_payload_is_validated_as_a_built_one() {
    for built in [with_many_violations(), payload(message().build()), payload([] as [OfflineFormContent; 0])] {
        let decoded = Payload::from_slice(&built.to_vec()).unwrap();
        assert_eq!(decoded.validate(), built.validate());
    }

    // Validation checks the decoded values, whatever their form in the body.
    let body = Body::unreplied()
        .set("created_at", r#""1000""#)
        .without("content[0].subject")
        .set("content[0].visitor_name", "null")
        .set("content[0].created_at", "1e3")
        .set("content[0].status", "99")
        .set("content[0].push_times", r#""5""#);
    assert_violations(
        &body.text().parse::<Payload>().unwrap(),
        &[
            ("content[0].subject", Rule::EmptyText),
            ("content[0].visitor_name", Rule::EmptyText),
            ("content[0].status", Rule::UndocumentedStatus),
            ("content[0].push_times", Rule::PushTimesOutOfRange),
        ],
    );
}

#[test]
fn each_rule_has_its_text() {
    let wordings = [
        (Rule::UndocumentedEvent, "must be a documented event"),
        (Rule::EventInAnotherCase, "must be in upper case, as the name of the documented event is"),
        (Rule::MalformedWebhookId, "must be 32 lower-case hex digits"),
        (Rule::EmptyContent, "must hold at least one item"),
        (Rule::EmptyText, "must not be empty"),
        (Rule::CreatedAfterSent, "must not be later than the payload's created_at"),
        (Rule::PushTimesOutOfRange, "must be 1 to 4"),
        (Rule::UndocumentedStatus, "must be a documented status"),
    ];
    for (rule, wording) in wordings {
        assert_eq!(rule.to_string(), wording);
    }
}

#[test]
fn the_report_lists_each_path_and_rule_in_one_line() {
    let one = Payload::new(at(SENT), "", offline_form()).validate().unwrap_err();
    assert_eq!(one.to_string(), "webhook_id: must be 32 lower-case hex digits");
    assert_eq!(one.violations()[0].to_string(), "webhook_id: must be 32 lower-case hex digits");

    let messages = [message().build(), message().subject("").status("9".into()).push_times(5).build()];
    let many = Payload::new(at(SENT), "", messages).validate().unwrap_err();
    assert_eq!(
        many.to_string(),
        "webhook_id: must be 32 lower-case hex digits; \
         content[1].subject: must not be empty; \
         content[1].status: must be a documented status; \
         content[1].push_times: must be 1 to 4",
    );
}

#[test]
fn the_report_shows_no_text_of_a_visitor() {
    let message = UnrepliedContent::builder("", at(SENT + 1)).message_content("secret").status("secret".into());
    let error = Payload::new(at(SENT), "secret", message.build()).validate().unwrap_err();
    assert_eq!(error.violations().len(), 6);
    assert!(!format!("{error} {error:?}").contains("secret"));
}
