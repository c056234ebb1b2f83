/** The live view: redrawn in place on a terminal, one line every five seconds elsewhere. */
import type { View } from "./observer.ts";

export interface ScreenFacts {
  readonly bootstrap: string;
  readonly rest: string;
  readonly samplePort: number;
  readonly folder: string;
}
export interface Output {
  readonly isTTY: boolean;
  readonly columns: number;
  write(text: string): void;
}
const LINE_EVERY_MS = 5000;
const DRAW_MS = 500;

export function showLive(out: Output, facts: ScreenFacts, view: () => View): { stop(): void } {
  let drawn = 0;
  const draw = (): void => {
    const lines = screenLines(facts, view(), Date.now()).map((line) => line.slice(0, Math.max(20, out.columns - 1)));
    // Up to where the last picture began, then over it.
    out.write(`${drawn > 0 ? `\x1b[${drawn}A` : ""}${lines.map((line) => `\x1b[2K${line}\n`).join("")}`);
    drawn = lines.length;
  };
  const say = (): void => out.write(`${plainLine(view())}\n`);
  if (!out.isTTY) for (const line of hints(facts)) out.write(`${line}\n`);
  const timer = out.isTTY ? setInterval(draw, DRAW_MS) : setInterval(say, LINE_EVERY_MS);
  return { stop: () => clearInterval(timer) };
}

export function screenLines(facts: ScreenFacts, view: View, nowMs: number): string[] {
  const lines = ["", "  Millrace: Postgres → broker → replica", ""];
  for (const c of view.connectors)
    lines.push(
      `  ${c.name.padEnd(20)} ${c.state.padEnd(10)} tasks: ${c.tasks.join(", ") || "none yet"}${c.cause === null ? "" : `  ${c.cause}`}`,
    );
  lines.push("");
  lines.push(
    `  events      ${view.events.toLocaleString("en")} in the topics, ${view.eventsPerSecond.toFixed(1)}/s, ${view.lag} not yet in the replica`,
  );
  lines.push(`  last change ${view.lastChange ?? "none yet"}`);
  const c = view.comparison;
  if (c === null) lines.push("  rows        not compared yet", "");
  else {
    lines.push(`  source      ${String(c.source.rows).padStart(6)} rows, checksums ${c.source.checksum}`);
    lines.push(`  replica     ${String(c.replica.rows).padStart(6)} rows, checksums ${c.replica.checksum}  ${verdict(view, nowMs)}`);
  }
  lines.push(view.trouble === null ? "" : `  trouble: ${view.trouble}`);
  return [...lines, ...hints(facts), ""];
}
function verdict(view: View, nowMs: number): string {
  const c = view.comparison;
  if (c === null) return "not compared yet";
  const age = Math.max(0, Math.round((nowMs - c.atMs) / 1000));
  return c.equal ? `EQUAL (${age} s ago, caught up in ${c.caughtUpMs} ms)` : `different (${age} s ago): the replica is behind`;
}
export function plainLine(view: View): string {
  const states = view.connectors
    .map((c) => `${c.name} ${c.state} [${c.tasks.join(" ")}]${c.cause === null ? "" : ` ${c.cause}`}`)
    .join(", ");
  const c = view.comparison;
  const rows =
    c === null
      ? "rows not compared yet"
      : `source ${c.source.rows} rows, replica ${c.replica.rows} rows, ${c.equal ? "checksums EQUAL" : "different"}`;
  return `${states} | ${view.events} events, ${view.eventsPerSecond.toFixed(1)}/s, lag ${view.lag} | ${rows}${view.trouble === null ? "" : ` | trouble: ${view.trouble}`} | ${view.lastChange ?? ""}`;
}
export function hints(facts: ScreenFacts): string[] {
  const psql = `psql postgresql://postgres@127.0.0.1:${facts.samplePort}`;
  return [
    "  Try, in another terminal:",
    `    curl -s ${facts.rest}/connectors?expand=status`,
    `    kcat -C -b ${facts.bootstrap} -t inventory.public.orders -o -3 -e -q`,
    `    ${psql}/inventory -c "update customers set vip = true where id = 1"`,
    `    ${psql}/inventory_replica -c "select * from customers where id = 1"`,
    `  The connectors are examples/*.json; data is in ${facts.folder}. Ctrl-C stops, npm start goes on.`,
  ];
}
