CREATE OR REPLACE VIEW {database}.edges {on_cluster}
(
    day Date COMMENT 'Day of the events.',
    host_id LowCardinality(String) COMMENT 'Machine id, unless configured.',
    host_name LowCardinality(String) COMMENT 'Name of the host.',
    executable LowCardinality(String) COMMENT 'Path of the executable; empty when the process ended before it was read.',
    role Enum8('unknown' = 0, 'client' = 1, 'server' = 2) COMMENT 'client called connect; server came from a listener.',
    peer_address IPv6 COMMENT 'Address of the other end; IPv4 is v4-mapped.',
    service_port UInt16 COMMENT 'Port of the service: that of the peer for a client, the own one for a server.',
    own Bool COMMENT 'The connection is tcptrail\'s own.',
    first_ts DateTime64(6, 'UTC') COMMENT 'First event of the day. Unit: us.',
    last_ts DateTime64(6, 'UTC') COMMENT 'Last event of the day. Unit: us.',
    events UInt64 COMMENT 'Rows of tcp_events of all kinds. Unit: rows.',
    connections UInt64 COMMENT 'Connections that ended, folded ones counted. Unit: connections.',
    failures UInt64 COMMENT 'Of these never established. Unit: connections.',
    bytes_sent UInt64 COMMENT 'Payload that ended connections had handed to the network at least once. Unit: bytes.',
    bytes_received UInt64 COMMENT 'Payload that they had received in order. Unit: bytes.'
)
AS
WITH
    -- One row per pair of host and peer of a day that is not read from the tier; a projection of tcp_events has the sums.
    open_days AS
    (
        SELECT
            day, host_id, host_name, executable, role, peer_address,
            if(role = 'client', peer_port, local_port) AS service_port, own,
            min(ts) AS first_ts, max(ts) AS last_ts, count() AS events, sum(connections) AS connections_ended,
            sumIf(connections, kind = 'fail') AS failures,
            sumIf(bytes_sent, connections > 0) AS bytes_sent_sum, sumIf(bytes_received, connections > 0) AS bytes_received_sum
        FROM {database}.tcp_events
        WHERE day {global} NOT IN (SELECT day FROM {database}.closed_days WHERE tier = 'edges')
        GROUP BY peer_address, service_port, role, host_id, host_name, executable, own, day
    )
SELECT
    day, host_id, host_name, executable, role, peer_address, service_port, own, first_ts, last_ts,
    events, connections, failures, bytes_sent, bytes_received
FROM {database}.tier_edges
WHERE (day, version) {global} IN (SELECT day, version FROM {database}.closed_days WHERE tier = 'edges')
UNION ALL
SELECT
    day, host_id, host_name, executable, role, peer_address, service_port, own, first_ts, last_ts,
    events, connections_ended, failures, bytes_sent_sum, bytes_received_sum
FROM open_days
COMMENT 'Who talked to whom: host, program and role with peer and service port, by day. Kept 13 months.';
