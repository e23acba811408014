//! The HTML of the page for operators. `maud` escapes all texts.

use std::time::Duration;

use axum::http::StatusCode;
use axum::response::{Html, IntoResponse, Response};
use maud::{DOCTYPE, Markup, html};

use super::page::{Done, Link, List, Listed, MAX_ROWS};
use crate::channel::Channel;
use crate::metrics::{WORK, lane_label};
use crate::store::{Row, Standing};

/// The counts of all lanes, and the lists of rows.
pub fn page(standings: &[Standing], set: &[Channel], lists: &[List], link: &Link) -> Response {
    let is_set = |lane: &str| lane == WORK || set.iter().any(|channel| channel.name() == lane);
    let one_list = link.list().is_some();
    document(&html! {
        @if let (Some(done), Some(id)) = (link.done, link.id) {
            p.notice role="status" { (notice(done, id)) }
        }
        (counts(standings, &is_set))
        @if one_list { p { a href="/" { "All lists" } } }
        @if lists.is_empty() {
            p { @if one_list { "This list is empty." } @else { "Nothing waits here, and nothing is dead." } }
        }
        @for list in lists { (section(list, one_list, &is_set)) }
    })
}

fn notice(done: Done, id: i64) -> String {
    match done {
        Done::Retried => format!("Row {id} waits for its next attempt."),
        Done::Deleted => format!("Row {id} is deleted."),
        Done::Nothing => format!("Nothing is changed: row {id} is gone, done or in work."),
    }
}

fn counts(standings: &[Standing], is_set: &dyn Fn(&str) -> bool) -> Markup {
    let number = |lane: &str, listed, number: i64| {
        html! {
            @if number > 0 {
                a href=(Link::to(lane, listed, 0).at("/")) { (grouped(number)) }
            } @else { "0" }
        }
    };
    html! {
        table {
            thead { tr {
                th scope="col" { "Lane" } th scope="col" { "Dead" } th scope="col" { "Waiting" }
                th scope="col" { "In work" } th scope="col" { "Oldest" }
            } }
            tbody { @for standing in standings {
                @let lane = lane_label(&standing.channel);
                tr {
                    th scope="row" { (lane) @if !is_set(lane) { " " span.mark { "not set" } } }
                    td.dead[standing.dead > 0] { (number(lane, Listed::Dead, standing.dead)) }
                    td { (number(lane, Listed::Waiting, standing.waiting)) }
                    td { (grouped(standing.in_work)) }
                    td { @if let Some(age) = standing.oldest { (rough(age)) } @else { "–" } }
                }
            } }
        }
    }
}

fn section(list: &List, one_list: bool, is_set: &dyn Fn(&str) -> bool) -> Markup {
    let List { lane, listed, page, total, rows } = list;
    let what = match listed {
        Listed::Dead => "dead",
        Listed::Waiting => "waiting",
    };
    let here = if one_list { Link::to(lane, *listed, *page) } else { Link::default() };
    let pages = u32::try_from((total - 1) / i64::from(MAX_ROWS) + 1).unwrap_or(u32::MAX);
    html! {
        section {
            h2 { (lane) ": " (grouped(*total)) " " (what) }
            @if *listed == Listed::Waiting && !is_set(lane) {
                p { "These rows wait until " (lane) " is set again." }
            }
            @if rows.is_empty() { p { "This page of the list is empty now." } }
            ul.rows { @for row in rows { (item(row, &here)) } }
            @if !one_list && usize::try_from(*total).is_ok_and(|total| total > rows.len()) {
                p { a href=(Link::to(lane, *listed, 0).at("/")) { "All " (grouped(*total)) " rows" } }
            }
            @if one_list && pages > 1 {
                nav aria-label="Pages" {
                    @if let Some(before) = page.checked_sub(1) {
                        a href=(Link::to(lane, *listed, before).at("/")) { "Previous" } " "
                    }
                    @let next = page.saturating_add(1);
                    "Page " (next) " of " (pages)
                    @if next < pages { " " a href=(Link::to(lane, *listed, next).at("/")) { "Next" } }
                }
            }
        }
    }
}

fn item(row: &Row, here: &Link) -> Markup {
    html! {
        li {
            (facts(row))
            div.buttons {
                a.button href=(here.at(&format!("/rows/{}", row.id))) { "show" }
                (buttons(row, here))
            }
        }
    }
}

/// The facts about a row. They hold nothing that a visitor wrote.
fn facts(Row { id, event, wait, state, received_at, attempts, problem, .. }: &Row) -> Markup {
    html! {
        div.facts {
            div { b { (id) } " " span.event { (visible(event.as_deref().unwrap_or("not an event"))) } }
            div.small {
                "received " time { (received_at) } ", "
                (attempts) @if *attempts == 1 { " attempt" } @else { " attempts" }
            }
            div.small {
                (state)
                @if let Some(wait) = wait { " " (wait) }
            }
            @if let Some(problem) = problem { div.problem { (visible(problem)) } }
        }
    }
}

/// A deleted row cannot be brought back, so its button is behind another click.
fn buttons(Row { id, state, .. }: &Row, here: &Link) -> Markup {
    html! {
        @if state != "done" {
            form method="post" action=(here.at(&format!("/rows/{id}/retry"))) { button { "retry" } }
        }
        details {
            summary.button { "delete" }
            form method="post" action=(here.at(&format!("/rows/{id}/delete"))) {
                button.danger { "delete row " (id) " for good" }
            }
        }
    }
}

/// The body of a row, with what a visitor wrote.
pub fn body(row: &Row, body: &[u8], link: &Link) -> Response {
    let lane = lane_label(&row.channel);
    document(&html! {
        p { a href=(link.at("/")) { "Back" } }
        h2 { (lane) ": row " (row.id) }
        (facts(row))
        div.buttons { (buttons(row, link)) }
        pre tabindex="0" { (visible(&String::from_utf8_lossy(body))) }
    })
}

/// A page that says what is wrong.
pub fn problem(status: StatusCode, text: &str) -> Response {
    let content = html! { p.notice role="alert" { (text) } p { a href="/" { "All lists" } } };
    (status, document(&content)).into_response()
}

fn document(content: &Markup) -> Response {
    let page = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                title { "TWT Chat receiver" }
                link rel="stylesheet" href="/style.css";
            }
            body { h1 { "TWT Chat receiver" } main { (content) } }
        }
    };
    Html(page.into_string()).into_response()
}

/// Writes characters that turn or hide text as escapes. Does the same with control characters, except for line feeds
/// and tabs. So no text can hide a part of itself or change the order in which it is read.
fn visible(text: &str) -> String {
    let is_hidden = |character: char| {
        let hides = '\u{200b}'..='\u{200f}';
        let turns = '\u{202a}'..='\u{202e}';
        let joins = '\u{2060}'..='\u{206f}';
        let is_odd = matches!(character, '\u{61c}' | '\u{2028}' | '\u{2029}' | '\u{feff}');
        character.is_control() && !matches!(character, '\n' | '\t')
            || is_odd
            || [hides, turns, joins].iter().any(|range| range.contains(&character))
    };
    let mut shown = String::with_capacity(text.len());
    for character in text.chars() {
        if is_hidden(character) {
            shown.extend(character.escape_unicode());
        } else {
            shown.push(character);
        }
    }
    shown
}

/// A number with commas, such as `12,345`.
fn grouped(number: i64) -> String {
    let digits = number.to_string();
    let mut grouped = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    grouped
}

/// A time in one unit without a fraction, such as `3 h`.
fn rough(age: Duration) -> String {
    match age.as_secs() {
        seconds @ 0..120 => format!("{seconds} s"),
        seconds @ 120..7_200 => format!("{} min", seconds / 60),
        seconds @ 7_200..172_800 => format!("{} h", seconds / 3_600),
        seconds => format!("{} days", seconds / 86_400),
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::rough;

    #[test]
    fn an_age_has_one_unit_and_no_fraction() {
        for (seconds, shown) in [
            (0, "0 s"),
            (119, "119 s"),
            (120, "2 min"),
            (7_199, "119 min"),
            (7_200, "2 h"),
            (172_799, "47 h"),
            (172_800, "2 days"),
        ] {
            assert_eq!(rough(Duration::from_secs(seconds)), shown);
        }
    }
}
