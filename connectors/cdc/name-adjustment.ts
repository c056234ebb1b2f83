/** `schema.name.adjustment.mode` and `field.name.adjustment.mode`: names that Avro accepts. */
import { ConfigError } from "#connect/api/errors";

export type NameAdjuster = (name: string) => string;

const hex4 = (char: string): string => char.charCodeAt(0).toString(16).padStart(4, "0");

function adjuster(replace: (char: string, at: number) => string, first: RegExp, rest: RegExp): NameAdjuster {
  return (name) => {
    let out = "";
    for (let i = 0; i < name.length; i++) {
      const char = name.charAt(i);
      out += (i === 0 ? first : rest).test(char) ? char : replace(char, i);
    }
    return out;
  };
}

/** `forField`: a field's name must not hold dots; a schema's name is dotted. */
export function nameAdjuster(mode: string, forField: boolean): NameAdjuster {
  const rest = forField ? /[A-Za-z0-9_]/ : /[A-Za-z0-9_.]/;
  switch (mode) {
    case "none":
      return (name) => name;
    case "avro":
      // A digit at the beginning stays, behind an underscore.
      return adjuster((c, at) => (at === 0 && /[0-9]/.test(c) ? `_${c}` : "_"), /[A-Za-z_]/, rest);
    case "avro_unicode":
      // The underscore itself is escaped, so that the mapping can be undone.
      return adjuster((c) => `_u${hex4(c)}`, /[A-Za-z]/, forField ? /[A-Za-z0-9]/ : /[A-Za-z0-9.]/);
    default:
      throw new ConfigError(`The name adjustment mode '${mode}' is invalid: Value must be one of avro, none, avro_unicode`);
  }
}
