/** Prometheus' text format (version 0.0.4), families kept together in the order in which they first came. */
type MetricType = "counter" | "gauge" | "summary" | "untyped";
export type Labels = Readonly<Record<string, string | number>>;

interface Family {
  readonly type: MetricType;
  readonly help: string;
  readonly lines: string[];
}
export class Exposition {
  readonly #families = new Map<string, Family>();

  gauge(name: string, help: string, value: number, labels: Labels = {}): void {
    this.#add(name, "gauge", help, value, labels);
  }
  counter(name: string, help: string, value: number, labels: Labels = {}): void {
    this.#add(name, "counter", help, value, labels);
  }
  /** What the usual exporter makes of a JMX histogram: quantiles as labels, the number of values as NAME_count. */
  summary(name: string, help: string, quantiles: ReadonlyMap<number, number>, count: number, labels: Labels = {}): void {
    for (const [quantile, value] of quantiles) this.#add(name, "gauge", help, value, { ...labels, quantile });
    this.#add(`${name}_count`, "counter", `${help} Number of values.`, count, labels);
  }
  text(): string {
    let text = "";
    for (const [name, { type, help, lines }] of this.#families) {
      text += `# HELP ${name} ${help}\n# TYPE ${name} ${type}\n${lines.join("")}`;
    }
    return text;
  }
  #add(name: string, type: MetricType, help: string, value: number, labels: Labels): void {
    let family = this.#families.get(name);
    if (family === undefined) this.#families.set(name, (family = { type, help, lines: [] }));
    family.lines.push(`${name}${labelText(labels)} ${numberText(value)}\n`);
  }
}
function labelText(labels: Labels): string {
  const parts = Object.entries(labels).map(([name, value]) => `${name}="${escaped(String(value))}"`);
  return parts.length === 0 ? "" : `{${parts.join(",")}}`;
}
const escaped = (text: string): string => text.replaceAll("\\", "\\\\").replaceAll('"', '\\"').replaceAll("\n", "\\n");
function numberText(value: number): string {
  if (Number.isNaN(value)) return "NaN";
  if (!Number.isFinite(value)) return value > 0 ? "+Inf" : "-Inf";
  return String(value);
}
