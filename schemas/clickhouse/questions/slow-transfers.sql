-- question: Which large transfers were slow, and what held them up?
-- why: The kernel counts whose fault it was: the peer's window, the program's buffer, or the path.
-- since: 24h
-- limit: 20
-- param: bytes_min UInt64 = 1048576: Bytes sent below which a rate says nothing. Unit: bytes.
-- chart: bars bytes_s
SELECT
    ts, host_name, executable, peer_address, bytes_sent, duration_us,
    round(1000000 * bytes_sent / greatest(busy_time_us, 1)) AS bytes_s,
    round(100 * rwnd_limited_us / greatest(busy_time_us, 1), 1) AS percent_peer_window,
    round(100 * sndbuf_limited_us / greatest(busy_time_us, 1), 1) AS percent_send_buffer,
    total_retrans
FROM tcp_events
WHERE day BETWEEN toDate({since:DateTime64(6, 'UTC')}) AND toDate({until:DateTime64(6, 'UTC')} - toIntervalMicrosecond(1))
    AND ts >= {since:DateTime64(6, 'UTC')} AND ts < {until:DateTime64(6, 'UTC')}
    AND (empty({hosts:Array(String)}) OR host_name IN {hosts:Array(String)} OR host_id IN {hosts:Array(String)})
    AND (NOT own OR {own:Bool})
    AND kind = 'close' AND bytes_sent >= {bytes_min:UInt64}
ORDER BY bytes_s, ts
LIMIT {limit:UInt32}
