/** java.util.HashMap's order of iteration: the reference writes maps in it, and whoever compares text or keys sees it. */
function javaHash(text: string): number {
  let h = 0;
  for (let i = 0; i < text.length; i++) h = (Math.imul(31, h) + text.charCodeAt(i)) | 0;
  return h ^ (h >>> 16);
}
export function inHashMapOrder<V>(pairs: Iterable<readonly [string, V]>): (readonly [string, V])[] {
  const list = [...pairs];
  let capacity = 16;
  while (list.length > capacity * 0.75) capacity *= 2;
  const bucket = (key: string): number => javaHash(key) & (capacity - 1);
  return list.sort((a, b) => bucket(a[0]) - bucket(b[0]));
}
