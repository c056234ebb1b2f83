/** Kafka's rules for topic names, with its wording. */
const NAME_CHARS_MAX = 249;
const LEGAL = /^[a-zA-Z0-9._-]+$/;
const INTERNAL: ReadonlySet<string> = new Set(["__consumer_offsets", "__transaction_state", "__share_group_state"]);

/** Null: a good name. */
export function topicNameRefusal(name: string): string | null {
  const invalid = (why: string): string => `Topic name is invalid: ${why}`;
  if (name === "") return invalid("the empty string is not allowed");
  if (name === "." || name === "..") return invalid(`'${name}' is not allowed`);
  if (name.length > NAME_CHARS_MAX) return invalid(`the length of '${name}' is longer than the max allowed length ${NAME_CHARS_MAX}`);
  if (!LEGAL.test(name)) return invalid(`'${name}' contains one or more characters other than ASCII alphanumerics, '.', '_' and '-'`);
  return null;
}
/** Topics whose names differ only in "." and "_" share metric names; Kafka refuses the second one. */
export const collisionKey = (name: string): string => name.replaceAll(".", "_");
export const isInternalTopic = (name: string): boolean => INTERNAL.has(name);
