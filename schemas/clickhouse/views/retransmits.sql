CREATE OR REPLACE VIEW {database}.retransmits {on_cluster}
(
    ts DateTime64(6, 'UTC') COMMENT 'When it happened. Unit: us.',
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
    retransmit_cause Enum8('unknown' = 0, 'syn' = 1, 'syn_ack' = 2, 'rto' = 3, 'loss_recovery' = 4, 'fast' = 5, 'tail_loss_probe' = 6, 'other' = 7) COMMENT 'Why the segments were sent again.',
    retransmit_segments UInt32 COMMENT 'Segments in this retransmission. Unit: segments.',
    transmit_failed Bool COMMENT 'The retransmission failed on this host.',
    state Enum8('unknown' = 0, 'established' = 1, 'syn_sent' = 2, 'syn_received' = 3, 'fin_wait_1' = 4, 'fin_wait_2' = 5, 'time_wait' = 6, 'closed' = 7, 'close_wait' = 8, 'last_ack' = 9, 'listen' = 10, 'closing' = 11, 'new_syn_received' = 12) COMMENT 'TCP state at the event; for close and fail the state it left.',
    ca_state Enum8('open' = 0, 'disorder' = 1, 'cwr' = 2, 'recovery' = 3, 'loss' = 4) COMMENT 'Congestion-avoidance state.',
    congestion_control LowCardinality(String) COMMENT 'Congestion control algorithm.',
    snd_cwnd UInt32 COMMENT 'Congestion window. Unit: segments.',
    snd_ssthresh UInt32 COMMENT 'Slow-start threshold; 2147483647 before the first loss. Unit: segments.',
    rtt_us UInt32 COMMENT 'Smoothed round-trip time. Unit: us.',
    rto_us UInt32 COMMENT 'Retransmission timeout now. Unit: us.',
    unacked UInt32 COMMENT 'Segments in flight. Unit: segments.',
    lost UInt32 COMMENT 'Segments now thought lost. Unit: segments.',
    total_retrans UInt32 COMMENT 'Segments the connection had retransmitted by then. Unit: segments.',
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
    retransmit_cause, retransmit_segments, transmit_failed, state, ca_state, congestion_control,
    snd_cwnd, snd_ssthresh, rtt_us, rto_us, unacked, lost, total_retrans,
    pid, comm, executable, container_id, systemd_unit, owner_source, own
FROM {database}.tcp_events
WHERE kind = 'retransmit'
COMMENT 'One row per reported retransmission. Reports are limited per connection; the exact counts by cause are in connections.';
