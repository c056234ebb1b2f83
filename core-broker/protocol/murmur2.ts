/** Java's Utils.murmur2 (seed 0x9747b28c), signed 32 bits: the default partitioner's hash. Callers mask with 0x7fffffff. */
export function murmur2(data: Uint8Array, start = 0, length: number = data.length): number {
  const m = 0x5bd1e995;
  let h = 0x9747b28c ^ length;
  const whole = length & ~3;
  const rest = start + whole;
  for (let i = start; i < rest; i += 4) {
    let k = (data[i] ?? 0) | ((data[i + 1] ?? 0) << 8) | ((data[i + 2] ?? 0) << 16) | ((data[i + 3] ?? 0) << 24);
    k = Math.imul(k, m);
    k ^= k >>> 24;
    h = Math.imul(h, m) ^ Math.imul(k, m);
  }
  const more = length & 3;
  if (more === 3) h ^= (data[rest + 2] ?? 0) << 16;
  if (more >= 2) h ^= (data[rest + 1] ?? 0) << 8;
  if (more >= 1) {
    h ^= data[rest] ?? 0;
    h = Math.imul(h, m);
  }
  h ^= h >>> 13;
  h = Math.imul(h, m);
  return h ^ (h >>> 15);
}
