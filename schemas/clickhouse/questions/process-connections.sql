-- question: What did this program connect to, and who connected to it?
-- why: An alert names a process and a minute; this says what it did on the network in it.
-- since: 1m
-- limit: 100
-- param: process String: Name of the program, its path, or the kernel's short name of the process.
-- param: pid UInt32 = 0: Of this process alone; 0 is all of that name.
-- chart: bars bytes
WITH
    -- One row per connection that the program opened, held or ended in the window: its last event there. A folded row stands for several.
    told AS
    (
        SELECT
            ts, host_name, host_id, executable, comm, pid, role, peer_address, kind, verdict, start_ts, connections,
            bytes_sent, bytes_received,
            if(role = 'client', peer_port, local_port) AS service_port
        FROM tcp_events
        WHERE day BETWEEN toDate({since:DateTime64(6, 'UTC')}) AND toDate({until:DateTime64(6, 'UTC')} - toIntervalMicrosecond(1))
            AND ts >= {since:DateTime64(6, 'UTC')} AND ts < {until:DateTime64(6, 'UTC')}
            AND (empty({hosts:Array(String)}) OR host_name IN {hosts:Array(String)} OR host_id IN {hosts:Array(String)})
            AND (NOT own OR {own:Bool})
            AND kind IN ('open', 'update', 'close', 'fail', 'summary')
            AND (comm = {process:String} OR executable = {process:String} OR splitByChar('/', executable)[-1] = {process:String})
            AND ({pid:UInt32} = 0 OR pid = {pid:UInt32})
        ORDER BY connections DESC, ts DESC
        LIMIT 1 BY host_id, boot_id, socket_cookie, generation, if(kind = 'summary', (kernel_epoch, cpu, seq), (toDateTime64(0, 6, 'UTC'), 0, 0))
    )
SELECT
    host_name, pid, executable, role, peer_address, service_port,
    if(told.connections = 0, 'open', toString(told.verdict)) AS outcome,
    sum(greatest(told.connections, 1)) AS connections,
    min(told.start_ts) AS first_start_ts,
    max(told.ts) AS last_ts,
    sum(told.bytes_sent + told.bytes_received) AS bytes
FROM told
GROUP BY host_id, host_name, pid, executable, role, peer_address, service_port, outcome
ORDER BY first_start_ts DESC, host_name, host_id, pid, peer_address, service_port, outcome
LIMIT {limit:UInt32}
