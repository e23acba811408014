//! WeCom, also known as Enterprise WeChat: a [group robot][page].
//!
//! [page]: https://developer.work.weixin.qq.com/document/path/99110

use std::time::Duration;

use serde_json::json;

use super::{Channel, Limit, Refusal, Taken, full_width};

const REMOVED: &str = "the robot was removed or the URL is wrong: add a robot to the group and set WECOM_WEBHOOK_URL";

pub(super) const CHANNEL: Channel = Channel {
    name: "wecom",
    json: |text| json!({ "msgtype": "text", "text": { "content": text } }),
    // The page limits `content` to 2,048 bytes of UTF-8.
    limit: Limit::Bytes(2_048),
    escape: full_width,
    // The page: 20 per minute.
    pace: Duration::from_secs(3),
    signature: None,
    taken: Taken::Code("errcode"),
    // <https://developer.work.weixin.qq.com/document/path/90313> lists the codes. This list leaves out 45009, which
    // means "too fast", and -1, which means that the server is busy.
    lasting: &[
        (Refusal::Code(93_000), REMOVED),
        (Refusal::Code(93_008), REMOVED),
        (Refusal::Code(93_004), "the robot is switched off: switch it on in the settings of the group"),
    ],
};
