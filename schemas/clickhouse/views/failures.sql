CREATE OR REPLACE VIEW {database}.failures {on_cluster}
(
    ts DateTime64(6, 'UTC') COMMENT 'When it happened. Unit: us.',
    kind Enum8('unknown' = 0, 'open' = 1, 'fail' = 2, 'update' = 3, 'close' = 4, 'retransmit' = 5, 'reset' = 6, 'half_open' = 7, 'listen' = 8, 'unlisten' = 9, 'listener' = 10, 'summary' = 11) COMMENT 'Event that told it.',
    reason String COMMENT 'The verdict; handshake_not_completed for half_open, closed_port for a reset that answered a SYN, as the host of that port saw it; not_sent for a connect() that failed before its SYN.',
    errno UInt16 COMMENT 'Linux error number of the socket; 0 when none.',
    errno_known Bool COMMENT 'errno is what the kernel reported; false where no hook shows it.',
    connections UInt32 COMMENT 'Failed connections this row stands for. Unit: connections.',
    host_name LowCardinality(String) COMMENT 'Name of the host.',
    host_id LowCardinality(String) COMMENT 'Machine id, unless configured.',
    boot_id LowCardinality(String) COMMENT 'Kernel boot id.',
    socket_cookie UInt64 COMMENT 'The kernel\'s number of the socket, unique within a boot.',
    generation UInt32 COMMENT 'Which connection of that socket: one socket can carry several, one after another.',
    role Enum8('unknown' = 0, 'client' = 1, 'server' = 2) COMMENT 'client called connect; server came from a listener.',
    local_address IPv6 COMMENT 'Address of this end; IPv4 is v4-mapped.',
    local_port UInt16 COMMENT 'Port of this end.',
    peer_address IPv6 COMMENT 'Address of the other end; IPv4 is v4-mapped.',
    peer_port UInt16 COMMENT 'Port of the other end.',
    peer_name LowCardinality(String) COMMENT 'Name of the peer, where one is known.',
    network_namespace UInt32 COMMENT 'Inode of the socket\'s network namespace.',
    start_ts DateTime64(6, 'UTC') COMMENT 'Client: when the SYN was sent. Server: when the handshake completed. Unit: us.',
    duration_us UInt64 COMMENT 'From start to this event; the sum over folded connections. Unit: us.',
    attempts UInt32 COMMENT 'SYN-ACKs sent without an answer. Unit: events.',
    retrans_syn UInt32 COMMENT 'SYN sent again. Unit: segments.',
    reset_reason LowCardinality(String) COMMENT 'The kernel\'s reason for a reset sent.',
    pid UInt32 COMMENT 'Process id in the initial namespace; 0 when the owner is not known.',
    process_start_ts DateTime64(6, 'UTC') COMMENT 'Start of the process; with pid it names the process. Unit: us.',
    uid UInt32 COMMENT 'User the process ran as.',
    comm LowCardinality(String) COMMENT 'The kernel\'s short name of the process.',
    executable LowCardinality(String) COMMENT 'Path of the executable; empty when the process ended before it was read.',
    container_id LowCardinality(String) COMMENT 'Container id out of the cgroup path.',
    pod_uid LowCardinality(String) COMMENT 'Kubernetes pod uid out of the cgroup path.',
    systemd_unit LowCardinality(String) COMMENT 'systemd unit out of the cgroup path.',
    owner_source Enum8('unknown' = 0, 'connect' = 1, 'first_io' = 2, 'close' = 3, 'listener' = 4, 'scan' = 5, 'socket' = 6) COMMENT 'Evidence for the owner, best first: connect, first_io, close, listener, scan, socket.',
    own Bool COMMENT 'The connection is tcptrail\'s own.'
)
AS
WITH
    -- One row per event that tells of a failed connection; failures are never folded.
    told AS
    (
        SELECT
            *, start_ts,
            multiIf(
                kind = 'half_open', 'handshake_not_completed',
                kind = 'reset', 'closed_port',
                kind = 'fail' AND NOT errno_known AND verdict = 'unknown', 'not_sent',
                toString(verdict)) AS reason
        FROM {database}.tcp_events
        WHERE kind IN ('fail', 'half_open')
            OR (kind = 'reset' AND socket_cookie = 0 AND reset_direction = 'sent' AND state = 'closed')
    )
SELECT
    ts, kind, reason, errno, errno_known, greatest(connections, 1) AS connections,
    host_name, host_id, boot_id, socket_cookie, generation, role,
    local_address, local_port, peer_address, peer_port, peer_name, network_namespace,
    start_ts, duration_us, attempts, retrans_syn, reset_reason,
    pid, process_start_ts, uid, comm, executable, container_id, pod_uid, systemd_unit, owner_source, own
FROM told
COMMENT 'One row per report of connections that were never established; count them with sum(connections).';
