/** java.util.HashMap's order of iteration: the reference writes maps in it, and whoever compares text or keys sees it. */
function textHash(text: string): number {
  let h = 0;
  for (let i = 0; i < text.length; i++) h = (Math.imul(31, h) + text.charCodeAt(i)) | 0;
  return h;
}
function javaHash(text: string): number {
  const h = textHash(text);
  return h ^ (h >>> 16);
}
/** `copied`: of a map made from another one, which begins with a capacity that fits instead of 16. */
export function inHashMapOrder<V>(pairs: Iterable<readonly [string, V]>, copied = false): (readonly [string, V])[] {
  const list = [...pairs];
  let capacity = copied ? 1 : 16;
  while (copied ? capacity < list.length / 0.75 + 1 : list.length > capacity * 0.75) capacity *= 2;
  const bucket = (key: string): number => javaHash(key) & (capacity - 1);
  return list.sort((a, b) => bucket(a[0]) - bucket(b[0]));
}
/** Of a HashSet that is made from a collection. */
export function inHashSetOrder(texts: readonly string[]): string[] {
  return inCapacity(texts, (capacity) => capacity < Math.floor(texts.length / 0.75) + 1, 16);
}
/** Of keys in a HashMap into which maps of one entry each were put by putAll: it begins with a capacity for the first. */
export function inGatheredOrder(texts: readonly string[]): string[] {
  return inCapacity(texts, (capacity) => texts.length > capacity * 0.75, 2);
}
function inCapacity(texts: readonly string[], tooSmall: (capacity: number) => boolean, least: number): string[] {
  let capacity = least;
  while (tooSmall(capacity)) capacity *= 2;
  return texts.toSorted((a, b) => (javaHash(a) & (capacity - 1)) - (javaHash(b) & (capacity - 1)));
}

/** Of a value in a map of texts, numbers (Long) and booleans. */
function valueHash(value: unknown): number {
  if (typeof value === "string") return textHash(value);
  if (typeof value === "boolean") return value ? 1231 : 1237;
  if (typeof value !== "number" && typeof value !== "bigint") return 0;
  const bits = BigInt.asUintN(64, BigInt(Number.isInteger(Number(value)) ? value : 0));
  return Number((bits ^ (bits >> 32n)) & 0xffffffffn) | 0;
}
/**
 * Items in the order in which a HashMap has them whose keys are maps themselves (partitions of offsets). The reader of offsets
 * makes its map with their number as capacity, which HashMap doubles when more than three quarters of it are taken.
 */
export function inMapKeyOrder<T>(items: readonly T[], keyOf: (item: T) => Readonly<Record<string, unknown>>): T[] {
  let capacity = 1;
  while (capacity < items.length) capacity *= 2;
  while (items.length > capacity * 0.75) capacity *= 2;
  const bucket = (item: T): number => {
    let h = 0;
    for (const [name, value] of Object.entries(keyOf(item))) h = (h + (textHash(name) ^ valueHash(value))) | 0;
    return (h ^ (h >>> 16)) & (capacity - 1);
  };
  return [...items].sort((a, b) => bucket(a) - bucket(b));
}
/** Items in the order of a HashMap with these texts as keys, each as a ByteBuffer of its UTF-8. */
export function inBufferKeyOrder<T>(items: readonly T[], keyOf: (item: T) => string): T[] {
  let capacity = 16;
  while (items.length > capacity * 0.75) capacity *= 2;
  const bucket = (item: T): number => {
    const bytes = Buffer.from(keyOf(item), "utf8");
    let h = 1;
    for (let i = bytes.length - 1; i >= 0; i--) h = (Math.imul(31, h) + bytes.readInt8(i)) | 0;
    return (h ^ (h >>> 16)) & (capacity - 1);
  };
  return [...items].sort((a, b) => bucket(a) - bucket(b));
}
