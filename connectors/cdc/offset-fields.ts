/** Fields of stored offsets: JSON's numbers, or bigints of a converter. */
export const integerField = (value: unknown): number | null =>
  typeof value === "number" ? value : typeof value === "bigint" ? Number(value) : null;
