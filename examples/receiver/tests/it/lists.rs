//! The lists of rows on the page for operators.

use twt_chat_webhooks::fixtures;

use crate::operators::start;
use crate::support::{Operators, command, count, eventually, execute, folder, message, milliseconds, run, worked_on};

/// The numbers of the rows that a page shows, in the order in which the page shows them.
fn shown(operators: &Operators, path: &str) -> Vec<u32> {
    let (status, page) = operators.get(path);
    assert_eq!(status, 200, "{page}");
    let actions = page.split("action=\"/rows/").filter_map(|rest| rest.split_once("/retry"));
    actions.filter_map(|(id, _)| id.parse().ok()).collect()
}

#[test]
fn the_rows_that_wait_are_taken_in_the_order_in_which_they_are_due_and_listed_in_it() {
    let folder = folder();
    let mut command = command(&folder);
    command.args(["--workers", "1"]);
    let operators = Operators::start(&folder, command);
    let deliver = |visitor: &str, text: &str| {
        assert_eq!(operators.receiver.deliver(message(visitor, text, 1).to_vec()), 200);
    };
    deliver("Visitor1", "wait for the file");
    eventually("it is in work", || count(&folder, "owner IS NOT NULL") == 1);
    for visitor in ["Visitor2", "Visitor3", "Visitor4"] {
        deliver(visitor, "hello");
    }
    let earlier = |id: u32, by: i64| {
        execute(&folder, &format!("UPDATE item SET due_at = due_at - {} WHERE id = {id}", milliseconds(by)));
    };
    earlier(3, 7_200_000);
    earlier(4, 3_600_000);
    assert_eq!(shown(&operators, "/?lane=work&rows=waiting"), [3, 4, 2]);
    std::fs::write(folder.join("go on"), "").unwrap();
    operators.receiver.all_done();
    let begun: Vec<_> = worked_on(&folder).into_iter().filter(|line| line.starts_with("begin")).collect();
    let expected = [1, 3, 4, 2].map(|number| format!("begin {number} UNREPLIED Visitor{number}"));
    assert_eq!(begun, expected);
}

/// Adds rows to the record of the first row.
fn add_rows(operators: &Operators, number: u32, columns: &str, values: &str) {
    let sql = format!(
        "INSERT INTO item (record, due_at, {columns})
        WITH RECURSIVE number (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM number WHERE n < {number})
        SELECT (SELECT min(record) FROM item), (SELECT min(due_at) FROM item), {values} FROM number"
    );
    execute(&operators.receiver.folder, &sql);
}

#[test]
fn a_long_list_has_pages_and_each_row_is_on_one() {
    let mut operators = start();
    assert_eq!(operators.receiver.deliver(fixtures::UNREPLIED), 200);
    operators.receiver.row(1, "done");
    add_rows(&operators, 1_050, "state, channel", "'dead', ''");
    // Rows of a channel that is not set are not taken.
    add_rows(&operators, 250, "state, channel", "'waiting', 'slack'");
    // Rows of another lane are in none of the two lists.
    for state in ["dead", "waiting"] {
        add_rows(&operators, 1, "state, channel", &format!("'{state}', 'feishu'"));
    }
    // A row with a larger number is due earlier.
    let earlier = format!("UPDATE item SET due_at = due_at - id * {}", milliseconds(1));
    execute(&operators.receiver.folder, &earlier);
    for (lane, state, total) in [("work", "dead", 1_050), ("slack", "waiting", 250)] {
        let pages: Vec<_> = (0..=total / 100)
            .map(|page| shown(&operators, &format!("/?lane={lane}&rows={state}&page={page}")))
            .collect();
        assert!(pages[..total / 100].iter().all(|page| page.len() == 100), "{pages:?}");
        assert_eq!(pages.last().unwrap().len(), 50);
        // The newest dead row comes first, and so does the row that is due first.
        assert!(pages.concat().is_sorted_by(|before, after| before > after), "{lane}");
    }
    let dead = run(&operators.receiver.folder, &["list", "--dead"]).stdout;
    assert_eq!(String::from_utf8(dead).unwrap().lines().count(), 1_051);
    let (_, start) = operators.get("/");
    for part in ["All 1,050 rows", "slack: 250 waiting", "These rows wait until slack is set again.", "not set"] {
        assert!(start.contains(part), "{part}: {start}");
    }
    let (_, page) = operators.get("/?lane=work&rows=dead&page=4");
    for part in ["Page 5 of 11", "page=3\">Previous", "page=5\">Next"] {
        assert!(page.contains(part), "{part}: {page}");
    }
    let (_, last) = operators.get("/?lane=work&rows=dead&page=10");
    assert!(last.contains("Page 11 of 11") && !last.contains(">Next"), "{last}");
    for page in [99, u32::MAX] {
        let (status, page) = operators.get(&format!("/?lane=work&rows=dead&page={page}"));
        assert!(status == 200 && page.contains("This page of the list is empty now."), "{page}");
    }
    // The last page can be full.
    add_rows(&operators, 50, "state, channel", "'waiting', 'slack'");
    let (_, full) = operators.get("/?lane=slack&rows=waiting&page=2");
    assert!(full.contains("Page 3 of 3") && !full.contains(">Next"), "{full}");
    // A command puts all rows back, although the database changes them in several steps.
    operators.receiver.kill();
    let put_back = run(&operators.receiver.folder, &["retry", "--dead"]);
    assert_eq!(put_back.stdout, b"rows put back to waiting: 1051\n");
}
