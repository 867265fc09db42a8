import { z } from "zod";
import type { Recorder } from "../recorder.ts";
import type { TimedAnswer } from "./api-client.ts";
import type { People } from "./people.ts";

const receiptSchema = z.object({
  event_id: z.string(),
  source_event_id: z.string().optional(),
  subject: z.string().nullable(),
  type: z.string(),
  status: z.string(),
  applied_at: z.string().nullable(),
  enforced_at: z.string().nullable(),
});
type Receipt = z.infer<typeof receiptSchema>;

export interface ReceiptReader {
  /** The newest hundred. */
  readNewest(): Promise<void>;
  /** All of them; how many are not enforced yet, undefined when that could not be read. */
  readAll(): Promise<number | undefined>;
}

/** Notes each receipt when it is new or has changed. */
export function createReceiptReader(people: Pick<People, "admin">, recorder: Recorder): ReceiptReader {
  const known = new Map<string, string>();

  async function readPage(cursor = "") {
    const answer = await people.admin(`/revocations?limit=100${cursor && `&cursor=${cursor}`}`);
    if (answer.status !== 200) return undefined;
    const receipts = z.array(receiptSchema).parse(answer.body["items"]);
    for (const receipt of receipts) note(receipt, answer);
    const next = answer.body["next_cursor"];
    return { receipts, next: typeof next === "string" ? next : undefined };
  }

  function note(receipt: Receipt, { sent, done }: TimedAnswer): void {
    if (known.get(receipt.event_id) === receipt.status) return;
    known.set(receipt.event_id, receipt.status);
    recorder.note({
      op: "receipt",
      sent,
      done,
      event: receipt.event_id,
      ...(receipt.source_event_id !== undefined && { source_event: receipt.source_event_id }),
      user: receipt.subject,
      type: receipt.type,
      status: receipt.status,
      applied_at: timeOf(receipt.applied_at),
      enforced_at: timeOf(receipt.enforced_at),
    });
  }

  return {
    async readNewest() {
      await readPage();
    },
    async readAll() {
      let waiting = 0;
      let cursor: string | undefined = "";
      while (cursor !== undefined) {
        const page = await readPage(cursor);
        if (page === undefined) return undefined;
        waiting += page.receipts.filter(({ status }) => status !== "enforced").length;
        cursor = page.next;
      }
      return waiting;
    },
  };
}

function timeOf(text: string | null): number | null {
  return text === null ? null : Date.parse(text);
}
