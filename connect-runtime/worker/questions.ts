/** Questions that the main thread puts to a running task, and their answers, which may come late or never. */
import type { BackfillCommand } from "../api/backfill.ts";
import { ConnectError } from "../api/errors.ts";
import type { Clock } from "#broker/base/clock";
import { messageOf } from "./trace.ts";

export type TaskAnswer = { readonly value: unknown } | { readonly refused: string };

/** In the task's thread: whoever answers, once the task is there. */
export class QuestionDesk {
  answer: ((command: BackfillCommand) => Promise<unknown>) | null = null;

  async answered(command: BackfillCommand): Promise<TaskAnswer> {
    if (this.answer === null) return { refused: "the task has not started yet, or its connector takes no backfills" };
    try {
      return { value: await this.answer(command) };
    } catch (error) {
      return { refused: messageOf(error) };
    }
  }
}
/** In the main thread: questions without an answer so far. Bounded by their time. */
export class OpenQuestions {
  readonly #open = new Map<number, (answer: TaskAnswer) => void>();
  #next = 1;

  /** Throws ConnectError when the task refuses, ends, or does not answer in time. */
  async ask(send: (question: number) => void, clock: Clock, timeoutMs: number): Promise<unknown> {
    const question = this.#next++;
    const answer = await new Promise<TaskAnswer>((resolve) => {
      const timer = clock.after(timeoutMs, () => settle({ refused: `the task did not answer within ${timeoutMs} ms` }));
      const settle = (given: TaskAnswer): void => {
        timer.cancel();
        this.#open.delete(question);
        resolve(given);
      };
      this.#open.set(question, settle);
      send(question);
    });
    if ("refused" in answer) throw new ConnectError(answer.refused);
    return answer.value;
  }
  answered(question: number, answer: TaskAnswer): void {
    this.#open.get(question)?.(answer);
  }
  /** The task is gone. */
  close(): void {
    for (const settle of this.#open.values()) settle({ refused: "the task ended before it had answered" });
  }
}
