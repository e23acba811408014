//! Slack: the [incoming webhook][page] of an app.
//!
//! [page]: https://docs.slack.dev/messaging/sending-messages-using-incoming-webhooks

use std::time::Duration;

use serde_json::json;

use super::{Channel, Limit, Refusal, Taken};

const REMOVED: &str = "the webhook was removed or disabled: make a new one and set SLACK_WEBHOOK_URL";
const FORBIDDEN: &str = "the workspace does not let this webhook post: ask an administrator of the workspace";
const ARCHIVED: &str =
    "the channel is archived: restore it, or make a webhook for another one and set SLACK_WEBHOOK_URL";

pub(super) const CHANNEL: Channel = Channel {
    name: "slack",
    // `mrkdwn: false` makes `*` and the like mean nothing. Without unfurling, Slack does not fetch a visitor's link for
    // a preview. <https://docs.slack.dev/reference/methods/chat.postMessage> documents these fields.
    json: |text| json!({ "text": text, "mrkdwn": false, "unfurl_links": false, "unfurl_media": false }),
    // <https://docs.slack.dev/reference/methods/chat.postMessage> recommends 4,000 characters in its section
    // "Truncating content". Slack splits a longer text into several messages, and cuts it at 40,000. The page does not
    // say how Slack counts `&amp;`. Here, `&amp;` counts as five.
    limit: Limit::Characters(4_000),
    // <https://docs.slack.dev/messaging/formatting-message-text> asks to escape exactly these three characters. After
    // that, `<!channel>`, `<@U012AB3CD>` and `<https://example.com|a link>` are plain text.
    escape: |text| text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;"),
    // <https://docs.slack.dev/apis/web-api/rate-limits>: incoming webhooks take 1 message per second.
    pace: Duration::from_secs(1),
    signature: None,
    taken: Taken::Status(200),
    // The section "Handling errors" of the page of the webhook lists the texts. The statuses come from
    // <https://api.slack.com/changelog/2016-05-17-changes-to-errors-for-incoming-webhooks>.
    lasting: &[
        (Refusal::Text("invalid_token"), REMOVED),
        (Refusal::Text("no_active_hooks"), REMOVED),
        (Refusal::Text("no_service"), REMOVED),
        (Refusal::Text("no_service_id"), REMOVED),
        (Refusal::Text("no_team"), REMOVED),
        (Refusal::Text("team_disabled"), "the workspace is no longer active: set SLACK_WEBHOOK_URL for another one"),
        (Refusal::Text("posting_to_general_channel_denied"), FORBIDDEN),
        (Refusal::Text("channel_is_archived"), ARCHIVED),
        (Refusal::Status(403), FORBIDDEN),
        (Refusal::Status(404), REMOVED),
        (Refusal::Status(410), ARCHIVED),
    ],
};
