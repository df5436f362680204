"""Reads a topic with librdkafka and fastavro, knowing nothing of tcptrail but the published schema.

usage: kafka_events.py BROKERS TOPIC SCHEMA

Prints one JSON object for each event, in the order of the topic.
"""

import io
import json
import sys

import fastavro
from confluent_kafka import Consumer, TopicPartition
from fastavro.schema import fingerprint, to_parsing_canonical_form

brokers, topic, schema_file = sys.argv[1:]
with open(schema_file) as file:
    text = json.load(file)
schema = fastavro.parse_schema(text)
# Avro single-object encoding: C3 01, the fingerprint in little endian, the datum.
marker = b"\xc3\x01" + bytes.fromhex(fingerprint(to_parsing_canonical_form(text), "CRC-64-AVRO"))


def micros(value):
    return round(value.timestamp() * 1_000_000)


consumer = Consumer(
    {"bootstrap.servers": brokers, "group.id": "independent-reader", "enable.auto.commit": False}
)
partitions = consumer.list_topics(topic, timeout=10).topics[topic].partitions
ends = {p: consumer.get_watermark_offsets(TopicPartition(topic, p), timeout=10) for p in partitions}
open_partitions = {p for p, (low, high) in ends.items() if high > low}
consumer.assign([TopicPartition(topic, p, ends[p][0]) for p in open_partitions])

while open_partitions:
    message = consumer.poll(10)
    if message is None or message.error():
        sys.exit(f"cannot read {topic}: {message and message.error()}")
    value = message.value()
    assert value[:10] == marker, value[:10].hex()
    datum = io.BytesIO(value[10:])
    batch = fastavro.schemaless_reader(datum, schema)
    assert datum.read() == b"", "bytes behind the datum"
    assert message.key().decode() == batch["host_id"]
    for event in batch["events"]:
        print(
            json.dumps(
                {
                    "host_id": batch["host_id"],
                    "kernel_epoch": micros(batch["kernel_epoch"]),
                    "cpu": event["cpu"],
                    "seq": event["seq"],
                    "kind": event["kind"],
                    "ts": micros(event["ts"]),
                    "local_address": event["local_address"].hex(),
                    "local_port": event["local_port"],
                    "peer_address": event["peer_address"].hex(),
                    "peer_port": event["peer_port"],
                    "bytes_sent": event["bytes_sent"],
                    "bytes_received": event["bytes_received"],
                    "verdict": event["verdict"],
                    "pid": batch["owners"][event["owner"]]["pid"],
                    "comm": batch["owners"][event["owner"]]["comm"],
                }
            )
        )
    if message.offset() + 1 >= ends[message.partition()][1]:
        open_partitions.discard(message.partition())
consumer.close()
