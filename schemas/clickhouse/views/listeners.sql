CREATE OR REPLACE VIEW {database}.listeners {on_cluster}
(
    host_id LowCardinality(String) COMMENT 'Machine id, unless configured.',
    host_name LowCardinality(String) COMMENT 'Name of the host.',
    boot_id LowCardinality(String) COMMENT 'Kernel boot id.',
    socket_cookie UInt64 COMMENT 'The kernel\'s number of the socket, unique within a boot.',
    generation UInt32 COMMENT 'Which connection of that socket: one socket can carry several, one after another.',
    state String COMMENT 'listening, closed, or vanished (no end was seen, and the host has booted since or a later run of its agent has not found it).',
    local_address IPv6 COMMENT 'Address it listens on; :: for all, IPv4 is v4-mapped.',
    local_port UInt16 COMMENT 'Port it listens on.',
    network_namespace UInt32 COMMENT 'Inode of the socket\'s network namespace.',
    first_ts DateTime64(6, 'UTC') COMMENT 'First event that tells of it, in the kept days. Unit: us.',
    last_ts DateTime64(6, 'UTC') COMMENT 'Last one. Unit: us.',
    accept_queue UInt32 COMMENT 'Connections waiting for accept() when it last was told. Unit: connections.',
    accept_queue_max UInt32 COMMENT 'Limit of that queue (the listen backlog). Unit: connections.',
    listen_drops UInt64 COMMENT 'Handshakes dropped at the listener. Unit: connections.',
    pid UInt32 COMMENT 'Process id in the initial namespace; 0 when the owner is not known.',
    process_start_ts DateTime64(6, 'UTC') COMMENT 'Start of the process; with pid it names the process. Unit: us.',
    uid UInt32 COMMENT 'User the process ran as.',
    comm LowCardinality(String) COMMENT 'The kernel\'s short name of the process.',
    executable LowCardinality(String) COMMENT 'Path of the executable; empty when the process ended before it was read.',
    container_id LowCardinality(String) COMMENT 'Container id out of the cgroup path.',
    pod_uid String COMMENT 'Kubernetes pod uid out of the cgroup path.',
    systemd_unit LowCardinality(String) COMMENT 'systemd unit out of the cgroup path.',
    own Bool COMMENT 'The connection is tcptrail\'s own.'
)
AS
WITH
    -- One row per listener: its last word.
    told AS
    (
        SELECT
            host_id, boot_id, socket_cookie, generation,
            min(event.ts) AS first_ts, max(event.ts) AS last_ts, argMax(event.kind, (event.ts, event.seq)) = 'unlisten' AS is_closed,
            argMax(event.kernel_epoch, (event.ts, event.seq)) AS kernel_epoch,
            argMax(event.host_name, (event.ts, event.seq)) AS host_name,
            argMax(event.local_address, (event.ts, event.seq)) AS local_address,
            argMax(event.local_port, (event.ts, event.seq)) AS local_port,
            argMax(event.network_namespace, (event.ts, event.seq)) AS network_namespace,
            argMax(event.accept_queue, (event.ts, event.seq)) AS accept_queue,
            argMax(event.accept_queue_max, (event.ts, event.seq)) AS accept_queue_max,
            argMax(event.listen_drops, (event.ts, event.seq)) AS listen_drops,
            argMax(event.pid, (event.ts, event.seq)) AS pid,
            argMax(event.process_start_ts, (event.ts, event.seq)) AS process_start_ts,
            argMax(event.uid, (event.ts, event.seq)) AS uid,
            argMax(event.comm, (event.ts, event.seq)) AS comm,
            argMax(event.executable, (event.ts, event.seq)) AS executable,
            argMax(event.container_id, (event.ts, event.seq)) AS container_id,
            argMax(event.pod_uid, (event.ts, event.seq)) AS pod_uid,
            argMax(event.systemd_unit, (event.ts, event.seq)) AS systemd_unit,
            argMax(event.own, (event.ts, event.seq)) AS own
        FROM {database}.tcp_events AS event
        WHERE event.kind IN ('listen', 'unlisten', 'listener')
        GROUP BY host_id, boot_id, socket_cookie, generation
    )
SELECT
    host_id, host_name, boot_id, socket_cookie, generation,
    multiIf(is_closed, 'closed', is_now AND greatest(last_ts, state_vouched_ts) >= boot_told_ts, 'listening', 'vanished') AS state,
    local_address, local_port, network_namespace, first_ts, last_ts, accept_queue, accept_queue_max, listen_drops,
    pid, process_start_ts, uid, comm, executable, container_id, pod_uid, systemd_unit, own
FROM told
LEFT JOIN {database}.boot_states USING (host_id, boot_id, kernel_epoch)
COMMENT 'One row per listener that was told in the kept days.';
