//! Feishu, or Lark: a [custom bot][page].
//!
//! [page]: https://open.feishu.cn/document/client-docs/bot-v3/add-custom-bot

use std::time::Duration;

use serde_json::json;

use super::{Channel, Limit, Place, Refusal, Taken, ToSign, full_width};

pub(super) const CHANNEL: Channel = Channel {
    name: "feishu",
    json: |text| json!({ "msg_type": "text", "content": { "text": text } }),
    // The page limits the body of a request to 20 KB, which may mean 20,000 or 20,480 bytes. 100 bytes are left for the
    // signature.
    limit: Limit::Json(19_900),
    escape: full_width,
    // The page: 5 per second and 100 per minute.
    pace: Duration::from_millis(600),
    // The page: the key is the timestamp, a line feed and the secret. The signed text is empty.
    signature: Some(|now, secret| {
        let timestamp = now.as_secs().to_string();
        let key = format!("{timestamp}\n{secret}");
        ToSign { timestamp, key, text: String::new(), place: Place::Body }
    }),
    taken: Taken::Code("code"),
    // The page lists the codes from 19021 on. Feishu answers 19001 "param invalid: incoming webhook access token
    // invalid" to a URL that it does not know. This list leaves out 11232, which means "too fast", and 9499 "Bad
    // Request", which does not say what is wrong.
    lasting: &[
        (
            Refusal::Code(19_001),
            "the bot was removed or the URL is wrong: add a bot to the group and set FEISHU_WEBHOOK_URL",
        ),
        (
            Refusal::Code(19_021),
            "the signature is wrong: set FEISHU_SECRET to the secret of the bot, and check the clock of this machine",
        ),
        (
            Refusal::Code(19_022),
            "the bot refuses the IP address of this machine: add it to the security settings of the bot",
        ),
        (
            Refusal::Code(19_024),
            "the text has no keyword of the bot: remove the keywords from the security settings of the bot",
        ),
    ],
};
