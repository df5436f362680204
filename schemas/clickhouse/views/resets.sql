CREATE OR REPLACE VIEW {database}.resets {on_cluster}
(
    ts DateTime64(6, 'UTC') COMMENT 'When it happened. Unit: us.',
    host_name LowCardinality(String) COMMENT 'Name of the host.',
    host_id LowCardinality(String) COMMENT 'Machine id, unless configured.',
    boot_id LowCardinality(String) COMMENT 'Kernel boot id.',
    socket_cookie UInt64 COMMENT 'The kernel\'s number of the socket; 0 for a reset without one, as the answer to a SYN on a closed port.',
    generation UInt32 COMMENT 'Which connection of that socket: one socket can carry several, one after another.',
    role Enum8('unknown' = 0, 'client' = 1, 'server' = 2) COMMENT 'client called connect; server came from a listener.',
    local_address IPv6 COMMENT 'Address of this end; IPv4 is v4-mapped.',
    local_port UInt16 COMMENT 'Port of this end.',
    peer_address IPv6 COMMENT 'Address of the other end; IPv4 is v4-mapped.',
    peer_port UInt16 COMMENT 'Port of the other end.',
    peer_name LowCardinality(String) COMMENT 'Name of the peer, where one is known.',
    network_namespace UInt32 COMMENT 'Inode of the socket\'s network namespace.',
    reset_direction Enum8('none' = 0, 'sent' = 1, 'received' = 2) COMMENT 'sent or received.',
    reset_reason String COMMENT 'The kernel\'s reason for a reset sent.',
    state Enum8('unknown' = 0, 'established' = 1, 'syn_sent' = 2, 'syn_received' = 3, 'fin_wait_1' = 4, 'fin_wait_2' = 5, 'time_wait' = 6, 'closed' = 7, 'close_wait' = 8, 'last_ack' = 9, 'listen' = 10, 'closing' = 11, 'new_syn_received' = 12) COMMENT 'TCP state at the event; for close and fail the state it left.',
    duration_us UInt64 COMMENT 'From start to the last event; the sum over folded connections. Unit: us.',
    pid UInt32 COMMENT 'Process id in the initial namespace; 0 when the owner is not known.',
    comm LowCardinality(String) COMMENT 'The kernel\'s short name of the process.',
    executable LowCardinality(String) COMMENT 'Path of the executable; empty when the process ended before it was read.',
    container_id LowCardinality(String) COMMENT 'Container id out of the cgroup path.',
    systemd_unit LowCardinality(String) COMMENT 'systemd unit out of the cgroup path.',
    owner_source Enum8('unknown' = 0, 'connect' = 1, 'first_io' = 2, 'close' = 3, 'listener' = 4, 'scan' = 5, 'socket' = 6) COMMENT 'Evidence for the owner, best first: connect, first_io, close, listener, scan, socket.',
    own Bool COMMENT 'The connection is tcptrail\'s own.'
)
AS
SELECT
    ts, host_name, host_id, boot_id, socket_cookie, generation, role,
    local_address, local_port, peer_address, peer_port, peer_name, network_namespace,
    reset_direction, reset_reason, state, duration_us,
    pid, comm, executable, container_id, systemd_unit, owner_source, own
FROM {database}.tcp_events
WHERE kind = 'reset'
COMMENT 'One row per reset sent or received; those that ended a connection are in its verdict too.';
