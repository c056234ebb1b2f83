/** Prometheus' text exposition format, version 0.0.4: samples of a name together, after one HELP and TYPE. */
interface Family {
  readonly type: "counter" | "gauge";
  readonly help: string;
  readonly samples: Map<string, number>;
}
export class MetricText {
  readonly #families = new Map<string, Family>();

  counter(name: string, labels: Readonly<Record<string, string>>, value: number, help: string): void {
    this.#add("counter", name, labels, value, help);
  }
  gauge(name: string, labels: Readonly<Record<string, string>>, value: number, help: string): void {
    this.#add("gauge", name, labels, value, help);
  }
  /** The same name and labels again replaces: a scrape must not see a sample twice. */
  #add(type: Family["type"], name: string, labels: Readonly<Record<string, string>>, value: number, help: string): void {
    const id = name.replaceAll(/[^a-zA-Z0-9_:]/g, "_");
    let family = this.#families.get(id);
    if (family === undefined) this.#families.set(id, (family = { type, help, samples: new Map() }));
    const text = Object.entries(labels)
      .map(([k, v]) => `${k.replaceAll(/[^a-zA-Z0-9_]/g, "_")}="${escaped(v)}"`)
      .join(",");
    family.samples.set(text === "" ? "" : `{${text}}`, value);
  }
  toString(): string {
    let text = "";
    for (const [name, { type, help, samples }] of this.#families) {
      text += `# HELP ${name} ${help}\n# TYPE ${name} ${type}\n`;
      for (const [labels, value] of samples) text += `${name}${labels} ${printed(value)}\n`;
    }
    return text;
  }
}
const escaped = (value: string): string => value.replaceAll("\\", "\\\\").replaceAll('"', '\\"').replaceAll("\n", "\\n");
const printed = (value: number): string =>
  Number.isNaN(value) ? "NaN" : value === Infinity ? "+Inf" : value === -Infinity ? "-Inf" : String(value);
