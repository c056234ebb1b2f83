"""Reads a topic of row events with librdkafka; each row says at which second of the epoch it was inserted. Prints the number read and
p50, p99 and p99.9 of the time since then in milliseconds; the first WARM_UP rows do not count.
usage: latency.py BOOTSTRAP TOPIC ROWS WARM_UP SECONDS_MAX"""
import json
import sys
import time

from confluent_kafka import Consumer, TopicPartition

bootstrap, topic, rows, warm_up, limit = sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4]), float(sys.argv[5])
consumer = Consumer({"bootstrap.servers": bootstrap, "group.id": topic, "enable.auto.commit": False, "auto.offset.reset": "earliest"})
consumer.assign([TopicPartition(topic, 0, 0)])
print("assigned", flush=True)
waits, taken, end = [], 0, time.time() + limit
while taken < rows and time.time() < end:
    message = consumer.poll(0.5)
    if message is None or message.error():
        continue
    now, after = time.time(), json.loads(message.value())["after"]
    taken += 1
    if after["id"] > warm_up:
        waits.append(now - after["at"])
waits.sort()
print(taken, *[round(waits[int(len(waits) * q)] * 1000, 3) for q in (0.5, 0.99, 0.999)], flush=True)
