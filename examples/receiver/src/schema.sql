-- A body is kept once, however many items it has: a body of 256 KiB may hold 4,000 of them.
CREATE TABLE IF NOT EXISTS delivery (
    id INTEGER PRIMARY KEY,
    received_at INTEGER NOT NULL, -- Unix seconds
    body BLOB NOT NULL
) STRICT;

-- An item has a row for the work on it, and one for each channel to which it is forwarded.
CREATE TABLE IF NOT EXISTS item (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    delivery INTEGER NOT NULL REFERENCES delivery (id),
    position INTEGER, -- The index in `content`. NULL stands for the whole body.
    key TEXT NOT NULL,
    channel TEXT, -- NULL stands for the work.
    event TEXT,
    state TEXT NOT NULL CHECK (state IN ('waiting', 'done', 'dead')),
    in_work INTEGER NOT NULL DEFAULT 0, -- 1 while a waiting item is worked on
    attempts INTEGER NOT NULL DEFAULT 0, -- The attempt that is in work counts too.
    due_at INTEGER NOT NULL, -- Unix milliseconds
    problem TEXT
) STRICT;

CREATE INDEX IF NOT EXISTS item_delivery ON item (delivery);
CREATE UNIQUE INDEX IF NOT EXISTS item_key ON item (key, ifnull(channel, ''));
CREATE INDEX IF NOT EXISTS item_due ON item (channel, due_at) WHERE state = 'waiting' AND in_work = 0;
CREATE INDEX IF NOT EXISTS item_in_work ON item (id) WHERE in_work = 1;

CREATE TRIGGER IF NOT EXISTS delivery_without_items AFTER DELETE ON item
WHEN NOT EXISTS (SELECT 1 FROM item WHERE delivery = OLD.delivery)
BEGIN
    DELETE FROM delivery WHERE id = OLD.delivery;
END;

-- The channels that have asked for a pause.
CREATE TABLE IF NOT EXISTS pause (
    channel TEXT PRIMARY KEY,
    until INTEGER NOT NULL -- Unix milliseconds
) STRICT;

PRAGMA user_version = 1;
