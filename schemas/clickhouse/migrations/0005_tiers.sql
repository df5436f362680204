-- What stands in braces is filled in by consumer/src/form.ts.
--
-- What is kept longer than the events: sums by five minutes and by hour, and who talked to whom by day. A day of them
-- is written once it is over, under a version; a row of tier_days then says which version of the day counts. Views read
-- that, and tcp_events for every other day, through projections that hold the same sums (docs/decisions/0029).

-- Rows of a batch that is refused in part are deleted again, which a table with projections does not take otherwise.
ALTER TABLE {database}.tcp_events{local} {on_cluster}
    MODIFY SETTING lightweight_mutation_projection_mode = 'rebuild';

ALTER TABLE {database}.tcp_events{local} {on_cluster}
    -- Kinds that are rare are found without reading the others.
    ADD INDEX IF NOT EXISTS kinds kind TYPE set(0) GRANULARITY 4,
    ADD PROJECTION IF NOT EXISTS five_minutes
    (
        SELECT
            day, toStartOfFiveMinutes(ts), host_id, host_name, executable, role,
            if(role = 'client', peer_port, local_port), own, verdict, errno,
            count(), sum(connections), sumIf(connections, kind = 'fail'), countIf(kind = 'half_open'), countIf(kind = 'reset'),
            sumIf(bytes_sent, connections > 0), sumIf(bytes_received, connections > 0),
            sumIf(data_segs_out, connections > 0), sumIf(total_retrans, connections > 0),
            sumIf(duration_us, connections > 0), sumIf(handshake_us * connections, handshake_us > 0), sumIf(connections, handshake_us > 0),
            sumForEach(multiIf(kind = 'summary', rtt_histogram, connections > 0 AND rtt_us > 0, arrayPushBack(arrayWithConstant(toUInt8(log2(rtt_us)), 0), 1), [])),
            uniqCombinedStateIf(12)(peer_address, connections > 0)
        GROUP BY
            day, toStartOfFiveMinutes(ts), host_id, host_name, executable, role,
            if(role = 'client', peer_port, local_port), own, verdict, errno
    ),
    ADD PROJECTION IF NOT EXISTS edges
    (
        SELECT
            day, peer_address, if(role = 'client', peer_port, local_port), role, host_id, host_name, executable, own,
            min(ts), max(ts), count(), sum(connections), sumIf(connections, kind = 'fail'),
            sumIf(bytes_sent, connections > 0), sumIf(bytes_received, connections > 0)
        GROUP BY
            peer_address, if(role = 'client', peer_port, local_port), role, host_id, host_name, executable, own, day
    );

CREATE TABLE IF NOT EXISTS {database}.tier_5m{local} {on_cluster}
(
    day Date COMMENT 'Day of the events.' CODEC(ZSTD(1)),
    version UInt64 COMMENT 'When this form of the day was written, us; tier_days says which one counts.' CODEC(ZSTD(1)),
    bin DateTime('UTC') COMMENT 'Start of the five minutes in which it happened.' CODEC(Delta(4), ZSTD(1)),
    host_id LowCardinality(String) COMMENT 'Machine id, unless configured.' CODEC(ZSTD(1)),
    host_name LowCardinality(String) COMMENT 'Name of the host.' CODEC(ZSTD(1)),
    executable LowCardinality(String) COMMENT 'Path of the executable; empty when the process ended before it was read.' CODEC(ZSTD(1)),
    role Enum8('unknown' = 0, 'client' = 1, 'server' = 2) COMMENT 'client called connect; server came from a listener.' CODEC(ZSTD(1)),
    service_port UInt16 COMMENT 'Port of the service: that of the peer for a client, the own one for a server.' CODEC(ZSTD(1)),
    own Bool COMMENT 'The connection is tcptrail\'s own.' CODEC(ZSTD(1)),
    verdict Enum8('unknown' = 0, 'closed_local' = 1, 'closed_peer' = 2, 'closed_both' = 3, 'reset_sent' = 4, 'reset_received' = 5, 'timed_out' = 6, 'refused' = 7, 'unreachable' = 8, 'cancelled' = 9, 'addr_not_avail' = 10, 'denied' = 11, 'unaccepted' = 12, 'fin_wait_2_orphan' = 13, 'disconnected' = 14) COMMENT 'Who closed first, or why it failed; unknown for events that end nothing.' CODEC(ZSTD(1)),
    errno UInt16 COMMENT 'Linux error number of the socket; 0 when none.' CODEC(ZSTD(1)),
    events UInt64 COMMENT 'Rows of tcp_events of all kinds. Unit: rows.' CODEC(T64, ZSTD(1)),
    connections UInt64 COMMENT 'Connections that ended, folded ones counted. Unit: connections.' CODEC(T64, ZSTD(1)),
    failures UInt64 COMMENT 'Of these never established. Unit: connections.' CODEC(T64, ZSTD(1)),
    half_open UInt64 COMMENT 'Handshakes that did not complete, as reported. Unit: events.' CODEC(T64, ZSTD(1)),
    resets UInt64 COMMENT 'Resets sent or received. Unit: events.' CODEC(T64, ZSTD(1)),
    bytes_sent UInt64 COMMENT 'Payload that ended connections had handed to the network at least once. Unit: bytes.' CODEC(T64, ZSTD(1)),
    bytes_received UInt64 COMMENT 'Payload that they had received in order. Unit: bytes.' CODEC(T64, ZSTD(1)),
    data_segs_out UInt64 COMMENT 'Segments with payload that they had sent: what the retransmit rate is a share of. Unit: segments.' CODEC(T64, ZSTD(1)),
    total_retrans UInt64 COMMENT 'Segments that they had sent again. Unit: segments.' CODEC(T64, ZSTD(1)),
    duration_us UInt64 COMMENT 'Time that they lived, summed. Unit: us.' CODEC(T64, ZSTD(1)),
    handshake_us UInt64 COMMENT 'Time that their handshakes took, summed. Unit: us.' CODEC(T64, ZSTD(1)),
    handshakes UInt64 COMMENT 'Connections of which that is known. Unit: connections.' CODEC(T64, ZSTD(1)),
    rtt_histogram Array(UInt64) COMMENT 'Connections by smoothed round-trip time: the first of 1 us, the next of 2 to 3, of 4 to 7, and so on; sum it with sumForEach. Unit: connections.' CODEC(ZSTD(1)),
    peers AggregateFunction(uniqCombined(12), IPv6) COMMENT 'Distinct peers: uniqCombinedMerge(12)(peers).' CODEC(ZSTD(1))
)
ENGINE = {replicated}MergeTree
PARTITION BY day
ORDER BY (day, host_id, executable, role, service_port, bin)
TTL day + INTERVAL 30 DAY
SETTINGS ttl_only_drop_parts = 1
COMMENT 'One row per five minutes and key, of days that are over; connections_5m has all days.';

CREATE TABLE IF NOT EXISTS {database}.tier_1h{local} {on_cluster}
(
    day Date COMMENT 'Day of the events.' CODEC(ZSTD(1)),
    version UInt64 COMMENT 'When this form of the day was written, us; tier_days says which one counts.' CODEC(ZSTD(1)),
    bin DateTime('UTC') COMMENT 'Start of the hour in which it happened.' CODEC(Delta(4), ZSTD(1)),
    host_id LowCardinality(String) COMMENT 'Machine id, unless configured.' CODEC(ZSTD(1)),
    host_name LowCardinality(String) COMMENT 'Name of the host.' CODEC(ZSTD(1)),
    executable LowCardinality(String) COMMENT 'Path of the executable; empty when the process ended before it was read.' CODEC(ZSTD(1)),
    role Enum8('unknown' = 0, 'client' = 1, 'server' = 2) COMMENT 'client called connect; server came from a listener.' CODEC(ZSTD(1)),
    service_port UInt16 COMMENT 'Port of the service: that of the peer for a client, the own one for a server.' CODEC(ZSTD(1)),
    own Bool COMMENT 'The connection is tcptrail\'s own.' CODEC(ZSTD(1)),
    verdict Enum8('unknown' = 0, 'closed_local' = 1, 'closed_peer' = 2, 'closed_both' = 3, 'reset_sent' = 4, 'reset_received' = 5, 'timed_out' = 6, 'refused' = 7, 'unreachable' = 8, 'cancelled' = 9, 'addr_not_avail' = 10, 'denied' = 11, 'unaccepted' = 12, 'fin_wait_2_orphan' = 13, 'disconnected' = 14) COMMENT 'Who closed first, or why it failed; unknown for events that end nothing.' CODEC(ZSTD(1)),
    errno UInt16 COMMENT 'Linux error number of the socket; 0 when none.' CODEC(ZSTD(1)),
    events UInt64 COMMENT 'Rows of tcp_events of all kinds. Unit: rows.' CODEC(T64, ZSTD(1)),
    connections UInt64 COMMENT 'Connections that ended, folded ones counted. Unit: connections.' CODEC(T64, ZSTD(1)),
    failures UInt64 COMMENT 'Of these never established. Unit: connections.' CODEC(T64, ZSTD(1)),
    half_open UInt64 COMMENT 'Handshakes that did not complete, as reported. Unit: events.' CODEC(T64, ZSTD(1)),
    resets UInt64 COMMENT 'Resets sent or received. Unit: events.' CODEC(T64, ZSTD(1)),
    bytes_sent UInt64 COMMENT 'Payload that ended connections had handed to the network at least once. Unit: bytes.' CODEC(T64, ZSTD(1)),
    bytes_received UInt64 COMMENT 'Payload that they had received in order. Unit: bytes.' CODEC(T64, ZSTD(1)),
    data_segs_out UInt64 COMMENT 'Segments with payload that they had sent: what the retransmit rate is a share of. Unit: segments.' CODEC(T64, ZSTD(1)),
    total_retrans UInt64 COMMENT 'Segments that they had sent again. Unit: segments.' CODEC(T64, ZSTD(1)),
    duration_us UInt64 COMMENT 'Time that they lived, summed. Unit: us.' CODEC(T64, ZSTD(1)),
    handshake_us UInt64 COMMENT 'Time that their handshakes took, summed. Unit: us.' CODEC(T64, ZSTD(1)),
    handshakes UInt64 COMMENT 'Connections of which that is known. Unit: connections.' CODEC(T64, ZSTD(1)),
    rtt_histogram Array(UInt64) COMMENT 'Connections by smoothed round-trip time: the first of 1 us, the next of 2 to 3, of 4 to 7, and so on; sum it with sumForEach. Unit: connections.' CODEC(ZSTD(1)),
    peers AggregateFunction(uniqCombined(12), IPv6) COMMENT 'Distinct peers: uniqCombinedMerge(12)(peers).' CODEC(ZSTD(1))
)
ENGINE = {replicated}MergeTree
PARTITION BY toStartOfMonth(day)
ORDER BY (day, host_id, executable, role, service_port, bin)
TTL day + INTERVAL 13 MONTH
SETTINGS ttl_only_drop_parts = 1
COMMENT 'One row per hour and key, of days that are over; connections_1h has all days.';

CREATE TABLE IF NOT EXISTS {database}.tier_edges{local} {on_cluster}
(
    day Date COMMENT 'Day of the events.' CODEC(ZSTD(1)),
    version UInt64 COMMENT 'When this form of the day was written, us; tier_days says which one counts.' CODEC(ZSTD(1)),
    host_id LowCardinality(String) COMMENT 'Machine id, unless configured.' CODEC(ZSTD(1)),
    host_name LowCardinality(String) COMMENT 'Name of the host.' CODEC(ZSTD(1)),
    executable LowCardinality(String) COMMENT 'Path of the executable; empty when the process ended before it was read.' CODEC(ZSTD(1)),
    role Enum8('unknown' = 0, 'client' = 1, 'server' = 2) COMMENT 'client called connect; server came from a listener.' CODEC(ZSTD(1)),
    peer_address IPv6 COMMENT 'Address of the other end; IPv4 is v4-mapped.' CODEC(ZSTD(1)),
    service_port UInt16 COMMENT 'Port of the service: that of the peer for a client, the own one for a server.' CODEC(ZSTD(1)),
    own Bool COMMENT 'The connection is tcptrail\'s own.' CODEC(ZSTD(1)),
    first_ts DateTime64(6, 'UTC') COMMENT 'First event of the day. Unit: us.' CODEC(Delta(8), ZSTD(1)),
    last_ts DateTime64(6, 'UTC') COMMENT 'Last event of the day. Unit: us.' CODEC(Delta(8), ZSTD(1)),
    events UInt64 COMMENT 'Rows of tcp_events of all kinds. Unit: rows.' CODEC(T64, ZSTD(1)),
    connections UInt64 COMMENT 'Connections that ended, folded ones counted. Unit: connections.' CODEC(T64, ZSTD(1)),
    failures UInt64 COMMENT 'Of these never established. Unit: connections.' CODEC(T64, ZSTD(1)),
    bytes_sent UInt64 COMMENT 'Payload that ended connections had handed to the network at least once. Unit: bytes.' CODEC(T64, ZSTD(1)),
    bytes_received UInt64 COMMENT 'Payload that they had received in order. Unit: bytes.' CODEC(T64, ZSTD(1))
)
ENGINE = {replicated}MergeTree
PARTITION BY toStartOfMonth(day)
ORDER BY (peer_address, service_port, role, host_id, executable, day)
TTL day + INTERVAL 13 MONTH
SETTINGS ttl_only_drop_parts = 1
COMMENT 'One row per day and pair of host and peer, of days that are over; edges has all days.';

CREATE TABLE IF NOT EXISTS {database}.tier_days{local} {on_cluster}
(
    tier Enum8('5m' = 1, '1h' = 2, 'edges' = 3) COMMENT 'Tier.',
    day Date COMMENT 'Day that was written.',
    version UInt64 COMMENT 'Under which it was written; the greatest of a day counts.',
    rows UInt64 COMMENT 'Rows of tcp_events that it is the sum of. Unit: rows.',
    written_ts DateTime64(6, 'UTC') DEFAULT now64(6, 'UTC') COMMENT 'When it was written. Unit: us.'
)
ENGINE = {replicated}MergeTree
ORDER BY (tier, day, version)
COMMENT 'One row per writing of a day; closed_days says which are read.';
