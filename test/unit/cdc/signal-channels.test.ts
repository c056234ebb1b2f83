import { appendFile, mkdtemp, readFile, rm, stat, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { silentLogger } from "#broker/base/logger";
import type { TopicRecord } from "#connect/api/connector";
import { ConfigError } from "#connect/api/errors";
import { CHANNEL_SETTINGS, channelSettings, channelSignal, SignalChannels } from "#connectors/cdc/signal-channels";
import { SignalFile } from "#connectors/cdc/signal-file";
import { Settings } from "#connectors/cdc/settings";
import type { Signal } from "#connectors/cdc/signals";
import { refuseUnsupported, settingsOf, settingsWithoutEffect } from "#connectors/postgres/config";
import { until } from "../../fakes/task-host.ts";

const DECLARED = [["signal.poll.interval.ms", "5000"] as const, ...CHANNEL_SETTINGS];
const settings = (given: Record<string, string>): Settings =>
  new Settings(
    { "topic.prefix": "p", ...given },
    DECLARED.map(([name, value]) => ({ name, type: "STRING", default: value, importance: "LOW", doc: "" })),
  );

describe("settings of the channels", () => {
  test("the defaults are the reference's", () => {
    expect(channelSettings(settings({ "signal.enabled.channels": "source" }))).toEqual({ key: "p", kafka: null, file: null });
    const all = channelSettings(settings({ "signal.enabled.channels": "source, Kafka,file" }));
    expect(all.kafka).toEqual({ topic: "p-signal", consumer: { "group.id": "kafka-signal", "auto.offset.reset": "earliest" } });
    expect(all.file).toEqual({ path: "file-signals.txt", intervalMs: 5000 });
  });
  test("signal.consumer.* goes to the consumer and wins", () => {
    const { kafka } = channelSettings(
      settings({
        "signal.enabled.channels": "kafka",
        "signal.kafka.topic": "s",
        "signal.kafka.bootstrap.servers": "h:1",
        "signal.kafka.groupId": "g",
        "signal.consumer.security.protocol": "SSL",
        "signal.consumer.auto.offset.reset": "latest",
      }),
    );
    expect(kafka).toEqual({
      topic: "s",
      consumer: { "bootstrap.servers": "h:1", "group.id": "g", "security.protocol": "SSL", "auto.offset.reset": "latest" },
    });
  });
  test("unknown channels are refused by name", () => {
    refuseUnsupported({ "signal.enabled.channels": "source,kafka,file" });
    expect(() => refuseUnsupported({ "signal.enabled.channels": "source,jmx" })).toThrow(ConfigError);
    expect(() => refuseUnsupported({ "signal.enabled.channels": "source,jmx" })).toThrow(
      /'signal.enabled.channels' .* 'jmx' .* use source, kafka, file/,
    );
  });
  test("the interval is said to have no effect only without the channel file", () => {
    const notices = (channels: string): readonly string[] =>
      settingsWithoutEffect(settingsOf({ "signal.poll.interval.ms": "1", "signal.enabled.channels": channels }));
    expect(notices("source,kafka")).toHaveLength(1);
    expect(notices("source,file")).toEqual([]);
  });
});

test("a signal as JSON", () => {
  const parse = (text: string): Signal | null => channelSignal(text, () => "new");
  expect(parse('{"id":"a","type":"log","data":{"message":"x"}}')).toEqual({ id: "a", type: "log", data: '{"message":"x"}' });
  expect(parse('{"type":"log","data":"{\\"message\\":\\"x\\"}"}')).toEqual({ id: "new", type: "log", data: '{"message":"x"}' });
  expect(parse('{"id":7,"type":"pause-snapshot"}')).toEqual({ id: "7", type: "pause-snapshot", data: null });
  for (const bad of ["", "{", "1", "null", "[]", "{}", '{"id":"a"}', '{"type":1}']) expect(parse(bad), bad).toBeNull();
});

describe("the file", () => {
  let folder = "";
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "signals-"));
  });
  afterAll(() => rm(folder, { recursive: true }));

  test("lines are taken once, and the file is emptied", async () => {
    const path = join(folder, "a.txt");
    const file = new SignalFile(async () => path);
    expect(await file.take()).toEqual([]);
    await writeFile(path, "one\r\n\n two\n");
    expect(await file.take()).toEqual(["one", " two"]);
    expect((await stat(path)).size).toBe(0);
    expect(await file.take()).toEqual([]);
  });
  test("a line without its end gets one more look", async () => {
    const path = join(folder, "b.txt");
    const file = new SignalFile(async () => path);
    await writeFile(path, "one\ntw");
    expect(await file.take()).toEqual([]);
    await appendFile(path, "o\n");
    expect(await file.take()).toEqual(["one", "two"]);
    await writeFile(path, "three");
    expect(await file.take()).toEqual([]);
    expect(await file.take()).toEqual(["three"]);
  });
  test("links, folders and big files are refused untouched", async () => {
    const target = join(folder, "target.txt"),
      link = join(folder, "link.txt"),
      big = join(folder, "big.txt");
    await writeFile(target, "kept\n");
    await symlink(target, link);
    await writeFile(big, Buffer.alloc(1024 * 1024 + 1, 0x0a));
    for (const path of [link, folder, big]) await expect(new SignalFile(async () => path).take(), path).rejects.toThrow(Error);
    expect(await readFile(target, "utf8")).toBe("kept\n");
  });
  test("a path outside of the roots is refused before anything is read", async () => {
    const given = settings({ "signal.enabled.channels": "file", "signal.file": "/etc/hosts" });
    await expect(new SignalChannels(channelSettings(given), { log: silentLogger }).check()).rejects.toThrow("lies outside of the folders");
  });
  test("its signals are served while the stream is there", async () => {
    const path = join(folder, "c.txt");
    const given = settings({ "signal.enabled.channels": "file", "signal.file": path, "signal.poll.interval.ms": "10" });
    const channels = new SignalChannels(channelSettings(given), { log: silentLogger });
    const served: string[] = [];
    channels.attach(async (signal) => void served.push(signal.id));
    await appendFile(path, '{"id":"1","type":"log"}\nnot json\n{"id":"2","type":"log"}\n');
    await until(() => served.length === 2, "both are served");
    channels.detach();
    await new Promise((r) => setTimeout(r, 30));
    await appendFile(path, '{"id":"3","type":"log"}\n');
    await new Promise((r) => setTimeout(r, 50));
    expect(served).toEqual(["1", "2"]);
    channels.attach(async (signal) => void served.push(signal.id));
    await until(() => served.length === 3, "the stream is back");
    await channels.close();
  });
});

describe("the topic", () => {
  const given = channelSettings(settings({ "signal.enabled.channels": "kafka" }));
  function topicOf(records: readonly (readonly [key: string | null, value: string | null])[]) {
    const done: number[] = [];
    async function* read(_config: object, _topic: string, signal: AbortSignal): AsyncGenerator<TopicRecord> {
      for (const [i, [key, value]] of records.entries()) yield { key, value, done: () => void done.push(i) };
      await new Promise<void>((resolve) => signal.addEventListener("abort", () => resolve()));
    }
    return { done, read };
  }
  test("only records with the prefix as their key count; a record is done when its signal is served", async () => {
    const topic = topicOf([
      ["other", '{"id":"x","type":"log"}'],
      ["p", '{"id":"a","type":"execute-snapshot"}'],
      ["p", "not json"],
      [null, '{"id":"y","type":"log"}'],
      ["p", null],
      ["p", '{"id":"b","type":"log"}'],
    ]);
    const channels = new SignalChannels(given, { log: silentLogger, records: topic.read });
    const served: string[] = [];
    let finish = (): void => {};
    channels.attach(async (signal) => {
      served.push(signal.id);
      if (signal.id === "a") await new Promise<void>((resolve) => (finish = resolve));
    });
    await until(() => served.length === 2, "both are served");
    await until(() => topic.done.length === 5, "all but the first are done");
    expect(served).toEqual(["a", "b"]);
    expect(topic.done).toEqual([0, 2, 3, 4, 5]);
    finish();
    await until(() => topic.done.includes(1), "the first is done");
    await channels.close();
  });
  test("stops while a signal waits for the stream, which leaves its record undone", async () => {
    const topic = topicOf([["p", '{"id":"a","type":"log"}']]);
    const channels = new SignalChannels(given, { log: silentLogger, records: topic.read });
    channels.attach(async () => {});
    channels.detach();
    await new Promise((r) => setTimeout(r, 20));
    await channels.close();
    expect(topic.done).toEqual([]);
  });
  test("a signal that ends because the task stops leaves its record undone, one that fails does not", async () => {
    const topic = topicOf([
      ["p", '{"id":"a","type":"log"}'],
      ["p", '{"id":"b","type":"execute-snapshot"}'],
    ]);
    const channels = new SignalChannels(given, { log: silentLogger, records: topic.read });
    let stop: (error: Error) => void = () => {};
    channels.attach((signal) => (signal.id === "a" ? Promise.reject(new Error("no")) : new Promise<void>((_, reject) => (stop = reject))));
    await until(() => topic.done.length === 1, "the failed one is done");
    const closed = channels.close();
    stop(new Error("the task was stopped"));
    await closed;
    await new Promise((r) => setTimeout(r, 10));
    expect(topic.done).toEqual([0]);
  });
  test("a host without Kafka is refused", async () => {
    await expect(new SignalChannels(given, { log: silentLogger }).check()).rejects.toThrow("signal.enabled.channels");
  });
});
