/** binlog_row_value_options=PARTIAL_JSON: the after image of a JSON column as changes of the before image (json_diff.h). */
import { ByteCursor } from "./bytes.ts";
import { BinlogError } from "./failures.ts";
import { jsonNode, type JsonNode, nodeText } from "./json.ts";

const REPLACE = 0;
const INSERT = 1;
const REMOVE = 2;

type Leg = string | number;
const notThere = (path: string): BinlogError =>
  new BinlogError("corrupt", `A partial JSON update names ${path}, which the document before it does not have`);

/** `$.a[0]."b c"`. */
function legs(path: string): Leg[] {
  const out: Leg[] = [];
  const leg = /\[(\d+)\]|\.("(?:[^"\\]|\\.)*"|[^.[\]"\s]+)/y;
  leg.lastIndex = 1;
  if (!path.startsWith("$")) throw new BinlogError("corrupt", `${path} is not a JSON path`);
  while (leg.lastIndex < path.length) {
    const m = leg.exec(path);
    if (m === null) throw new BinlogError("corrupt", `${path} is not a JSON path`);
    if (m[1] !== undefined) out.push(Number(m[1]));
    else out.push(m[2]?.startsWith('"') === true ? unquoted(m[2], path) : (m[2] ?? ""));
  }
  return out;
}
function unquoted(text: string, path: string): string {
  try {
    return String(JSON.parse(text));
  } catch (error) {
    throw new BinlogError("corrupt", `${path} is not a JSON path`, error);
  }
}
function child(node: JsonNode, leg: Leg): JsonNode | undefined {
  if (Array.isArray(node)) return typeof leg === "number" ? node[leg] : undefined;
  if (node instanceof Map) return typeof leg === "string" ? node.get(leg) : undefined;
  // A scalar is also an array of one.
  return leg === 0 ? node : undefined;
}
/** Objects are stored by length of key, then by bytes. */
function insertMember(object: Map<string, JsonNode>, key: string, value: JsonNode): void {
  const size = (k: string): number => Buffer.byteLength(k);
  const members: [string, JsonNode][] = [...object, [key, value]];
  members.sort(([a], [b]) => size(a) - size(b) || Buffer.compare(Buffer.from(a), Buffer.from(b)));
  object.clear();
  for (const [k, v] of members) object.set(k, v);
}
function change(operation: number, parent: JsonNode, leg: Leg, value: JsonNode, path: string): void {
  if (Array.isArray(parent) && typeof leg === "number") {
    if (operation === INSERT) parent.splice(leg, 0, value);
    else if (leg >= parent.length) throw notThere(path);
    else if (operation === REMOVE) parent.splice(leg, 1);
    else parent[leg] = value;
    return;
  }
  if (!(parent instanceof Map) || typeof leg !== "string") throw notThere(path);
  if (operation === INSERT) {
    if (parent.has(leg)) throw new BinlogError("corrupt", `A partial JSON update inserts ${path}, which is there`);
    insertMember(parent, leg, value);
    return;
  }
  if (!parent.has(leg)) throw notThere(path);
  if (operation === REMOVE) parent.delete(leg);
  else parent.set(leg, value);
}

/** Text of the document after the diffs in [start, end) of `diffs`. Throws BinlogError when they do not fit the document before. */
export function applyJsonDiffs(before: Buffer, beforeStart: number, beforeEnd: number, diffs: Buffer, start: number, end: number): string {
  let root = jsonNode(before, beforeStart, beforeEnd);
  const c = new ByteCursor(diffs, start, end, "A partial JSON update");
  while (c.left > 0) {
    const operation = c.u8();
    if (operation > REMOVE) throw new BinlogError("unsupported", `A partial JSON update has operation ${operation}`);
    const path = c.text(c.packed());
    let value: JsonNode = "null";
    if (operation !== REMOVE) {
      const size = c.packed();
      const at = c.skip(size);
      value = jsonNode(diffs, at, at + size);
    }
    const way = legs(path);
    const last = way.pop();
    if (last === undefined) {
      if (operation !== REPLACE) throw notThere(path);
      root = value;
      continue;
    }
    let parent = root;
    for (const leg of way) {
      const next = child(parent, leg);
      if (next === undefined) throw notThere(path);
      parent = next;
    }
    change(operation, parent, last, value, path);
  }
  return nodeText(root);
}
