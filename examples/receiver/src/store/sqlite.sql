-- Version 2. Each statement changes nothing if its table, index, trigger or row exists.

-- What a request held: one record for each item, or one for the whole body.
CREATE TABLE IF NOT EXISTS record (
    id INTEGER PRIMARY KEY,
    received_at INTEGER NOT NULL, -- Unix seconds
    key TEXT NOT NULL UNIQUE,
    event TEXT,
    body BLOB NOT NULL
) STRICT;

-- A record has a row for the work on it, and one for each channel to which it is forwarded.
CREATE TABLE IF NOT EXISTS item (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    record INTEGER NOT NULL REFERENCES record (id),
    channel TEXT NOT NULL DEFAULT '', -- The name of the channel. Empty for the work.
    state TEXT NOT NULL CHECK (state IN ('waiting', 'done', 'dead')),
    owner INTEGER, -- The receiver that works on this waiting row, or NULL.
    attempts INTEGER NOT NULL DEFAULT 0, -- The attempt that is in work counts too.
    due_at INTEGER NOT NULL, -- Unix milliseconds
    pause INTEGER NOT NULL DEFAULT 0, -- The length of the pause that ends at `due_at`, in milliseconds.
    problem TEXT
) STRICT;

CREATE INDEX IF NOT EXISTS item_record ON item (record);
CREATE INDEX IF NOT EXISTS item_due ON item (channel, due_at, id) WHERE state = 'waiting' AND owner IS NULL;
CREATE INDEX IF NOT EXISTS item_owner ON item (owner) WHERE owner IS NOT NULL;
CREATE INDEX IF NOT EXISTS item_dead ON item (channel, id) WHERE state = 'dead';

CREATE TRIGGER IF NOT EXISTS record_without_items AFTER DELETE ON item
WHEN NOT EXISTS (SELECT 1 FROM item WHERE record = OLD.record)
BEGIN
    DELETE FROM record WHERE id = OLD.record;
END;

-- The pace of a channel. Only one message to a channel is under way: the message of the holder.
CREATE TABLE IF NOT EXISTS channel (
    name TEXT PRIMARY KEY,
    holder INTEGER,
    gap INTEGER NOT NULL, -- Milliseconds from one message to the next.
    next_at INTEGER NOT NULL, -- Unix milliseconds
    pause INTEGER NOT NULL -- The length of the pause that ends at `next_at`, in milliseconds.
) STRICT;

-- The receivers that are alive. With AUTOINCREMENT, no number is used twice.
CREATE TABLE IF NOT EXISTS receiver (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    beat INTEGER NOT NULL, -- Grows while the receiver is alive and has rows in work.
    process TEXT, -- Names the process, if the system can tell whether a process runs.
    lanes TEXT NOT NULL -- A JSON array: the channels of the receiver, and an empty text for the work.
) STRICT;

CREATE TABLE IF NOT EXISTS version (
    version INTEGER NOT NULL,
    oldest INTEGER NOT NULL -- The oldest version that can use these tables.
) STRICT;
INSERT INTO version (version, oldest) SELECT 2, 2 WHERE NOT EXISTS (SELECT 1 FROM version);

-- Receivers up to 0.2 look only at this number. Later receivers also refuse a larger number than they know.
PRAGMA user_version = 2;
