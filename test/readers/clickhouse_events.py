"""Reads the stored events with clickhouse-connect, as any Python program would.

usage: clickhouse_events.py HOST PORT

Prints one JSON object for each row.
"""

import json
import sys

import clickhouse_connect

host, port = sys.argv[1:]
client = clickhouse_connect.get_client(host=host, port=int(port), database="tcptrail")
result = client.query(
    """
    SELECT host_id, toUnixTimestamp64Micro(kernel_epoch) AS kernel_epoch, cpu, seq, toString(kind) AS kind,
           toUnixTimestamp64Micro(ts) AS ts, lower(hex(local_address)) AS local_address, local_port,
           lower(hex(peer_address)) AS peer_address, peer_port, bytes_sent, bytes_received,
           toString(verdict) AS verdict, pid, comm
    FROM tcp_events
    """
)
for row in result.named_results():
    print(json.dumps(row))
