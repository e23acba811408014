//! DingTalk: a [custom robot][page].
//!
//! [page]: https://open.dingtalk.com/document/orgapp/custom-robot-access

use std::time::Duration;

use serde_json::json;

use super::{Channel, Limit, Place, Refusal, Taken, ToSign, full_width};

const REMOVED: &str =
    "the robot was removed or the URL is wrong: add a robot to the group and set DINGTALK_WEBHOOK_URL";

pub(super) const CHANNEL: Channel = Channel {
    name: "dingtalk",
    json: |text| json!({ "msgtype": "text", "text": { "content": text }, "at": { "isAtAll": false } }),
    // The page names no limit. The service refuses a larger body with error 460101, "keep it within 20000bytes".
    limit: Limit::Json(20_000),
    escape: full_width,
    // The page: 20 per minute. A robot that sends more is blocked for 10 minutes.
    pace: Duration::from_secs(3),
    // <https://open.dingtalk.com/document/robots/customize-robot-security-settings>
    signature: Some(|now, secret| {
        let timestamp = now.as_millis().to_string();
        let text = format!("{timestamp}\n{secret}");
        ToSign { timestamp, key: secret.to_owned(), text, place: Place::Query }
    }),
    taken: Taken::Code("errcode"),
    // Copies of the page elsewhere on the web list these codes, except 300001 and 300005. These two come with the text
    // "token is not exist", as the answer to a token that DingTalk does not know. This list leaves out 130101 and
    // 410100, which mean "too fast".
    lasting: &[
        (Refusal::Code(300_001), REMOVED),
        (Refusal::Code(300_005), REMOVED),
        (Refusal::Code(400_101), REMOVED),
        (Refusal::Code(400_106), REMOVED),
        (Refusal::Code(400_013), "the group was dissolved: add a robot to another group and set DINGTALK_WEBHOOK_URL"),
        (Refusal::Code(400_102), "the robot is switched off: switch it on in the settings of the group"),
        (
            Refusal::Code(310_000),
            "the security settings of the robot refuse the message: set DINGTALK_SECRET to its secret, check the clock \
             of this machine, and remove its keywords and IP addresses",
        ),
    ],
};
