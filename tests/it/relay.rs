//! `examples/relay.rs` makes the messages that each channel accepts. The text of a visitor stays plain text.

use std::time::Duration;

use serde_json::{Value, json};
use twt_chat_webhooks::{EventType, OfflineFormContent, Payload, Timestamp, UnrepliedContent, fixtures};

use self::example::channel::{Channel, Limit, Meaning};

#[path = "../../examples/relay.rs"]
#[allow(dead_code, reason = "the tests do not call `main`")]
mod example;

const WEBHOOK_ID: &str = "58946f5f583edd94f5cf87e3534d04fb";

fn message(content: &str) -> UnrepliedContent {
    UnrepliedContent::builder("Visitor15", Timestamp::UNIX_EPOCH)
        .message_content(content)
        .property_name("test")
        .assigned_agent_nickname("ctccccd")
        .time_sec(289)
        .build()
}

/// The text of the only message for that channel.
fn text(channel: Channel, message: UnrepliedContent) -> String {
    let payload = Payload::new(Timestamp::UNIX_EPOCH, WEBHOOK_ID, message);
    let [message] = channel.messages(&payload).try_into().unwrap();
    text_of(channel, &message).to_owned()
}

fn text_of(channel: Channel, message: &Value) -> &str {
    let pointer = pointer_to(&(channel.json)("the text"), "the text").unwrap();
    message.pointer(&pointer).unwrap().as_str().unwrap()
}

/// The JSON pointer to this text.
fn pointer_to(value: &Value, text: &str) -> Option<String> {
    let at = |key: &str, value| pointer_to(value, text).map(|pointer| format!("/{key}{pointer}"));
    match value {
        Value::Object(object) => object.iter().find_map(|(key, value)| at(key, value)),
        Value::Array(array) => array.iter().enumerate().find_map(|(index, value)| at(&index.to_string(), value)),
        value => (value == text).then(String::new),
    }
}

fn channel(name: &str) -> Channel {
    Channel::ALL.iter().find(|channel| channel.name() == name).copied().unwrap()
}

fn all() -> impl Iterator<Item = Channel> {
    Channel::ALL.iter().copied()
}

/// The end of the text for the channel: the quoted message of the visitor.
fn quoted(channel: Channel, content: &str) -> String {
    let text = text(channel, message(content));
    let before = "Visitor message not replied\nProject: test\nVisitor: Visitor15\n\
                  Waiting: 4 min 49 s, push 1 of 4\nAgent: ctccccd\n";
    text.strip_prefix(before).unwrap().to_owned()
}

#[test]
fn each_channel_gets_its_own_json_for_each_event() {
    let unreplied = "Visitor message not replied\nProject: test\nVisitor: Visitor15 (visitor nickname)\n\
                     Waiting: 4 min 49 s, push 4 of 4\nAgent: ctccccd\n| 1";
    let pre_chat = "Pre-chat form\nProject: test\nVisitor: Visitor15 (visitor nickname)\nAgent: ctccccd\n| 1";
    let offline = "Offline form\nProject: test\nVisitor: Visitor15 (visitor nickname)\nAgent: ctccccd\n| 1";
    let unknown = "Unknown event: EVENT_OF_TOMORROW";
    let tomorrow = fixtures::UNREPLIED.replace("UNREPLIED", "EVENT_OF_TOMORROW").parse().unwrap();
    for (payload, text) in [
        (fixtures::unreplied(), unreplied),
        (fixtures::pre_chat_form_submit(), pre_chat),
        (fixtures::offline_form_submit(), offline),
        (tomorrow, unknown),
    ] {
        let expected = [
            json!({ "text": text, "mrkdwn": false, "unfurl_links": false, "unfurl_media": false }),
            json!({ "msg_type": "text", "content": { "text": text } }),
            json!({ "msgtype": "text", "text": { "content": text }, "at": { "isAtAll": false } }),
            json!({ "msgtype": "text", "text": { "content": text } }),
        ];
        for (name, expected) in ["slack", "feishu", "dingtalk", "wecom"].into_iter().zip(expected) {
            assert_eq!(channel(name).messages(&payload), [expected], "{name}");
        }
    }
}

#[test]
fn every_documented_event_has_a_text() {
    for event_type in EventType::DOCUMENTED {
        let payload = fixtures::payload(event_type).unwrap();
        let [message] = channel("wecom").messages(&payload).try_into().unwrap();
        let text = text_of(channel("wecom"), &message);
        assert!(
            !text.starts_with("Unknown event"),
            "`texts` in examples/relay/message.rs says nothing about {event_type}",
        );
    }
}

#[test]
fn each_item_gets_its_own_message() {
    let items = ["first", "second"].map(|name| OfflineFormContent::builder(name, Timestamp::UNIX_EPOCH).build());
    let payload = Payload::new(Timestamp::UNIX_EPOCH, WEBHOOK_ID, items);
    for channel in all() {
        let messages = channel.messages(&payload);
        let texts: Vec<&str> = messages.iter().map(|message| text_of(channel, message)).collect();
        assert_eq!(
            texts,
            [
                "Offline form\nProject: \nVisitor: first\nAgent: none",
                "Offline form\nProject: \nVisitor: second\nAgent: none",
            ]
        );
    }
}

#[test]
fn the_text_says_who_waits_and_for_how_long() {
    let content = UnrepliedContent::builder("Visitor15", Timestamp::UNIX_EPOCH)
        .message_content("Hello?\nIs anybody there?")
        .property_name("shop.example.com")
        .sbs("234442313")
        .push_times(2)
        .time_sec(7_505)
        .build();
    assert_eq!(
        text(channel("wecom"), content),
        "Visitor message not replied\nProject: shop.example.com\nVisitor: Visitor15\nCustomer: 234442313\n\
         Waiting: 2 h 5 min, push 2 of 4\nAgent: none\n| Hello?\n| Is anybody there?"
    );

    for (seconds, waiting) in [
        (0, "0 s"),
        (59, "59 s"),
        (60, "1 min 0 s"),
        (3_599, "59 min 59 s"),
        (3_600, "1 h 0 min"),
        (u64::MAX, "5124095576030431 h 0 min"),
    ] {
        let mut content = message("1");
        content.time_sec = seconds;
        let text = text(channel("wecom"), content);
        assert!(text.contains(&format!("\nWaiting: {waiting}, push 1 of 4\n")), "{text}");
    }
}

#[test]
fn slack_gets_no_mentions_and_no_links() {
    for (content, expected) in [
        ("<!channel> <!here> <!everyone>", "| &lt;!channel&gt; &lt;!here&gt; &lt;!everyone&gt;"),
        ("<@U012AB3CD> <!subteam^SAZ94GDB8>", "| &lt;＠U012AB3CD&gt; &lt;!subteam^SAZ94GDB8&gt;"),
        ("<https://example.com|your bank>", "| &lt;https://example.com|your bank&gt;"),
        ("&lt;!channel&gt;", "| &amp;lt;!channel&amp;gt;"),
        ("@channel @here", "| ＠channel ＠here"),
        ("<\u{0}!chan\u{202e}nel>", "| &lt;!channel&gt;"),
    ] {
        assert_eq!(quoted(channel("slack"), content), expected);
    }
}

#[test]
fn the_other_channels_get_no_mentions_and_no_links() {
    for channel in ["feishu", "dingtalk", "wecom"].map(channel) {
        for (content, expected) in [
            (r#"<at user_id="all">everyone</at>"#, r#"| ＜at user_id="all"＞everyone＜/at＞"#),
            (r#"<at user_id = "ou_1">"#, r#"| ＜at user_id = "ou_1"＞"#),
            ("<@all> <@userid>", "| ＜＠all＞ ＜＠userid＞"),
            ("@all @所有人 @13800001111", "| ＠all ＠所有人 ＠13800001111"),
            ("[your bank](https://example.com)", "| ［your bank］(https://example.com)"),
            (r#"<a href="https://example.com">your bank</a>"#, r#"| ＜a href="https://example.com"＞your bank＜/a＞"#),
            ("<\u{7f}@all>", "| ＜＠all＞"),
            ("R&D", "| R&D"),
        ] {
            assert_eq!(quoted(channel, content), expected, "{}", channel.name());
        }
    }
}

#[test]
fn a_mail_address_does_not_change() {
    for channel in all() {
        for same in ["ada@example.com", "Mail: ada.l+shop@mail.example.com, thanks."] {
            assert_eq!(quoted(channel, same), format!("| {same}"));
        }
        for (content, expected) in [
            ("hi@all", "| hi＠all"),
            ("hi@all.", "| hi＠all."),
            ("hi@all .com", "| hi＠all .com"),
            ("@example.com", "| ＠example.com"),
            ("好@all.com", "| 好＠all.com"),
            ("ada@example.com@all", "| ada@example.com＠all"),
        ] {
            assert_eq!(quoted(channel, content), expected);
        }
    }
}

#[test]
fn a_visitor_cannot_forge_a_line_of_the_message() {
    for channel in all() {
        for end in ["\n", "\r", "\r\n", "\u{b}", "\u{c}", "\u{85}", "\u{2028}", "\u{2029}"] {
            let quoted = quoted(channel, &format!("Hello{end}Agent: nobody, call 4711{end}"));
            assert_eq!(quoted, "| Hello\n| Agent: nobody, call 4711", "{end:?}");

            let mut content = message("1");
            content.visitor_name = format!("Ada{end}Agent: nobody");
            content.assigned_agent_nickname = Some(format!("{end}Waiting: 0 s"));
            assert_eq!(
                text(channel, content),
                "Visitor message not replied\nProject: test\nVisitor: Ada Agent: nobody\n\
                 Waiting: 4 min 49 s, push 1 of 4\nAgent:  Waiting: 0 s\n| 1"
            );
        }
        assert_eq!(quoted(channel, "a\u{202e}b\u{2066}c\u{0}\u{1b}[0m\td").replace('［', "["), "| abc[0m d");
    }
}

#[test]
fn long_names_are_cut_so_that_the_message_is_kept() {
    let long = "👩‍💻".repeat(1_000);
    for channel in all() {
        let mut content = message("The message.");
        content.visitor_name.clone_from(&long);
        content.property_name.clone_from(&long);
        for name in [&mut content.visitor_nickname, &mut content.sbs, &mut content.assigned_agent_nickname] {
            *name = Some(long.clone());
        }
        let text = text(channel, content);
        assert!(text.ends_with("…\n| The message."), "{text}");
        assert_eq!(text.matches('…').count(), 5);
    }
}

/// The size of a message, and the limit of the channel.
fn measured(channel: Channel, message: &Value) -> (usize, usize) {
    match channel.limit {
        Limit::Characters(limit) => (text_of(channel, message).chars().count(), limit),
        Limit::Bytes(limit) => (text_of(channel, message).len(), limit),
        Limit::Json(limit) => (message.to_string().len(), limit),
    }
}

#[test]
fn the_limits_and_the_paces_are_those_of_the_pages() {
    let limits = ["slack", "feishu", "dingtalk", "wecom"].map(|name| match channel(name).limit {
        Limit::Characters(limit) => format!("{limit} characters"),
        Limit::Bytes(limit) => format!("{limit} bytes"),
        Limit::Json(limit) => format!("{limit} bytes of JSON"),
    });
    assert_eq!(limits, ["4000 characters", "19900 bytes of JSON", "20000 bytes of JSON", "2048 bytes"]);
    let paces = ["slack", "feishu", "dingtalk", "wecom"].map(|name| channel(name).pace);
    assert_eq!(paces, [1_000, 600, 3_000, 3_000].map(Duration::from_millis));
}

#[test]
fn a_long_message_is_cut_to_the_limit_and_no_further() {
    // Characters of one to four bytes, an entity for Slack, an escape in JSON, a character that some channels get in
    // full width, and many lines.
    for unit in ["a", "é", "你", "😀", "&", "\"", "<", "\n", "&a", "<\\\"é你😀"] {
        for channel in all() {
            let (_, limit) = measured(channel, &(channel.json)(""));
            let content: String = unit.chars().cycle().take(limit).collect();
            let payload = Payload::new(Timestamp::UNIX_EPOCH, WEBHOOK_ID, message(&content));
            let [cut] = channel.messages(&payload).try_into().unwrap();
            let (size, _) = measured(channel, &cut);
            // The message is less than 8 below the limit, because one more character can need a new line, a bar and an
            // escape.
            assert!(limit - 8 < size && size <= limit, "{} {unit:?}: {size} of {limit}", channel.name());

            let text = text_of(channel, &cut);
            assert!(text.starts_with("Visitor message not replied\nProject: test\n"), "{text}");
            let end = text.strip_suffix('…').unwrap();
            // The cut is not inside an entity.
            if let ("slack", Some((_, entity))) = (channel.name(), end.rsplit_once('&')) {
                assert!(entity.contains(';'), "{entity}");
            }
        }
    }
}

#[test]
fn a_message_at_the_limit_is_not_cut() {
    for channel in all() {
        let with = |length: usize| {
            let payload = Payload::new(Timestamp::UNIX_EPOCH, WEBHOOK_ID, message(&"a".repeat(length)));
            let [message] = channel.messages(&payload).try_into().unwrap();
            message
        };
        let (empty, limit) = measured(channel, &with(1));
        let fitting = with(limit - empty + 1);
        assert_eq!(measured(channel, &fitting).0, limit);
        assert!(text_of(channel, &fitting).ends_with('a'));
        assert!(text_of(channel, &with(limit - empty + 2)).ends_with("a…"));
    }
}

#[test]
fn the_command_line_names_a_channel_and_a_source() {
    let parsed = |arguments: &[&str]| {
        let (channels, source) = example::parse(arguments)?;
        Some((channels.iter().map(|channel| channel.name()).collect::<Vec<_>>().join(" "), source.map(str::to_owned)))
    };
    let names: Vec<&str> = all().map(Channel::name).collect();
    assert!(names.starts_with(&["slack", "feishu", "dingtalk", "wecom"]), "{names:?}");
    assert_eq!(parsed(&[]), Some((names.join(" "), None)));
    for channel in names {
        assert_eq!(parsed(&[channel]), Some((channel.into(), None)));
        assert_eq!(parsed(&[channel, "-"]), Some((channel.into(), Some("-".into()))));
    }
    for wrong in [&["irc"][..], &["--help"], &["Slack"], &["slack", "a", "b"]] {
        assert_eq!(parsed(wrong), None);
    }
}

#[test]
fn a_line_is_printed_for_each_message() {
    let printed = |channels: &[Channel], source| {
        let mut out = Vec::new();
        example::relay(channels, source, &mut out).map(|()| String::from_utf8(out).unwrap())
    };
    let [slack] = channel("slack").messages(&fixtures::unreplied()).try_into().unwrap();
    assert_eq!(printed(&[channel("slack")], None).unwrap(), format!("{slack}\n"));

    let every = printed(Channel::ALL, None).unwrap();
    let names: Vec<&str> = every.lines().map(|line| line.split_once(": ").unwrap().0).collect();
    assert_eq!(names, all().map(Channel::name).collect::<Vec<_>>());

    let [offline] = channel("wecom").messages(&fixtures::offline_form_submit()).try_into().unwrap();
    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/../src/fixtures/offline_form_submit.json");
    assert_eq!(printed(&[channel("wecom")], Some(file)).unwrap(), format!("{offline}\n"));

    let missing = printed(&[channel("wecom")], Some("no such file")).unwrap_err();
    assert!(missing.starts_with("no such file: "), "{missing}");
    let not_json =
        printed(&[channel("wecom")], Some(concat!(env!("CARGO_MANIFEST_DIR"), "/../rustfmt.toml"))).unwrap_err();
    assert!(not_json.starts_with("the body is not JSON that can be read"), "{not_json}");
}

/// What the channel says to these answers: `None` if the message is taken, and whether a person must act.
fn judged(name: &str, status: u16, body: &str) -> Option<(String, bool)> {
    match channel(name).judge(status, body.as_bytes()) {
        Meaning::Taken => None,
        Meaning::Refused(problem) => Some((problem, false)),
        Meaning::RefusedForGood(problem) => Some((problem, true)),
    }
}

#[test]
fn an_answer_that_the_channel_documents_for_a_message_that_it_took_is_no_problem() {
    for (name, body) in [
        ("slack", "ok"),
        ("slack", ""),
        ("feishu", r#"{"StatusCode":0,"StatusMessage":"success","code":0,"data":{},"msg":"success"}"#),
        ("dingtalk", r#"{"errcode":0,"errmsg":"ok"}"#),
        ("wecom", r#"{"errcode":0,"errmsg":"ok"}"#),
    ] {
        assert_eq!(judged(name, 200, body), None, "{name}");
    }
}

#[test]
fn an_answer_that_can_get_better_asks_nobody_to_act() {
    for (name, status, body, problem) in [
        ("slack", 400, "invalid_payload", "status 400"),
        ("slack", 408, "", "status 408"),
        ("slack", 429, "rate_limited", "status 429"),
        ("slack", 500, "rollup_error", "status 500"),
        ("slack", 503, "no_service for now", "status 503"),
        ("feishu", 200, r#"{"code":11232,"msg":"frequency limited"}"#, "code 11232"),
        ("feishu", 200, r#"{"code":9499,"msg":"too many request"}"#, "code 9499"),
        ("feishu", 200, "ok", "an answer without `code`"),
        ("feishu", 200, r#"{"code":"0"}"#, "an answer without `code`"),
        ("feishu", 404, "not found", "status 404"),
        ("dingtalk", 200, r#"{"errcode":-1,"errmsg":"busy"}"#, "errcode -1"),
        ("dingtalk", 200, r#"{"errcode":130101,"errmsg":"send too fast"}"#, "errcode 130101"),
        ("dingtalk", 200, r#"{"errcode":410100,"errmsg":"too fast"}"#, "errcode 410100"),
        ("dingtalk", 200, r#"{"code":310000}"#, "an answer without `errcode`"),
        ("dingtalk", 201, r#"{"errcode":0}"#, "status 201"),
        ("dingtalk", 403, "denied by a firewall", "status 403"),
        ("wecom", 200, r#"{"errcode":-1,"errmsg":"system busy"}"#, "errcode -1"),
        ("wecom", 200, r#"{"errcode":45009,"errmsg":"api freq out of limit"}"#, "errcode 45009"),
        ("wecom", 502, "", "status 502"),
    ] {
        assert_eq!(judged(name, status, body), Some((problem.to_owned(), false)), "{name} {body}");
    }
}

#[test]
fn an_answer_that_cannot_get_better_says_what_to_do() {
    for (name, status, bodies, problem, advice) in [
        ("slack", 404, &["no_service", "channel_not_found", ""][..], "status 404", "set SLACK_WEBHOOK_URL"),
        ("slack", 410, &["channel_is_archived", ""], "status 410", "set SLACK_WEBHOOK_URL"),
        ("slack", 403, &["action_prohibited", ""], "status 403", "ask an administrator of the workspace"),
        ("slack", 403, &["invalid_token"], "status 403", "set SLACK_WEBHOOK_URL"),
        ("slack", 400, &["no_active_hooks\n", "no_team", "team_disabled"], "status 400", "set SLACK_WEBHOOK_URL"),
        ("slack", 400, &["posting_to_general_channel_denied"], "status 400", "ask an administrator of the workspace"),
        ("feishu", 200, &[r#"{"code":19001}"#], "code 19001", "set FEISHU_WEBHOOK_URL"),
        ("feishu", 200, &[r#"{"code":19021}"#], "code 19021", "set FEISHU_SECRET"),
        ("feishu", 200, &[r#"{"code":19022}"#], "code 19022", "IP address"),
        ("feishu", 200, &[r#"{"code":19024}"#], "code 19024", "keyword"),
        ("feishu", 400, &[r#"{"code":19001}"#], "status 400", "set FEISHU_WEBHOOK_URL"),
        ("dingtalk", 200, &[r#"{"errcode":300001}"#], "errcode 300001", "set DINGTALK_WEBHOOK_URL"),
        ("dingtalk", 200, &[r#"{"errcode":300005}"#], "errcode 300005", "set DINGTALK_WEBHOOK_URL"),
        ("dingtalk", 200, &[r#"{"errcode":400013}"#], "errcode 400013", "set DINGTALK_WEBHOOK_URL"),
        ("dingtalk", 200, &[r#"{"errcode":400101}"#], "errcode 400101", "set DINGTALK_WEBHOOK_URL"),
        ("dingtalk", 200, &[r#"{"errcode":400102}"#], "errcode 400102", "switch it on"),
        ("dingtalk", 200, &[r#"{"errcode":400106}"#], "errcode 400106", "set DINGTALK_WEBHOOK_URL"),
        ("dingtalk", 200, &[r#"{"errcode":310000}"#], "errcode 310000", "set DINGTALK_SECRET"),
        ("wecom", 200, &[r#"{"errcode":93000}"#], "errcode 93000", "set WECOM_WEBHOOK_URL"),
        ("wecom", 200, &[r#"{"errcode":93004}"#], "errcode 93004", "switch it on"),
        ("wecom", 200, &[r#"{"errcode":93008}"#], "errcode 93008", "set WECOM_WEBHOOK_URL"),
    ] {
        for body in bodies {
            let (text, for_good) = judged(name, status, body).unwrap();
            assert!(for_good, "{name} {status} {body}");
            assert!(text.starts_with(&format!("{problem}: ")) && text.contains(advice), "{text}");
        }
    }
}

#[test]
fn each_channel_has_a_name_for_its_variables_and_advice_that_names_them() {
    for channel in all() {
        let name = channel.name();
        assert!(!name.is_empty() && name.bytes().all(|byte| byte.is_ascii_lowercase()), "{name}");
        for (_, advice) in channel.lasting {
            let others = all().map(|other| other.name().to_uppercase()).filter(|other| *other != name.to_uppercase());
            assert!(others.into_iter().all(|other| !advice.contains(&other)), "{name}: {advice}");
        }
    }
}
