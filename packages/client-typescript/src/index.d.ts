/**
 * The client of GenPulse: one durable task API in front of generative media.
 *
 *     const genpulse = new GenPulse("http://127.0.0.1:8000");
 *     const task = await genpulse.generate("sandbox/image", { prompt: "a red fox at dawn" });
 *
 * What the API says comes as it says it: fields are spelt as in its documentation, times are texts (RFC 3339, UTC).
 */

export type Status = "queued" | "running" | "succeeded" | "failed" | "canceled";
export type Priority = "high" | "normal" | "low";

/** A file. `url` needs no API key, and runs out: the task gives a fresh one. */
export interface Asset {
  readonly id: string;
  readonly url: string;
  /** A WebP of a picture or a video, 320 pixels wide at most; `w` in it may be 64, 160, 640 or 1280 as well. */
  readonly thumbnail_url: string | null;
  readonly media_type: string;
  readonly bytes: number;
  readonly sha256: string;
  /** Pixels. */
  readonly width: number | null;
  /** Pixels. */
  readonly height: number | null;
  /** Seconds. */
  readonly duration_s: number | null;
}

/** Why a task failed. `who_must_act` names who has to do something. */
export interface Failure {
  readonly code: string;
  readonly message: string;
  readonly retryable: boolean;
  readonly charged: "no" | "yes" | "maybe";
  readonly who_must_act: string;
}

/** What is odd about a task that succeeded. `index` is which of the outputs that were asked for, from 0. */
export interface TaskWarning {
  readonly code: string;
  readonly message: string;
  readonly index: number | null;
}

/** What a task does not go on without: `next_attempt`, `worker`, `provider`, `storage`, `database`, `task`, `run_at`. */
export interface Waiting {
  readonly what: string;
  readonly since: string;
}

/** What a task cost, in US dollars, a decimal number in a text. `estimated` where the provider did not state it. */
export interface Cost {
  readonly amount_usd: string;
  readonly estimated: boolean;
}

/** What stands in the `result` of a task in the place of a file: which asset it is, and where its bytes are. */
export interface AssetReference {
  readonly $asset: string;
  readonly url: string;
}

/** A task as it stood when the API was asked. */
export interface Task {
  /** A UUIDv7: newer tasks have higher ids. */
  readonly id: string;
  readonly kind: string;
  readonly provider: string;
  /** `provider/name`. */
  readonly model: string;
  readonly status: Status;
  /** 0.0 to 1.0; null when nothing is known. */
  readonly progress: number | null;
  readonly input: Readonly<Record<string, unknown>>;
  readonly outputs: readonly Asset[];
  /**
   * What the provider answered, as JSON; null where it is files alone, and before the end. Each file in it is an
   * `AssetReference`, and null where it is missing. Lists and batches leave it out where there is one.
   */
  readonly result?: unknown;
  readonly warnings: readonly TaskWarning[];
  /** Why it failed, or what nobody knows about the money of a canceled one. */
  readonly error: Failure | null;
  /** The models that are tried in their order, and those that were left, as the API says it; null where it has one. */
  readonly route?: Readonly<Record<string, unknown>> | null;
  /** What the last attempt said, while the task has not ended. */
  readonly last_error: Failure | null;
  readonly waiting_for: Waiting | null;
  readonly next_try_at: string | null;
  /** Before when it was not to begin; null where it was to begin at once. */
  readonly run_at: string | null;
  readonly cancel_requested_at: string | null;
  /** How many attempts have begun. */
  readonly attempt: number;
  readonly priority: Priority;
  readonly metadata: Readonly<Record<string, string>>;
  /** The id of the batch with which it was submitted; null for one alone. */
  readonly batch: string | null;
  readonly cost: Cost | null;
  readonly environment: string;
  readonly created_at: string;
  readonly started_at: string | null;
  readonly finished_at: string | null;
  /** Seconds after its end for which it is kept; null: as long as the installation keeps tasks. */
  readonly retain_s: number | null;
  readonly urls: { readonly self: string; readonly events: string; readonly cancel: string };
}

/** Tasks that were submitted together, as they stood when the API was asked. */
export interface Batch {
  /** A UUIDv7: newer batches have higher ids. */
  readonly id: string;
  /** With how many tasks it was queued. */
  readonly total: number;
  /** How many tasks stand how; `deleted` are those that are not kept any more. */
  readonly counts: Readonly<Record<Status | "deleted", number>>;
  /** Nothing more happens by itself. */
  readonly ended: boolean;
  /** How many of the failed tasks can succeed when they run again. */
  readonly retryable: number;
  /** What its tasks have cost together, as far as that is known. */
  readonly cost: Cost | null;
  readonly environment: string;
  readonly created_at: string;
  /** When the last task ended; null while one has not. */
  readonly finished_at: string | null;
  readonly urls: Readonly<Record<"self" | "tasks" | "events" | "cancel" | "retry", string>>;
}

/** A batch after `done` tasks of it were canceled or queued again, and why the others were not. */
export interface BatchActionOutcome extends Batch {
  readonly done: number;
  readonly left_out: readonly { readonly reason: string; readonly count: number }[];
}

/** A model that can be asked for. `input_schema` is the JSON Schema of a task's input. */
export interface Model {
  readonly id: string;
  readonly title: string;
  readonly description: string;
  readonly kinds: readonly string[];
  readonly paid: boolean;
  /** False where it costs money and the environment does not allow that. */
  readonly allowed: boolean;
  /** False where its provider lacks what it needs, such as a key. */
  readonly configured: boolean;
  readonly input_schema: Readonly<Record<string, unknown>>;
  /** What its vendor charges by, as the API says it; null where nobody has stated that. */
  readonly price?: Readonly<Record<string, unknown>> | null;
  /** A day in UTC, such as `2027-03-31`, from which its vendor advises against it. */
  readonly deprecated?: string | null;
  /** The day in UTC on which its vendor shuts it down. */
  readonly sunset?: string | null;
  /** The `id` of the model that takes its place. */
  readonly successor?: string | null;
}

/** What happens to a task: the task as it stands, or how far it has come and words for people. */
export type Event =
  | { readonly id: string; readonly name: "task" | "done"; readonly task: Task; readonly progress?: undefined; readonly message?: undefined }
  | { readonly id: string; readonly name: "progress"; readonly task?: undefined; readonly progress?: number; readonly message?: string };

/** How the batch stands, or a task of it that has ended. After `done` nothing more comes. */
export type BatchEvent =
  | { readonly id: string; readonly name: "batch" | "done"; readonly batch: Batch; readonly task?: undefined }
  | { readonly id: string; readonly name: "end"; readonly task: Task; readonly batch?: undefined };

/** A call ends early, with the reason of the signal, when the signal says so. */
export interface Abortable {
  signal?: AbortSignal;
}

export interface OrderOptions {
  /** Needed only when the model does several kinds of work. */
  kind?: string;
  priority?: Priority;
  /** Where the end of the task is told. */
  webhookUrl?: string;
  /** In how many seconds the task is given up. */
  deadlineS?: number;
  /** Your own words. */
  metadata?: Readonly<Record<string, string>>;
  /** The same key and order give the same task. */
  idempotencyKey?: string;
  /** For how many whole seconds after its end the task and its files are kept at the longest. */
  retainS?: number;
  /** Not begun before then, 30 days ahead at most; `deadlineS` counts from it. */
  runAt?: Date | string;
}

/**
 * A task that is asked for. `model` is `provider/name`, a route, or several in the order in which they are to be
 * tried; null is the usual route of the `kind`.
 */
export interface Order extends OrderOptions {
  model: string | readonly string[] | null;
  /** What the model's `input_schema` describes; an `Asset` in it stands for its file. */
  input: Readonly<Record<string, unknown>>;
}

export interface WaitOptions extends Abortable {
  /** After this many seconds `TaskNotEnded` is thrown; the task goes on. */
  timeoutS?: number;
  /** Is called with each event on the way. */
  onEvent?: (event: Event) => void;
}

export interface WatchOptions extends Abortable {
  /** Only what is newer than this event comes. */
  lastEventId?: string;
  /** After this many seconds `TaskNotEnded` is thrown; the task goes on. */
  timeoutS?: number;
}

/** All that is said has to fit; of several values of one field any may. */
export interface TaskFilter {
  status?: Status | readonly Status[];
  kind?: string | readonly string[];
  provider?: string | readonly string[];
  model?: string | readonly string[];
  /** That of the error. */
  code?: string | readonly string[];
  /** The API key's id or name. */
  key?: string | readonly string[];
  /** A batch's id. */
  batch?: string;
  ids?: readonly string[];
  /** How ids begin. */
  idPrefix?: string;
  /** Found in the input. */
  text?: string;
  metadata?: Readonly<Record<string, string | readonly string[]>>;
  createdAfter?: Date | string;
  createdBefore?: Date | string;
}

export type Action = "cancel" | "retry" | "delete";

/** `count` is with how many it would be done, `done` with how many it was: one of them is null. */
export interface ActionOutcome {
  readonly action: Action;
  readonly count: number | null;
  readonly done: number | null;
  readonly left_out: readonly { readonly reason: string; readonly count: number }[];
  /** Does what was counted, or goes on with what is left; null where there is nothing more to do. */
  readonly confirm: string | null;
  readonly [field: string]: unknown;
}

/** What somebody else may bring. */
export interface UploadOptions {
  /** How large it may be at most. */
  maxBytes?: number;
  /** What it may be, by its bytes: `image/*`, `image/png`. */
  mediaType?: string;
  /** For how many seconds the address is good: 3600 at most, 900 by itself. */
  expiresInS?: number;
}

/** Where one file is to be brought. `asset:` and `asset_id` name it in an input, once it is there. */
export interface Upload {
  readonly asset_id: string;
  /** Whoever has it can bring the file. */
  readonly url: string;
  readonly method: "PUT";
  readonly media_type: string;
  readonly max_bytes: number;
  readonly expires_at: string;
}

/** What a client token is to be good for: `tasks` that are there, or tasks of `models` that are submitted by it. */
export interface ClientTerms {
  /** Ids of tasks that may be watched. */
  tasks?: readonly string[];
  /** Models and routes of which tasks may be submitted. */
  models?: readonly string[];
  /** For how many seconds it is good: 10 to 3600, 600 by itself. */
  expiresInS?: number;
  /** How many tasks may be submitted: 1 by itself. */
  maxTasks?: number;
  /** US dollars that those may come to, as a decimal number in a string. */
  maxUsd?: string;
  /** Fields of the input that are the same for all of its tasks. */
  input?: Readonly<Record<string, unknown>>;
  /** The other fields that may be said; left out: any. */
  inputFields?: readonly string[];
  /** The metadata of all of its tasks. */
  metadata?: Readonly<Record<string, string>>;
  webhookUrl?: string;
  mayCancel?: boolean;
  /** Files that may be brought, by addresses that `createUpload` gives. */
  uploads?: { maxFiles?: number; maxBytes?: number; mediaType?: string };
}

/** A client token: for minutes, a small part of what an API key may do. */
export interface ClientToken {
  readonly id: string;
  /** Its secret, right after it was made: the `apiKey` of a `GenPulse` in a page. */
  readonly token?: string;
  readonly created_at: string;
  readonly expires_at: string;
  readonly revoked_at: string | null;
  readonly tasks: readonly string[];
  readonly models: readonly string[];
  readonly may_cancel: boolean;
  readonly max_tasks: number | null;
  readonly max_usd: string | null;
  readonly usage: { readonly tasks: number; readonly usd: string; readonly files: number };
  readonly [field: string]: unknown;
}

export interface BudgetOptions extends Abortable {
  /** An end customer of the API key, as the metadata of its tasks calls it: its limits come last. */
  customer?: string;
}

/** A limit, and how much of it is used: US dollars, tasks of a day, or tasks that have not ended. */
export interface Budget {
  readonly scope: "environment" | "provider" | "key" | "customer" | "client_token";
  readonly name: string;
  readonly key_name: string | null;
  readonly measure: "usd" | "tasks" | "active_tasks";
  readonly period: "day" | "month" | null;
  readonly used: string;
  readonly limit: string;
  readonly resets_at: string | null;
}

export interface UsageOptions extends Abortable {
  since?: Date | string;
  until?: Date | string;
  /** `day`, `provider`, `model`, `key` or `metadata.<name>`. */
  groupBy?: string | readonly string[];
}

/** Counts of tasks and money, a row for each group. */
export interface Usage {
  readonly data: readonly Readonly<Record<string, unknown>>[];
  readonly [field: string]: unknown;
}

export interface ClientOptions {
  /**
   * For how many seconds a call is sent again in all; 0 is never. `busyS`: while the API answers 429 or 503, as it asks
   * by `Retry-After` (60). `unreachableS`: from the moment in which the connection is lost (15).
   */
  retries?: { busyS?: number; unreachableS?: number };
  /** For how many seconds a server may be silent (90). */
  silenceS?: number;
  /** What to ask with in place of the global `fetch`. */
  fetch?: typeof fetch;
}

/**
 * A client of GenPulse, for Node and browsers. One may live as long as the program.
 *
 * Every call rejects with `ApiRefused` where the API says no, `ApiUnreachable` where nothing answers, and
 * `UnexpectedAnswer` where something else does; all are `GenPulseError`. An option that there is not is a `TypeError`.
 */
export class GenPulse {
  /** `url` is by itself that of GENPULSE_URL, or http://127.0.0.1:8000; `apiKey` that of GENPULSE_API_KEY. */
  constructor(url?: string, apiKey?: string, options?: ClientOptions);
  readonly url: string;
  /** Submit a task, and come back at once. A connection that breaks is tried again, and it stays one task. */
  submit(model: Order["model"], input: Order["input"], options?: OrderOptions & Abortable): Promise<Task>;
  /**
   * Submit 1 to 1000 tasks: all of them, or none. The tasks come in the order of the orders. Under a key for the whole,
   * or one for each order, what is sent again is not paid for again.
   */
  submitBatch(orders: readonly Order[], options?: { idempotencyKey?: string } & Abortable): Promise<Task[]>;
  /** Look whether all of these orders would be taken, and submit none. Rejects with `ApiRefused`. */
  checkBatch(orders: readonly Order[], options?: Abortable): Promise<void>;
  /** A batch as it stands. The `batch` of a task is the id of its. */
  batch(batchId: string, options?: Abortable): Promise<Batch>;
  /** Batches, newest first, `limit` of them at most. Pages are asked for as they are needed. */
  batches(options?: { limit?: number } & Abortable): AsyncGenerator<Batch, void, undefined>;
  /**
   * How a batch stands, and each task of it that ends, until all have ended. A stream that breaks is taken up where it
   * was; then an end may come twice.
   */
  watchBatch(batch: Batch | string, options?: { lastEventId?: string } & Abortable): AsyncGenerator<BatchEvent, void, undefined>;
  /** Ask that every task of a batch stops that has not ended. */
  cancelBatch(batch: Batch | string, options?: Abortable): Promise<BatchActionOutcome>;
  /** Run those failed tasks of a batch again that can succeed. */
  retryBatch(batch: Batch | string, options?: Abortable): Promise<BatchActionOutcome>;
  /** Submit a task, and wait until it has succeeded. Rejects with `TaskFailed`, and `TaskNotEnded` after `timeoutS`. */
  generate(model: Order["model"], input: Order["input"], options?: OrderOptions & WaitOptions): Promise<Task>;
  /** The task at its end, however that is. */
  wait(task: Task | string, options?: WaitOptions): Promise<Task>;
  /** What happens to a task until it has ended. A stream that breaks is taken up where it was. */
  watch(task: Task | string, options?: WatchOptions): AsyncGenerator<Event, void, undefined>;
  /** A task as it stands. */
  get(taskId: string, options?: Abortable): Promise<Task>;
  /** Tasks, newest first, `limit` of them at most. Pages are asked for as they are needed. */
  list(filters?: TaskFilter & { limit?: number } & Abortable): AsyncGenerator<Task, void, undefined>;
  /** Ask that it stops. Until its status is `canceled` it may still end otherwise. */
  cancel(task: Task | string, options?: Abortable): Promise<Task>;
  /** Run a failed task again. With `evenIfCharged` also where it may be paid for twice. */
  retry(task: Task | string, options?: { evenIfCharged?: boolean } & Abortable): Promise<Task>;
  /**
   * One action on all tasks that fit. Without `confirm` it is counted what would be done, and nothing is; with the
   * `confirm` of that answer it is done, and where one call does not come to the end, the next one's goes on. `every`
   * says that all tasks are meant where the filter leaves none out.
   */
  act(action: Action, wanted: TaskFilter, options?: { every?: boolean; confirm?: string } & Abortable): Promise<ActionOutcome>;
  /** What was tried for a task, oldest first, as the API says it. */
  attempts(task: Task | string, options?: Abortable): Promise<Readonly<Record<string, unknown>>[]>;
  /** The webhook messages about a task: where to, how they stand, and what was answered, as the API says it. */
  deliveries(task: Task | string, options?: Abortable): Promise<Readonly<Record<string, unknown>>[]>;
  /** What was reserved, settled, released and refunded for a task, oldest first, as the API says it. */
  ledger(task: Task | string, options?: Abortable): Promise<Readonly<Record<string, unknown>>[]>;
  /** Delete a task (an id is a task's), its history and its bytes, or a file. Bytes of others stay. */
  delete(thing: Task | Asset | string, options?: Abortable): Promise<void>;
  /** Delete a file by its id: an upload, or an output of a task. */
  deleteAsset(assetId: string, options?: Abortable): Promise<void>;
  /** Bring a file. It may then stand in an input. In Node `openAsBlob(path)` of node:fs makes a Blob. */
  upload(source: Blob | ArrayBuffer | ArrayBufferView, options?: { name?: string } & Abortable): Promise<Asset>;
  /**
   * An address by which somebody without a key brings one file, such as a page in a browser with `uploadTo`. Make it on
   * your server, and hand it on.
   */
  createUpload(options?: UploadOptions & Abortable): Promise<Upload>;
  /** Let a page or an app do a little of what this API key may, for minutes. Make it on your server, hand its `token` on. */
  createClientToken(terms: ClientTerms & Abortable): Promise<ClientToken>;
  /** Those that are good, newest first. */
  clientTokens(options?: Abortable): Promise<ClientToken[]>;
  /** One of them, with what was done by it. */
  clientToken(token: ClientToken | string, options?: Abortable): Promise<ClientToken>;
  /** Let it be good for nothing any more; tasks that were submitted by it run on. */
  revokeClientToken(token: ClientToken | string, options?: Abortable): Promise<void>;
  /** Save a file under the path, whole or not at all; in Node. Rejects with `DownloadBroken`. */
  download(asset: Asset, path: string, options?: Abortable): Promise<string>;
  /** All bytes of a file. Rejects with `DownloadBroken`. */
  bytes(asset: Asset, options?: Abortable): Promise<Uint8Array<ArrayBuffer>>;
  /** The bytes of a file, piece by piece. Only their number is looked at, not their digest. */
  read(asset: Asset, options?: Abortable): AsyncGenerator<Uint8Array, void, undefined>;
  /** What can be asked for. */
  models(options?: Abortable): Promise<Model[]>;
  /** One model, by `provider/name`. */
  model(modelId: string, options?: Abortable): Promise<Model>;
  /** Names that an order may say in place of a model, and the models of each, as the API says it. */
  routes(options?: Abortable): Promise<Readonly<Record<string, unknown>>[]>;
  /** Who does it, and how their accounts are, as the API says it. */
  providers(options?: Abortable): Promise<Readonly<Record<string, unknown>>[]>;
  /** Money and counts. */
  usage(options?: UsageOptions): Promise<Usage>;
  /** What may be spent and done, with how much of it is used. */
  budgets(options?: BudgetOptions): Promise<Budget[]>;
  verifyWebhook: typeof verifyWebhook;
  static verifyWebhook: typeof verifyWebhook;
}

/**
 * Bring a file by an address that `createUpload` gave. It needs no key: a page in a browser may do so, where
 * `api.cors_origins` names its site. A connection that breaks is tried again, and it stays one file. Rejects with
 * `ApiRefused` where the file is too large, of another type, or another one came by this address before.
 */
export function uploadTo(
  upload: Upload | string,
  source: Blob | ArrayBuffer | ArrayBufferView,
  options?: Pick<ClientOptions, "retries" | "fetch"> & Abortable,
): Promise<Asset>;

/** A message that GenPulse has sent. `id` stays the same over all tries, so that it is known again. */
export interface WebhookMessage {
  readonly id: string;
  readonly type: string;
  readonly timestamp: Date;
  readonly task: Task;
}

/**
 * The message in a request, once it is known that GenPulse sent it, and when.
 *
 * `body` is the body as it came, byte for byte. `secret` is `whsec_…`, or any other text that is configured; several
 * while one replaces another. `toleranceS` is how far the sender's clock may be off (300), `now` the time in seconds
 * since 1970. Rejects with `InvalidWebhook`, and `TypeError` for a secret that is none.
 */
export function verifyWebhook(
  body: string | ArrayBuffer | ArrayBufferView,
  headers: Headers | Readonly<Record<string, string | string[] | undefined>>,
  secret: string | readonly string[],
  options?: { toleranceS?: number; now?: number },
): Promise<WebhookMessage>;

/** Whether nothing more happens to a task by itself. */
export function hasEnded(task: Task): boolean;

/** Of this package. */
export const VERSION: string;

/** Base of all errors: a stable `code`; `status` and `problem` (RFC 9457) of the answer, where there was one. */
export class GenPulseError extends Error {
  readonly code: string;
  readonly status: number | undefined;
  readonly problem: Readonly<Record<string, unknown>> | undefined;
}

/** The API said no. `problems` are the places that do not fit. */
export class ApiRefused extends GenPulseError {
  readonly status: number;
  readonly problems: readonly { readonly place: string; readonly detail: string }[];
  /** For how many seconds the API asks not to come again. */
  readonly retryAfterS: number | undefined;
}

/** Nothing answers at the address, or the connection broke. */
export class ApiUnreachable extends GenPulseError {
  /** Whether the request may have arrived. */
  readonly sent: boolean;
}

/** The server was silent for too long. */
export class ApiTimeout extends ApiUnreachable {}

/** What answers is not GenPulse, or a proxy before it: a redirect, a page of HTML, no JSON. */
export class UnexpectedAnswer extends GenPulseError {}

/** A task ended without success. `code` is that of its error, or its status. */
export class TaskFailed extends GenPulseError {
  readonly task: Task;
}

/** A task had not ended when the time to wait for it was over. It goes on. */
export class TaskNotEnded extends GenPulseError {
  readonly taskId: string;
}

/** The bytes that came are not those of the asset. */
export class DownloadBroken extends GenPulseError {}

/** A text that no path can name anything by. */
export class InvalidId extends GenPulseError {}

/** A message that is not from GenPulse, is too old, or cannot be read. */
export class InvalidWebhook extends GenPulseError {}
