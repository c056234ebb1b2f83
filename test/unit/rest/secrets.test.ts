import { describe, expect, test } from "vitest";
import { MASK, maskValue, scrubber } from "#connect/worker/secrets";
import { openSecrets } from "#connect/rest/secrets";
import { judged, type TaskHealth } from "#connect/operate/health";
import { MetricText } from "#connect/operate/prometheus-text";

const none: ReadonlySet<string> = new Set();
describe("masks", () => {
  test("what is named or declared like a secret, and what stands in a URL; never a reference", () => {
    expect(maskValue("database.password", "x", none)).toBe(MASK);
    expect(maskValue("odd", "x", new Set(["odd"]))).toBe(MASK);
    expect(maskValue("topic", "x", none)).toBe("x");
    expect(maskValue("database.password", "${file:/a:b}", none)).toBe("${file:/a:b}");
    expect(maskValue("connection.url", "jdbc:postgresql://h/d?user=u&password=p%20w&ssl=true", none)).toBe(
      `jdbc:postgresql://h/d?user=u&password=${MASK}&ssl=true`,
    );
    expect(maskValue("url", "https://ann:pw@h/x", none)).toBe(`https://ann:${MASK}@h/x`);
    expect(maskValue("message.key.columns", "a:b", none)).toBe("a:b");
  });
  test("texts lose the secrets of their connector, resolved references included", () => {
    const hide = scrubber({ "user.name": "${env:U}", "my.password": "hunter22" }, { "user.name": "secretuser", "my.password": "hunter22" });
    expect(hide("login of secretuser with hunter22 failed")).toBe(`login of ${MASK} with ${MASK} failed`);
  });
  test("a password that is the user's name hides nothing: the name is shown", () => {
    const config = { "database.user": "postgres", "database.password": "postgres", "other.password": "postgres-2" };
    expect(scrubber(config, config)("connected as postgres, not with postgres-2")).toBe(`connected as postgres, not with ${MASK}`);
    const hide = scrubber(
      { "user.name": "${env:U}", "my.password": "secretuser" },
      { "user.name": "secretuser", "my.password": "secretuser" },
    );
    expect(hide("login of secretuser")).toBe(`login of ${MASK}`);
  });
  test("a URL sent back with its mask keeps the password; another host does not get it", async () => {
    const secrets = openSecrets(false);
    const present = { "connection.url": "jdbc:postgresql://h/d?password=pw" };
    expect(await secrets.restored({ "connection.url": `jdbc:postgresql://h/d?password=${MASK}` }, present)).toEqual(present);
    await expect(secrets.restored({ "connection.url": `jdbc:postgresql://evil/d?password=${MASK}` }, present)).rejects.toThrow(/mask/);
    const posted = { "my.password": MASK };
    expect(await openSecrets(true).restored(posted, null)).toBe(posted);
  });
});
describe("health", () => {
  const task = (more: Partial<TaskHealth>): TaskHealth => ({
    id: 0,
    state: "RUNNING",
    worker_id: "w",
    records: 1,
    last_progress_ms_ago: 100_000,
    moving: false,
    in_poll_ms: null,
    errors: null,
    restarts: 0,
    restart: null,
    cause: null,
    ...more,
  });
  const status = { name: "c", connector: { state: "RUNNING" as const, worker_id: "w" }, tasks: [], type: "source" as const };
  const behind = { position: "1", head: "9", behindBytes: 8, details: {} };
  test("RUNNING while nothing moves is stalled only if there is something to do", () => {
    expect(judged(status, [task({})], behind).verdict).toBe("stalled");
    expect(judged(status, [task({})], { ...behind, behindBytes: 0 }).verdict).toBe("idle");
    expect(judged(status, [task({ moving: true, last_progress_ms_ago: 10 })], behind).verdict).toBe("healthy");
    expect(judged(status, [task({ cause: "the database is away" })], behind)).toEqual({
      verdict: "waiting",
      reasons: ["task 0 waits: the database is away"],
    });
    const hung = task({ in_poll_ms: 61_000, cause: "stalled", last_progress_ms_ago: 10 });
    expect(judged(status, [hung], null)).toEqual({
      verdict: "stalled",
      reasons: ["task 0: the source has not come back from poll for 61 s"],
    });
    expect(judged(status, [task({ in_poll_ms: 59_000 })], null).verdict).toBe("idle");
    expect(judged(status, [task({ state: "FAILED", cause: "boom" })], null).verdict).toBe("failed");
    const again = task({ state: "FAILED", cause: "boom", restart: { attempt: 2, in_ms: 3_500, cause: "transient" } });
    expect(judged(status, [again], null).reasons).toEqual([
      "task 0 on w has failed: boom; it starts again in 4 s (start 2 in a row, cause: transient)",
    ]);
  });
});
test("Prometheus' text has each name once and escapes labels", () => {
  const text = new MetricText();
  text.gauge("a", { l: 'x"\\\n' }, 1, "help");
  text.counter("b", {}, 2, "help");
  text.gauge("a", { l: "y" }, Number.NaN, "help");
  expect(text.toString()).toBe('# HELP a help\n# TYPE a gauge\na{l="x\\"\\\\\\n"} 1\na{l="y"} NaN\n# HELP b help\n# TYPE b counter\nb 2\n');
});
