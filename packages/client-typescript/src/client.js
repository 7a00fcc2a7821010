/** The client itself: `GenPulse`. Its types, and what each call does, are in index.d.ts. */

import { addressOf, keyOf } from "./address.js";
import { batchEventsOf } from "./batch_watching.js";
import { Connection } from "./connection.js";
import {
  assetOf, batchesOf, batchIdOf, batchOf, clientTokenOf, dataOf, idOf, isAsset, taskOf, tasksOf, tokenIdOf, uploadOf,
} from "./documents.js";
import { TaskFailed } from "./errors.js";
import { bytesOf, keptFile, savedFile, wholeFile } from "./files.js";
import { FILTERS, filterDocument, filterQuery, usageQuery } from "./filters.js";
import { checkOptions, ORDER_OPTIONS } from "./order.js";
import * as requests from "./request.js";
import { limitsOf } from "./retry.js";
import { endedTask, eventsOf } from "./watching.js";
import { verifyWebhook } from "./webhook.js";

const PAGE = 100;
const WAITING = ["timeoutS", "onEvent", "signal"];
const BATCHED = ["model", "input", ...ORDER_OPTIONS];

export class GenPulse {
  #connection;

  constructor(url, apiKey, options = {}) {
    checkOptions(options, ["retries", "silenceS", "fetch"]);
    const { retries = {}, silenceS = 90, fetch = (...words) => globalThis.fetch(...words) } = options;
    const limits = limitsOf(retries);
    this.url = addressOf(url);
    this.#connection = new Connection({ url: this.url, apiKey: keyOf(apiKey), limits, silenceS, fetch });
  }

  async submit(model, input, options = {}) {
    checkOptions(options, [...ORDER_OPTIONS, "signal"]);
    return taskOf(await this.#connection.document(requests.submit(model, input, options), options.signal));
  }

  async submitBatch(orders, options = {}) {
    checkOptions(options, ["idempotencyKey", "signal"]);
    orders.forEach((order) => checkOptions(order, BATCHED));
    const request = requests.submitBatch(orders, options.idempotencyKey);
    return tasksOf(await this.#connection.document(request, options.signal));
  }

  async checkBatch(orders, { signal } = {}) {
    orders.forEach((order) => checkOptions(order, BATCHED));
    await this.#connection.document(requests.checkBatch(orders), signal);
  }

  async batch(batchId, { signal } = {}) {
    return batchOf(await this.#connection.document(requests.batch(batchId), signal));
  }

  batches(options = {}) {
    checkOptions(options, ["limit", "signal"]);
    return this.#pages("/v1/batches", [], batchesOf, options);
  }

  watchBatch(batch, options = {}) {
    checkOptions(options, ["lastEventId", "signal"]);
    return batchEventsOf(this.#connection, batchIdOf(batch), options);
  }

  async cancelBatch(batch, { signal } = {}) {
    return batchOf(await this.#connection.document(requests.cancelBatch(batchIdOf(batch)), signal));
  }

  async retryBatch(batch, { signal } = {}) {
    return batchOf(await this.#connection.document(requests.retryBatch(batchIdOf(batch)), signal));
  }

  async generate(model, input, options = {}) {
    checkOptions(options, [...ORDER_OPTIONS, ...WAITING]);
    const { timeoutS, onEvent, ...ordering } = options;
    const submitted = await this.submit(model, input, ordering);
    const task = await this.wait(submitted, { timeoutS, onEvent, signal: ordering.signal });
    if (task.status !== "succeeded") throw new TaskFailed(task);
    return task;
  }

  async wait(task, options = {}) {
    checkOptions(options, WAITING);
    return endedTask(this.#connection, idOf(task), options);
  }

  watch(task, options = {}) {
    checkOptions(options, ["lastEventId", "timeoutS", "signal"]);
    return eventsOf(this.#connection, idOf(task), options);
  }

  async get(taskId, { signal } = {}) {
    return taskOf(await this.#connection.document(requests.task(taskId), signal));
  }

  list(filters = {}) {
    checkOptions(filters, [...FILTERS, "limit", "signal"]);
    return this.#pages("/v1/tasks", filterQuery(filters), tasksOf, filters);
  }

  async *#pages(path, query, entriesOf, { limit, signal }) {
    for (let left = limit ?? Infinity, cursor = []; left > 0; ) {
      const paging = [["limit", String(Math.min(left, PAGE))], ...cursor];
      const page = await this.#connection.document(requests.got(path, [...query, ...paging]), signal);
      const entries = entriesOf(page);
      yield* entries;
      if (!page.next_cursor) return;
      [left, cursor] = [left - entries.length, [["cursor", page.next_cursor]]];
    }
  }

  async cancel(task, { signal } = {}) {
    return taskOf(await this.#connection.document(requests.cancel(idOf(task)), signal));
  }

  async retry(task, options = {}) {
    checkOptions(options, ["evenIfCharged", "signal"]);
    const request = requests.retry(idOf(task), options.evenIfCharged);
    return taskOf(await this.#connection.document(request, options.signal));
  }

  async act(action, wanted, options = {}) {
    checkOptions(wanted, FILTERS);
    checkOptions(options, ["every", "confirm", "signal"]);
    const request = requests.act(action, filterDocument(wanted), options.every ?? false, options.confirm);
    return this.#connection.document(request, options.signal);
  }

  async attempts(task, { signal } = {}) {
    return dataOf(await this.#connection.document(requests.task(idOf(task), "/attempts"), signal), "list of attempts");
  }

  async deliveries(task, { signal } = {}) {
    return dataOf(await this.#connection.document(requests.task(idOf(task), "/deliveries"), signal), "list of deliveries");
  }

  async ledger(task, { signal } = {}) {
    return dataOf(await this.#connection.document(requests.task(idOf(task), "/ledger"), signal), "list of entries");
  }

  async delete(thing, { signal } = {}) {
    const request = isAsset(thing) ? requests.removeAsset(thing.id) : requests.removeTask(idOf(thing));
    await this.#connection.document(request, signal);
  }

  async deleteAsset(assetId, { signal } = {}) {
    await this.#connection.document(requests.removeAsset(assetId), signal);
  }

  async upload(source, options = {}) {
    checkOptions(options, ["name", "signal"]);
    return keptFile(this.#connection, source, options);
  }

  async createUpload(options = {}) {
    checkOptions(options, ["maxBytes", "mediaType", "expiresInS", "signal"]);
    return uploadOf(await this.#connection.document(requests.createUpload(options), options.signal));
  }

  async createClientToken(terms) {
    checkOptions(terms ?? {}, [...requests.CLIENT_TERMS, "signal"]);
    return clientTokenOf(await this.#connection.document(requests.createClientToken(terms ?? {}), terms?.signal));
  }

  async clientTokens({ signal } = {}) {
    return dataOf(await this.#connection.document(requests.got("/v1/client_tokens"), signal), "list of client tokens");
  }

  async clientToken(token, { signal } = {}) {
    return clientTokenOf(await this.#connection.document(requests.clientToken(tokenIdOf(token)), signal));
  }

  async revokeClientToken(token, { signal } = {}) {
    await this.#connection.document({ ...requests.clientToken(tokenIdOf(token)), method: "DELETE" }, signal);
  }

  async download(asset, path, { signal } = {}) {
    return savedFile(this.#connection, assetOf(asset), path, signal);
  }

  async bytes(asset, { signal } = {}) {
    return wholeFile(this.#connection, assetOf(asset), signal);
  }

  read(asset, { signal } = {}) {
    return bytesOf(this.#connection, assetOf(asset), signal);
  }

  async models({ signal } = {}) {
    return dataOf(await this.#connection.document(requests.got("/v1/models"), signal), "catalogue");
  }

  async model(modelId, { signal } = {}) {
    return this.#connection.document(requests.model(modelId), signal);
  }

  async routes({ signal } = {}) {
    return dataOf(await this.#connection.document(requests.got("/v1/routes"), signal), "catalogue");
  }

  async providers({ signal } = {}) {
    return dataOf(await this.#connection.document(requests.got("/v1/providers"), signal), "catalogue");
  }

  async usage(options = {}) {
    checkOptions(options, ["since", "until", "groupBy", "signal"]);
    const request = requests.got("/v1/usage", usageQuery(options));
    const document = await this.#connection.document(request, options.signal);
    dataOf(document, "usage");
    return document;
  }

  async budgets(options = {}) {
    checkOptions(options, ["customer", "signal"]);
    const query = options.customer === undefined ? [] : [["customer", options.customer]];
    const document = await this.#connection.document(requests.got("/v1/budgets", query), options.signal);
    return dataOf(document, "budgets");
  }

  verifyWebhook(...message) {
    return verifyWebhook(...message);
  }

  static verifyWebhook = verifyWebhook;
}
