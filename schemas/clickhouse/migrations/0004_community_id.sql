-- What stands in braces is filled in by consumer/src/form.ts.
--
-- Community ID 1 with seed 0 (corelight/community-id-spec): SHA-1 over seed, the lesser end's address, the other's,
-- protocol, padding, and both ports, in network order. IPv4 in 4 bytes, whatever socket it went through. It is
-- computed where it is asked for, and found by an index over the same expression (docs/decisions/0026), which may
-- hold no function of constants alone: they are folded in a question and not in the index, which is then not used.
-- What has no two ends has none: listeners, folded rows, what failed before it had a port.

ALTER TABLE {database}.tcp_events{local} {on_cluster}
    ADD COLUMN IF NOT EXISTS `sensor` LowCardinality(String)
        ALIAS if(startsWith(origin, 'zeek:'), 'zeek', 'tcptrail')
        COMMENT 'Who saw it: tcptrail, or zeek for what was imported.',
    ADD COLUMN IF NOT EXISTS `community_id` String
        ALIAS if(local_port = 0 OR peer_port = 0, '', concat('1:', base64Encode(SHA1(concat(
            '\0\0',
            substring(reinterpretAsFixedString(if((local_address, local_port) < (peer_address, peer_port), local_address, peer_address)), if(reinterpretAsUInt64(reinterpretAsFixedString(local_address)) = 0 AND reinterpretAsUInt32(substring(reinterpretAsFixedString(local_address), 9, 4)) = 4294901760, 13, 1)),
            substring(reinterpretAsFixedString(if((local_address, local_port) < (peer_address, peer_port), peer_address, local_address)), if(reinterpretAsUInt64(reinterpretAsFixedString(local_address)) = 0 AND reinterpretAsUInt32(substring(reinterpretAsFixedString(local_address), 9, 4)) = 4294901760, 13, 1)),
            '\x06\0',
            reinterpretAsFixedString(byteSwap(if((local_address, local_port) < (peer_address, peer_port), local_port, peer_port))),
            reinterpretAsFixedString(byteSwap(if((local_address, local_port) < (peer_address, peer_port), peer_port, local_port)))
        )))))
        COMMENT 'Community ID: the same for both ends and every tool that writes it; empty where one row has no two ends.',
    ADD INDEX IF NOT EXISTS community community_id TYPE bloom_filter(0.01) GRANULARITY 4;
