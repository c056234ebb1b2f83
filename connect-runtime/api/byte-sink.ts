/** A growing buffer that converters write into. Callers copy what they keep and set `length` back to 0. */
export interface ByteSink {
  /** May be replaced by `reserve`: read it again afterwards. */
  bytes: Buffer;
  /** Bytes written so far; writers advance it. */
  length: number;
  /** Makes room for `more` bytes after `length`. */
  reserve(more: number): void;
}

export function byteSink(initialBytes = 16 * 1024): ByteSink {
  return {
    bytes: Buffer.allocUnsafeSlow(initialBytes),
    length: 0,
    reserve(more: number): void {
      const need = this.length + more;
      if (need <= this.bytes.length) return;
      const grown = Buffer.allocUnsafeSlow(Math.max(need, this.bytes.length * 2));
      this.bytes.copy(grown, 0, 0, this.length);
      this.bytes = grown;
    },
  };
}
