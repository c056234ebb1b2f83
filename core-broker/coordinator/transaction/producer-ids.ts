/** Gives out producer ids one by one from blocks that the cluster never gives out twice. */
import type { ProducerIdBlocks } from "../types.ts";

export class ProducerIds {
  private readonly blocks: ProducerIdBlocks;
  private nextId = 0;
  private left = 0;
  private refill: Promise<void> | null = null;

  constructor(blocks: ProducerIdBlocks) {
    this.blocks = blocks;
  }
  /** Rejects with what the source of blocks rejects with. */
  async next(): Promise<number> {
    while (this.left === 0) await (this.refill ??= this.fetchBlock());
    this.left--;
    return this.nextId++;
  }
  private async fetchBlock(): Promise<void> {
    try {
      const block = await this.blocks.next();
      this.nextId = block.first;
      this.left = block.count;
    } finally {
      this.refill = null;
    }
  }
}
