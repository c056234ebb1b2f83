/** What a connector's ConfigDef lists: descriptions of settings, put into groups and order. */
import type { ConfigType, Importance, Width } from "#connect/api/config";
import type { CheckName } from "./value-checks.ts";
import { SHARED_KEYS, type SharedName } from "./shared-keys.ts";

export interface KeyDescription {
  readonly type: ConfigType;
  /** Beyond those of its type and choices, in the reference's order. */
  readonly checks?: readonly CheckName[];
  readonly default: string | null;
  readonly importance: Importance;
  readonly width: Width;
  readonly displayName: string;
  readonly doc: string;
  /** Values that the setting takes, in the order in which answers list them. */
  readonly choices?: readonly string[];
  readonly dependents?: readonly string[];
  readonly visible?: false;
}
export interface DeclaredKey extends KeyDescription {
  readonly name: string;
  readonly group: string;
  /** Place in the group, from 1. */
  readonly order: number;
}
type Descriptions = Readonly<Record<string, KeyDescription>>;

/**
 * The keys of all groups, in order. `own`: settings of this connector alone; `otherwise`: what shared settings have otherwise in it.
 */
export function declaredKeys<Own extends Descriptions>(
  groups: Readonly<Record<string, readonly (SharedName | (keyof Own & string))[]>>,
  own: Own,
  otherwise: Readonly<Partial<Record<SharedName, Partial<KeyDescription>>>>,
): readonly DeclaredKey[] {
  const described: Descriptions = { ...SHARED_KEYS, ...own };
  const differing: Readonly<Record<string, Partial<KeyDescription>>> = otherwise;
  return Object.entries(groups).flatMap(([group, names]) =>
    names.map((name, at) => {
      const description = described[name];
      if (description === undefined) throw new TypeError(`no description of the setting ${name}`);
      return { name, group, order: at + 1, ...description, ...differing[name] };
    }),
  );
}
