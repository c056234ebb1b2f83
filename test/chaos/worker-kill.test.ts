/**
 * The whole process (broker and worker) killed at seeded moments while lines travel from a file through a topic to a file. At
 * least once: every line arrives, first appearances are in order. MILLRACE_KILL_ROUNDS and MILLRACE_KILL_SEED change the run.
 */
import { appendFile, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { type MillraceProcess, putConnector, seeded, sleep, startMillrace } from "./millrace-process.ts";

const ROUNDS = Number(process.env["MILLRACE_KILL_ROUNDS"] ?? 3);
const SEED = Number(process.env["MILLRACE_KILL_SEED"] ?? 20_261);

const begin = (folder: string): Promise<MillraceProcess> =>
  startMillrace(join(folder, "data"), 31_630, 31_631, { "offset.flush.interval.ms": "150", "log.level": "error" });
const STRING = "org.apache.kafka.connect.storage.StringConverter";
const texts = { "tasks.max": "1", "key.converter": STRING, "value.converter": STRING };

test(`nothing is lost over ${ROUNDS} kills (seed ${SEED})`, { timeout: 60_000 + ROUNDS * 20_000 }, async () => {
  const next = seeded(SEED);
  const folder = await mkdtemp(join(tmpdir(), "kill-"));
  const [input, output] = [join(folder, "in"), join(folder, "out")];
  await writeFile(input, "");
  let lines = 0;
  let child = await begin(folder);
  try {
    await putConnector(child.rest, "kill-src", { ...texts, "connector.class": "FileStreamSource", file: input, topic: "kill" });
    await putConnector(child.rest, "kill-snk", { ...texts, "connector.class": "FileStreamSink", file: output, topics: "kill" });
    for (let round = 0; round < ROUNDS; round++) {
      const until = Date.now() + 300 + next() * 2_000;
      while (Date.now() < until) {
        await appendFile(input, Array.from({ length: 50 }, () => `line ${lines++}\n`).join(""));
        await sleep(next() * 40);
      }
      await child.kill();
      child = await begin(folder);
    }
    await appendFile(input, `line ${lines++}\n`);
    const deadline = Date.now() + 40_000;
    let text = "";
    do {
      await sleep(200);
      text = await readFile(output, "utf8").catch(() => "");
    } while (!text.includes(`line ${lines - 1}\n`) && Date.now() < deadline);
    // A kill in the middle of a write leaves half a line; the whole one comes again after it.
    const whole = [...new Set([...text.matchAll(/line (\d+)\n/g)].map((m) => Number(m[1])))];
    expect(whole).toEqual(Array.from({ length: lines }, (_, n) => n));
  } finally {
    await child.kill();
    await rm(folder, { recursive: true, force: true });
  }
});
