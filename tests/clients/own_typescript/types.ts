// What the compiler takes, and what it refuses.
import { ApiRefused, GenPulse, TaskFailed, uploadTo, verifyWebhook } from "@genpulse/client";
import type { Asset, Event, Order, Task, Upload } from "@genpulse/client";

export async function right(genpulse: GenPulse, photo: Asset): Promise<string | undefined> {
  const order: Order = { model: ["a/b", "c/d"], input: { image: photo, steps: 5 }, priority: "low", retainS: 0, runAt: new Date() };
  const [first] = await genpulse.submitBatch([order], { idempotencyKey: "k" });
  const task: Task = await genpulse.generate("a/b", { image: photo }, { timeoutS: 5, onEvent: (event: Event) => void event.id });
  for await (const event of genpulse.watch(task, { lastEventId: "1", signal: AbortSignal.timeout(5) })) {
    if (event.name === "progress") event.progress?.toFixed(2);
    else event.task.outputs[0]?.url.toLowerCase();
  }
  for await (const one of genpulse.list({ status: ["failed"], metadata: { customer: "acme" }, createdAfter: new Date() })) {
    if (one.cost) return one.cost.amount_usd;
  }
  for await (const event of genpulse.watchBatch(first?.batch ?? "b", { lastEventId: "1" })) {
    if (event.name === "end") event.task.outputs[0]?.url.toLowerCase();
    else event.batch.counts.failed.toFixed();
  }
  for await (const batch of genpulse.batches({ limit: 5 })) (await genpulse.retryBatch(batch)).left_out[0]?.reason.trim();
  const message = await verifyWebhook("body", { "webhook-id": "x", other: ["a", "b"] }, ["new", "old"], { toleranceS: 60 });
  const file: Asset = await genpulse.upload(new Blob([await genpulse.bytes(photo)]));
  const upload: Upload = await genpulse.createUpload({ maxBytes: 5, mediaType: "image/*", expiresInS: 60 });
  const options = { signal: AbortSignal.timeout(5), retries: { busyS: 0 } };
  for (const place of [upload, upload.url]) (await uploadTo(place, new Uint8Array(5), options)).bytes.toFixed();
  return first?.error?.code ?? message.task.status ?? file.id;
}

export function reason(error: unknown): string | undefined {
  if (error instanceof TaskFailed) return error.task.error?.message;
  return error instanceof ApiRefused ? `${error.status} ${error.problems[0]?.place} ${error.retryAfterS}` : undefined;
}

export async function wrong(genpulse: GenPulse, task: Task): Promise<void> {
  // @ts-expect-error: a misspelt option
  await genpulse.submit("a/b", {}, { webhookURL: "http://x/" });
  // @ts-expect-error: another word for a priority
  await genpulse.submit("a/b", {}, { priority: "urgent" });
  // @ts-expect-error: no input
  await genpulse.generate("a/b");
  // @ts-expect-error: a misspelt filter
  genpulse.list({ Status: "failed" });
  // @ts-expect-error: another status
  genpulse.list({ status: "done" });
  // @ts-expect-error: what the API says is not changed
  task.status = "failed";
  // @ts-expect-error: a task is no batch
  await genpulse.cancelBatch(task);
  // @ts-expect-error: a path is no file
  await genpulse.upload("photo.png");
  // @ts-expect-error: an asset is no address for a file
  await uploadTo(task.outputs[0], new Blob());
  // @ts-expect-error: a misspelt option
  await genpulse.createUpload({ max_bytes: 5 });
  // @ts-expect-error: there may be none
  task.error.code;
}
