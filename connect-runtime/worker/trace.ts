/**
 * Stack traces as clients of Kafka Connect read them: `class: message`, frames as `\tat …`, causes as `Caused by: …`.
 * Dashboards and people search for these lines.
 */
const FRAMES_MAX = 30;
const CAUSES_MAX = 16;

/** SOME_KAFKA_CODE → org.apache.kafka.common.errors.SomeKafkaCodeException. */
function kafkaClass(code: string): string {
  const words = code.toLowerCase().split("_");
  const name = words.map((w) => w.slice(0, 1).toUpperCase() + w.slice(1)).join("");
  return `org.apache.kafka.common.errors.${name.endsWith("Exception") ? name : `${name}Exception`}`;
}
/** The Java class that Kafka Connect would name; an error that is none of ours keeps its own name. */
export function javaClassOf(error: unknown): string {
  if (!(error instanceof Error)) return "java.lang.Throwable";
  if ("javaClass" in error && typeof error.javaClass === "string") return error.javaClass;
  if ("code" in error && typeof error.code === "number" && /^[A-Z][A-Z_]+$/.test(error.name)) return kafkaClass(error.name);
  return error.name;
}
export const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));

function header(error: unknown): string {
  const message = messageOf(error);
  return message === "" ? javaClassOf(error) : `${javaClassOf(error)}: ${message}`;
}
function frames(error: unknown): string {
  if (!(error instanceof Error) || typeof error.stack !== "string") return "";
  let text = "";
  let count = 0;
  for (const line of error.stack.split("\n")) {
    const at = /^\s+at (.*)$/.exec(line);
    if (at === null) continue;
    if (++count > FRAMES_MAX) break;
    text += `\n\tat ${at[1]}`;
  }
  return text;
}
/** Never throws; bounded in depth, so that a cycle of causes ends. */
export function traceOf(error: unknown): string {
  let text = header(error) + frames(error);
  let cause: unknown = error instanceof Error ? error.cause : undefined;
  for (let depth = 0; cause !== undefined && cause !== null && depth < CAUSES_MAX; depth++) {
    text += `\nCaused by: ${header(cause)}${frames(cause)}`;
    cause = cause instanceof Error ? cause.cause : undefined;
  }
  return `${text}\n`;
}

/** What a trace says before its first frame, without the class: the cause and, on lines of their own, the next steps. */
export const causeIn = (trace: string): string => (trace.split(/\n\tat |\nCaused by: /, 1)[0] ?? "").replace(/^[\w.$]+: /, "").trim();
