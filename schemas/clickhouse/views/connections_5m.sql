CREATE OR REPLACE VIEW {database}.connections_5m {on_cluster}
(
    bin DateTime('UTC') COMMENT 'Start of the five minutes in which it happened.',
    day Date COMMENT 'Day of the events.',
    host_id LowCardinality(String) COMMENT 'Machine id, unless configured.',
    host_name LowCardinality(String) COMMENT 'Name of the host.',
    executable LowCardinality(String) COMMENT 'Path of the executable; empty when the process ended before it was read.',
    role Enum8('unknown' = 0, 'client' = 1, 'server' = 2) COMMENT 'client called connect; server came from a listener.',
    service_port UInt16 COMMENT 'Port of the service: that of the peer for a client, the own one for a server.',
    own Bool COMMENT 'The connection is tcptrail\'s own.',
    verdict Enum8('unknown' = 0, 'closed_local' = 1, 'closed_peer' = 2, 'closed_both' = 3, 'reset_sent' = 4, 'reset_received' = 5, 'timed_out' = 6, 'refused' = 7, 'unreachable' = 8, 'cancelled' = 9, 'addr_not_avail' = 10, 'denied' = 11, 'unaccepted' = 12, 'fin_wait_2_orphan' = 13, 'disconnected' = 14) COMMENT 'Who closed first, or why it failed; unknown for events that end nothing.',
    errno UInt16 COMMENT 'Linux error number of the socket; 0 when none.',
    events UInt64 COMMENT 'Rows of tcp_events of all kinds. Unit: rows.',
    connections UInt64 COMMENT 'Connections that ended, folded ones counted. Unit: connections.',
    failures UInt64 COMMENT 'Of these never established. Unit: connections.',
    half_open UInt64 COMMENT 'Handshakes that did not complete, as reported. Unit: events.',
    resets UInt64 COMMENT 'Resets sent or received. Unit: events.',
    bytes_sent UInt64 COMMENT 'Payload that ended connections had handed to the network at least once. Unit: bytes.',
    bytes_received UInt64 COMMENT 'Payload that they had received in order. Unit: bytes.',
    data_segs_out UInt64 COMMENT 'Segments with payload that they had sent: what the retransmit rate is a share of. Unit: segments.',
    total_retrans UInt64 COMMENT 'Segments that they had sent again. Unit: segments.',
    duration_us UInt64 COMMENT 'Time that they lived, summed. Unit: us.',
    handshake_us UInt64 COMMENT 'Time that their handshakes took, summed. Unit: us.',
    handshakes UInt64 COMMENT 'Connections of which that is known. Unit: connections.',
    rtt_histogram Array(UInt64) COMMENT 'Connections by smoothed round-trip time: the first of 1 us, the next of 2 to 3, of 4 to 7, and so on; sum it with sumForEach. Unit: connections.',
    peers AggregateFunction(uniqCombined(12), IPv6) COMMENT 'Distinct peers: uniqCombinedMerge(12)(peers).'
)
AS
WITH
    -- One row per five minutes and key of a day that is not read from the tier; a projection of tcp_events has the sums.
    open_days AS
    (
        SELECT
            day, toStartOfFiveMinutes(ts) AS bin, host_id, host_name, executable, role,
            if(role = 'client', peer_port, local_port) AS service_port, own, verdict, errno,
            count() AS events, sum(connections) AS connections_ended, sumIf(connections, kind = 'fail') AS failures,
            countIf(kind = 'half_open') AS half_open, countIf(kind = 'reset') AS resets,
            sumIf(bytes_sent, connections > 0) AS bytes_sent_sum, sumIf(bytes_received, connections > 0) AS bytes_received_sum,
            sumIf(data_segs_out, connections > 0) AS data_segs_out_sum, sumIf(total_retrans, connections > 0) AS total_retrans_sum,
            sumIf(duration_us, connections > 0) AS duration_us_sum,
            sumIf(handshake_us * connections, handshake_us > 0) AS handshake_us_sum, sumIf(connections, handshake_us > 0) AS handshakes,
            sumForEach(multiIf(kind = 'summary', rtt_histogram, connections > 0 AND rtt_us > 0, arrayPushBack(arrayWithConstant(toUInt8(log2(rtt_us)), 0), 1), [])) AS rtt_histogram_sum,
            uniqCombinedStateIf(12)(peer_address, connections > 0) AS peers
        FROM {database}.tcp_events
        WHERE day {global} NOT IN (SELECT day FROM {database}.closed_days WHERE tier = '5m')
        GROUP BY day, bin, host_id, host_name, executable, role, service_port, own, verdict, errno
    )
SELECT
    bin, day, host_id, host_name, executable, role, service_port, own, verdict, errno,
    events, connections, failures, half_open, resets, bytes_sent, bytes_received, data_segs_out, total_retrans,
    duration_us, handshake_us, handshakes, rtt_histogram, peers
FROM {database}.tier_5m
WHERE (day, version) {global} IN (SELECT day, version FROM {database}.closed_days WHERE tier = '5m')
UNION ALL
SELECT
    bin, day, host_id, host_name, executable, role, service_port, own, verdict, errno,
    events, connections_ended, failures, half_open, resets, bytes_sent_sum, bytes_received_sum, data_segs_out_sum,
    total_retrans_sum, duration_us_sum, handshake_us_sum, handshakes, rtt_histogram_sum, peers
FROM open_days
COMMENT 'Ended connections by five minutes, host, program, role, service port and verdict; sum over its rows. Kept 30 days.';
