CREATE OR REPLACE VIEW {database}.closed_days {on_cluster}
(
    tier Enum8('5m' = 1, '1h' = 2, 'edges' = 3) COMMENT 'Tier.',
    day Date COMMENT 'Day that is read from the tier, not from tcp_events.',
    version UInt64 COMMENT 'Version of its rows that is read.',
    rows UInt64 COMMENT 'Rows of tcp_events that they are the sum of. Unit: rows.'
)
AS
WITH
    -- One row per tier and day that was written: its newest writing.
    newest AS
    (
        SELECT tier, day, max(writing.version) AS version, argMax(writing.rows, writing.version) AS rows
        FROM {database}.tier_days AS writing
        GROUP BY tier, day
    ),
    -- One row per day: what tcp_events holds of it, told by its parts.
    held AS
    (
        SELECT day, count() AS held_rows
        FROM {database}.tcp_events
        GROUP BY day
    )
SELECT tier, day, version, rows
FROM newest
LEFT JOIN held USING (day)
-- Fewer rows than were summed: events have aged away, which begins on the seventh day by the server's midnight; before
-- it, they were taken out.
WHERE rows = held_rows OR (rows > held_rows AND day < today() - 6)
COMMENT 'One row per tier and day that is read from the tier: it is over, and what was stored of it is all in the sums.';
