//! `examples/relay.rs` makes the messages that each channel accepts. The text of a visitor stays plain text.

use serde_json::{Value, json};
use twt_chat_webhooks::{EventType, OfflineFormContent, Payload, Timestamp, UnrepliedContent, fixtures};

use self::example::message::Channel;

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
    let pointer = match channel {
        Channel::Slack => "/text",
        Channel::Feishu => "/content/text",
        Channel::DingTalk | Channel::WeCom => "/text/content",
    };
    message.pointer(pointer).unwrap().as_str().unwrap()
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
        for (channel, expected) in Channel::ALL.into_iter().zip(expected) {
            assert_eq!(channel.messages(&payload), [expected], "{channel:?}");
        }
    }
}

#[test]
fn every_documented_event_has_a_text() {
    for event_type in EventType::DOCUMENTED {
        let payload = fixtures::payload(event_type).unwrap();
        let [message] = Channel::WeCom.messages(&payload).try_into().unwrap();
        let text = text_of(Channel::WeCom, &message);
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
    for channel in Channel::ALL {
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
        text(Channel::WeCom, content),
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
        let text = text(Channel::WeCom, content);
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
        assert_eq!(quoted(Channel::Slack, content), expected);
    }
}

#[test]
fn the_other_channels_get_no_mentions_and_no_links() {
    for channel in [Channel::Feishu, Channel::DingTalk, Channel::WeCom] {
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
            assert_eq!(quoted(channel, content), expected, "{channel:?}");
        }
    }
}

#[test]
fn a_mail_address_does_not_change() {
    for channel in Channel::ALL {
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
    for channel in Channel::ALL {
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
    for channel in Channel::ALL {
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
    match channel {
        Channel::Slack => (text_of(channel, message).chars().count(), 4_000),
        Channel::Feishu => (message.to_string().len(), 19_900),
        Channel::DingTalk => (message.to_string().len(), 20_000),
        Channel::WeCom => (text_of(channel, message).len(), 2_048),
    }
}

#[test]
fn a_long_message_is_cut_to_the_limit_and_no_further() {
    // Characters of one to four bytes, an entity for Slack, an escape in JSON, a character that some channels get in
    // full width, and many lines.
    for unit in ["a", "é", "你", "😀", "&", "\"", "<", "\n", "&a", "<\\\"é你😀"] {
        let content: String = unit.chars().cycle().take(20_000).collect();
        for channel in Channel::ALL {
            let payload = Payload::new(Timestamp::UNIX_EPOCH, WEBHOOK_ID, message(&content));
            let [cut] = channel.messages(&payload).try_into().unwrap();
            let (size, limit) = measured(channel, &cut);
            // The message is less than 8 below the limit, because one more character can need a new line, a bar and an
            // escape.
            assert!(limit - 8 < size && size <= limit, "{channel:?} {unit:?}: {size} of {limit}");

            let text = text_of(channel, &cut);
            assert!(text.starts_with("Visitor message not replied\nProject: test\n"), "{text}");
            let end = text.strip_suffix('…').unwrap();
            // The cut is not inside an entity.
            if let (Channel::Slack, Some((_, entity))) = (channel, end.rsplit_once('&')) {
                assert!(entity.contains(';'), "{entity}");
            }
        }
    }
}

#[test]
fn a_message_at_the_limit_is_not_cut() {
    for channel in Channel::ALL {
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
    assert_eq!(parsed(&[]), Some(("slack feishu dingtalk wecom".into(), None)));
    for channel in ["slack", "feishu", "dingtalk", "wecom"] {
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
    let [slack] = Channel::Slack.messages(&fixtures::unreplied()).try_into().unwrap();
    assert_eq!(printed(&[Channel::Slack], None).unwrap(), format!("{slack}\n"));

    let all = printed(&Channel::ALL, None).unwrap();
    let names: Vec<&str> = all.lines().map(|line| line.split_once(": ").unwrap().0).collect();
    assert_eq!(names, ["slack", "feishu", "dingtalk", "wecom"]);

    let [offline] = Channel::WeCom.messages(&fixtures::offline_form_submit()).try_into().unwrap();
    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/../src/fixtures/offline_form_submit.json");
    assert_eq!(printed(&[Channel::WeCom], Some(file)).unwrap(), format!("{offline}\n"));

    let missing = printed(&[Channel::WeCom], Some("no such file")).unwrap_err();
    assert!(missing.starts_with("no such file: "), "{missing}");
    let not_json =
        printed(&[Channel::WeCom], Some(concat!(env!("CARGO_MANIFEST_DIR"), "/../rustfmt.toml"))).unwrap_err();
    assert!(not_json.starts_with("the body is not JSON that can be read"), "{not_json}");
}
