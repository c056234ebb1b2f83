"""End-to-end latency with librdkafka: one producer (acks=all, linger.ms=0) at a rate, one consumer in another process; each record
carries the time at which it was sent. Prints p50, p99 and p99.9 in milliseconds; the first two seconds do not count.
usage: latency.py BOOTSTRAP TOPIC RATE SECONDS"""
import struct
import subprocess
import sys
import time

from confluent_kafka import Consumer, Producer, TopicPartition

WARM_UP_S = 2


def consume(bootstrap, topic, rate, seconds):
    consumer = Consumer({"bootstrap.servers": bootstrap, "group.id": "latency", "enable.auto.commit": False, "auto.offset.reset": "earliest"})
    consumer.assign([TopicPartition(topic, 0, 0)])
    print("assigned", flush=True)
    wanted, taken, end = rate * seconds, [], time.time() + seconds + 20
    while len(taken) < wanted and time.time() < end:
        for message in consumer.consume(200, 0.002 if rate > 5000 else 0.0005):
            if not message.error():
                taken.append(time.time() - struct.unpack(">d", message.value()[:8])[0])
    counted = sorted(taken[rate * WARM_UP_S:])
    print(len(taken), *[round(counted[int(len(counted) * q)] * 1000, 3) for q in (0.5, 0.99, 0.999)], flush=True)


def produce(bootstrap, topic, rate, seconds):
    producer = Producer({"bootstrap.servers": bootstrap, "acks": "all", "linger.ms": 0})
    padding, begun = b"x" * 92, time.time()
    for i in range(rate * seconds):
        ahead = begun + i / rate - time.time()
        if ahead > 0.0003:
            time.sleep(ahead)
        producer.produce(topic, struct.pack(">d", time.time()) + padding)
        if i % 100 == 0:
            producer.poll(0)
    producer.flush(30)


if __name__ == "__main__":
    bootstrap, topic, rate, seconds = sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4])
    if len(sys.argv) > 5:
        consume(bootstrap, topic, rate, seconds)
    else:
        child = subprocess.Popen([sys.executable, __file__, *sys.argv[1:], "consume"], stdout=subprocess.PIPE, text=True)
        child.stdout.readline()
        time.sleep(1)
        produce(bootstrap, topic, rate, seconds)
        print(child.communicate()[0].strip())
