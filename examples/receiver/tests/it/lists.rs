//! The lists of rows on the page for operators.

use std::collections::BTreeSet;

use twt_chat_webhooks::fixtures;

use crate::operators::start;
use crate::support::{Operators, execute, run};

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
    let shown = |path: &str| {
        let (status, page) = operators.get(path);
        assert_eq!(status, 200, "{page}");
        let actions = page.split("action=\"/rows/").filter_map(|rest| rest.split_once("/retry"));
        actions.filter_map(|(id, _)| id.parse::<u32>().ok()).collect::<Vec<_>>()
    };
    for (lane, state, total) in [("work", "dead", 1_050), ("slack", "waiting", 250)] {
        let pages: Vec<_> =
            (0..=total / 100).map(|page| shown(&format!("/?lane={lane}&rows={state}&page={page}"))).collect();
        assert!(pages[..total / 100].iter().all(|page| page.len() == 100), "{pages:?}");
        assert_eq!(pages.last().unwrap().len(), 50);
        let all: BTreeSet<_> = pages.into_iter().flatten().collect();
        assert_eq!(all.len(), total);
    }
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
    assert_eq!(put_back.stdout, b"rows put back to waiting: 1050\n");
}
