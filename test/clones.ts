/** Finds passages that stand, token by token, in files of more than one folder. */

interface Token {
  readonly text: string;
  readonly line: number;
}
export interface Clone {
  readonly tokens: number;
  /** `path:line` of its first token. */
  readonly at: readonly [string, string];
}

const TOKEN = /\/\*[\s\S]*?\*\/|\/\/.*|"(?:[^"\\\n]|\\.)*"|`(?:[^`\\]|\\.)*`|[\w$#]+|=>|[^\s\w]/g;
/** Without comments and imports; texts count by their content. A regular expression falls apart into its signs, the same way each time. */
export function tokensOf(source: string): readonly Token[] {
  const tokens: Token[] = [];
  const code = source.replaceAll(/^import\b[\s\S]*?;$/gm, (text) => text.replaceAll(/[^\n]/g, " "));
  let line = 1,
    from = 0;
  for (const match of code.matchAll(TOKEN)) {
    for (; from < match.index; from++) if (code[from] === "\n") line++;
    if (!match[0].startsWith("/*") && !match[0].startsWith("//")) tokens.push({ text: match[0], line });
  }
  return tokens;
}

/** `files`: path and source. Passages of at least `tokensMin` tokens that files of two folders share, each once, the longest first. */
export function clones(files: readonly (readonly [path: string, source: string])[], tokensMin: number): readonly Clone[] {
  const numbers = new Map<string, number>();
  const numberOf = (text: string): number => {
    const number = numbers.get(text) ?? numbers.size;
    numbers.set(text, number);
    return number;
  };
  const read = files.map(([path, source]) => {
    const tokens = tokensOf(source);
    return { path, folder: path.split("/").slice(0, 2).join("/"), tokens, ids: tokens.map((t) => numberOf(t.text)) };
  });
  const windows = new Map<number, { readonly file: number; readonly at: number }[]>();
  const found: Clone[] = [];
  read.forEach(({ path, folder, tokens, ids }, file) => {
    /** By other file and distance of positions: up to where a passage was found already. */
    const told = new Map<string, number>();
    for (const [at, hash] of hashes(ids, tokensMin).entries()) {
      const places = windows.get(hash);
      for (const place of places ?? []) {
        const other = read[place.file];
        if (other === undefined || other.folder === folder) continue;
        const passage = `${place.file} ${at - place.at}`;
        if ((told.get(passage) ?? 0) > at) continue;
        let size = 0;
        while (at + size < ids.length && ids[at + size] === other.ids[place.at + size]) size++;
        if (size < tokensMin) continue;
        told.set(passage, at + size);
        found.push({ tokens: size, at: [`${other.path}:${other.tokens[place.at]?.line}`, `${path}:${tokens[at]?.line}`] });
      }
      if (places === undefined) windows.set(hash, [{ file, at }]);
      else places.push({ file, at });
    }
  });
  return found.sort((a, b) => b.tokens - a.tokens);
}
/** Of each window of `size` tokens one number, the same for the same tokens. */
function hashes(ids: readonly number[], size: number): readonly number[] {
  const all: number[] = [];
  let hash = 0,
    oldest = 1;
  for (let i = 0; i < size; i++) oldest = Math.imul(oldest, 31);
  for (const [i, id] of ids.entries()) {
    hash = (Math.imul(hash, 31) + id - Math.imul(ids[i - size] ?? 0, oldest)) | 0;
    if (i >= size - 1) all.push(hash);
  }
  return all;
}
