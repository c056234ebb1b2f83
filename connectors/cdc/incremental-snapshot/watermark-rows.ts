/** Watermarks of incremental snapshots as rows of the signal table. */
import type { Watermark } from "./port.ts";

export interface SignalTable {
  insert(id: string, type: string, data: string): Promise<unknown>;
  delete(id: string): Promise<unknown>;
}
export async function openWindow(table: SignalTable, { openId, openData }: Watermark): Promise<void> {
  await table.insert(openId, "snapshot-window-open", openData);
}
/** `deletes`: `incremental.snapshot.watermarking.strategy` is insert_delete. */
export async function closeWindow(table: SignalTable, deletes: boolean, watermark: Watermark): Promise<void> {
  if (deletes) await table.delete(watermark.openId);
  else await table.insert(watermark.closeId, "snapshot-window-close", watermark.closeData());
}
