//! The warning that rows wait for a channel that is not set.

use crate::support::{
    Answer, Receiver, StubChannel, command, count, eventually, execute, folder, message, with_timings,
};

#[test]
fn rows_that_wait_for_a_channel_that_is_not_set_are_a_warning_at_the_start_and_again() {
    let folder = folder();
    let channels = ["slack", "wecom"].map(|name| StubChannel::start(name, &[Answer::Closed]));
    let start = |channels: &[StubChannel], timings: &str| {
        let mut command = command(&folder);
        for channel in channels {
            command.env(format!("{}_WEBHOOK_URL", channel.name.to_uppercase()), &channel.url);
        }
        with_timings(&mut command, timings);
        Receiver::spawn(&folder, command)
    };
    let mut receiver = start(&channels, "remind=50");
    for visitor in ["Visitor1", "Visitor2"] {
        assert_eq!(receiver.deliver(message(visitor, "hello", 1).to_vec()), 200);
    }
    eventually("an attempt has failed", || count(&folder, "channel = 'slack' AND attempts > 0 AND owner IS NULL") > 0);
    receiver.stop();
    assert!(!receiver.log().contains("is not set"), "{}", receiver.log());

    let mut receiver = start(&channels[1..], "remind=50");
    let warning = "WARN slack is not set, but rows wait for it: 2; set SLACK_WEBHOOK_URL";
    eventually("the warning is repeated", || receiver.log().matches(warning).count() >= 2);
    receiver.stop();
    assert!(!receiver.log().contains("wecom is not set"), "{}", receiver.log());

    // The warning comes once at the start, and again only after a day.
    let mut receiver = start(&[], "");
    eventually("both are named", || {
        ["slack", "wecom"].iter().all(|name| receiver.log().contains(&format!("{name} is not set")))
    });
    receiver.stop();
    assert_eq!(receiver.log().matches(" is not set").count(), 2, "{}", receiver.log());

    // Dead rows do not wait.
    execute(&folder, "UPDATE item SET state = 'dead' WHERE channel = 'wecom'");
    let mut receiver = start(&[], "");
    receiver.logs("slack is not set");
    receiver.stop();
    assert!(!receiver.log().contains("wecom"), "{}", receiver.log());
}
