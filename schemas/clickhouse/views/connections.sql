CREATE OR REPLACE VIEW {database}.connections {on_cluster}
(
    host_id LowCardinality(String) COMMENT 'Machine id, unless configured.',
    host_name String COMMENT 'Name of the host.',
    boot_id LowCardinality(String) COMMENT 'Kernel boot id.',
    socket_cookie UInt64 COMMENT 'The kernel\'s number of the socket, unique within a boot.',
    generation UInt32 COMMENT 'Which connection of that socket: one socket can carry several, one after another.',
    state String COMMENT 'live, closed, failed (never established), vanished (no end was seen, and the host has booted since or a later run of its agent has not found it).',
    verdict Enum8('unknown' = 0, 'closed_local' = 1, 'closed_peer' = 2, 'closed_both' = 3, 'reset_sent' = 4, 'reset_received' = 5, 'timed_out' = 6, 'refused' = 7, 'unreachable' = 8, 'cancelled' = 9, 'addr_not_avail' = 10, 'denied' = 11, 'unaccepted' = 12, 'fin_wait_2_orphan' = 13, 'disconnected' = 14) COMMENT 'Who closed first, or why it failed.',
    errno UInt16 COMMENT 'Linux error number of the socket; 0 when none.',
    errno_known Bool COMMENT 'errno is what the kernel reported; false where no hook shows it.',
    connections UInt32 COMMENT 'Connections this row stands for: more than 1 in a folded row. Unit: connections.',
    role Enum8('unknown' = 0, 'client' = 1, 'server' = 2) COMMENT 'client called connect; server came from a listener.',
    family Enum8('unknown' = 0, 'ipv4' = 1, 'ipv6' = 2) COMMENT 'The socket\'s address family.',
    local_address IPv6 COMMENT 'Address of this end; IPv4 is v4-mapped.',
    local_port UInt16 COMMENT 'Port of this end; 0 in a folded row of clients.',
    peer_address IPv6 COMMENT 'Address of the other end; IPv4 is v4-mapped.',
    peer_port UInt16 COMMENT 'Port of the other end; 0 in a folded row of servers.',
    peer_name String COMMENT 'Name of the peer, where one is known.',
    community_id String COMMENT 'Community ID: the same for both ends and every tool that writes it; empty in a folded row.',
    network_namespace UInt32 COMMENT 'Inode of the socket\'s network namespace.',
    start_ts DateTime64(6, 'UTC') COMMENT 'Client: when the SYN was sent. Server: when the handshake completed. Unit: us.',
    established_ts DateTime64(6, 'UTC') COMMENT 'When it was established; 1970 when it never was, or before the agent. Unit: us.',
    ended_ts DateTime64(6, 'UTC') COMMENT 'When it ended; 1970 while it lives.',
    seen_ts DateTime64(6, 'UTC') COMMENT 'Last event of the connection.',
    vouched_ts DateTime64(6, 'UTC') COMMENT 'Until then its state is certain: its end, or the last batch of the run that told of it last.',
    duration_us UInt64 COMMENT 'From start to the last event; the sum over folded connections. Unit: us.',
    handshake_us UInt32 COMMENT 'Client: SYN sent to established. Server: SYN-ACK sent to its ACK. The mean over folded connections. Unit: us.',
    bytes_sent UInt64 COMMENT 'Payload handed to the network at least once. Unit: bytes.',
    bytes_delivered UInt64 COMMENT 'Payload the peer acknowledged. Unit: bytes.',
    bytes_received UInt64 COMMENT 'Payload received in order. Unit: bytes.',
    bytes_unsent UInt32 COMMENT 'Payload written by the application and never sent. Unit: bytes.',
    bytes_unread UInt32 COMMENT 'Payload received and never read by the application. Unit: bytes.',
    local_drop_bytes UInt64 COMMENT 'First transmissions dropped on this host before they left it. Unit: bytes.',
    tcp_bytes_sent UInt64 COMMENT 'tcpi_bytes_sent: payload sent, retransmissions and local drops included. Unit: bytes.',
    tcp_bytes_retrans UInt64 COMMENT 'tcpi_bytes_retrans: payload sent again. Unit: bytes.',
    segs_out UInt32 COMMENT 'Segments sent. Unit: segments.',
    segs_in UInt32 COMMENT 'Segments received. Unit: segments.',
    total_retrans UInt32 COMMENT 'Segments retransmitted, as the kernel counts them. Unit: segments.',
    retrans_syn UInt32 COMMENT 'SYN sent again. Unit: segments.',
    retrans_syn_ack UInt32 COMMENT 'SYN-ACK sent again. Unit: segments.',
    retrans_rto UInt32 COMMENT 'Sent again by the retransmission timer. Unit: segments.',
    retrans_loss_recovery UInt32 COMMENT 'Sent again in recovery after a timeout. Unit: segments.',
    retrans_fast UInt32 COMMENT 'Sent again in fast recovery. Unit: segments.',
    retrans_tail_loss_probe UInt32 COMMENT 'Sent again as tail loss probe. Unit: segments.',
    retrans_other UInt32 COMMENT 'Sent again for another cause. Unit: segments.',
    retrans_failed UInt32 COMMENT 'Retransmissions that failed on this host (kernel 6.17 and later). Unit: segments.',
    rtt_us UInt32 COMMENT 'Smoothed round-trip time; the mean over folded connections. Unit: us.',
    min_rtt_us UInt32 COMMENT 'Smallest round-trip time in the kernel\'s window; 0 before the first sample. Unit: us.',
    snd_cwnd UInt32 COMMENT 'Congestion window. Unit: segments.',
    delivery_rate UInt64 COMMENT 'Most recent delivery rate. Unit: bytes/s.',
    congestion_control String COMMENT 'Congestion control algorithm.',
    reset_direction Enum8('none' = 0, 'sent' = 1, 'received' = 2) COMMENT 'sent or received.',
    reset_reason String COMMENT 'The kernel\'s reason for a reset sent.',
    pid UInt32 COMMENT 'Process id in the initial namespace; 0 when the owner is not known, and in a folded row of several processes.',
    process_start_ts DateTime64(6, 'UTC') COMMENT 'Start of the process; with pid it names the process. Unit: us.',
    uid UInt32 COMMENT 'User the process ran as.',
    comm String COMMENT 'The kernel\'s short name of the process.',
    executable String COMMENT 'Path of the executable; empty when the process ended before it was read.',
    command_line String COMMENT 'Command line; off by default.',
    parent_pid UInt32 COMMENT 'Parent process id.',
    parent_executable String COMMENT 'Path of the parent\'s executable.',
    cgroup_path String COMMENT 'cgroup path of the process.',
    container_id String COMMENT 'Container id out of the cgroup path.',
    pod_uid String COMMENT 'Kubernetes pod uid out of the cgroup path.',
    systemd_unit String COMMENT 'systemd unit out of the cgroup path.',
    owner_source Enum8('unknown' = 0, 'connect' = 1, 'first_io' = 2, 'close' = 3, 'listener' = 4, 'scan' = 5, 'socket' = 6) COMMENT 'Evidence for the owner, best first: connect, first_io, close, listener, scan, socket.',
    own Bool COMMENT 'The connection is tcptrail\'s own.',
    sensor LowCardinality(String) COMMENT 'Who saw it: tcptrail, or zeek for what was imported.',
    counters_since Enum8('birth' = 0, 'scan' = 1) COMMENT 'birth, or scan when the connection is older than the agent.',
    doubts Array(String) COMMENT 'What is not certain: end_reported_late, counters_since_scan, errno_unknown, owner_unknown, host_rebooted, host_silent, agent_silent, agent_restarted. Empty: all is known.'
)
AS
WITH
    -- One row per connection that ended: its last event holds all that is known of it. A summary stands for several.
    ended AS
    (
        SELECT
            if(kind = 'fail', 'failed', 'closed') AS state,
            if(kind = 'summary', connections, 1) AS connections,
            ts AS ended_ts, ts AS seen_ts, ts AS vouched_ts,
            [
                if(late, 'end_reported_late', ''),
                if(counters_since = 'scan', 'counters_since_scan', ''),
                if(NOT errno_known, 'errno_unknown', ''),
                -- A summary may be of several processes of one program.
                if(kind != 'summary' AND pid = 0, 'owner_unknown', '')
            ] AS all_doubts,
        host_id, host_name, boot_id, socket_cookie, generation, verdict, errno, errno_known, role, family,
        local_address, local_port, peer_address, peer_port, peer_name, community_id, network_namespace, start_ts,
        established_ts, duration_us, handshake_us, bytes_sent, bytes_delivered, bytes_received, bytes_unsent,
        bytes_unread, local_drop_bytes, tcp_bytes_sent, tcp_bytes_retrans, segs_out, segs_in, total_retrans,
        retrans_syn, retrans_syn_ack, retrans_rto, retrans_loss_recovery, retrans_fast, retrans_tail_loss_probe,
        retrans_other, retrans_failed, rtt_us, min_rtt_us, snd_cwnd, delivery_rate, congestion_control,
        reset_direction, reset_reason, pid, process_start_ts, uid, comm, executable, command_line, parent_pid,
        parent_executable, cgroup_path, container_id, pod_uid, systemd_unit, owner_source, own, sensor, counters_since
        FROM {database}.tcp_events
        WHERE kind IN ('close', 'fail', 'summary') AND socket_cookie != 0
    ),
    -- One row: how young a connection may be told of before its end, which depends on the agents' events.openHoldMs.
    youngest AS
    (
        SELECT min(duration_us) AS told_us
        FROM {database}.tcp_events
        WHERE kind IN ('open', 'update') AND counters_since = 'birth'
    ),
    -- One row per connection that ended and may have been told of before: its key, as a hash to keep the set small.
    ended_keys AS
    (
        SELECT sipHash64(host_id, boot_id, socket_cookie, generation)
        FROM {database}.tcp_events
        WHERE kind IN ('close', 'fail') AND socket_cookie != 0
            AND (duration_us >= (SELECT told_us FROM youngest) OR total_retrans > 0 OR retrans_failed > 0 OR counters_since = 'scan')
    ),
    -- One row per connection without an end: the last word on it.
    unended AS
    (
        SELECT *, start_ts, established_ts, bytes_delivered, tcp_bytes_sent, community_id, sensor
        FROM {database}.tcp_events
        WHERE kind IN ('open', 'update', 'retransmit') AND socket_cookie != 0
            -- A SYN-ACK sent again is of a handshake, which is no connection yet.
            AND state != 'new_syn_received'
            AND sipHash64(host_id, boot_id, socket_cookie, generation) {global} NOT IN (SELECT * FROM ended_keys)
        ORDER BY kind != 'retransmit' DESC, ts DESC, seq DESC
        LIMIT 1 BY host_id, boot_id, socket_cookie, generation
    ),
    -- One row per connection without an end, with what its host says since. A state that went on beside another one said nothing about what ended later: hence times.
    live AS
    (
        SELECT
            if(is_now AND vouched_ts >= boot_told_ts, 'live', 'vanished') AS state,
            toUInt32(1) AS connections,
            toDateTime64(0, 6, 'UTC') AS ended_ts, ts AS seen_ts, greatest(ts, state_vouched_ts) AS vouched_ts,
            [
                if(counters_since = 'scan', 'counters_since_scan', ''),
                if(pid = 0, 'owner_unknown', ''),
                if(NOT is_now, 'host_rebooted', ''),
                if(is_now AND boot_vouched_ts < now64(6, 'UTC') - INTERVAL 30 SECOND, 'host_silent', ''),
                if(is_now AND vouched_ts < newest_state, 'agent_restarted', ''),
                -- Another agent of the host goes on.
                if(is_now AND vouched_ts >= newest_state AND vouched_ts < boot_vouched_ts - INTERVAL 30 SECOND, 'agent_silent', '')
            ] AS all_doubts,
        host_id, host_name, boot_id, socket_cookie, generation, verdict, errno, errno_known, role, family,
        local_address, local_port, peer_address, peer_port, peer_name, community_id, network_namespace, start_ts,
        established_ts, duration_us, handshake_us, bytes_sent, bytes_delivered, bytes_received, bytes_unsent,
        bytes_unread, local_drop_bytes, tcp_bytes_sent, tcp_bytes_retrans, segs_out, segs_in, total_retrans,
        retrans_syn, retrans_syn_ack, retrans_rto, retrans_loss_recovery, retrans_fast, retrans_tail_loss_probe,
        retrans_other, retrans_failed, rtt_us, min_rtt_us, snd_cwnd, delivery_rate, congestion_control,
        reset_direction, reset_reason, pid, process_start_ts, uid, comm, executable, command_line, parent_pid,
        parent_executable, cgroup_path, container_id, pod_uid, systemd_unit, owner_source, own, sensor, counters_since
        FROM unended
        LEFT JOIN {database}.boot_states USING (host_id, boot_id, kernel_epoch)
    )
SELECT
        host_id, host_name, boot_id, socket_cookie, generation, state, verdict, errno, errno_known, connections,
        role, family, local_address, local_port, peer_address, peer_port, peer_name, community_id, network_namespace,
        start_ts, established_ts, ended_ts, seen_ts, vouched_ts, duration_us, handshake_us, bytes_sent,
        bytes_delivered, bytes_received, bytes_unsent, bytes_unread, local_drop_bytes, tcp_bytes_sent,
        tcp_bytes_retrans, segs_out, segs_in, total_retrans, retrans_syn, retrans_syn_ack, retrans_rto,
        retrans_loss_recovery, retrans_fast, retrans_tail_loss_probe, retrans_other, retrans_failed, rtt_us,
        min_rtt_us, snd_cwnd, delivery_rate, congestion_control, reset_direction, reset_reason, pid,
        process_start_ts, uid, comm, executable, command_line, parent_pid, parent_executable, cgroup_path,
        container_id, pod_uid, systemd_unit, owner_source, own, sensor, counters_since,
    arrayFilter(doubt -> doubt != '', all_doubts) AS doubts
FROM (SELECT * FROM ended UNION ALL SELECT * FROM live)
COMMENT 'One row per connection, live ones included; folded rows stand for several: count with sum(connections).';
