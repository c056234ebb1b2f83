/**
 * Regular expressions from clients, matched in time linear to the text (as RE2, which Kafka uses for them): a pattern can
 * be wrong, never slow. Syntax: literals, `.`, classes, `\d \w \s`, `^ $`, groups, `|`, `* + ? {m,n}` (also lazy), `(?i)`.
 */
type Test = (code: number) => boolean;
/** One state of the automaton. */
type Node =
  | { readonly op: "char"; readonly test: Test; next: number }
  | { readonly op: "split"; next: number; other: number }
  | { readonly op: "start" | "end"; next: number }
  | { readonly op: "match" };
interface Fragment {
  readonly first: number;
  /** Sets where the fragment's open ends lead. */
  readonly connect: (to: number) => void;
}
const NODES_MAX = 20_000;
const REPEAT_MAX = 1000;

export class PatternError extends Error {}

/** Says whether the whole text matches. Throws PatternError. */
export function compilePattern(source: string): (text: string) => boolean {
  const program = new Parser(source).program();
  return (text) => run(program.nodes, program.first, text);
}

function run(nodes: readonly Node[], first: number, text: string): boolean {
  const codes = Array.from(text);
  let current = new Set<number>();
  follow(nodes, first, 0, codes.length, current);
  for (let at = 0; at < codes.length; at++) {
    const code = codes[at]?.codePointAt(0) ?? 0;
    const next = new Set<number>();
    for (const index of current) {
      const node = nodes[index];
      if (node?.op === "char" && node.test(code)) follow(nodes, node.next, at + 1, codes.length, next);
    }
    if (next.size === 0) return false;
    current = next;
  }
  return current.values().some((index) => nodes[index]?.op === "match");
}
/** Adds the states reachable without reading a character. */
function follow(nodes: readonly Node[], start: number, at: number, length: number, into: Set<number>): void {
  const stack = [start];
  for (let index = stack.pop(); index !== undefined; index = stack.pop()) {
    if (into.has(index)) continue;
    into.add(index);
    const node = nodes[index];
    if (node === undefined || node.op === "char" || node.op === "match") continue;
    if (node.op === "split") stack.push(node.next, node.other);
    else if (node.op === "start" ? at === 0 : at === length) stack.push(node.next);
  }
}

class Parser {
  private readonly source: readonly string[];
  private at = 0;
  private ignoreCase = false;
  private readonly nodes: Node[] = [];
  constructor(source: string) {
    this.source = Array.from(source);
  }
  program(): { nodes: readonly Node[]; first: number } {
    const whole = this.alternatives();
    if (this.at < this.source.length) throw new PatternError(`unexpected ) at ${this.at}`);
    whole.connect(this.add({ op: "match" }));
    return { nodes: this.nodes, first: whole.first };
  }
  private add(node: Node): number {
    if (this.nodes.length >= NODES_MAX) throw new PatternError("the pattern is too large");
    this.nodes.push(node);
    return this.nodes.length - 1;
  }
  private peek(): string | undefined {
    return this.source[this.at];
  }
  private take(char: string): boolean {
    if (this.peek() !== char) return false;
    this.at++;
    return true;
  }
  private alternatives(): Fragment {
    const left = this.sequence();
    if (!this.take("|")) return left;
    const right = this.alternatives();
    const split: Node = { op: "split", next: left.first, other: right.first };
    return { first: this.add(split), connect: (to) => [left, right].forEach((each) => each.connect(to)) };
  }
  private sequence(): Fragment {
    let whole = this.empty();
    for (let char = this.peek(); char !== undefined && char !== "|" && char !== ")"; char = this.peek()) {
      const next = this.repeated();
      whole.connect(next.first);
      whole = { first: whole.first, connect: next.connect };
    }
    return whole;
  }
  private empty(): Fragment {
    const node = { op: "split" as const, next: -1, other: -1 };
    const first = this.add(node);
    return {
      first,
      connect: (to) => {
        node.next = to;
        node.other = to;
      },
    };
  }
  private repeated(): Fragment {
    const from = this.at;
    let atom = this.atom();
    const [min, max] = this.quantifier();
    if (min === 1 && max === 1) return atom;
    const end = this.at;
    // Each repetition is parsed anew: its states are its own.
    const again = (): Fragment => {
      this.at = from;
      const copy = this.atom();
      this.at = end;
      return copy;
    };
    let whole = this.empty();
    const append = (next: Fragment): void => {
      whole.connect(next.first);
      whole = { first: whole.first, connect: next.connect };
    };
    for (let i = 0; i < min; i++) {
      append(atom);
      atom = again();
    }
    if (max === Number.POSITIVE_INFINITY) append(this.star(atom));
    else {
      for (let i = min; i < max; i++) {
        append(this.optional(atom));
        atom = again();
      }
    }
    return whole;
  }
  private star(atom: Fragment): Fragment {
    const split = { op: "split" as const, next: atom.first, other: -1 };
    const first = this.add(split);
    atom.connect(first);
    return {
      first,
      connect: (to) => {
        split.other = to;
      },
    };
  }
  private optional(atom: Fragment): Fragment {
    const split = { op: "split" as const, next: atom.first, other: -1 };
    return {
      first: this.add(split),
      connect: (to) => {
        split.other = to;
        atom.connect(to);
      },
    };
  }
  private quantifier(): [min: number, max: number] {
    const range = this.range();
    if (range === null) return [1, 1];
    this.take("?");
    return range;
  }
  private range(): [number, number] | null {
    if (this.take("*")) return [0, Number.POSITIVE_INFINITY];
    if (this.take("+")) return [1, Number.POSITIVE_INFINITY];
    if (this.take("?")) return [0, 1];
    const counted = /^\{(\d+)(,(\d*))?\}/.exec(this.source.slice(this.at, this.at + 16).join(""));
    if (counted === null) return null;
    this.at += counted[0].length;
    const min = Number(counted[1]);
    const max = counted[2] === undefined ? min : counted[3] === "" ? Number.POSITIVE_INFINITY : Number(counted[3]);
    if (min > REPEAT_MAX || (max !== Number.POSITIVE_INFINITY && max > REPEAT_MAX) || max < min) throw new PatternError("bad repetition");
    return [min, max];
  }
  private atom(): Fragment {
    const char = this.source[this.at++];
    if (char === undefined) throw new PatternError("unexpected end");
    if (char === "(") return this.group();
    if (char === "*" || char === "+" || char === "?") throw new PatternError(`nothing to repeat at ${this.at - 1}`);
    if (char === "^" || char === "$") return this.single({ op: char === "^" ? "start" : "end", next: -1 });
    if (char === ".") return this.char((code) => code !== 10);
    if (char === "[") return this.char(this.characterClass());
    if (char === "\\") return this.escape();
    return this.char(this.literal(char));
  }
  private single(node: Exclude<Node, { op: "match" } | { op: "split" }>): Fragment {
    return {
      first: this.add(node),
      connect: (to) => {
        node.next = to;
      },
    };
  }
  private char(test: Test): Fragment {
    return this.single({ op: "char", test, next: -1 });
  }
  private literal(char: string): Test {
    const codes = this.ignoreCase ? [char.toLowerCase(), char.toUpperCase()] : [char];
    const wanted = new Set(codes.map((each) => each.codePointAt(0) ?? 0));
    return (code) => wanted.has(code);
  }
  private group(): Fragment {
    const before = this.ignoreCase;
    if (this.take("?")) {
      while (this.take("i")) this.ignoreCase = true;
      if (this.take(")")) return this.empty();
      if (this.take("P")) this.name();
      else if (this.peek() === "<") this.name();
      else if (!this.take(":")) throw new PatternError("unknown group");
    }
    const inner = this.alternatives();
    if (!this.take(")")) throw new PatternError("missing )");
    this.ignoreCase = before;
    return inner;
  }
  private name(): void {
    if (!this.take("<")) throw new PatternError("unknown group");
    while (/\w/.test(this.peek() ?? "")) this.at++;
    if (!this.take(">")) throw new PatternError("unknown group");
  }
  private escape(): Fragment {
    const char = this.source[this.at++];
    if (char === undefined) throw new PatternError("trailing \\");
    if (char === "A") return this.single({ op: "start", next: -1 });
    if (char === "z") return this.single({ op: "end", next: -1 });
    return this.char(this.escapedTest(char));
  }
  private escapedTest(char: string): Test {
    const shorthand = SHORTHANDS[char.toLowerCase()];
    if (shorthand !== undefined && /[dws]/i.test(char)) return char === char.toLowerCase() ? shorthand : (code) => !shorthand(code);
    const control = CONTROLS[char];
    if (control !== undefined) return (code) => code === control;
    if (/[0-9A-Za-z]/.test(char)) throw new PatternError(`unknown escape \\${char}`);
    return this.literal(char);
  }
  private characterClass(): Test {
    const negated = this.take("^");
    const tests: Test[] = [];
    for (let first = true; first || this.peek() !== "]"; first = false) {
      const char = this.source[this.at++];
      if (char === undefined) throw new PatternError("missing ]");
      if (char === "\\") {
        tests.push(this.escapedTest(this.source[this.at++] ?? ""));
        continue;
      }
      const high = this.source[this.at + 1];
      if (this.peek() === "-" && high !== undefined && high !== "]") {
        this.at += 2;
        tests.push(this.span(char, high));
      } else tests.push(this.literal(char));
    }
    this.at++;
    return (code) => tests.some((test) => test(code)) !== negated;
  }
  private span(low: string, high: string): Test {
    const [from, to] = [low.codePointAt(0) ?? 0, high.codePointAt(0) ?? 0];
    if (to < from) throw new PatternError(`bad range ${low}-${high}`);
    if (!this.ignoreCase) return (code) => code >= from && code <= to;
    return (code) => {
      const char = String.fromCodePoint(code);
      return [char.toLowerCase(), char.toUpperCase()].some(
        (each) => (each.codePointAt(0) ?? 0) >= from && (each.codePointAt(0) ?? 0) <= to,
      );
    };
  }
}
const isDigit: Test = (code) => code >= 48 && code <= 57;
const SHORTHANDS: Readonly<Record<string, Test>> = {
  d: isDigit,
  w: (code) => isDigit(code) || (code >= 65 && code <= 90) || (code >= 97 && code <= 122) || code === 95,
  s: (code) => code === 32 || (code >= 9 && code <= 13),
};
const CONTROLS: Readonly<Record<string, number>> = { n: 10, r: 13, t: 9, f: 12, v: 11 };
