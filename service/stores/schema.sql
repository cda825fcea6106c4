-- Words are only ever in events.sealed and documents.body (sealed by the ledger).
CREATE TABLE IF NOT EXISTS events (
    session_id TEXT NOT NULL, seq INTEGER NOT NULL, type TEXT NOT NULL, at_ms INTEGER NOT NULL,
    actor TEXT NOT NULL, prev_hash BLOB NOT NULL, hash BLOB NOT NULL,
    schema_version INTEGER NOT NULL, sealed BLOB NOT NULL,
    PRIMARY KEY (session_id, seq)
) WITHOUT ROWID;

CREATE TABLE IF NOT EXISTS rows (
    session_id TEXT PRIMARY KEY, team TEXT NOT NULL, seq INTEGER NOT NULL, status TEXT NOT NULL,
    stage TEXT NOT NULL, action TEXT NOT NULL, kind TEXT, risk TEXT NOT NULL,
    risk_rank INTEGER NOT NULL, score REAL NOT NULL, urgency INTEGER NOT NULL,
    waiting_since_ms INTEGER, due_at_ms INTEGER, draft_id TEXT, plan_id TEXT, alert_id TEXT,
    assigned_to TEXT, language TEXT NOT NULL, simulated INTEGER NOT NULL,
    created_at_ms INTEGER NOT NULL, updated_at_ms INTEGER NOT NULL,
    claim_holder TEXT, claim_number INTEGER NOT NULL DEFAULT 0,
    claim_until_ms INTEGER NOT NULL DEFAULT 0, lease INTEGER NOT NULL DEFAULT 0
) WITHOUT ROWID;
-- With kind and risk inside, counting a long queue reads the index alone.
CREATE INDEX IF NOT EXISTS rows_waiting
    ON rows (team, urgency DESC, waiting_since_ms, session_id, kind, risk_rank)
    WHERE kind IS NOT NULL;
-- The key of `sqlite_rows`'s list of alerts, word for word: it may not be used otherwise.
CREATE INDEX IF NOT EXISTS rows_alerts
    ON rows (
        team, kind IS NOT 'alert', -urgency, COALESCE(waiting_since_ms, updated_at_ms), session_id
    )
    WHERE alert_id IS NOT NULL;
CREATE INDEX IF NOT EXISTS rows_due ON rows (due_at_ms) WHERE due_at_ms IS NOT NULL;
CREATE INDEX IF NOT EXISTS rows_newest ON rows (team, created_at_ms DESC, session_id);

-- Sessions whose turn waits for a free slot; their row is due when it is time to look again.
CREATE TABLE IF NOT EXISTS aside (
    session_id TEXT PRIMARY KEY, urgency INTEGER NOT NULL, since_ms INTEGER NOT NULL
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS aside_order ON aside (urgency DESC, since_ms, session_id);
CREATE INDEX IF NOT EXISTS aside_since ON aside (since_ms);

CREATE TABLE IF NOT EXISTS keys (session_id TEXT PRIMARY KEY, wrapped BLOB NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS answers (
    key TEXT PRIMARY KEY, body_hash BLOB NOT NULL, status INTEGER NOT NULL, body BLOB NOT NULL,
    until_ms INTEGER NOT NULL
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS answers_until ON answers (until_ms);
CREATE TABLE IF NOT EXISTS documents (
    kind TEXT NOT NULL, key TEXT NOT NULL, version INTEGER NOT NULL, body BLOB NOT NULL,
    PRIMARY KEY (kind, key)
) WITHOUT ROWID;
