import { expect, test } from "vitest";
import type { Clock } from "#broker/base/clock";
import { CommandQueue } from "#connect/herder/command-queue";
import { conflict } from "#connect/herder/errors";

test("commands run in order of their time; those that waited too long are refused; a closed queue takes none", async () => {
  let now = 0;
  const clock: Clock = { now: () => now, monotonic: () => now, after: () => ({ cancel: () => {} }), sleep: () => Promise.resolve() };
  let woken = 0;
  const queue = new CommandQueue(clock, () => woken++);
  const ran: string[] = [];
  const command = (name: string, delayMs: number): Promise<string> =>
    queue.submit(() => {
      ran.push(name);
      return name;
    }, delayMs);
  const late = command("late", 50);
  const first = command("first", 0);
  const second = command("second", 0);
  expect(woken).toBe(3);
  await queue.take()?.();
  await queue.take()?.();
  expect([await first, await second]).toEqual(["first", "second"]);
  expect(queue.take()).toBeNull();
  expect(queue.nextInMs()).toBe(50);
  now = 50;
  queue.refuseAfter(10, conflict("come again"));
  now = 60;
  queue.refuseAfter(10, conflict("come again"));
  await expect(late).rejects.toThrow("come again");
  expect(queue.nextInMs()).toBeNull();
  const failing = queue.submit(() => Promise.reject(new Error("no")));
  await queue.take()?.();
  await expect(failing).rejects.toThrow("no");
  const waiting = command("never", 1_000);
  queue.close();
  await expect(waiting).rejects.toThrow("shutting down");
  await expect(command("x", 0)).rejects.toThrow("shutting down");
  expect(ran).toEqual(["first", "second"]);
});
