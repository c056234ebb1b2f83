/** Debezium's schema name adjustment: names that Avro would refuse. */
export type NameAdjuster = (name: string) => string;
const isFirst = (c: string): boolean => /[A-Za-z_]/.test(c);
const isFollowing = (c: string): boolean => /[A-Za-z0-9_.]/.test(c);

/** Mode `none`, `avro` (an underscore for each invalid character) or `avro_unicode` (its code as _uXXXX). */
export function nameAdjuster(mode: string): NameAdjuster {
  const kind = mode.trim().toLowerCase();
  if (kind !== "avro" && kind !== "avro_unicode") return (name) => name;
  const unicode = kind === "avro_unicode";
  return (name) => {
    let out = "";
    for (let i = 0; i < name.length; i++) {
      const c = name.charAt(i);
      const fine = i === 0 ? isFirst(c) : isFollowing(c);
      if (unicode && c === "_") out += "_u005f";
      else if (fine) out += c;
      else out += unicode ? `_u${c.charCodeAt(0).toString(16).padStart(4, "0")}` : "_";
    }
    return out;
  };
}
